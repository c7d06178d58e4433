/** exchange-test with the stores of Google Cloud and Azure: the built program in a made-up pod, and the lab that verifies whose token comes. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { podGoogle } from '../src/sources/live/pod-google.ts'
import { podWeb } from '../src/sources/live/pod-web.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import { documents } from './acting.ts'
import { ask, closeLabs, mint, start } from './labs.ts'
import { fitsSchema } from './proof-schema.ts'
import { entry, sentence } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-stores-'))
afterAll(async () => {
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})

const handedOut = new Set<string>()
const overhear = (body: string): void => {
  for (const [, secret = ''] of body.matchAll(/"(?:access_token|accessToken)":"([^"]+)"/g)) handedOut.add(secret)
}

type Told = {
  readonly id: string
  readonly status: string
  readonly says: string
  readonly details?: readonly (readonly [string, string])[]
  readonly answer?: { readonly code: string; readonly message: string }
  readonly causes?: readonly { readonly check: string; readonly says: string }[]
}
type Ran = { readonly code: number; readonly err: string; readonly steps: { readonly [id: string]: Told } }
const run = (lab: Lab, variables: NodeJS.ProcessEnv, args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: folder, KUBECTL_WI_LAB: lab.env.KUBECTL_WI_LAB, ...variables }
    execFile(process.execPath, [entry, 'exchange-test', '-o', 'json', ...args], { env }, (error, out, err) => {
      for (const secret of handedOut) expect(out + err).not.toContain(secret)
      sentence(err)
      fitsSchema(out)
      const proofs: readonly { readonly steps: readonly Told[] }[] = out === '' ? [] : JSON.parse(out).proofs
      const steps = Object.fromEntries(proofs.flatMap((one) => one.steps).map((one) => [one.id, one]))
      resolve({ code: Number(error?.code ?? 0), err, steps })
    })
  })
const statuses = ({ steps }: Ran, kind: string): readonly (string | undefined)[] =>
  ['list', 'read', 'write'].map((what) => steps[`${kind}-${what}`]?.status)

describe('a bucket of Cloud Storage', () => {
  const policyWith = (role: string) => ({
    ...documents('google'),
    'buckets_shop-data.json': JSON.stringify({
      bindings: [{ role, members: ['serviceAccount:shop-cart@shop-prod.iam.gserviceaccount.com'] }],
      etag: 'CAE=',
      version: 1,
    }),
  })
  const wish = ['--gcs', 'shop-data', '--write']
  const pod = (lab: Lab) => ({ GCE_METADATA_HOST: lab.urls.metadata.replace('http://', '') })

  test('that the account may use is listed, written to, read and left as it was', async () => {
    const lab = await start(policyWith('roles/storage.objectUser'), { overhear })
    const ran = await run(lab, pod(lab), wish)
    expect(statuses(ran, 'gcs')).toEqual(['pass', undefined, 'pass'])
    expect(ran.steps['gcs-write']?.says).toMatch(/was put, read and deleted again$/u)
    expect(ran.steps['gcs-list']?.details?.map(([name]) => name)).toEqual(['endpoint', 'one put', 'in parts'])
    const again = await run(lab, pod(lab), ['--gcs', 'shop-data'])
    expect(again.steps['gcs-list']?.says).toContain('there is nothing in it')
    expect([ran.code, again.code]).toEqual([0, 0])
    const stranger = await ask(lab, `${lab.urls.google}/storage/v1/b/shop-data/o`, { token: 'ya29.made-up' })
    expect(stranger.status).toBe(401)
  })
  test('that the account may only read, or only fill, is refused in the words of the store', async () => {
    const reader = await start(policyWith('roles/storage.objectViewer'), { overhear })
    const read = await run(reader, pod(reader), wish)
    expect(statuses(read, 'gcs')).toEqual(['pass', undefined, 'fail'])
    expect(read.steps['gcs-write']?.answer?.message).toContain('storage.objects.create')
    const creator = await start(policyWith('roles/storage.objectCreator'), { overhear })
    const filled = await run(creator, pod(creator), wish)
    expect(statuses(filled, 'gcs')).toEqual(['fail', undefined, 'fail'])
    expect(filled.steps['gcs-write']?.says).toMatch(/refuses to delete it: it stays in shop-data$/u)
    expect(filled.steps['gcs-list']?.causes?.map(({ check }) => check)).toContain('storage/store-admits-the-identity')
    expect([read.code, filled.code]).toEqual([1, 1])
  })
})

describe('a container of Blob Storage', () => {
  const account =
    '/subscriptions/5f2d0f0e-1111-4222-8333-444455556666/resourceGroups/shop-rg/providers/Microsoft.Storage/storageAccounts/shopdata'
  const given = async (role: string | undefined, more: object = {}) => {
    const assignment = {
      principalId: 'b4a1f0d2-7c3e-4d5f-8a6b-1e2f3a4b5c6d',
      principalType: 'ServicePrincipal',
      roleDefinitionName: role ?? 'Owner',
      scope: account,
    }
    const lab = await start(
      {
        ...documents('azure-healthy'),
        'role-assignments.json': JSON.stringify([assignment]),
        'accounts.json': JSON.stringify([
          {
            id: account,
            name: 'shopdata',
            type: 'Microsoft.Storage/storageAccounts',
            allowSharedKeyAccess: false,
            ...more,
          },
        ]),
      },
      { overhear },
    )
    const token = await mint(lab, { audiences: ['api://AzureADTokenExchange'] })
    handedOut.add(token)
    const file = path.join(folder, `token-${Math.random()}`)
    writeFileSync(file, token)
    const env = {
      AZURE_CLIENT_ID: '6d9df24b-0a2c-4d0b-8f3a-0f0e5e1c7a11',
      AZURE_TENANT_ID: '0b1f6471-1bf0-4dda-aec3-cb9272f09590',
      AZURE_FEDERATED_TOKEN_FILE: file,
    }
    return { lab, env }
  }
  const wish = ['--blob', 'shopdata/orders', '--write']

  test('that the identity may use is listed, written to, read and left as it was', async () => {
    const { lab, env } = await given('Storage Blob Data Contributor')
    const ran = await run(lab, env, wish)
    expect(statuses(ran, 'blob')).toEqual(['pass', undefined, 'pass'])
    expect(ran.steps['blob-write']?.says).toMatch(/was put, read and deleted again$/u)
    expect(ran.steps['blob-list']?.details).toContainEqual(['in parts', '50,000 blocks of up to 4000 MiB each'])
    expect(ran.code).toBe(0)
  })
  test('is refused by role and by network in the words of the store', async () => {
    const reader = await given('Storage Blob Data Reader')
    const read = await run(reader.lab, reader.env, wish)
    expect(statuses(read, 'blob')).toEqual(['pass', undefined, 'fail'])
    expect(read.steps['blob-write']?.answer?.code).toBe('AuthorizationPermissionMismatch')
    const owner = await given(undefined)
    const none = await run(owner.lab, owner.env, wish)
    expect(statuses(none, 'blob')).toEqual(['fail', undefined, 'fail'])
    expect(none.steps['blob-list']?.causes?.map(({ check }) => check)).toContain('azure/identity-has-role')
    const closed = await given('Storage Blob Data Owner', { networkRuleSet: { defaultAction: 'Deny' } })
    const kept = await run(closed.lab, closed.env, ['--blob', 'shopdata/orders'])
    expect(kept.steps['blob-list']?.answer).toMatchObject({ code: 'AuthorizationFailure' })
    expect(kept.steps['blob-list']?.causes?.[0]?.says).toContain('network rules')
    expect([read.code, none.code, kept.code]).toEqual([1, 1, 1])
  })
  test('of another cloud than the pod has is not looked at, and that is said', async () => {
    const { lab, env } = await given('Storage Blob Data Owner')
    const ran = await run(lab, env, ['--gcs', 'shop-data'])
    expect(ran.steps['gcs-list']).toMatchObject({ status: 'unknown' })
    expect(ran.code).toBe(3)
  })
  test('of no such form is nobody asked about', async () => {
    const { lab, env } = await given('Storage Blob Data Owner')
    for (const blob of ['shopdata', 'shop.data/x', 'evil.example/orders', 'shopdata/Orders'])
      expect(await run(lab, env, ['--blob', blob])).toMatchObject({ code: 2, err: expect.stringContaining(blob) })
  })
})

test('an access token is held back from whatever a server says, and gone with the vault', async () => {
  const token = `ya29.${'canary'.repeat(8)}`
  const server = createServer((request, response) => {
    const isToken = request.url?.endsWith('/token') === true
    response.writeHead(isToken ? 200 : 403, { 'Metadata-Flavor': 'Google', 'Content-Type': 'application/json' })
    response.end(isToken ? JSON.stringify({ access_token: token }) : JSON.stringify(`nobody may see ${token}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const vault = tokenVault()
  const web = podWeb({ env: {}, vault, timeoutMs: 1000 })
  try {
    const google = podGoogle(web, vault, { GCE_METADATA_HOST: `127.0.0.1:${port}` })
    expect(await google.metadataToken()).toMatchObject({ state: 'done' })
    expect(await google.metadataAccount()).toMatchObject({ answer: { message: 'nobody may see [token]' } })
    vault.empty()
    expect(await google.store('carts').list()).toMatchObject({ detail: 'there is no access token to look with' })
  } finally {
    web.close()
    server.close()
  }
})
