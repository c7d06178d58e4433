/** Whether a published key verifies a token: the one place where a signature from a file is looked at. */
import { createPublicKey, verify } from 'node:crypto'
import { type JsonObject, textAt } from '../../core/json.ts'
import { type PublishedKey, readKeys } from '../../domain/jwks.ts'
import { readToken } from '../../domain/token-claims.ts'

export type SignatureVerdict = { readonly verified: boolean; readonly reason?: string }

const hashes: { readonly [algorithm: string]: { readonly hash: string; readonly kty: string } } = {
  RS256: { hash: 'sha256', kty: 'RSA' },
  RS384: { hash: 'sha384', kty: 'RSA' },
  RS512: { hash: 'sha512', kty: 'RSA' },
  ES256: { hash: 'sha256', kty: 'EC' },
  ES384: { hash: 'sha384', kty: 'EC' },
  ES512: { hash: 'sha512', kty: 'EC' },
}

const no = (reason: string): SignatureVerdict => ({ verified: false, reason })

function isSignedBy(key: PublishedKey, hash: string, signed: string, signature: Buffer): boolean {
  try {
    const publicKey = createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
    return verify(hash, Buffer.from(signed), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false
  }
}

/** Whether a key of this JWKS verifies the compact JWT; the reason names key ids and algorithms only. Never throws. */
export function verifySignature(token: string, keySet: JsonObject): SignatureVerdict {
  const raw = token.trim()
  const reading = readToken(raw)
  const keys = readKeys(keySet)
  if (reading.state !== 'read') return no(`the token cannot be read: ${reading.problem}`)
  if (keys === undefined) return no('the published document is no key set')
  if (reading.unsigned) return no('the token is not signed: its alg is none')
  const algorithm = textAt(reading.header, 'alg') ?? ''
  const known = Object.hasOwn(hashes, algorithm) ? hashes[algorithm] : undefined
  if (known === undefined)
    return no(
      `the algorithm ${algorithm.slice(0, 20) || '(none named)'} is not one of ${Object.keys(hashes).join(', ')}`,
    )
  const kid = textAt(reading.header, 'kid')
  const candidates = keys.filter((key) => key.kty === known.kty && (kid === undefined || key.kid === kid))
  if (candidates.length === 0)
    return no(
      kid === undefined ? `no ${known.kty} key is published` : `no ${known.kty} key with kid ${kid} is published`,
    )
  const cut = raw.lastIndexOf('.')
  const signature = Buffer.from(raw.slice(cut + 1), 'base64url')
  return candidates.some((key) => isSignedBy(key, known.hash, raw.slice(0, cut), signature))
    ? { verified: true }
    : no(`the published key${kid === undefined ? 's do' : ` ${kid} does`} not verify the signature`)
}
