/** Recognises tokens and claims; a token is verified against the key sets of the folder and then dropped, signature first. */
import type { Fact, Question } from '../../core/fact.ts'
import { at, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { audiencesOf, isTokenShaped, readToken, serviceAccountOf } from '../../domain/token-claims.ts'
import { type Document, type Recogniser, told } from './document.ts'
import type { OidcDocuments } from './oidc.ts'
import { type SignatureVerdict, verifySignature } from './signature.ts'

type Seen = {
  readonly file: string
  readonly header: JsonObject
  readonly claims: JsonObject
  readonly malformed?: string
  /** By file of the key set; empty for claims, which carry no signature. */
  readonly verdicts: Map<string, SignatureVerdict>
}

export type TokenDocuments = Recogniser & {
  /** A text that is, or should be, a token; several stand one in a line. */
  readonly takeText: (file: string, text: string) => void
  /** Verifies what can be verified and forgets the tokens. Call when everything has been read. */
  readonly finish: () => void
  /** How many tokens were read and dropped. */
  readonly dropped: () => number
}

export function tokenDocuments(oidc: OidcDocuments): TokenDocuments {
  const seen: Seen[] = []
  let held: { readonly raw: string; readonly of: Seen }[] = []
  let dropped = 0

  const takeToken = (file: string, raw: string): void => {
    const reading = readToken(raw)
    const token: Seen = {
      file,
      header: reading.header ?? {},
      claims: reading.claims ?? {},
      ...(reading.state === 'broken' ? { malformed: reading.problem } : {}),
      verdicts: new Map(),
    }
    seen.push(token)
    dropped += 1
    if (reading.state === 'read') held.push({ raw, of: token })
  }

  const take = ({ file, value }: Document): boolean => {
    if (typeof value === 'string' && isTokenShaped(value)) {
      takeToken(file, value)
      return true
    }
    if (!isObject(value)) return false
    const minted = value.kind === 'TokenRequest' ? textAt(value, 'status', 'token') : undefined
    if (minted !== undefined) {
      takeToken(file, minted)
      return true
    }
    const claims = isObject(value.payload) ? value.payload : isObject(value.claims) ? value.claims : value
    if (textAt(claims, 'iss') === undefined || textAt(claims, 'sub') === undefined) return false
    const header = isObject(value.header) ? value.header : {}
    const { signature: _, ...rest } = claims
    seen.push({ file, header, claims: rest, verdicts: new Map() })
    return true
  }

  const finish = (): void => {
    for (const { raw, of } of held)
      for (const keys of oidc.keySets()) of.verdicts.set(keys.file, verifySignature(raw, keys.document))
    held = []
  }

  /** The newest token of this ServiceAccount for this audience. */
  const named = ({ input }: Question): Seen | undefined => {
    const fits = seen.filter(({ claims, malformed }) => {
      const account = serviceAccountOf(textAt(claims, 'sub'))
      return (
        malformed === undefined &&
        account !== undefined &&
        account.namespace === input.namespace &&
        account.name === input.name &&
        audiencesOf(claims).some((one) => one === input.audience)
      )
    })
    const age = ({ claims }: Seen): number => Number(at(claims, 'iat')) || 0
    return fits.sort((a, b) => age(b) - age(a))[0]
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    const { system, call } = question
    if (system === 'observed' && call === 'tokens')
      return told({ tokens: seen.map(({ verdicts: _, ...token }) => token) }, question)
    if (system === 'kubernetes' && call === 'serviceaccounts/token/create') {
      const token = named(question)
      if (token === undefined) return undefined
      const expires = Number(at(token.claims, 'exp'))
      const isDate = expires > 0 && expires < 8e12
      return told(
        {
          header: token.header,
          claims: token.claims,
          ...(isDate ? { expirationTimestamp: new Date(expires * 1000).toISOString() } : {}),
        },
        question,
      )
    }
    if (system === 'oidc' && call === 'signature') {
      const verdict = named(question)?.verdicts.get(oidc.keysAt(textAt(question.input, 'uri') ?? '')?.file ?? '')
      return verdict === undefined ? undefined : told(verdict, question)
    }
    return undefined
  }

  const takeText = (file: string, text: string): void => {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    const several = lines.length > 1 && lines.every((line) => line.split('.').length === 3)
    for (const raw of several ? lines : [text]) takeToken(file, raw.replace(/\s+/g, ' ').trim())
  }

  return { take, answer, takeText, finish, dropped: () => dropped }
}
