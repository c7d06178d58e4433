/** The live world as a whole: what is asked of whom, what is withheld, and that nothing secret comes out of it. */
import { generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { aws, azure, gcp, kubernetes, oidc, seen } from '../src/domain/questions.ts'
import { permissionOf, permissionWords } from '../src/knowledge/permissions.ts'
import { type LiveOptions, liveSource } from '../src/sources/live/index.ts'
import { withheld } from '../src/sources/withheld.ts'
import { type Answer, everything, json, status } from './live-doubles.ts'
import { kubernetesTests, trouble } from './live-kubernetes.ts'

const { place, open, api, config } = kubernetesTests()
const cart = { namespace: 'shop', name: 'cart', audience: 'sts.amazonaws.com' }

async function live(answer: Answer, options: Partial<LiveOptions> = {}, env: NodeJS.ProcessEnv = {}) {
  const served = await api((seenOne, response) =>
    seenOne.url.pathname === '/version' ? json(response, 200, { gitVersion: 'v1.34.1' }) : answer(seenOne, response),
  )
  const kubeconfig = place.file('config', config(served.url, { token: 'x' }))
  const made = await liveSource({ flags: { kubeconfig }, timeout: 2000, env, ...options })
  open.push(made.close)
  return { ...made, served, ask: async (question: Parameters<typeof made.source.ask>[0]) => made.source.ask(question) }
}

const nothing: Answer = (_s, r) => json(r, 404, status(404, 'NotFound', 'not found'))

test('what was ruled out is not asked, and says how it would be', async () => {
  const { source, served, describe, namespace } = await live(nothing)
  const { ask } = withheld(source, { exchange: false, cloudCredentials: 'none' })
  expect([describe, namespace]).toEqual([`context x (${served.url})`, 'shop'])
  const ruledOut = [
    kubernetes.token(cart),
    oidc.signature('https://issuer.example/keys', cart),
    aws.exchange(cart, 'arn:aws:iam::1:role/r'),
    aws.callerIdentity(),
    aws.role('111122223333', 'r'),
    gcp.workloadIdentityPoolProviders(),
    gcp.exchange({
      ...cart,
      provider: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    }),
    azure.federatedIdentityCredentials(),
  ]
  for (const question of ruledOut)
    expect(await ask(question)).toMatchObject({
      state: 'unknown',
      why: 'not-asked',
      lift: expect.any(String),
      from: question,
    })
  expect(served.seen.map(({ url }) => url.pathname)).toEqual(['/version'])
  expect(Date.parse(String(((await ask(seen.now())) as { value?: unknown }).value))).toBeGreaterThan(Date.now() - 5000)
  expect(await ask(seen.tokens())).toMatchObject({ state: 'known', value: { tokens: [] } })
})

test('known error texts are read from warnings; events that cannot be read are nothing observed', async () => {
  const message = 'WebIdentityErr: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'
  const events: Answer = (_s, r) =>
    json(r, 200, {
      kind: 'EventList',
      apiVersion: 'v1',
      metadata: {},
      items: [
        {
          metadata: { name: 'e' },
          type: 'Warning',
          message,
          involvedObject: { kind: 'Pod', namespace: 'shop', name: 'cart-0' },
        },
      ],
    })
  const { ask, served } = await live(events)
  expect(await ask(seen.errors())).toMatchObject({
    state: 'known',
    value: { errors: [{ text: message, subject: { kind: 'Pod', namespace: 'shop', name: 'cart-0' } }] },
  })
  expect(served.seen.at(-1)?.url.href).toContain(
    '/api/v1/namespaces/shop/events?limit=1000&fieldSelector=type%3DWarning',
  )
  const wide = await live((_s, r) => json(r, 403, status(403, 'Forbidden', 'no')), { wide: true })
  expect(await wide.ask(seen.errors())).toMatchObject({ state: 'known', value: { errors: [] } })
  expect(wide.served.seen.at(-1)?.url.pathname).toBe('/api/v1/events')
})

test('no cluster, no run; a lab says that it is one', async () => {
  const kubeconfig = place.file('config', config('https://127.0.0.1:1', {}))
  expect((await trouble(liveSource({ flags: { kubeconfig }, env: {} }))).message).toMatch(
    /refused the connection.*nothing in the cluster could be examined/,
  )
  const lab = place.file('lab.json', JSON.stringify({ roots: '', resolve: {} }))
  expect((await live(nothing, {}, { KUBECTL_WI_LAB: lab })).describe).toMatch(/a lab in place of the internet/)
})

test('a minted token comes out of nothing, and not after the end', async () => {
  const { privateKey } = await generateKeyPair('ES256')
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey)
  const lab = place.file('lab.json', JSON.stringify({ roots: '', resolve: {} }))
  const made = await live((_s, r) => json(r, 201, { status: { token } }), {}, { KUBECTL_WI_LAB: lab })
  const facts = [
    await made.ask(kubernetes.token(cart)),
    await made.ask(oidc.signature('https://issuer.example/keys', cart)),
  ]
  expect(facts[0]).toMatchObject({ state: 'known', value: { header: { kid: 'k' } } })
  made.close()
  facts.push(
    await made.ask(kubernetes.token({ ...cart, name: 'other' })),
    await made.ask(oidc.signature('https://issuer.example/other', cart)),
  )
  expect(facts[2]).toMatchObject({ state: 'unknown', why: 'cancelled' })
  expect(everything([facts, made.source, made.describe])).not.toContain(token.split('.')[2])
})

test.each([
  [kubernetes.token(cart), 'RBAC: create serviceaccounts/token in namespace shop'],
  [kubernetes.list('deployments'), 'RBAC: list deployments.apps in all namespaces'],
  [
    kubernetes.nonResource('/openid/v1/jwks'),
    'RBAC: get on the non-resource URL /openid/v1/jwks (ClusterRole system:service-account-issuer-discovery)',
  ],
  [aws.role('111122223333', 'r'), 'IAM: iam:GetRole in account 111122223333'],
  [aws.callerIdentity(), undefined],
  [oidc.discovery('https://issuer.example'), undefined],
  [kubernetes.currentContext(), undefined],
])('the permission behind a question: %o', (question, words) => {
  expect(permissionWords(permissionOf(question))).toBe(words)
})
