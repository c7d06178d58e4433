/** Azure Blob Storage with bearer tokens: what opens a container, and what does not. */
import { importPKCS8, SignJWT } from 'jose'
import { beforeAll, expect, it } from 'vitest'
import { describeWith, lane } from './running.ts'
import { makeSigningKey } from './servers/certificates.ts'
import { type Answer, ask } from './web.ts'

const hour = 3600
const now = (): number => Math.floor(Date.now() / 1000)
const sound = () => ({
  iss: 'https://sts.windows.net/7b0a5f9e-2f6d-4e3a-9a53-0f5a3c1d2e4b/',
  aud: 'https://storage.azure.com',
  iat: now(),
  nbf: now() - 60,
  exp: now() + hour,
  sub: 'e2d1c0b9-0000-4000-8000-000000000001',
})

describeWith(['storage'], 'Azure Blob Storage', () => {
  const { url = '', account = '' } = { ...lane.storage }
  let sign: (claims: { readonly [name: string]: unknown }) => Promise<string>

  beforeAll(async () => {
    const key = await importPKCS8(makeSigningKey().privateKey, 'RS256')
    sign = (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'live' }).sign(key)
    const token = await sign(sound())
    expect((await call('PUT', '/carts?restype=container', token)).status).toBe(201)
    const put = await call('PUT', '/carts/full', token, 'of things')
    expect(put.status, put.body).toBe(201)
  })

  function call(method: string, place: string, token?: string, body = ''): Promise<Answer> {
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const headers = { 'x-ms-version': '2023-11-03', 'x-ms-date': new Date().toUTCString(), ...bearer }
    const blob = body === '' ? {} : { 'x-ms-blob-type': 'BlockBlob' }
    return ask(`${url}${place}`, { method, headers: { ...headers, ...blob }, body })
  }

  const list = async (claims: { readonly [name: string]: unknown }): Promise<Answer> =>
    call('GET', '/carts?restype=container&comp=list', await sign(claims))

  it("opens a container to a token of Entra's for storage", async () => {
    const seen = await list(sound())
    expect(seen.status).toBe(200)
    expect(seen.body).toContain('<Name>full</Name>')
    const own = await list({ ...sound(), aud: `https://${account}.blob.core.windows.net` })
    expect(own.status).toBe(200)
  })

  it('refuses a token for something else, of somebody else, too old and too young, and nobody', async () => {
    const wrong = {
      'Invalid token audience': { aud: 'https://management.azure.com' },
      'Invalid token issuer': { iss: 'https://oidc.live.example.com/live' },
      'The token is expired': { exp: now() - 60 },
      'Lifetime validation failed': { nbf: now() + hour },
    }
    for (const [words, claims] of Object.entries(wrong)) {
      const seen = await list({ ...sound(), ...claims })
      expect([seen.status, seen.body], words).toEqual([403, expect.stringContaining(words)])
    }
    expect((await list({ ...sound(), aud: 'https://another.blob.core.windows.net' })).status).toBe(403)
    expect((await call('GET', '/carts?restype=container&comp=list')).status).toBe(403)
  })
})
