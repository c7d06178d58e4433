/** Azure Blob Storage with bearer tokens: what opens a container, and what does not. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { importPKCS8, SignJWT } from 'jose'
import { beforeAll, expect, it } from 'vitest'
import { startLab } from '../../src/lab/lab.ts'
import { entry } from '../running.ts'
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

  /** What a pod of the lab's cluster would see, with azurite in the place of the account. */
  async function inPod(...flags: readonly string[]) {
    const lab = await startLab(path.join(import.meta.dirname, '..', 'fixtures', 'demo', 'azure-healthy'))
    const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-live-blob-'))
    try {
      const world = JSON.parse(readFileSync(lab.env.KUBECTL_WI_LAB ?? '', 'utf8'))
      const resolve = { ...world.resolve, [`${account}.blob.core.windows.net:443`]: new URL(url).host }
      const [settings, token] = [path.join(folder, 'lab.json'), path.join(folder, 'token')]
      writeFileSync(settings, JSON.stringify({ roots: world.roots + lane.root, resolve }))
      const claims = { iss: lab.issuer, sub: 'system:serviceaccount:shop:cart', aud: ['api://AzureADTokenExchange'] }
      writeFileSync(token, await lab.sign({ ...claims, iat: now(), nbf: now(), exp: now() + hour }))
      const env = {
        PATH: process.env.PATH,
        HOME: folder,
        KUBECTL_WI_LAB: settings,
        AZURE_CLIENT_ID: '6d9df24b-0a2c-4d0b-8f3a-0f0e5e1c7a11',
        AZURE_TENANT_ID: '0b1f6471-1bf0-4dda-aec3-cb9272f09590',
        AZURE_FEDERATED_TOKEN_FILE: token,
      }
      return await new Promise<{ readonly code: number; readonly out: string }>((done) => {
        execFile(process.execPath, [entry, 'exchange-test', ...flags], { env }, (error, out, err) =>
          done({ code: Number(error?.code ?? 0), out: out + err }),
        )
      })
    } finally {
      await lab.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }

  it('is listed and written to by exchange-test with what Entra gave, and refuses a container that is not there', async () => {
    const seen = await inPod('--blob', `${account}/carts`, '--write')
    expect(seen.out).toContain('it was listed: there is something in it')
    expect(seen.out).toMatch(/the object kubectl-wi-exchange-test-\w+ was put and deleted again/)
    expect(seen.code, seen.out).toBe(0)
    const lost = await inPod('--blob', `${account}/nothing`)
    expect(lost.out).toContain('ContainerNotFound')
    expect(lost.code, lost.out).toBe(1)
  })

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
