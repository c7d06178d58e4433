/** Tokens minted by the Kubernetes source: decoded, lent, dropped, and never part of an answer. */
import { generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { kubernetes } from '../src/domain/questions.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import { json, status } from './live-doubles.ts'
import { ask, kubernetesTests } from './live-kubernetes.ts'

const { api, config, source } = kubernetesTests()

describe('tokens', () => {
  let token: string
  beforeAll(async () => {
    const { privateKey } = await generateKeyPair('RS256')
    token = await new SignJWT({ aud: ['sts.amazonaws.com'], 'kubernetes.io': { namespace: 'shop' } })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer('https://issuer.example')
      .setSubject('system:serviceaccount:shop:cart')
      .setExpirationTime('10m')
      .sign(privateKey)
  })
  const cart = { namespace: 'shop', name: 'cart', audience: 'sts.amazonaws.com' }

  test('a token is minted once, decoded, and lent only out of the vault', async () => {
    const served = await api((_s, r) =>
      json(r, 201, { kind: 'TokenRequest', status: { token, expirationTimestamp: '2030-01-01T00:00:00Z' } }),
    )
    const vault = tokenVault()
    const from = await source(config(served.url, {}), {}, { vault })
    const [fact] = await Promise.all([ask(from, kubernetes.token(cart)), ask(from, kubernetes.token(cart))])
    expect(fact).toMatchObject({
      state: 'known',
      value: {
        header: { kid: 'one' },
        claims: { sub: 'system:serviceaccount:shop:cart' },
        expirationTimestamp: '2030-01-01T00:00:00Z',
      },
    })
    expect(served.seen).toHaveLength(1)
    expect(JSON.parse(served.seen[0]?.body ?? '')).toMatchObject({
      spec: { audiences: ['sts.amazonaws.com'], expirationSeconds: 600 },
    })
    expect(served.seen[0]).toMatchObject({
      method: 'POST',
      url: expect.objectContaining({ pathname: '/api/v1/namespaces/shop/serviceaccounts/cart/token' }),
    })
    for (const part of [token, token.split('.')[2] ?? ''])
      expect(JSON.stringify([fact, vault, from])).not.toContain(part)
    expect(vault.lend(cart, (raw) => raw)).toBe(token)
    vault.empty()
    vault.keep(cart, token)
    expect(vault.lend(cart, (raw) => raw)).toBeUndefined()
  })

  test('refused, not offered, nobody of that name', async () => {
    const asked = async (code: number, reason: string, message: string) => {
      const served = await api((_s, r) => json(r, code, status(code, reason, message)))
      return ask(await source(config(served.url, {})), kubernetes.token(cart))
    }
    expect(await asked(403, 'Forbidden', 'no')).toMatchObject({
      why: 'forbidden',
      lift: 'RBAC: create serviceaccounts/token in namespace shop',
    })
    expect(await asked(404, 'NotFound', 'the server could not find the requested resource')).toMatchObject({
      state: 'unknown',
      why: 'not-collected',
    })
    expect(await asked(404, 'NotFound', 'serviceaccounts "cart" not found')).toMatchObject({ state: 'absent' })
  })
})
