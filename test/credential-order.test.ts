/** Which of a pod's credentials which SDK takes first: the chains as the SDKs' own sources have them. */
import { describe, expect, test } from 'vitest'
import { credentialOrder, type Glance } from '../src/domain/credential-order.ts'

const glance = (names: readonly string[], more: Partial<Glance> = {}): Glance => ({ set: new Set(names), ...more })
/** Family → what it takes first. */
const firsts = (seen: Glance): { readonly [family: string]: string | undefined } =>
  Object.fromEntries(
    credentialOrder(seen).flatMap(({ families }) => families.map(({ family, takes }) => [family, takes[0]?.way])),
  )
const shadowed = (seen: Glance): readonly string[] =>
  credentialOrder(seen).flatMap(({ shadows }) => shadows.map(({ by, families }) => `${by.way}: ${families.join(', ')}`))

const web = ['AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN']
const keys = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
const agent = ['AWS_CONTAINER_CREDENTIALS_FULL_URI']
const profile = (...settings: string[]): Partial<Glance> => ({
  profile: { name: 'default', files: ['/root/.aws/config'], settings },
})

describe("AWS's SDKs", () => {
  test('take keys of the environment before everything, but for JavaScript with a profile chosen', () => {
    expect(shadowed(glance([...web, ...keys]))).toEqual(['environment-keys: Go, Java, JavaScript, Python'])
    expect(shadowed(glance([...web, ...keys, 'AWS_PROFILE']))).toEqual(['environment-keys: Go, Java, Python'])
    expect(shadowed(glance(['AWS_ACCESS_KEY_ID', ...web]))).toEqual([])
  })
  test('take web identity before Pod Identity', () => {
    expect(new Set(Object.values(firsts(glance([...agent, ...web]))))).toEqual(new Set(['web-identity']))
  })
  test('take a profile before Pod Identity, and only some before web identity', () => {
    expect(shadowed(glance(agent, profile('aws_access_key_id')))).toEqual(['profile: Go, Java, JavaScript, Python'])
    expect(shadowed(glance(web, profile('aws_access_key_id')))).toEqual(['profile: JavaScript'])
    expect(shadowed(glance(web, profile('role_arn', 'source_profile')))).toEqual(['profile: JavaScript, Python'])
    expect(shadowed(glance(web, profile('role_arn', 'web_identity_token_file')))).toEqual(['profile: JavaScript'])
    expect(shadowed(glance(web, profile('region')))).toEqual([])
  })
})

describe("Azure's DefaultAzureCredential", () => {
  const federated = ['AZURE_FEDERATED_TOKEN_FILE', 'AZURE_CLIENT_ID', 'AZURE_TENANT_ID']
  const secret = [...federated, 'AZURE_CLIENT_SECRET']
  test('takes a secret first', () => {
    expect(shadowed(glance(secret))).toEqual(['client-secret: DefaultAzureCredential'])
  })
  test('takes what AZURE_TOKEN_CREDENTIALS leaves of the chain', () => {
    const chosen = (azureChoice: string, names = secret) => shadowed(glance(names, { azureChoice }))
    expect(chosen('WorkloadIdentityCredential')).toEqual([])
    expect(chosen('prod')).toEqual(['client-secret: DefaultAzureCredential'])
    expect(chosen('dev', federated)).toEqual(['narrowed: DefaultAzureCredential'])
    expect(chosen('ManagedIdentityCredential', federated)).toEqual(['narrowed: DefaultAzureCredential'])
  })
})

describe("Google's libraries", () => {
  test('take the file that is named before the metadata server', () => {
    const seen = (type: string) => glance([], { google: { path: '/key.json', type }, metadata: true })
    expect(shadowed(seen('service_account'))).toEqual(['key-file: Google client libraries'])
    expect(shadowed(seen('external_account'))).toEqual([])
  })
})
