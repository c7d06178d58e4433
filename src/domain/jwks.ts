/** Reads a published key set (JWKS), recomputes Kubernetes key ids, and knows which algorithms each cloud takes. */
import { sha256 } from '@noble/hashes/sha2.js'
import { isList, isObject, type Json, type JsonObject, textAt } from '../core/json.ts'
import { base64url, bytesOf } from './token-claims.ts'

export type PublishedKey = {
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  /** The public key as it was published; members of a private key are left out. */
  readonly jwk: JsonObject
}

const publicMembers = ['kty', 'kid', 'alg', 'use', 'key_ops', 'crv', 'n', 'e', 'x', 'y', 'x5t', 'x5t#S256']

/** The keys of a JWKS; undefined where it is none. A member without `kty` is left out. */
export function readKeys(document: Json | undefined): readonly PublishedKey[] | undefined {
  if (!isObject(document) || !isList(document.keys)) return undefined
  return document.keys.flatMap((key) => {
    const kty = textAt(key, 'kty')
    if (kty === undefined || !isObject(key)) return []
    const jwk: { [name: string]: Json } = {}
    for (const name of publicMembers) {
      const value = key[name]
      if (value !== undefined) jwk[name] = value
    }
    const kid = textAt(key, 'kid')
    const alg = textAt(key, 'alg')
    const use = textAt(key, 'use')
    return [
      {
        kty,
        ...(kid === undefined ? {} : { kid }),
        ...(alg === undefined ? {} : { alg }),
        ...(use === undefined ? {} : { use }),
        jwk,
      },
    ]
  })
}

/** The same JWKS with nothing in it but public keys: some publish the whole pair by mistake. */
export const publicKeySet = (document: JsonObject): JsonObject => ({
  keys: isList(document.keys)
    ? document.keys.map((key) => {
        if (!isObject(key)) return {}
        const kept: { [name: string]: Json } = {}
        for (const name of publicMembers) {
          const value = key[name]
          if (value !== undefined) kept[name] = value
        }
        return kept
      })
    : [],
})

/** https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/ and each cloud's own pages. */
export const algorithmsTaken: { readonly [cloud in 'aws' | 'azure' | 'gcp']: readonly string[] } = {
  aws: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
  azure: ['RS256'],
  gcp: ['RS256', 'ES256'],
}

const tagged = (tag: number, ...contents: readonly Uint8Array[]): Uint8Array => {
  const length = contents.reduce((sum, one) => sum + one.length, 0)
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  const bytes = new Uint8Array(1 + size.length + length)
  bytes.set([tag, ...size])
  let at = 1 + size.length
  for (const one of contents) {
    bytes.set(one, at)
    at += one.length
  }
  return bytes
}

const sequence = (...contents: readonly Uint8Array[]): Uint8Array => tagged(0x30, ...contents)
const bits = (content: Uint8Array): Uint8Array => tagged(0x03, Uint8Array.of(0), content)

/** DER has no unsigned integers: a leading bit that is set gets a zero byte in front. */
function integer(value: Uint8Array): Uint8Array {
  let start = 0
  while (start < value.length - 1 && value[start] === 0) start += 1
  const lean = value.subarray(start)
  return ((lean[0] ?? 0) & 0x80) === 0 ? tagged(0x02, lean) : tagged(0x02, Uint8Array.of(0), lean)
}

const rsa = Uint8Array.of(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01)
const ec = Uint8Array.of(0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01)
const curves: { readonly [name: string]: Uint8Array } = {
  'P-256': Uint8Array.of(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07),
  'P-384': Uint8Array.of(0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22),
  'P-521': Uint8Array.of(0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23),
}
const nothing = Uint8Array.of(0x05, 0x00)

/** The key as DER SubjectPublicKeyInfo (RFC 5280); undefined for other keys than RSA and the NIST curves. */
function publicKeyInfo({ jwk }: PublishedKey): Uint8Array | undefined {
  const bytes = (name: string) => bytesOf(textAt(jwk, name) ?? '')
  if (jwk.kty === 'RSA') {
    const modulus = bytes('n')
    const exponent = bytes('e')
    if (modulus === undefined || exponent === undefined || modulus.length === 0 || modulus.length > 8192)
      return undefined
    return sequence(sequence(rsa, nothing), bits(sequence(integer(modulus), integer(exponent))))
  }
  const name = textAt(jwk, 'crv') ?? ''
  const curve = Object.hasOwn(curves, name) ? curves[name] : undefined
  const x = bytes('x')
  const y = bytes('y')
  if (jwk.kty !== 'EC' || curve === undefined || x === undefined || y === undefined) return undefined
  if (x.length !== y.length || x.length < 32 || x.length > 66) return undefined
  return sequence(sequence(ec, curve), bits(Uint8Array.of(0x04, ...x, ...y)))
}

/**
 * The kid that Kubernetes itself gives this key: base64url(SHA-256(DER SubjectPublicKeyInfo)). One that differs was made by hand.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/serviceaccount/jwt.go
 */
export function keyIdOf(key: PublishedKey): string | undefined {
  const info = publicKeyInfo(key)
  return info === undefined ? undefined : base64url(sha256(info))
}
