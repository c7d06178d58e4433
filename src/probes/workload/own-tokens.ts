/** Tokens among the documents that stand for what this ServiceAccount's pods hold. */
import { defineProbe, type Fact, known } from '../../core/fact.ts'
import { cloudOfAudience } from '../../domain/federation-marks.ts'
import { issuer } from '../cluster/issuer.ts'
import { judged, tokenSubjectOf } from '../cluster/judged.ts'
import { type SeenToken, type SeenTokens, seenTokens } from '../cluster/seen-tokens.ts'

export type TokenShelves = {
  readonly bySubject: ReadonlyMap<string, readonly SeenToken[]>
  /** What names nobody who is judged. */
  readonly others: readonly SeenToken[]
  /** Only one ServiceAccount is judged, so that what names nobody is its own. */
  readonly alone: boolean
}

/** The tokens that are not plainly for the API server, such as are collected to show the issuer, by whom they name. */
export const tokenShelves = defineProbe({
  id: 'cluster/token-shelves',
  about: 'whose the tokens among the documents are',
  scope: 'cluster',
  needs: { seenTokens, judged },
  wants: { issuer },
  ask: ({ seenTokens, judged }, { issuer }): Fact<TokenShelves> => {
    const tokens = seenTokens.state === 'known' ? seenTokens.value.tokens : []
    const own = issuer.state === 'known' ? issuer.value.issuer : undefined
    const isForApi = (audiences: readonly string[]): boolean =>
      audiences.length > 0 &&
      audiences.every(
        (one) =>
          cloudOfAudience(one) === undefined &&
          (one === own || /^https:\/\/kubernetes\.default|\.svc(\.cluster\.local)?$/.test(one)),
      )
    const isJudged = (named: string): boolean => judged.state === 'known' && judged.value.tokenSubjects.has(named)
    const bySubject = new Map<string, SeenToken[]>()
    const others: SeenToken[] = []
    for (const token of tokens) {
      const { subject: named, audiences } = token
      if (isForApi(audiences)) continue
      if (named === undefined || !isJudged(named)) others.push(token)
      else {
        const shelf = bySubject.get(named)
        if (shelf === undefined) bySubject.set(named, [token])
        else shelf.push(token)
      }
    }
    const alone = judged.state === 'known' && judged.value.accounts <= 1
    return known({ bySubject, others, alone }, seenTokens.from)
  },
})

const none: SeenTokens = { tokens: [], malformed: [] }
const newestFirst = (a: SeenToken, b: SeenToken): number =>
  (b.issuedAt ?? 0) - (a.issuedAt ?? 0) || (a.file < b.file ? -1 : 1)

/**
 * A token that names a judged ServiceAccount is that one's. One that names nobody who is judged is the only account's, where there is only
 * one.
 */
export const ownTokens = defineProbe({
  id: 'workload/own-tokens',
  about: "the ServiceAccount's tokens among the documents",
  scope: 'service-account',
  needs: { seenTokens, tokenShelves },
  wants: {},
  ask: ({ seenTokens, tokenShelves }, _want, { subject }): Fact<SeenTokens> => {
    if (seenTokens.state === 'absent' || tokenShelves.state === 'absent') return known(none, seenTokens.from)
    const { bySubject, others, alone } = tokenShelves.value
    const named = (subject.kind === 'ServiceAccount' && bySubject.get(tokenSubjectOf(subject))) || []
    if (!alone) return known(named.length === 0 ? none : { tokens: named, malformed: [] }, seenTokens.from)
    const tokens = others.length === 0 ? named : [...named, ...others].sort(newestFirst)
    return known({ tokens, malformed: seenTokens.value.malformed }, seenTokens.from)
  },
})
