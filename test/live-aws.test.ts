/** The AWS source with the real SDK: who is signed in, what is absent, what is refused, and the exchange. */
import { describe, expect, test, vi } from 'vitest'
import { aws, kubernetes } from '../src/domain/questions.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import { account, awsTests, cart, keyId, roleArn, secret, token } from './live-amazon.ts'

const { cloud, place, ca } = awsTests()

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
    vi.stubEnv('AWS_CA_BUNDLE', place.file('ca.pem', ca().pem))
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
