/** exchange-test in a pod of AKS that is to read a container: the lab's Entra, and a storage account that looks at the bearer's token. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { textAt } from '../src/core/json.ts'
import { readToken } from '../src/domain/token-claims.ts'
import { makeAuthority } from '../src/lab/certificates.ts'
import { type Handler, listen } from '../src/lab/listener.ts'
import { closeLabs, demo, start } from './labs.ts'
import { entry, sentence } from './running.ts'

const tenant = '0b1f6471-1bf0-4dda-aec3-cb9272f09590'
const principalId = 'b4a1f0d2-7c3e-4d5f-8a6b-1e2f3a4b5c6d'
const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-blob-'))
const lab = await start(demo('azure-healthy'))
const heard: string[] = []

/** Who holds a data role at which container; everybody else has none. */
const roles: { readonly [container: string]: string } = { '/carts': principalId }
const trouble = (status: number, code: string, words: string) => ({
  status,
  headers: { 'x-ms-error-code': code, 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${words}\nRequestId:1\nTime:2026</Message></Error>`,
})
const storage: Handler = ({ method, path: place, headers }) => {
  const raw = (headers.authorization ?? '').replace(/^Bearer /, '')
  heard.push(raw, ...raw.split('.').slice(1))
  const token = readToken(raw)
  const claims = token.state === 'read' ? token.claims : {}
  if (textAt(claims, 'aud') !== 'https://storage.azure.com')
    return trouble(401, 'InvalidAuthenticationInfo', 'Server failed to authenticate the request.')
  const container = `/${place.split('/')[1]}`
  if (container === '/nothing') return trouble(404, 'ContainerNotFound', 'The specified container does not exist.')
  if (roles[container] !== textAt(claims, 'oid'))
    return trouble(
      403,
      'AuthorizationPermissionMismatch',
      'This request is not authorized to perform this operation using this permission.',
    )
  if (method === 'PUT') return { status: headers['x-ms-blob-type'] === 'BlockBlob' ? 201 : 400, body: '' }
  if (method === 'DELETE') return { status: 202, body: '' }
  return { status: 200, body: '<EnumerationResults><Blobs><Blob><Name>full</Name></Blob></Blobs></EnumerationResults>' }
}
const authority = await makeAuthority()
const server = await listen({
  leaf: await authority.leaf(['shopdata.blob.core.windows.net']),
  handle: storage,
  trouble: (body) => ({ status: 500, body }),
  count: () => {},
})
const settings = path.join(folder, 'lab.json')
const world = JSON.parse(readFileSync(lab.env.KUBECTL_WI_LAB ?? '', 'utf8'))
writeFileSync(
  settings,
  JSON.stringify({
    roots: world.roots + authority.root,
    resolve: { ...world.resolve, 'shopdata.blob.core.windows.net:443': `127.0.0.1:${server.port}` },
  }),
)
afterAll(async () => {
  await Promise.all([closeLabs(), server.close()])
  rmSync(folder, { recursive: true, force: true })
})

type Step = { readonly status: string; readonly says: string; readonly answer?: { readonly code: string } }
type Caused = Step & { readonly id: string; readonly causes?: readonly { readonly check: string }[] }
async function run(...flags: readonly string[]) {
  const now = Math.floor(Date.now() / 1000)
  const token = path.join(folder, 'token')
  const claims = { iss: lab.issuer, sub: 'system:serviceaccount:shop:cart', aud: ['api://AzureADTokenExchange'] }
  writeFileSync(token, await lab.sign({ ...claims, iat: now, nbf: now, exp: now + 3600 }))
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    KUBECTL_WI_LAB: settings,
    AZURE_CLIENT_ID: '6d9df24b-0a2c-4d0b-8f3a-0f0e5e1c7a11',
    AZURE_TENANT_ID: tenant,
    AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
    AZURE_FEDERATED_TOKEN_FILE: token,
  }
  const args = [entry, 'exchange-test', '-o', 'json', ...flags]
  return new Promise<{ code: number; steps: { readonly [id: string]: Caused }; err: string }>((resolve) => {
    execFile(process.execPath, args, { env }, (error, out, err) => {
      for (const one of heard.filter((part) => part.length > 20)) expect(out + err).not.toContain(one)
      sentence(err)
      const told: readonly Caused[] = out === '' ? [] : JSON.parse(out).proofs[0].steps
      resolve({ code: Number(error?.code ?? 0), steps: Object.fromEntries(told.map((one) => [one.id, one])), err })
    })
  })
}

test('a container that the identity may use is listed and written to', async () => {
  const { code, steps } = await run('--blob', 'shopdata/carts', '--write')
  expect(steps['who-am-i']?.status).toBe('pass')
  expect(steps['blob-list']?.says).toBe('it was listed: there is something in it')
  expect(steps['blob-write']?.status).toBe('pass')
  expect(code).toBe(0)
})
test('one without a data role is refused in the words of the account, and leads to the role', async () => {
  const { code, steps } = await run('--blob', 'shopdata/orders')
  expect(steps['blob-list']).toMatchObject({ status: 'fail', answer: { code: 'AuthorizationPermissionMismatch' } })
  expect(steps['blob-list']?.causes?.map(({ check }) => check)).toContain('azure/identity-has-role')
  expect(code).toBe(1)
})
test('what is no container is not asked for', async () => {
  const { code, err } = await run('--blob', 'https://evil.example.com/x')
  expect([code, err]).toEqual([2, expect.stringContaining('is not ACCOUNT/CONTAINER')])
  expect((await run('--write')).err).toContain('--blob ACCOUNT/CONTAINER')
})
