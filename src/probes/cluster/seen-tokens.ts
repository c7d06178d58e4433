/** ServiceAccounts' tokens among the documents, and what lies there in a token's place. */
import { defineProbe, type Fact, known, onward } from '../../core/fact.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import { legacyIssuer } from '../../domain/issuer-url.ts'
import { seen } from '../../domain/questions.ts'
import { clock } from './clock.ts'
import { readToken, type Token } from './minted-token.ts'

export type SeenToken = Token & {
  readonly file: string
  /** Where it stands in the answer. */
  readonly index: number
  readonly kind: 'bound' | 'legacy' | 'other'
  /** The pod that it is bound to, where it says so. */
  readonly pod?: string
  /** It had ended when the facts were gathered, so nobody uses it any more; false where the time is not known. */
  readonly ended: boolean
}
export type SeenTokens = {
  /** The newest first. */
  readonly tokens: readonly SeenToken[]
  readonly malformed: readonly { readonly file: string; readonly reason: string }[]
}

const kindOf = ({ issuer, subject, expires, claims }: Token): SeenToken['kind'] => {
  if (issuer === legacyIssuer && expires === undefined) return 'legacy'
  if ('kubernetes.io/serviceaccount/namespace' in claims && expires === undefined) return 'legacy'
  return subject?.startsWith('system:serviceaccount:') === true ? 'bound' : 'other'
}

function read(answer: Json, now: number | undefined): SeenTokens {
  const tokens: SeenToken[] = []
  const malformed: { file: string; reason: string }[] = []
  for (const [index, one] of listAt(answer, 'tokens').entries()) {
    const file = textAt(one, 'file') ?? 'token'
    const reason = textAt(one, 'malformed')
    const token = readToken(one)
    if (reason !== undefined) malformed.push({ file, reason })
    else if (token !== undefined) {
      const pod = textAt(token.claims, 'kubernetes.io', 'pod', 'name')
      tokens.push({
        ...token,
        file,
        index,
        kind: kindOf(token),
        ended: now !== undefined && token.expires !== undefined && token.expires * 1000 < now,
        ...(pod === undefined ? {} : { pod }),
      })
    }
  }
  tokens.sort((a, b) => (b.issuedAt ?? 0) - (a.issuedAt ?? 0) || (a.file < b.file ? -1 : 1))
  return { tokens, malformed }
}

/** Never unknown: where no document holds a token, none was seen. */
export const seenTokens = defineProbe({
  id: 'cluster/seen-tokens',
  about: 'tokens among the documents',
  scope: 'cluster',
  needs: {},
  wants: { clock },
  ask: (_have, { clock }, inquiry) =>
    onward(
      inquiry.ask(seen.tokens()),
      (fact): Fact<SeenTokens> =>
        known(
          read(fact.state === 'known' ? fact.value : {}, clock.state === 'known' ? clock.value : undefined),
          seen.tokens(),
        ),
    ),
})
