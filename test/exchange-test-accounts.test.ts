/** exchange-test from outside against Azure and Google Cloud: a minted token at Entra, at STS, and for an account, each as the lab's clouds judge it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { documents } from './acting.ts'
import { canaries, type Ran, type Told } from './exchanging.ts'
import { type ExecFront, execFront } from './exec-front.ts'
import { closeLabs, issuer, mint, role, start } from './labs.ts'
import { fitsSchema } from './proof-schema.ts'
import { entry } from './running.ts'

const secrets = canaries()
const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-clouds-'))
const fronts: ExecFront[] = []
afterAll(async () => {
  for (const { close } of fronts) close()
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})
/** A container with these variables, beside those that every one has, in whatever pod is then named. */
async function inside(lab: Lab, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const front = await execFront(lab)
  fronts.push(front)
  front.container.env = { PATH: process.env.PATH, HOME: folder, ...env }
  return ['-c', 'cart', '--server', front.server, '--pod']
}
const pod = (serviceAccountName: string, spec: object = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${serviceAccountName}-0`, namespace: 'shop', uid: `uid-${serviceAccountName}` },
    spec: { serviceAccountName, containers: [{ name: 'cart', image: 'registry.example/cart:1' }], ...spec },
    status: { phase: 'Running' },
  })

type Shown = {
  readonly cloud: string
  readonly mechanism: string
  readonly expected?: string
  readonly steps: readonly (Told & { readonly details?: readonly (readonly string[])[] })[]
}

const prove = (lab: Lab, ...args: readonly string[]): Promise<Ran & { readonly proofs: readonly Shown[] }> =>
  new Promise((resolve) => {
    const all = [entry, 'exchange-test', '-n', 'shop', '-o', 'json', ...args]
    execFile(process.execPath, all, { env: lab.env }, (error, out, err) => {
      secrets.silentIn(out + err)
      fitsSchema(out)
      resolve({ code: error === null ? 0 : Number(error.code), out, err, proofs: JSON.parse(out).proofs })
    })
  })
const statuses = (proof: Shown | undefined) =>
  Object.fromEntries((proof?.steps ?? []).map(({ id, status }) => [id, status]))
const step = (proof: Shown | undefined, id: string) => proof?.steps.find((one) => one.id === id)

const minted = { identity: 'pass', minted: 'pass', claims: 'pass', signature: 'pass' }
const account = (name: string, annotations: object) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'shop', annotations } })

describe('Azure', async () => {
  const client = '6d9df24b-0a2c-4d0b-8f3a-0f0e5e1c7a11'
  const tenant = '0b1f6471-1bf0-4dda-aec3-cb9272f09590'
  const own = { 'azure.workload.identity/client-id': client, 'azure.workload.identity/tenant-id': tenant }
  const aks = `https://eastus.oic.prod-aks.azure.com/${tenant}/7627b819-b0f2-4621-934c-c458148d71be/`
  const identity = documents('azure-healthy', [[aks, issuer]])
  const annotation = `eks.amazonaws.com/role-arn: ${role}`
  const lab = await start(
    {
      ...documents('healthy', [
        [
          annotation,
          `${annotation}\n    azure.workload.identity/client-id: ${client}\n    azure.workload.identity/tenant-id: ${tenant}`,
        ],
      ]),
      'identities.json': identity['identities.json'] ?? '',
      'credentials.json': identity['credentials.json'] ?? '',
      'other.json': account('other', own),
      'pod.json': pod('cart'),
    },
    { overhear: secrets.overhear },
  )

  test('beside AWS, one proof for each', async () => {
    const { code, proofs } = await prove(lab, '--sa', 'cart')
    expect(proofs.map(({ cloud, expected }) => [cloud, expected])).toEqual([
      ['aws', role],
      ['azure', client],
    ])
    for (const proof of proofs) expect(statuses(proof)).toEqual({ ...minted, exchange: 'pass', 'who-am-i': 'pass' })
    expect(step(proofs[1], 'who-am-i')?.says).toContain(`client ${client}, as the annotation`)
    // Credentials of AWS, two minted tokens and an access token were handed out, and none of them was written.
    expect(secrets.known.size).toBeGreaterThan(5)
    expect(code).toBe(0)
  })
  test('keeps the code and the words of Entra', async () => {
    const { code, proofs } = await prove(lab, '--sa', 'other')
    expect(proofs.map(({ cloud }) => cloud)).toEqual(['azure'])
    expect(statuses(proofs[0])).toEqual({ ...minted, exchange: 'fail', 'who-am-i': 'blocked' })
    const { answer, causes } = step(proofs[0], 'exchange') ?? {}
    expect(answer).toMatchObject({ code: 'AADSTS700213' })
    expect(answer?.message).toContain('system:serviceaccount:shop:other')
    expect(causes?.[0]?.check).toBe('azure/federated-credential-matches-subject')
    expect(code).toBe(1)
  })
  describe('--pod', () => {
    const given = async (name: string, more: NodeJS.ProcessEnv = {}) => {
      const file = path.join(folder, name)
      const token = await mint(lab, { audiences: ['api://AzureADTokenExchange'] }, name)
      for (const part of [token, ...token.split('.').slice(1)]) secrets.known.add(part)
      writeFileSync(file, token)
      const env = { AZURE_CLIENT_ID: client, AZURE_TENANT_ID: tenant, AZURE_FEDERATED_TOKEN_FILE: file, ...more }
      return prove(lab, ...(await inside(lab, env)), 'cart-0')
    }
    test('exchanges a token like its own at Entra', async () => {
      const { code, proofs } = await given('cart')
      const own = { look: 'pass', token: 'pass', 'own-claims': 'pass' }
      expect(statuses(proofs[0])).toEqual({ ...own, ...minted, exchange: 'pass', 'who-am-i': 'pass' })
      expect(code).toBe(0)
    })
    test('sends no token to an authority that is none of Azure', async () => {
      const { code, proofs } = await given('cart', { AZURE_AUTHORITY_HOST: 'https://login.example/' })
      expect(statuses(proofs[0])).toMatchObject({ 'own-claims': 'pass', exchange: 'unknown' })
      expect(step(proofs[0], 'exchange')?.says).toContain('https://login.example/ is no authority of Azure')
      expect(step(proofs[0], 'minted')).toBeUndefined()
      expect(code).toBe(3)
    })
    test('makes nobody a token but its own ServiceAccount', async () => {
      const { code, proofs } = await given('other')
      expect(statuses(proofs[0])).toMatchObject({ token: 'pass', 'own-claims': 'fail', exchange: 'unknown' })
      expect(step(proofs[0], 'minted')).toBeUndefined()
      expect(code).toBe(1)
    })
  })
})

describe('Google Cloud', async () => {
  const email = 'shop-cart@shop-prod.iam.gserviceaccount.com'
  const provider = 'projects/123456789012/locations/global/workloadIdentityPools/shop-pool/providers/main'
  const audience = `https://iam.googleapis.com/${provider}`
  const configuration = JSON.stringify({
    type: 'external_account',
    audience: `//iam.googleapis.com/${provider}`,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
    credential_source: { file: '/var/run/service-account/token', format: { type: 'text' } },
  })
  const lab = await start(
    {
      ...documents('google'),
      'other.json': account('other', { 'iam.gke.io/gcp-service-account': email }),
      'hooked.json': account('hooked', {
        'azure.workload.identity/client-id': 'cart-id',
        'cloud.google.com/workload-identity-provider': provider,
        'cloud.google.com/audience': audience,
        'cloud.google.com/service-account-email': email,
      }),
      'plain.json': account('plain', {}),
      'plain-pod.json': pod('plain'),
      'pod.json': pod('far', {
        volumes: [
          { name: 'token', projected: { sources: [{ serviceAccountToken: { audience, path: 'token' } }] } },
          { name: 'configuration', configMap: { name: 'credentials' } },
        ],
        containers: [
          {
            name: 'cart',
            image: 'registry.example/cart:1',
            env: [{ name: 'GOOGLE_APPLICATION_CREDENTIALS', value: '/etc/google/credentials.json' }],
            volumeMounts: [
              { name: 'token', mountPath: '/var/run/service-account' },
              { name: 'configuration', mountPath: '/etc/google' },
            ],
          },
        ],
      }),
      'far.json': account('far', {}),
      'credentials.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'credentials', namespace: 'shop' },
        data: { 'credentials.json': configuration },
      }),
      'provider.json': JSON.stringify({
        name: provider,
        state: 'ACTIVE',
        attributeMapping: { 'google.subject': 'assertion.sub' },
        oidc: { issuerUri: 'https://oidc.lab.example/id/LAB' },
      }),
    },
    { overhear: secrets.overhear },
  )

  test('through the pool of the cluster to the account of the annotation', async () => {
    const { code, proofs } = await prove(lab, '--sa', 'cart')
    expect(proofs.map(({ cloud, expected }) => [cloud, expected])).toEqual([['gcp', email]])
    expect(statuses(proofs[0])).toEqual({ ...minted, exchange: 'pass', impersonation: 'pass', 'who-am-i': 'pass' })
    expect(step(proofs[0], 'who-am-i')?.says).toBe(
      `${email}, as the annotation iam.gke.io/gcp-service-account names it`,
    )
    expect(code).toBe(0)
  })
  test('refused the account, keeps what Google said', async () => {
    const { code, proofs } = await prove(lab, '--sa', 'other')
    expect(statuses(proofs[0])).toEqual({ ...minted, exchange: 'pass', impersonation: 'fail', 'who-am-i': 'blocked' })
    const { answer, causes } = step(proofs[0], 'impersonation') ?? {}
    expect(answer).toMatchObject({ code: 'PERMISSION_DENIED', status: 403 })
    expect(answer?.message).toContain('iam.serviceAccounts.getAccessToken')
    expect(causes?.[0]?.check).toBe('gcp/service-account-admits-workload')
    expect(code).toBe(1)
  })
  test('at the provider that the configuration of a pod names', async () => {
    const file = path.join(folder, 'credentials.json')
    writeFileSync(file, configuration)
    const { code, proofs } = await prove(lab, ...(await inside(lab, { GOOGLE_APPLICATION_CREDENTIALS: file })), 'far-0')
    const own = { look: 'pass', configuration: 'pass' }
    expect(statuses(proofs[0])).toEqual({ ...own, ...minted, exchange: 'pass', 'who-am-i': 'pass' })
    expect(step(proofs[0], 'who-am-i')?.details?.[0]?.[1]).toMatch(
      /shop-pool\/subject\/system:serviceaccount:shop:far$/,
    )
    expect(code).toBe(0)
  })
  test('as annotations for a webhook have it; what is no client id of Azure is sent nowhere', async () => {
    const { code, proofs } = await prove(lab, '--sa', 'hooked')
    expect(statuses(proofs[0])).toEqual({ identity: 'fail' })
    expect(step(proofs[0], 'identity')?.causes?.[0]?.check).toBe('azure/service-account-names-identity')
    expect(proofs[1]?.expected).toBe(email)
    expect(statuses(proofs[1])).toEqual({ ...minted, exchange: 'pass', impersonation: 'fail', 'who-am-i': 'blocked' })
    expect(code).toBe(1)
  })
  test('is an identity by itself without an annotation', async () => {
    const { code, proofs } = await prove(lab, '--sa', 'plain')
    expect(statuses(proofs[0])).toEqual({ ...minted, exchange: 'pass', 'who-am-i': 'pass' })
    expect(step(proofs[0], 'who-am-i')?.details?.[0]?.[1]).toMatch(/^principal:.*\/subject\/ns\/shop\/sa\/plain$/)
    expect(code).toBe(0)
  })
  test('in a pod of GKE leaves open whether the metadata server serves it', async () => {
    const { code, proofs } = await prove(lab, ...(await inside(lab, {})), 'plain-0')
    const own = { look: 'pass', 'metadata-server': 'unknown' }
    expect(statuses(proofs[0])).toEqual({ ...own, ...minted, exchange: 'pass', 'who-am-i': 'pass' })
    expect(step(proofs[0], 'metadata-server')?.lift).toContain('inside the pod')
    expect(code).toBe(3)
  })
})
