/** exchange-test in pods of Google Cloud and Azure: doubles at the wire that verify what these clouds verify. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { textAt, textsAt } from '../src/core/json.ts'
import { readToken } from '../src/domain/token-claims.ts'
import { makeAuthority } from '../src/lab/certificates.ts'
import { type Handler, type Listener, listen, type Reply } from '../src/lab/listener.ts'
import { verifiesByPublishedKeys } from '../src/lab/published-keys.ts'
import { type Claims, canaries, proven, type Ran, statuses, steps, subject } from './exchanging.ts'
import { closeLabs, demo, start } from './labs.ts'
import { fitsSchema } from './proof-schema.ts'
import { entry, sentence } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-clouds-'))
const lab = await start(demo('healthy'))
const audience = '//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/shop/providers/shop'
const email = 'cart@shop.iam.gserviceaccount.com'
const tenant = '11111111-2222-4333-8444-555555555555'
const client = '99999999-8888-4777-8666-555555555555'
const { known: secrets, made: secret, token: signed } = canaries()
const json = (status: number, value: object): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

type Read = {
  readonly issuer: string
  readonly sub: string
  readonly aud: readonly string[]
  readonly exp: number
  readonly signed: boolean
}
const read = async (raw: string): Promise<Read> => {
  const token = readToken(raw)
  if (token.state !== 'read') throw new Error('no token')
  const { claims } = token
  const issuer = textAt(claims, 'iss') ?? ''
  const exp = typeof claims.exp === 'number' ? claims.exp : 0
  return {
    issuer,
    sub: textAt(claims, 'sub') ?? '',
    aud: textsAt(claims, 'aud'),
    exp,
    signed: await verifiesByPublishedKeys(raw, issuer, lab.world),
  }
}
const federated = secret('ya29.d.')
const google: Handler = async ({ path: where, body, headers }) => {
  const form = new URLSearchParams(body)
  if (where === '/v1/introspect')
    return json(200, {
      active: true,
      username: `principal://iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/shop/subject/${subject}`,
    })
  if (where.endsWith(`/serviceAccounts/${email}:generateAccessToken`))
    return headers.authorization === `Bearer ${federated}`
      ? json(200, { accessToken: secret('ya29.c.'), expireTime: '2026-01-02T03:04:05Z' })
      : json(401, {})
  if (where.endsWith(':generateAccessToken'))
    return json(403, {
      error: {
        code: 403,
        status: 'PERMISSION_DENIED',
        message: "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      },
    })
  const token = await read(form.get('subject_token') ?? '')
  const grant = (error_description: string): Reply => json(400, { error: 'invalid_grant', error_description })
  if (form.get('audience') !== audience)
    return json(400, {
      error: 'invalid_target',
      error_description: 'The target service indicated by the "audience" parameters is invalid.',
    })
  if (!token.signed) return grant('Unable to verify the ID Token signature.')
  if (!token.aud.includes(`https:${audience}`))
    return grant(`The audience in ID Token [${token.aud}] does not match the expected audience.`)
  if (token.exp * 1000 < Date.now()) return grant(`ID Token issued at ${token.exp - 3600} is stale to sign-in.`)
  return json(200, { access_token: federated, token_type: 'Bearer', expires_in: 3599 })
}
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const entra: Handler = async ({ path: where, body }) => {
  const form = new URLSearchParams(body)
  const refuse = (code: number, text: string): Reply =>
    json(401, {
      error: 'invalid_client',
      error_description: `AADSTS${code}: ${text} Trace ID: x Correlation ID: y Timestamp: 2026-01-01 00:00:00Z`,
      error_codes: [code],
    })
  if (where !== `/${tenant}/oauth2/v2.0/token`) return refuse(90002, `Tenant '${where.split('/')[1]}' not found.`)
  const token = await read(form.get('client_assertion') ?? '')
  if (form.get('client_id') !== client || !token.signed)
    return refuse(700016, 'Application was not found in the directory.')
  if (token.sub !== subject)
    return refuse(700213, `No matching federated identity record found for presented assertion subject '${token.sub}'.`)
  if (!token.aud.includes('api://AzureADTokenExchange'))
    return refuse(
      700212,
      `No matching federated identity record found for presented assertion audience '${token.aud}'.`,
    )
  if (token.exp * 1000 < Date.now()) return refuse(700024, 'Client assertion is not within its valid time range.')
  const access = `${part({ alg: 'RS256' })}.${part({ appid: client, oid: 'o', tid: tenant })}.${secret('')}`
  secrets.add(access)
  return json(200, { token_type: 'Bearer', expires_in: 86399, access_token: access })
}
const metadata = {
  account: email,
  token: json(200, { access_token: secret('ya29.m.'), expires_in: 3599, token_type: 'Bearer' }),
}
const server: Handler = ({ path: where, headers }) => {
  if (headers['metadata-flavor'] !== 'Google')
    return { status: 403, body: 'Missing required header "Metadata-Flavor": "Google"' }
  const reply = where.endsWith('/email') ? { status: 200, body: metadata.account } : metadata.token
  return { ...reply, headers: { ...reply.headers, 'metadata-flavor': 'Google' } }
}

const hosts = ['sts.googleapis.com', 'iamcredentials.googleapis.com', 'login.microsoftonline.com']
const authority = await makeAuthority()
const leaf = await authority.leaf(hosts)
const listeners: Listener[] = []
const serve = async (handle: Handler, secure = true): Promise<Listener> => {
  const one = await listen({
    ...(secure ? { leaf } : {}),
    handle,
    trouble: (body) => ({ status: 500, body }),
    count: () => {},
  })
  listeners.push(one)
  return one
}
const [googleServer, entraServer, metadataServer] = await Promise.all([
  serve(google),
  serve(entra),
  serve(server, false),
])
const settings = path.join(folder, 'lab.json')
writeFileSync(
  settings,
  JSON.stringify({
    roots: lab.world.roots + authority.root,
    resolve: {
      ...lab.world.resolve,
      'sts.googleapis.com:443': `127.0.0.1:${googleServer.port}`,
      'iamcredentials.googleapis.com:443': `127.0.0.1:${googleServer.port}`,
      'login.microsoftonline.com:443': `127.0.0.1:${entraServer.port}`,
    },
  }),
)
afterAll(async () => {
  await Promise.all([closeLabs(), ...listeners.map(({ close }) => close())])
  rmSync(folder, { recursive: true, force: true })
})

let count = 0
const file = (name: string, text: string): string => {
  count += 1
  const place = path.join(folder, String(count), name)
  mkdirSync(path.dirname(place))
  writeFileSync(place, text)
  return place
}
const tokenFile = async (claims: Claims): Promise<string> => file('token', await signed(lab, claims))
const run = (variables: NodeJS.ProcessEnv): Promise<Ran> =>
  new Promise((resolve) => {
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      XDG_CACHE_HOME: path.join(folder, 'cache'),
      KUBECTL_WI_LAB: settings,
      ...variables,
    }
    execFile(process.execPath, [entry, 'exchange-test', '-o', 'json'], { env }, (error, out, err) => {
      for (const one of secrets) expect(out + err).not.toContain(one)
      sentence(err)
      fitsSchema(out)
      resolve({ code: Number(error?.code ?? 0), out, err })
    })
  })
describe('a credential configuration of Google', () => {
  const given = async (claims: Partial<Claims> = {}, more: object = {}): Promise<NodeJS.ProcessEnv> => ({
    GOOGLE_APPLICATION_CREDENTIALS: file(
      'config.json',
      JSON.stringify({
        type: 'external_account',
        audience,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: 'https://sts.googleapis.com/v1/token',
        credential_source: { file: await tokenFile({ aud: `https:${audience}`, ...claims }) },
        ...more,
      }),
    ),
  })
  const impersonating = (account: string) => ({
    service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
  })

  test('is proven, directly and through an account', async () => {
    const direct = await run(await given())
    expect(statuses(direct)).toEqual(proven)
    expect(steps(direct)['who-am-i']?.says).toContain(`/subject/${subject}`)
    const through = await run(await given({}, impersonating(email)))
    expect(statuses(through)).toMatchObject({ exchange: 'pass', impersonation: 'pass' })
    expect([direct.code, through.code]).toEqual([0, 0])
  })
  test('is refused in the words of STS: audience, age', async () => {
    const aud = await run(await given({ aud: 'sts.amazonaws.com' }))
    expect(steps(aud).exchange?.answer).toMatchObject({ code: 'invalid_grant' })
    expect(steps(aud).exchange?.answer?.message).toContain('does not match the expected audience')
    const old = await run(await given({ left: -60 }))
    expect(statuses(old)).toMatchObject({ claims: 'fail', exchange: 'fail' })
    expect([aud.code, old.code]).toEqual([1, 1])
  })
  test('is refused by IAM where the account may not be impersonated', async () => {
    const ran = await run(await given({}, impersonating('other@shop.iam.gserviceaccount.com')))
    expect(steps(ran).impersonation?.answer?.code).toBe('PERMISSION_DENIED')
    expect(ran.code).toBe(1)
  })
  test('that leads elsewhere than to Google gets no token', async () => {
    const ran = await run(await given({}, { token_url: 'https://login.microsoftonline.com/v1/token' }))
    expect(steps(ran).exchange?.answer?.code).toBe('NotGoogle')
    expect(ran.code).toBe(1)
  })
  test('with a token file that is not there asks nobody', async () => {
    const ran = await run(await given({}, { credential_source: { file: '/nonexistent/token' } }))
    expect(statuses(ran)).toMatchObject({ token: 'fail', exchange: 'blocked' })
    expect(ran.code).toBe(1)
  })
})

describe('the metadata server of Google', () => {
  const there = { GCE_METADATA_HOST: metadataServer.url.replace('http://', '') }
  test('is found and proven where nothing else shows an identity', async () => {
    const ran = await run(there)
    expect(statuses(ran)).toEqual({ identity: 'pass', exchange: 'pass', 'who-am-i': 'pass' })
    expect(steps(ran)['who-am-i']?.says).toBe(email)
    expect(ran.code).toBe(0)
  })
  test('that a variable names and nobody reaches fails, with the address', async () => {
    const ran = await run({ GCE_METADATA_HOST: '127.0.0.1:9' })
    expect(steps(ran).exchange?.says).toContain('the metadata server does not answer: 127.0.0.1:9')
    expect(ran.code).toBe(1)
  })
  test('that shows the account of nodes leaves it open', async () => {
    const { account } = metadata
    metadata.account = '1234-compute@developer.gserviceaccount.com'
    const ran = await run(there)
    metadata.account = account
    expect(steps(ran)['who-am-i']?.says).toContain('the account of nodes')
    expect(ran.code).toBe(3)
  })
  test('that refuses a token is quoted', async () => {
    const { token } = metadata
    metadata.token = {
      status: 403,
      body: 'Unable to generate access token; IAM returned 403 Forbidden: The caller does not have permission',
    }
    const ran = await run(there)
    metadata.token = token
    expect(steps(ran).exchange?.answer?.message).toContain('Unable to generate access token')
    expect(ran.code).toBe(1)
  })
})

describe('a federated token of Azure', () => {
  const given = async (claims: Partial<Claims> = {}): Promise<NodeJS.ProcessEnv> => ({
    AZURE_CLIENT_ID: client,
    AZURE_TENANT_ID: tenant,
    AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
    AZURE_FEDERATED_TOKEN_FILE: await tokenFile({ aud: 'api://AzureADTokenExchange', ...claims }),
  })
  test('is proven, and the client is the one that was meant', async () => {
    const ran = await run(await given())
    expect(statuses(ran)).toEqual(proven)
    expect(ran.code).toBe(0)
  })
  test('is refused with the code of Entra', async () => {
    const codes: (string | undefined)[] = []
    for (const claims of [{ aud: 'sts.amazonaws.com' }, { sub: 'system:serviceaccount:shop:other' }, { left: -60 }]) {
      const ran = await run(await given(claims))
      codes.push(steps(ran).exchange?.answer?.code)
      expect(ran.code).toBe(1)
    }
    expect(codes).toEqual(['AADSTS700212', 'AADSTS700213', 'AADSTS700024'])
  })
  test('is shadowed by a client secret', async () => {
    const ran = await run({ ...(await given()), AZURE_CLIENT_SECRET: secret('s~') })
    expect(steps(ran).identity?.says).toContain('every SDK takes AZURE_CLIENT_SECRET first')
    expect(ran.code).toBe(1)
  })
  test('goes nowhere in the clear', async () => {
    const ran = await run({ ...(await given()), AZURE_AUTHORITY_HOST: 'http://127.0.0.1:9/' })
    expect(steps(ran).exchange?.answer?.code).toBe('AuthorityNotHttps')
    expect(ran.code).toBe(1)
  })
})
