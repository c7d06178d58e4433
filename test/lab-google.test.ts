/** Google Cloud in the lab, asked by Google's own client library: STS, IAM Credentials, policies by etag, the metadata server. */
import { request as plainRequest } from 'node:http'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, describe, expect, test } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { documents } from './acting.ts'
import { googleClient } from './google-client.ts'
import { api, ask, closeLabs, demo, start } from './labs.ts'

afterAll(closeLabs)

const email = 'shop-cart@shop-prod.iam.gserviceaccount.com'
const gke =
  'identitynamespace:shop-prod.svc.id.goog:https://container.googleapis.com/v1/projects/shop-prod/locations/europe-west1/clusters/main'
const provider = 'projects/123456789012/locations/global/workloadIdentityPools/shop-pool/providers/main'

async function tokenFor(lab: Lab, audience: string): Promise<string> {
  const { body } = await api(lab, 'POST', '/api/v1/namespaces/shop/serviceaccounts/cart/token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [audience] },
  })
  const status = JSON.parse(JSON.stringify(body)).status
  return status.token
}

async function client(lab: Lab, audience: string, token: string, account?: string) {
  // The library takes no authority of its own.
  setDefaultCACertificates([...getCACertificates('bundled'), lab.world.roots])
  return googleClient(lab, audience, token, account)
}
const got = async (lab: Lab, audience: string, token: string, account?: string): Promise<string> => {
  try {
    const { token: access } = await (await client(lab, audience, token, account)).getAccessToken()
    return access?.startsWith('ya29.') === true ? 'token' : 'nothing'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe('a ServiceAccount of GKE', () => {
  test('gets a token, and acts as the account that admits it', async () => {
    const lab = await start(demo('google'))
    const token = await tokenFor(lab, 'shop-prod.svc.id.goog')
    expect(await got(lab, gke, token)).toBe('token')
    expect(await got(lab, gke, token, email)).toBe('token')
    expect(await got(lab, gke, await tokenFor(lab, 'another'))).toContain('The audience in ID Token [another]')
    expect(await got(lab, `${gke}-2`, token)).toContain('invalid_target')
  })
  test('is refused in the words of IAM where it is not admitted', async () => {
    const lab = await start(demo('google-broken'))
    const token = await tokenFor(lab, 'shop-prod.svc.id.goog')
    expect(await got(lab, gke, token)).toBe('token')
    expect(await got(lab, gke, token, email)).toContain("Permission 'iam.serviceAccounts.getAccessToken' denied")
  })
})

describe('a provider of another pool', () => {
  const audience = `//iam.googleapis.com/${provider}`
  const withProvider = (issuer: string, change: object) => ({
    ...documents('google'),
    'provider.json': JSON.stringify({
      name: provider,
      state: 'ACTIVE',
      attributeMapping: { 'google.subject': 'assertion.sub' },
      oidc: { issuerUri: issuer },
      ...change,
    }),
  })
  const issuer = 'https://oidc.lab.example/id/LAB'
  test.each([
    ['takes its default audience', {}, 'token'],
    ['judges the condition', { attributeCondition: "assertion.sub.endsWith(':cart')" }, 'token'],
    [
      'refuses by the condition',
      { attributeCondition: "assertion.sub.endsWith(':desk')" },
      'rejected by the attribute condition',
    ],
    ['is disabled', { disabled: true }, 'invalid_target'],
    [
      'maps no subject',
      { attributeMapping: { 'google.subject': 'assertion.missing' } },
      'Could not obtain a value for google.subject',
    ],
    ['expects another issuer', { oidc: { issuerUri: `${issuer}/` } }, 'does not match the expected ones'],
    [
      'allows other audiences',
      { oidc: { issuerUri: issuer, allowedAudiences: ['https://shop.example'] } },
      'does not match the expected audience',
    ],
    [
      'has another key',
      { oidc: { issuerUri: issuer, jwksJson: '{"keys":[]}' } },
      "Error connecting to the given credential's issuer",
    ],
  ])('%s', async (_name, change, expected) => {
    const lab = await start(withProvider(issuer, change))
    expect(lab.issuer).toBe(issuer)
    expect(await got(lab, audience, await tokenFor(lab, `https://iam.googleapis.com/${provider}`))).toContain(expected)
  })
})

describe('the metadata server', () => {
  const metadata = (lab: Lab, path: string, headers: Record<string, string> = { 'Metadata-Flavor': 'Google' }) =>
    new Promise<{ status: number | undefined; flavor: unknown; body: string }>((resolve, reject) => {
      plainRequest(`${lab.urls.metadata}/computeMetadata/v1/${path}`, { headers }, (reply) => {
        let body = ''
        reply.on('data', (part) => {
          body += part
        })
        reply.on('end', () => resolve({ status: reply.statusCode, flavor: reply.headers['metadata-flavor'], body }))
      })
        .on('error', reject)
        .end()
    })
  test('demands its header, and gives the token of the account', async () => {
    const lab = await start(demo('google'))
    const own = 'instance/service-accounts/default'
    expect(await metadata(lab, `${own}/email`, {})).toMatchObject({ status: 403 })
    expect(await metadata(lab, `${own}/email`)).toEqual({ status: 200, flavor: 'Google', body: email })
    const { body } = await metadata(lab, `${own}/token`)
    expect(JSON.parse(body)).toMatchObject({ token_type: 'Bearer', expires_in: 3599 })
    expect(await metadata(lab, 'instance/machine-type')).toMatchObject({ status: 404 })
  })
  test('hands on what IAM says', async () => {
    const lab = await start(demo('google-broken'))
    const { status, body } = await metadata(lab, 'instance/service-accounts/default/token')
    expect(status).toBe(403)
    expect(body).toContain("IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied")
  })
})

test('nobody but the person reads a policy', async () => {
  const lab = await start(demo('google'))
  const { status } = await ask(lab, `${lab.urls.google}/v1/projects/-/serviceAccounts/${email}:getIamPolicy`, {
    method: 'POST',
  })
  expect(status).toBe(401)
})
