/** A token minted by this cluster: whomever it is for, its issuer, key and form are those of all. */
import { absent, defineProbe, type Fact, inquire, known, unknown } from '../../core/fact.ts'
import { at, isObject, type Json, type JsonObject, textAt, textsAt } from '../../core/json.ts'
import { audienceOf } from '../../domain/audiences.ts'
import { kubernetes } from '../../domain/questions.ts'
import { judged } from './judged.ts'

export type Token = {
  readonly issuer?: string
  readonly subject?: string
  readonly audiences: readonly string[]
  readonly keyId?: string
  readonly algorithm?: string
  /** Seconds since 1970. */
  readonly issuedAt?: number
  readonly expires?: number
  readonly claims: JsonObject
  readonly header: JsonObject
  /** Another ServiceAccount's token stands for this one's: subject and audience are what they should be, and were not looked at. */
  readonly borrowed?: true
}

const seconds = (json: Json | undefined): number | undefined => (typeof json === 'number' ? json : undefined)

/** A token from its decoded header and claims. */
export function readToken(json: Json): Token | undefined {
  const claims = at(json, 'claims')
  const header = at(json, 'header') ?? {}
  if (!isObject(claims) || !isObject(header)) return undefined
  const token: { -readonly [K in keyof Token]: Token[K] } = { audiences: textsAt(claims, 'aud'), claims, header }
  const issuer = textAt(claims, 'iss')
  const subject = textAt(claims, 'sub')
  const keyId = textAt(header, 'kid')
  const algorithm = textAt(header, 'alg')
  const issuedAt = seconds(at(claims, 'iat'))
  const expires = seconds(at(claims, 'exp'))
  if (issuer !== undefined) token.issuer = issuer
  if (subject !== undefined) token.subject = subject
  if (keyId !== undefined) token.keyId = keyId
  if (algorithm !== undefined) token.algorithm = algorithm
  if (issuedAt !== undefined) token.issuedAt = issuedAt
  if (expires !== undefined) token.expires = expires
  return token
}

export const anyMintedToken = defineProbe<Token>({
  id: 'cluster/minted-token',
  about: 'a token minted by this cluster',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, inquiry) => {
    const question = kubernetes.token({ namespace: 'default', name: 'default', audience: 'sts.amazonaws.com' })
    // Where nobody is there to be judged, there is nobody's token; where nobody could be seen, there may be one.
    const blind = inquiry.subjects.some(({ standsFor }) => standsFor?.includes('service-account'))
    let last: Fact<Token> = blind
      ? unknown(
          'not-asked',
          'no ServiceAccount is judged, so no token was minted',
          question,
          'name a ServiceAccount: kubectl wi doctor sa/NAME',
        )
      : absent(question)
    // A ServiceAccount that is gone has no token; a few tries find one that is there, and no more are made.
    for (const { kind, namespace, name } of inquiry.subjects
      .filter((subject) => subject.kind === 'ServiceAccount')
      .slice(0, 5)) {
      if (kind !== 'ServiceAccount' || namespace === undefined) continue
      const found = await inquiry.ask(kubernetes.get('serviceaccounts', namespace, name))
      if (found.state !== 'known') continue
      const audience = audienceOf({ annotations: readAnnotations(found.value) })
      last = await inquire(inquiry, kubernetes.token({ namespace, name, audience }), readToken)
      if (last.state !== 'absent') return last
    }
    return last
  },
})

const readAnnotations = (json: Json): { readonly [key: string]: string } => {
  const found = at(json, 'metadata', 'annotations')
  const texts: { [key: string]: string } = {}
  if (isObject(found))
    for (const [key, value] of Object.entries(found)) if (typeof value === 'string') texts[key] = value
  return texts
}

/** Above this many ServiceAccounts, a TokenRequest for each would load the API server with what one token tells as well. */
const mostMinted = 50

export type Lending = { readonly token: Fact<Token> }

/** Absent where so few ServiceAccounts are judged that each has a token of its own minted. Never unknown. */
export const lentToken = defineProbe({
  id: 'cluster/lent-token',
  about: 'the token that stands for those of many ServiceAccounts',
  scope: 'cluster',
  needs: { judged },
  wants: { anyMintedToken },
  ask: ({ judged }, { anyMintedToken }): Fact<Lending> => {
    const few = judged.state === 'absent' || judged.value.accounts <= mostMinted
    return few ? absent(anyMintedToken.from) : known({ token: anyMintedToken }, anyMintedToken.from)
  },
})
