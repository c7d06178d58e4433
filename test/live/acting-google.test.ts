/** doctor, fix, undo and bind sa against Google Cloud in the lab: healthy afterwards, one member changed, and as before when taken back. */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { at, type Json, listAt, textAt, textsAt } from '../../src/core/json.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { documents, forgetStates, stateFolder, wi } from '../acting.ts'
import { api, ask, closeLabs, start } from '../labs.ts'

afterAll(async () => {
  forgetStates()
  await closeLabs()
})

const email = 'shop-cart@shop-prod.iam.gserviceaccount.com'
const place = ['sa/cart', '-n', 'shop'] as const
const cluster = '/v1/projects/shop-prod/locations/europe-west1/clusters/main'

/** As the person of the lab, by the credentials that the lab gives out. */
async function google(lab: Lab, path: string, order: { method?: string; body?: Json } = {}): Promise<Json> {
  const credentials = JSON.parse(readFileSync(lab.env.GOOGLE_APPLICATION_CREDENTIALS ?? '', 'utf8'))
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: credentials.audience,
    subject_token: readFileSync(credentials.credential_source.file, 'utf8'),
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  })
  const signedIn = await ask(lab, `${lab.urls.google}/v1/token`, {
    method: 'POST',
    body: form.toString(),
    type: 'application/x-www-form-urlencoded',
  })
  const { body } = await ask(lab, `${lab.urls.google}${path}`, {
    token: JSON.parse(signedIn.body).access_token,
    type: 'application/json',
    ...(order.method === undefined ? {} : { method: order.method }),
    ...(order.body === undefined ? {} : { body: JSON.stringify(order.body) }),
  })
  return JSON.parse(body)
}
const accountPolicy = (lab: Lab): Promise<Json> =>
  google(lab, `/v1/projects/-/serviceAccounts/${email}:getIamPolicy?options.requestedPolicyVersion=3`, {
    method: 'POST',
  })
const bucketPolicy = (lab: Lab): Promise<Json> =>
  google(lab, '/storage/v1/b/shop-data/iam?optionsRequestedPolicyVersion=3')
const bindingsOf = (policy: Json): string => JSON.stringify(listAt(policy, 'bindings'))
const undone = (lab: Lab, state: string) => wi(lab, state, ['undo'])

describe('unhealthy, fixed, healthy, taken back', () => {
  const holdings = async (lab: Lab): Promise<string> => {
    const { body } = await api(lab, 'GET', '/api/v1/namespaces/shop/serviceaccounts/cart')
    return JSON.stringify([bindingsOf(await accountPolicy(lab)), at(body, 'metadata', 'annotations') ?? null])
  }
  test.each([
    ['the account admits another namespace', documents('google-broken')],
    [
      'the account admits another pool',
      documents('google', [['shop-prod.svc.id.goog[shop/cart]', 'shop-test.svc.id.goog[shop/cart]']]),
    ],
    [
      'white space in the annotation',
      documents('google', [
        [
          'service-account: shop-cart@shop-prod.iam.gserviceaccount.com',
          'service-account: "shop-cart@shop-prod.iam.gserviceaccount.com "',
        ],
      ]),
    ],
    [
      'a role that lets nobody act',
      documents('google', [['"roles/iam.workloadIdentityUser"', '"roles/iam.serviceAccountUser"']]),
    ],
  ])('%s', async (_name, files) => {
    const [lab, state] = [await start(files), stateFolder()]
    const before = await holdings(lab)
    expect((await wi(lab, state, ['doctor', ...place])).status).toBe(1)
    const fixed = await wi(lab, state, ['fix', ...place, '--apply', '--yes'])
    expect(fixed.status, fixed.out + fixed.err).toBe(0)
    expect(await holdings(lab)).not.toBe(before)
    const back = await undone(lab, state)
    expect(back.status, back.out + back.err).toBe(0)
    expect(await holdings(lab)).toBe(before)
  })

  test('a node pool without the metadata server', async () => {
    const files = documents('google', [
      ['"GKE_METADATA"', '"GCE_METADATA"'],
      ['iam.gke.io/gke-metadata-server-enabled: "true"', 'x: y'],
    ])
    const [lab, state] = [await start(files), stateFolder()]
    const planned = await wi(lab, state, ['fix', ...place, '--only', 'gcp/node-runs-metadata-server'])
    expect(planned.out.replaceAll(/\s+/g, ' ')).toContain(
      'the account of the node is lost to shop/cart-6b7f9c5d4-x2x7k',
    )
    await wi(lab, state, ['fix', ...place, '--only', 'gcp/node-runs-metadata-server', '--apply', '--yes'])
    const [pool] = listAt(await google(lab, cluster), 'nodePools')
    expect(textAt(pool, 'config', 'workloadMetadataConfig', 'mode')).toBe('GKE_METADATA')
  })
})

describe('a policy that others change, too', () => {
  test('conditions and other members stay to the byte', async () => {
    const [lab, state] = [await start(documents('google-broken')), stateFolder()]
    const before = listAt(await accountPolicy(lab), 'bindings')
    await wi(lab, state, ['fix', ...place, '--apply', '--yes'])
    const after = listAt(await accountPolicy(lab), 'bindings')
    expect(after[1]).toEqual(before[1])
    expect(textsAt(after[0], 'members')).toEqual([
      'serviceAccount:shop-prod.svc.id.goog[store/cart]',
      'serviceAccount:shop-prod.svc.id.goog[shop/cart]',
    ])
  })
  test('an etag of before is refused', async () => {
    const lab = await start(documents('google-broken'))
    const policy = await accountPolicy(lab)
    const write = () =>
      google(lab, `/v1/projects/-/serviceAccounts/${email}:setIamPolicy`, { method: 'POST', body: { policy } })
    expect(textAt(await write(), 'etag')).toBeDefined()
    expect(textAt(await write(), 'error', 'status')).toBe('ABORTED')
  })
})

describe('bind sa', () => {
  const many = {
    version: 3,
    etag: 'CAE=',
    bindings: [
      ...Array.from({ length: 30 }, (_, index) => ({
        role: `roles/storage.custom${index}`,
        members: [`user:ada${index}@example.com`, 'group:shop@example.com'],
        ...(index % 3 === 0
          ? { condition: { title: `t${index}`, expression: "request.time < timestamp('2030-01-01T00:00:00Z')" } }
          : {}),
      })),
      {
        role: 'roles/storage.objectViewer',
        members: ['user:ada@example.com'],
        condition: { title: 'x', expression: "resource.name.startsWith('x')" },
      },
      { role: 'roles/storage.objectViewer', members: ['user:eve@example.com'] },
    ],
  }
  const bare = {
    ...documents('google', [
      ['    annotations:\n      iam.gke.io/gcp-service-account: shop-cart@shop-prod.iam.gserviceaccount.com\n', ''],
      ['serviceAccount:shop-prod.svc.id.goog[shop/cart]', 'user:eve@example.com'],
    ]),
    'buckets_shop-data.json': JSON.stringify(many),
  }

  test('directly: one member of a policy with conditions and many bindings', async () => {
    const [lab, state] = [await start(bare), stateFolder()]
    const before = listAt(await bucketPolicy(lab), 'bindings')
    const args = [
      'bind',
      ...[
        'sa',
        'cart',
        '-n',
        'shop',
        '--gcp-direct',
        '--role',
        'roles/storage.objectViewer',
        '--on',
        'buckets/shop-data',
      ],
    ]
    const shown = await wi(lab, state, args)
    expect(shown.out.match(/^ +\+ .*$/gm)).toHaveLength(1)
    expect(shown.out).not.toMatch(/^ +- /m)
    const bound = await wi(lab, state, [...args, '--apply', '--yes'])
    expect(bound.out, bound.err).toContain('✓')
    const after = listAt(await bucketPolicy(lab), 'bindings')
    const member =
      'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/shop-prod.svc.id.goog/subject/ns/shop/sa/cart'
    expect(after).toEqual([
      ...before.slice(0, -1),
      { role: 'roles/storage.objectViewer', members: ['user:eve@example.com', member] },
    ])
    const again = await wi(lab, state, args)
    expect(again.err.replaceAll(/\s+/g, ' ')).toContain('already so: principal://')
    expect((await undone(lab, state)).status).toBe(0)
    expect(listAt(await bucketPolicy(lab), 'bindings')).toEqual(before)
  })

  test('as a Google service account: the grant and the annotation', async () => {
    const [lab, state] = [await start(bare), stateFolder()]
    const args = ['bind', 'sa', 'cart', '-n', 'shop', '--gcp-service-account', email, '--restart', '--apply', '--yes']
    const bound = await wi(lab, state, args)
    expect(bound.status, bound.out + bound.err).toBe(0)
    expect(bindingsOf(await accountPolicy(lab))).toContain('serviceAccount:shop-prod.svc.id.goog[shop/cart]')
    const { body } = await api(lab, 'GET', '/api/v1/namespaces/shop/serviceaccounts/cart')
    expect(textAt(body, 'metadata', 'annotations', 'iam.gke.io/gcp-service-account')).toBe(email)
  })

  test('through a provider: the configuration, and one member of the bucket, in the name that the provider gives', async () => {
    const provider = 'projects/123456789012/locations/global/workloadIdentityPools/shop-pool/providers/main'
    const mapping = {
      'google.subject': "assertion['kubernetes.io']['namespace'] + '/' + assertion.sub.extract('shop:{name}')",
    }
    const files = {
      ...bare,
      'provider.json': JSON.stringify({
        name: provider,
        state: 'ACTIVE',
        attributeMapping: mapping,
        attributeCondition: "assertion.sub.startsWith('system:serviceaccount:shop:')",
        oidc: { issuerUri: 'https://oidc.lab.example/id/LAB' },
      }),
      'pool.json': JSON.stringify({ name: provider.replace(/\/providers.*/, ''), state: 'ACTIVE' }),
    }
    const [lab, state] = [await start(files), stateFolder()]
    const before = listAt(await bucketPolicy(lab), 'bindings')
    const place = ['bind', 'sa', 'cart', '-n', 'shop', '--gcp-provider', provider]
    const grant = ['--role', 'roles/storage.objectViewer', '--on', 'buckets/shop-data']
    const bound = await wi(lab, state, [...place, ...grant, '--apply', '--yes'])
    expect(bound.out, bound.err).toContain('✓')
    expect(bound.err.replaceAll(/\s+/g, ' ')).toContain(`audience https://iam.googleapis.com/${provider}`)
    const member =
      'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/shop-pool/subject/shop/cart'
    expect(listAt(await bucketPolicy(lab), 'bindings')).toEqual([
      ...before.slice(0, -1),
      { role: 'roles/storage.objectViewer', members: ['user:eve@example.com', member] },
    ])
    const { body } = await api(lab, 'GET', '/api/v1/namespaces/shop/configmaps/cart-google-credentials')
    const configuration = JSON.parse(textAt(body, 'data', 'credentials.json') ?? '')
    expect(configuration).toMatchObject({ type: 'external_account', audience: `//iam.googleapis.com/${provider}` })
    expect((await undone(lab, state)).status).toBe(0)
    expect(listAt(await bucketPolicy(lab), 'bindings')).toEqual(before)
  })

  test.each([
    ['a basic role', ['--gcp-direct', '--role', 'roles/owner', '--on', 'projects/shop-prod'], 'a basic role'],
    [
      'no resource',
      ['--gcp-direct', '--role', 'roles/storage.objectViewer', '--on', 'folders/1'],
      'projects/ID or buckets/NAME',
    ],
    ['no e-mail', ['--gcp-service-account', 'cart'], 'the e-mail of one Google service account'],
    [
      'two intents',
      ['--gcp-service-account', email, '--aws-role', 'cart'],
      'one identity at a time: --aws-role and --gcp-service-account',
    ],
  ])('refuses %s', async (_name, flags, expected) => {
    const lab = await start(bare)
    const { status, err } = await wi(lab, stateFolder(), ['bind', 'sa', 'cart', '-n', 'shop', ...flags])
    expect(err.replaceAll(/\s+/g, ' ')).toContain(expected)
    expect(status).toBe(2)
  })
})

test('not signed in is not seen, and says how it would be', async () => {
  const lab = await start(documents('google'))
  const env = { ...lab.env, GOOGLE_APPLICATION_CREDENTIALS: '/nowhere.json' }
  const { status, out } = await wi({ ...lab, env }, stateFolder(), ['doctor', ...place])
  expect(status).toBe(3)
  expect(out).toContain('gcloud auth application-default login')
})
test('what IAM refuses is not seen, and names the permission', async () => {
  const lab = await start(documents('google'), { refuse: ['iam.serviceAccounts.getIamPolicy'] })
  const { status, out } = await wi(lab, stateFolder(), ['doctor', ...place])
  expect(status).toBe(3)
  expect(out).toContain('iam.serviceAccounts.getIamPolicy')
})
test('no token and no credential is in any report', async () => {
  const heard: string[] = []
  const lab = await start(documents('google'), { overhear: (body) => heard.push(body) })
  const { out, err } = await wi(lab, stateFolder(), ['doctor', ...place, '-v', '-o', 'json'])
  const secrets = heard.join('\n').match(/ya29\.[\w.-]{20,}|eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []
  expect(secrets.length).toBeGreaterThan(0)
  for (const secret of secrets) expect(out + err).not.toContain(secret)
})
