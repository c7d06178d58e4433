/** The live way to Google in the lab, without a process: the workload's own token exchanged, who it is then, what it may do with a bucket, and what checks make of it. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, describe, expect, test } from 'vitest'
import { checks } from '../src/checks/index.ts'
import { examine } from '../src/core/engine.ts'
import type { Question } from '../src/core/fact.ts'
import { gcp } from '../src/domain/questions.ts'
import type { Lab } from '../src/lab/lab.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { liveSource } from '../src/sources/live/index.ts'
import { remembered } from '../src/sources/remembered.ts'
import { documents } from './acting.ts'
import { closeLabs, start } from './labs.ts'

afterAll(async () => {
  setDefaultCACertificates(getCACertificates('bundled'))
  await closeLabs()
})

const email = 'shop-cart@shop-prod.iam.gserviceaccount.com'
const provider = 'projects/123456789012/locations/global/workloadIdentityPools/shop-pool/providers/main'
const audience = `https://iam.googleapis.com/${provider}`
const subject =
  'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/shop-pool/subject/system:serviceaccount:shop:cart'

/** A cluster elsewhere, whose pod reads a configuration and a projected token. */
const federated = (change: { readonly provider?: object; readonly configuration?: object } = {}) => ({
  'shop.yaml': `apiVersion: v1
kind: ServiceAccount
metadata: {name: cart, namespace: shop, uid: 5b0c9d1e-6a7f-4c3b-9e21-0d4f8a6b7c10}
---
apiVersion: v1
kind: Pod
metadata: {name: cart-0, namespace: shop, uid: 9d8c7b6a-5f4e-4d3c-8b2a-077740932670}
spec:
  serviceAccountName: cart
  volumes:
  - name: token
    projected: {sources: [{serviceAccountToken: {audience: "${audience}", expirationSeconds: 3600, path: token}}]}
  - name: configuration
    configMap: {name: credentials}
  containers:
  - name: cart
    image: registry.example/shop/cart:1.4.2
    env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /etc/google/credentials.json}]
    volumeMounts:
    - {name: token, mountPath: /var/run/service-account}
    - {name: configuration, mountPath: /etc/google}
status: {phase: Running}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: credentials, namespace: shop}
data:
  credentials.json: |
    ${JSON.stringify({
      type: 'external_account',
      audience: `//iam.googleapis.com/${provider}`,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: 'https://sts.googleapis.com/v1/token',
      credential_source: { file: '/var/run/service-account/token' },
      service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
      ...change.configuration,
    })}
`,
  'provider.json': JSON.stringify({
    name: provider,
    state: 'ACTIVE',
    attributeMapping: { 'google.subject': 'assertion.sub' },
    oidc: { issuerUri: 'https://oidc.lab.example/id/LAB' },
    ...change.provider,
  }),
  'pool.json': JSON.stringify({ name: provider.replace(/\/providers.*/, ''), state: 'ACTIVE' }),
  [`${email}.json`]: JSON.stringify({
    bindings: [{ role: 'roles/iam.workloadIdentityUser', members: [subject] }],
    etag: 'BwY=',
    version: 1,
  }),
  'account.json': JSON.stringify({ email, uniqueId: '1', name: `projects/shop-prod/serviceAccounts/${email}` }),
})

async function live<T>(
  lab: Lab,
  use: (source: Awaited<ReturnType<typeof liveSource>>['source']) => Promise<T>,
): Promise<T> {
  const outside = { ...process.env }
  Object.assign(process.env, lab.env)
  // The library that signs in takes no authority of its own.
  setDefaultCACertificates([...getCACertificates('bundled'), lab.world.roots])
  const opened = await liveSource({ flags: {}, env: lab.env })
  try {
    return await use(opened.source)
  } finally {
    opened.close()
    process.env = outside
  }
}
const asked = (lab: Lab, ...questions: readonly Question[]) =>
  live(lab, (source) => Promise.all(questions.map(async (question) => source.ask(question))))

const judged = (lab: Lab) =>
  live(lab, async (source) => {
    const world = remembered(source)
    const { subjects } = await subjectsFor(world, { targets: ['sa/cart'], namespace: 'shop' })
    const own = checks.filter(({ meta }) => meta.id.startsWith('gcp/'))
    const { findings } = await examine({ checks: own, subjects, source: world })
    return new Map(findings.filter(({ status }) => status !== 'not-applicable').map((one) => [one.check, one]))
  })

const order = { namespace: 'shop', name: 'cart', audience, provider: `//iam.googleapis.com/${provider}` }

describe('the exchange as a fact', () => {
  test('says whose the token is, and as whom it may act; no token is in it', async () => {
    const heard: string[] = []
    const lab = await start(federated(), { overhear: (body) => heard.push(body) })
    const facts = await asked(lab, gcp.exchange(order), gcp.exchange({ ...order, account: email }))
    expect(facts[0]).toMatchObject({ state: 'known', value: { outcome: 'exchanged', principal: subject } })
    expect(facts[1]).toMatchObject({ value: { outcome: 'exchanged', account: email } })
    const secrets = heard.join('\n').match(/ya29\.[\w.-]{20,}|eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []
    expect(secrets.length).toBeGreaterThan(2)
    for (const secret of secrets) expect(JSON.stringify(facts)).not.toContain(secret)
  })
  test('says which step refused, in the words of Google', async () => {
    const lab = await start(federated({ provider: { disabled: true } }))
    const [fact] = await asked(lab, gcp.exchange(order))
    expect(fact).toMatchObject({ state: 'known', value: { outcome: 'refused', step: 'exchange', status: 400 } })
    expect(JSON.stringify(fact)).toContain('invalid_target')
  })
  test('is unknown where no token can be minted, and absent for nobody', async () => {
    const [refused] = await asked(
      await start(federated(), { refuse: ['create serviceaccounts/token'] }),
      gcp.exchange(order),
    )
    expect(refused).toMatchObject({ state: 'unknown', why: 'forbidden' })
    const [nobody] = await asked(await start(federated()), gcp.exchange({ ...order, name: 'nobody' }))
    expect(nobody?.state).toBe('absent')
  })
  test('the identity itself says what it may do with a bucket', async () => {
    const lab = await start(documents('google'))
    const gke = {
      namespace: 'shop',
      name: 'cart',
      audience: 'shop-prod.svc.id.goog',
      provider:
        'identitynamespace:shop-prod.svc.id.goog:https://container.googleapis.com/v1/projects/shop-prod/locations/europe-west1/clusters/main',
      account: email,
    }
    const { bindings } = JSON.parse(String(documents('google')['buckets_shop-data.json']))
    expect(JSON.stringify(bindings)).toContain(`serviceAccount:${email}`)
    const [own, direct] = await asked(
      lab,
      gcp.bucketAccess(gke, 'shop-data'),
      gcp.bucketAccess({ ...gke, account: '' }, 'shop-data'),
    )
    expect(own).toMatchObject({
      value: { permissions: expect.arrayContaining(['storage.objects.get', 'storage.objects.list']) },
    })
    expect(direct).toMatchObject({ value: { permissions: [] } })
  })
})

describe('what checks make of it', () => {
  test('a provider that may not be read is judged by the exchange', async () => {
    const lab = await start(federated(), {
      refuse: ['iam.workloadIdentityPoolProviders.get', 'iam.serviceAccounts.getIamPolicy'],
    })
    const found = await judged(lab)
    for (const id of [
      'provider-is-active',
      'provider-issuer-matches-token',
      'provider-accepts-token-audience',
      'provider-admits-token-claims',
      'service-account-admits-workload',
      'token-endpoints-answer',
    ])
      expect(found.get(`gcp/${id}`)?.status, id).toBe('pass')
  })
  test('a condition that is false says which claim it read', async () => {
    const lab = await start(federated({ provider: { attributeCondition: "assertion.sub.endsWith(':desk')" } }))
    const finding = (await judged(lab)).get('gcp/provider-admits-token-claims')
    expect(finding).toMatchObject({ status: 'fail', messageId: 'condition-false' })
    expect(finding?.message).toContain('system:serviceaccount:shop:cart')
  })
  test('a configuration that names a pool is found in the ConfigMap that a pod reads', async () => {
    const lab = await start(
      federated({ configuration: { audience: `//iam.googleapis.com/${provider.replace(/\/providers.*/, '')}` } }),
    )
    const found = await judged(lab)
    expect(found.get('gcp/credential-configuration-is-usable')).toMatchObject({
      status: 'fail',
      messageId: 'audience-names-a-pool',
    })
    expect(found.get('gcp/provider-is-active')?.status).toBe('blocked')
  })
})
