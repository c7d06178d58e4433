/** Key ids as Kubernetes derives them, against the DER that OpenSSL writes of the same keys. */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { keyIdOf, readKeys } from '../src/domain/jwks.ts'

const expected = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
const idOf = (key: KeyObject): string | undefined => {
  const [one] = readKeys({ keys: [JSON.parse(JSON.stringify(key.export({ format: 'jwk' })))] }) ?? []
  return one === undefined ? undefined : keyIdOf(one)
}

describe('the kid of a key', () => {
  test.each([1024, 2048, 2056, 4096])('of RSA with %i bits', (modulusLength) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength })
    expect(idOf(publicKey)).toBe(expected(publicKey))
  })
  test.each(['P-256', 'P-384', 'P-521'])('of EC on %s', (namedCurve) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve })
    expect(idOf(publicKey)).toBe(expected(publicKey))
  })
  test('is unknown where the key is of another kind or broken', () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    expect(idOf(publicKey)).toBeUndefined()
    for (const jwk of [
      { kty: 'RSA', n: '?', e: 'AQAB' },
      { kty: 'RSA', e: 'AQAB' },
      { kty: 'EC', crv: 'toString', x: 'AA', y: 'AA' },
    ])
      expect(readKeys({ keys: [jwk] })?.map(keyIdOf)).toEqual([undefined])
  })
})
