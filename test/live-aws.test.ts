/** The AWS source with the real SDK against servers that speak AWS's protocols: who is signed in, what is absent, what is refused. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Fact } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { aws, kubernetes } from '../src/domain/questions.ts'
import { type AwsDeps, awsSource } from '../src/sources/live/aws.ts'
import { eksHint } from '../src/sources/live/eks-hint.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import {
  type Answer,
  type Authority,
  authority,
  folder,
  type Identity,
  json,
  type Served,
  serve,
} from './live-doubles.ts'

let ca: Authority
let server: Identity
const place = folder()
const open: (() => void | Promise<void>)[] = []
const account = '111122223333'
const secret = 'canary/SecretAccessKey+0123456789abcdefghij'
const keyId = 'AKIACANARY0123456789'
const token = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30.canary-signature`
const cart = { namespace: 'shop', name: 'cart', audience: 'sts.amazonaws.com' }
const roleArn = `arn:aws:iam::${account}:role/cart`

beforeAll(async () => {
  ca = await authority()
  server = await ca.issue({ names: ['127.0.0.1'] })
})
beforeEach(() => {
  const empty = place.file('empty', '')
  const env = {
    AWS_CA_BUNDLE: place.file('ca.pem', ca.pem),
    AWS_ACCESS_KEY_ID: keyId,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_REGION: 'eu-central-1',
    AWS_CONFIG_FILE: empty,
    AWS_SHARED_CREDENTIALS_FILE: empty,
    AWS_EC2_METADATA_DISABLED: 'true',
    HTTPS_PROXY: '',
    https_proxy: '',
  }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of open.splice(0)) await close()
})
afterAll(() => place.remove())

type Query = { readonly [action: string]: string | readonly [number, string, string] }
const wrap = (action: string, inside: string): string =>
  `<${action}Response xmlns="https://x.amazonaws.com/doc/"><${action}Result>${inside}</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`

/** The query protocol: a form in, XML out. Only what is signed is answered, but the exchange, which never is. */
const query =
  (answers: Query): Answer =>
  ({ body, request }, response) => {
    const action = new URLSearchParams(body).get('Action') ?? ''
    const signed = request.headers.authorization?.startsWith(`AWS4-HMAC-SHA256 Credential=${keyId}/`) === true
    const asked = answers[action]
    const anonymous = action === 'AssumeRoleWithWebIdentity'
    const answer =
      signed === anonymous ? ([403, 'MissingAuthenticationToken', 'not signed as expected'] as const) : asked
    if (typeof answer === 'string') {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(wrap(action, answer))
      return
    }
    const [status, code, message] = answer ?? ([400, 'InvalidAction', action] as const)
    response
      .writeHead(status, { 'content-type': 'text/xml' })
      .end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
      )
  }

const me = `<Arn>arn:aws:iam::${account}:user/me</Arn><UserId>AIDA</UserId><Account>${account}</Account>`
const none = { state: 'absent', from: kubernetes.nonResource('/version') } as const

async function cloud(answers: Query | Answer, deps: Partial<AwsDeps> = {}) {
  const served: Served = await serve(
    server,
    typeof answers === 'function' ? answers : query({ GetCallerIdentity: me, ...answers }),
  )
  open.push(served.close)
  for (const name of ['STS', 'IAM', 'EKS']) vi.stubEnv(`AWS_ENDPOINT_URL_${name}`, served.url)
  const vault = tokenVault()
  vault.keep(cart, token)
  const source = awsSource({
    vault,
    mint: async () => ({ state: 'known', value: {}, from: kubernetes.token(cart) }),
    hint: { endpoint: false },
    server: 'https://127.0.0.1:6443',
    version: async () => none,
    lab: false,
    timeoutMs: 2000,
    ...deps,
  })
  open.push(source.close)
  const ask = async (question = aws.role(account, 'cart')): Promise<Fact<Json>> => {
    const fact = await source.ask(question)
    for (const hidden of [secret, keyId, token, 'canary-signature', 'canary-session'])
      expect(JSON.stringify(fact)).not.toContain(hidden)
    return fact
  }
  return { ask, served, source }
}

const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRoleWithWebIdentity' }] }
const role = `<Role><RoleName>cart</RoleName><Arn>${roleArn}</Arn><Path>/</Path><RoleId>AROA</RoleId><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>${encodeURIComponent(JSON.stringify(policy))}</AssumeRolePolicyDocument><MaxSessionDuration>3600</MaxSessionDuration></Role>`

describe('IAM', () => {
  test('a role comes with its policy decoded, and is absent only in its own account', async () => {
    const { ask } = await cloud({ GetRole: role })
    expect(await ask()).toMatchObject({
      state: 'known',
      value: { Role: { RoleName: 'cart', Arn: roleArn, AssumeRolePolicyDocument: policy, MaxSessionDuration: 3600 } },
    })
    const gone = await cloud({ GetRole: [404, 'NoSuchEntity', 'The role with name cart cannot be found.'] })
    expect(await gone.ask()).toMatchObject({ state: 'absent' })
    expect(await gone.ask(aws.role('999988887777', 'cart'))).toMatchObject({
      state: 'unknown',
      why: 'forbidden',
      detail: `signed in to account ${account}, the role lives in 999988887777`,
      lift: expect.stringMatching(/999988887777.*iam:GetRole/),
    })
    expect(await gone.ask(aws.role(undefined, 'cart'))).toMatchObject({ state: 'absent' })
  })

  test('refusals name the action, silences the next step', async () => {
    const error = async (answer: readonly [number, string, string]) => (await cloud({ GetRole: answer })).ask()
    expect(await error([403, 'AccessDenied', 'User: arn:aws:iam::1:user/me is not authorized'])).toMatchObject({
      why: 'forbidden',
      lift: expect.stringMatching(/IAM: iam:GetRole/),
    })
    expect(await error([400, 'Throttling', 'Rate exceeded'])).toMatchObject({ why: 'throttled' })
    expect(await error([403, 'ExpiredToken', 'The security token is expired'])).toMatchObject({
      why: 'unauthenticated',
      lift: expect.stringMatching(/aws sso login/),
    })
    expect(await error([403, 'SignatureDoesNotMatch', `string to sign ${keyId} ${secret}`])).toMatchObject({
      why: 'unauthenticated',
    })
    expect(await error([400, 'ValidationError', 'roleName is odd'])).toMatchObject({ why: 'malformed' })
    expect(await error([500, 'ServiceFailure', 'later'])).toMatchObject({ why: 'unreachable' })
    const page = await cloud((_s, r) =>
      r.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>sign in</body></html>'),
    )
    expect(await page.ask()).toMatchObject({ state: 'unknown', why: 'malformed' })
    const silent = await cloud(() => undefined, { timeoutMs: 200 })
    expect(await silent.ask()).toMatchObject({ state: 'unknown', why: 'timeout' })
  })

  test('no credentials, nobody there, a certificate that nobody signed', async () => {
    const { ask, served } = await cloud({})
    await served.close()
    expect(await ask()).toMatchObject({ state: 'unknown', why: 'unreachable' })
    const untrusted = await cloud({ GetRole: role })
    vi.stubEnv('AWS_CA_BUNDLE', '')
    expect(await untrusted.ask()).toMatchObject({
      state: 'unknown',
      why: 'unreachable',
      lift: expect.stringMatching(/AWS_CA_BUNDLE/),
    })
    const broken = await cloud({ GetRole: role })
    vi.stubEnv('AWS_CA_BUNDLE', `${place.path}/gone`)
    expect(await broken.ask()).toMatchObject({
      state: 'unknown',
      why: 'unreachable',
      detail: expect.stringMatching(/AWS_CA_BUNDLE/),
    })
    vi.stubEnv('AWS_CA_BUNDLE', place.file('ca.pem', ca.pem))
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined)
    expect(await (await cloud({ GetRole: role })).ask()).toMatchObject({
      why: 'unauthenticated',
      lift: expect.stringMatching(/AWS_PROFILE/),
    })
  })

  test('providers and roles, and the calls that nobody makes yet', async () => {
    const arn = `arn:aws:iam::${account}:oidc-provider/oidc.example/id`
    const { ask, served } = await cloud({
      ListOpenIDConnectProviders: `<OpenIDConnectProviderList><member><Arn>${arn}</Arn></member></OpenIDConnectProviderList>`,
      GetOpenIDConnectProvider:
        '<Url>oidc.example/id</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList><ThumbprintList/><CreateDate>2026-01-01T00:00:00Z</CreateDate>',
      ListRoles: `<IsTruncated>false</IsTruncated><Roles><member>${role.slice(6, -7)}</member></Roles>`,
    })
    expect(await ask(aws.oidcProviders(account))).toMatchObject({
      state: 'known',
      value: { OpenIDConnectProviderList: [{ Arn: arn }], complete: true },
    })
    expect(await ask(aws.oidcProvider(arn))).toMatchObject({
      state: 'known',
      value: { Url: 'oidc.example/id', ClientIDList: ['sts.amazonaws.com'] },
    })
    expect(await ask(aws.oidcProvider(arn.replace(account, '999988887777')))).toMatchObject({
      state: 'unknown',
      why: 'forbidden',
    })
    expect(await ask(aws.roles())).toMatchObject({
      state: 'known',
      value: { Roles: [{ RoleName: 'cart', Arn: roleArn }], complete: true },
    })
    expect(await ask(aws.resourceControlPolicies())).toMatchObject({ state: 'unknown', why: 'not-asked' })
    expect(served.seen.filter(({ body }) => body.includes('GetCallerIdentity'))).toHaveLength(1)
    const empty = await cloud({ ListOpenIDConnectProviders: '<OpenIDConnectProviderList/>' })
    expect(await empty.ask(aws.oidcProviders(account))).toMatchObject({
      state: 'known',
      value: { OpenIDConnectProviderList: [], complete: true },
    })
    const strange = await cloud({ ListOpenIDConnectProviders: '' })
    expect(await strange.ask(aws.oidcProviders(account))).toMatchObject({ state: 'unknown' })
  })
})

describe('the exchange', () => {
  const exchange = aws.exchange(cart, roleArn)

  test('of what STS gives only the role is kept', async () => {
    const { ask, served } = await cloud({
      AssumeRoleWithWebIdentity: `<SubjectFromWebIdentityToken>system:serviceaccount:shop:cart</SubjectFromWebIdentityToken><Audience>sts.amazonaws.com</Audience><AssumedRoleUser><Arn>arn:aws:sts::${account}:assumed-role/cart/kubectl-wi-1</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser><Credentials><SessionToken>canary-session</SessionToken><SecretAccessKey>${secret}</SecretAccessKey><Expiration>2030-01-01T00:00:00Z</Expiration><AccessKeyId>${keyId}</AccessKeyId></Credentials>`,
    })
    expect(await ask(exchange)).toMatchObject({
      state: 'known',
      value: {
        outcome: 'exchanged',
        assumedRole: `arn:aws:sts::${account}:assumed-role/cart/kubectl-wi-1`,
        subject: 'system:serviceaccount:shop:cart',
        endpoint: served.url,
      },
    })
    const form = new URLSearchParams(served.seen[0]?.body)
    expect(Object.fromEntries(form)).toMatchObject({
      RoleArn: roleArn,
      WebIdentityToken: token,
      DurationSeconds: '900',
    })
    expect(form.get('RoleSessionName')).toMatch(/^kubectl-wi-\d+$/)
  })

  test("a refusal keeps STS's own code, text and status", async () => {
    const refused = async (status: number, code: string, message: string) =>
      (await cloud({ AssumeRoleWithWebIdentity: [status, code, message] })).ask(exchange)
    const cases = [
      [403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
      [400, 'InvalidIdentityToken', `No OpenIDConnect provider found in your account for https://issuer.example`],
      [400, 'ExpiredTokenException', 'Token expired: current date/time 2 must be before the expiration date/time 1'],
      [403, 'IDPRejectedClaim', 'no'],
      [403, 'RegionDisabledException', 'no'],
      [400, 'ValidationError', 'Request ARN is invalid'],
    ] as const
    for (const [status, code, message] of cases)
      expect(await refused(status, code, message)).toMatchObject({
        state: 'known',
        value: { outcome: 'refused', code, message, status },
      })
    expect(JSON.stringify(await refused(400, 'InvalidIdentityToken', `bad token ${token}`))).toMatch(/bad token/)
    expect(await refused(400, 'Throttling', 'Rate exceeded')).toMatchObject({ state: 'unknown', why: 'throttled' })
    expect(await refused(500, 'InternalFailure', 'later')).toMatchObject({ state: 'unknown', why: 'unreachable' })
  })

  test('no token, no exchange', async () => {
    const question = kubernetes.token(cart)
    const forbidden = { state: 'unknown', why: 'forbidden', detail: 'no', lift: 'RBAC', from: question } as const
    const { ask, served } = await cloud({}, { mint: async () => forbidden })
    expect(await ask(exchange)).toMatchObject({ state: 'unknown', why: 'forbidden', lift: 'RBAC', from: exchange })
    expect(served.seen).toHaveLength(0)
    expect(await (await cloud({}, { vault: tokenVault() })).ask(exchange)).toMatchObject({
      state: 'unknown',
      why: 'cancelled',
    })
  })
})

describe('EKS', () => {
  const endpoint = 'https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com'
  const cluster = {
    name: 'prod',
    arn: `arn:aws:eks:eu-central-1:${account}:cluster/prod`,
    endpoint,
    identity: { oidc: { issuer: 'https://oidc.example/id' } },
    certificateAuthority: { data: 'QQ==' },
  }
  const rest: Answer = ({ url }, r) => {
    if (url.pathname === '/clusters') return json(r, 200, { clusters: ['other', 'prod'] })
    if (url.pathname === '/clusters/prod') return json(r, 200, { cluster })
    if (url.pathname === '/clusters/other')
      return json(r, 200, { cluster: { ...cluster, name: 'other', endpoint: 'https://elsewhere' } })
    if (url.pathname === '/clusters/prod/pod-identity-associations')
      return json(r, 200, { associations: [{ namespace: 'shop', serviceAccount: 'cart', associationArn: 'arn:a' }] })
    json(r, 404, { message: 'No cluster found' }, { 'x-amzn-errortype': 'ResourceNotFoundException' })
  }
  const version = (gitVersion: string) => async (): Promise<Fact<Json>> => ({
    state: 'known',
    value: { gitVersion },
    from: kubernetes.nonResource('/version'),
  })

  test('the cluster is found by name or endpoint and confirmed', async () => {
    const named = await cloud(rest, {
      hint: { name: 'prod', region: 'eu-central-1', endpoint: true },
      server: endpoint,
    })
    expect(await named.ask(aws.cluster())).toMatchObject({
      state: 'known',
      value: { cluster: { name: 'prod', identity: { oidc: { issuer: 'https://oidc.example/id' } } } },
    })
    expect(await named.ask(aws.podIdentityAssociations())).toMatchObject({
      state: 'known',
      value: { associations: [{ namespace: 'shop', serviceAccount: 'cart' }], complete: true },
    })
    const found = await cloud(rest, { hint: { endpoint: true }, server: endpoint.toLowerCase() })
    expect(await found.ask(aws.cluster())).toMatchObject({ state: 'known', value: { cluster: { name: 'prod' } } })
    const tunnel = await cloud(rest, {
      hint: { name: 'prod', endpoint: false },
      server: 'https://127.0.0.1:1',
      caData: 'QQ==',
    })
    expect(await tunnel.ask(aws.cluster())).toMatchObject({ state: 'known' })
  })

  test('a namesake is not the cluster, and one that is not seen is not absent', async () => {
    const namesake = await cloud(rest, { hint: { name: 'other', endpoint: true }, server: endpoint })
    expect(await namesake.ask(aws.cluster())).toMatchObject({ state: 'unknown', why: 'forbidden' })
    const elsewhere = await cloud(rest, { hint: { name: 'gone', endpoint: true }, server: endpoint })
    expect(await elsewhere.ask(aws.cluster())).toMatchObject({
      state: 'unknown',
      why: 'forbidden',
      lift: expect.any(String),
    })
    const own = await cloud(rest, { version: version('v1.32.1') })
    expect(await own.ask(aws.cluster())).toMatchObject({ state: 'absent' })
    expect(await own.ask(aws.podIdentityAssociations())).toMatchObject({ state: 'absent' })
    expect(await (await cloud(rest, { version: version('v1.32.1-eks-abc') })).ask(aws.cluster())).toMatchObject({
      state: 'unknown',
      why: 'not-collected',
    })
  })

  test.each([
    ['arn as context', { cluster: cluster.arn, execArgs: [] }, { name: 'prod', region: 'eu-central-1', account }],
    ['eksctl', { context: 'me@prod.eu-central-1.eksctl.io', execArgs: [] }, { name: 'prod', region: 'eu-central-1' }],
    [
      'aws eks get-token',
      { execArgs: ['--region', 'us-east-1', 'eks', 'get-token', '--cluster-name', 'a', '--profile=dev'] },
      { name: 'a', region: 'us-east-1', profile: 'dev' },
    ],
    ['aws-iam-authenticator', { execArgs: ['token', '-i', 'b'] }, { name: 'b' }],
    ['endpoint', { server: endpoint, execArgs: [] }, { region: 'eu-central-1', endpoint: true }],
    ['something else', { server: 'https://k8s.example:6443', execArgs: ['get', '--token'] }, { endpoint: false }],
  ])('hint: %s', (_name, api, hint) => {
    const whole = { server: 'https://10.0.0.1', cluster: 'c', execEnv: {}, ...api }
    expect(eksHint(whole)).toEqual({ endpoint: false, ...hint })
  })
})
