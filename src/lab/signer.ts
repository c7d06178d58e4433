/** The lab cluster's signing key: mints ServiceAccount tokens, verifies them, and stands in the published key set. */
import { createHash, generateKeyPair, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { compactVerify, exportJWK, SignJWT } from 'jose'
import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { LabCase } from './case.ts'

export type Bound = { readonly name: string; readonly uid: string }
export type TokenOrder = {
  readonly namespace: string
  readonly account: Bound
  readonly audiences: readonly string[]
  /** Seconds. */
  readonly lifetime: number
  readonly pod?: Bound
  readonly node?: Bound
  readonly secret?: Bound
}
export type Minted = { readonly token: string; readonly expires: Date }

export type Signer = {
  readonly kid: string
  /** What the issuer publishes. */
  readonly published: JsonObject
  /** What the API server itself serves: it always knows the key that it signs with. */
  readonly served: JsonObject
  readonly mint: (order: TokenOrder) => Promise<Minted>
  /** The claims as they stand, signed: tests make tokens with it that no API server would give out. */
  readonly sign: (claims: JsonObject, header?: { readonly kid?: string }) => Promise<string>
  /** The claims of a token that this key has signed, expired or not; undefined for any other text. */
  readonly verify: (token: string) => Promise<JsonObject | undefined>
}

const newPair = promisify(generateKeyPair)

/**
 * Nobody has the private keys of a collected key set, so the lab's own key takes the place of the one that the case's tokens
 * are signed with, under its kid. A key set without that kid is served as it is: then the missing key is the case.
 */
export async function makeSigner(lab: Pick<LabCase, 'issuer' | 'jwks' | 'kid' | 'served'>): Promise<Signer> {
  const { publicKey, privateKey } = await newPair('rsa', { modulusLength: 2048 })
  const thumbprint = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  const first = [lab.served.jwks, lab.jwks].flatMap((set) => listAt(set, 'keys').slice(0, 1))
  const kid = lab.kid ?? first.map((key) => textAt(key, 'kid')).find((one) => one !== undefined) ?? thumbprint
  const { n = '', e = '' } = await exportJWK(publicKey)
  const own: JsonObject = { use: 'sig', kty: 'RSA', kid, alg: 'RS256', n, e }
  const published = lab.jwks === undefined ? { keys: [own] } : withOwn(lab.jwks, own, lab.kid === undefined)
  const served = withOwn(lab.served.jwks ?? lab.jwks ?? { keys: [] }, own, false)
  const knows = listAt(served, 'keys').some((key) => at(key, 'n') === n)

  const sign: Signer['sign'] = (claims, header = {}) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: header.kid ?? kid }).sign(privateKey)
  const mint: Signer['mint'] = async ({ namespace, account, audiences, lifetime, ...bound }) => {
    const now = Math.floor(Date.now() / 1000)
    const expires = now + lifetime
    const parts: Json = { namespace, serviceaccount: { ...account }, ...bound }
    const token = await sign({
      iss: lab.issuer,
      sub: `system:serviceaccount:${namespace}:${account.name}`,
      aud: audiences,
      exp: expires,
      iat: now,
      nbf: now,
      jti: randomUUID(),
      'kubernetes.io': parts,
    })
    return { token, expires: new Date(expires * 1000) }
  }
  const verify: Signer['verify'] = async (token) => {
    try {
      const { payload } = await compactVerify(token, publicKey, { algorithms: ['RS256'] })
      const claims: Json = JSON.parse(Buffer.from(payload).toString('utf8'))
      return isObject(claims) ? claims : undefined
    } catch {
      return undefined
    }
  }
  return { kid, published, served: knows ? served : { keys: [own] }, mint, sign, verify }
}

/**
 * The key set with the lab's key in the place of its namesake. `first`: no token of the case names a key, so that a first one
 * without kid may be it; what the case leaves out (kid, alg, use) stays out.
 */
function withOwn(set: JsonObject, own: JsonObject, first: boolean): JsonObject {
  const isSigning = (key: Json, index: number): boolean => {
    const kid = textAt(key, 'kid')
    return kid === own.kid || (first && index === 0 && kid === undefined)
  }
  const replaced = (key: Json): Json => {
    const kept = Object.entries(own).filter(([name]) => name === 'n' || name === 'e' || at(key, name) !== undefined)
    return { ...Object.fromEntries(kept), kty: 'RSA' }
  }
  return { ...set, keys: listAt(set, 'keys').map((key, index) => (isSigning(key, index) ? replaced(key) : key)) }
}
