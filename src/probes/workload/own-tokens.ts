/** Tokens among the documents that stand for what this ServiceAccount's pods hold. */
import { defineProbe, type Fact, known } from '../../core/fact.ts'
import { cloudOfAudience } from '../../domain/federation-marks.ts'
import { issuer } from '../cluster/issuer.ts'
import { type SeenTokens, seenTokens } from '../cluster/seen-tokens.ts'

/**
 * A token that names a judged ServiceAccount is that one's. One that names nobody who is judged is the only account's, where there is only
 * one, unless it is plainly for the API server: such tokens are collected to show the issuer.
 */
export const ownTokens = defineProbe({
  id: 'workload/own-tokens',
  about: "the ServiceAccount's tokens among the documents",
  scope: 'service-account',
  needs: { seenTokens },
  wants: { issuer },
  ask: ({ seenTokens }, { issuer }, { subject, subjects }): Fact<SeenTokens> => {
    if (seenTokens.state === 'absent') return known({ tokens: [], malformed: [] }, seenTokens.from)
    const nameOf = ({ namespace, name }: { namespace?: string; name: string }) =>
      `system:serviceaccount:${namespace}:${name}`
    const accounts = subjects.filter(({ kind }) => kind === 'ServiceAccount')
    const judged = new Set(accounts.map(nameOf))
    const alone = accounts.length <= 1
    const own = issuer.state === 'known' ? issuer.value.issuer : undefined
    const isForApi = (audiences: readonly string[]): boolean =>
      audiences.length > 0 &&
      audiences.every(
        (one) =>
          cloudOfAudience(one) === undefined &&
          (one === own || /^https:\/\/kubernetes\.default|\.svc(\.cluster\.local)?$/.test(one)),
      )
    return known(
      {
        tokens: seenTokens.value.tokens.filter(({ subject: named, audiences }) => {
          if (isForApi(audiences)) return false
          if (named !== undefined && judged.has(named))
            return subject.kind === 'ServiceAccount' && named === nameOf(subject)
          return alone
        }),
        malformed: alone ? seenTokens.value.malformed : [],
      },
      seenTokens.from,
    )
  },
})
