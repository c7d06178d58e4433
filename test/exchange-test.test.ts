/** exchange-test as it runs in a pod: the built program, a made-up pod's variables and token files, and the lab for the cloud. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { type Claims, canaries, proven, type Ran, statuses, steps } from './exchanging.ts'
import { closeLabs, demo, issuer, role, start } from './labs.ts'
import { fitsSchema } from './proof-schema.ts'
import { entry, sentence } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-pod-'))
const { known: handedOut, overhear, token } = canaries()
const lab = await start(demo('healthy'), { overhear })
chmodSync(folder, 0o755)
afterAll(async () => {
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})

let count = 0
const fileWith = (text: string, mode = 0o644): string => {
  count += 1
  const place = path.join(folder, `token-${count}`, 'token')
  mkdirSync(path.dirname(place))
  writeFileSync(place, text, { mode })
  chmodSync(place, mode)
  return place
}

/** What a container has: nothing of this machine's, and where the lab stands in for the internet. */
const podOf = (from: Lab, variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: folder,
  XDG_CACHE_HOME: path.join(folder, 'cache'),
  AWS_REGION: 'us-west-2',
  ...Object.fromEntries(
    ['KUBECTL_WI_LAB', 'AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS', 'AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL_S3'].map(
      (name) => [name, from.env[name]],
    ),
  ),
  ...variables,
})

const run = (
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
  user: { readonly uid?: number; readonly gid?: number } = {},
): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [entry, 'exchange-test', ...args], { env, ...user }, (error, out, err) => {
      for (const secret of [...handedOut, env.AWS_SECRET_ACCESS_KEY ?? '', env.AWS_ACCESS_KEY_ID ?? ''])
        if (secret !== '') expect(out + err).not.toContain(secret)
      sentence(out + err)
      fitsSchema(out)
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
const web = async (claims: Claims = {}): Promise<NodeJS.ProcessEnv> => ({
  AWS_ROLE_ARN: role,
  AWS_WEB_IDENTITY_TOKEN_FILE: fileWith(await token(lab, claims)),
})

describe('web identity in a pod', () => {
  test('is proven step by step', async () => {
    const env = podOf(lab, await web())
    const ran = await run(env, ['-o', 'json'])
    expect(statuses(ran)).toEqual(proven)
    expect(ran.code).toBe(0)
    const text = await run(env)
    expect(text.out).toContain('AWS: web identity → arn:aws:iam::111122223333:role/cart')
    expect(text.out).toContain(`issuer    ${issuer}`)
    expect(text.out).toMatch(/^proven: /mu)
    expect([text.code, text.err]).toEqual([0, ''])
  })
  test('for another audience is refused in the words of STS, and the cause is named', async () => {
    const ran = await run(podOf(lab, await web({ aud: 'https://kubernetes.default.svc' })), ['-o', 'json'])
    expect(statuses(ran)).toMatchObject({ claims: 'pass', signature: 'pass', exchange: 'fail', 'who-am-i': 'blocked' })
    const { answer, causes } = steps(ran).exchange ?? {}
    expect(answer).toMatchObject({
      code: 'InvalidIdentityToken',
      message: 'Incorrect token audience',
      endpoint: lab.urls.sts,
    })
    expect(causes?.[0]?.check).toMatch(/^(aws|workload)\//)
    expect(ran.code).toBe(1)
  })
  test('of another ServiceAccount is refused by the trust policy', async () => {
    const ran = await run(podOf(lab, await web({ sub: 'system:serviceaccount:shop:other' })), ['-o', 'json'])
    expect(steps(ran).exchange?.answer?.code).toBe('AccessDenied')
    expect(steps(ran).exchange?.causes?.map(({ check }) => check)).toContain('aws/trust-policy-admits-service-account')
    expect(ran.code).toBe(1)
  })
  test('with an expired token says so, and what STS says', async () => {
    const ran = await run(podOf(lab, await web({ left: -600 })), ['-o', 'json'])
    expect(statuses(ran)).toMatchObject({ token: 'pass', claims: 'fail', exchange: 'fail' })
    expect(steps(ran).claims?.says).toMatch(/^the token expired 10 min/u)
    expect(steps(ran).exchange?.answer?.code).toBe('ExpiredTokenException')
    expect(ran.code).toBe(1)
  })
  test('with a token file that is not there, or is none, asks nobody', async () => {
    const before = lab.requests()['sts POST /'] ?? 0
    const missing = await run(
      podOf(lab, { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: path.join(folder, 'none') }),
      ['-o', 'json'],
    )
    expect(steps(missing).token?.says).toContain('there is no such file')
    expect(statuses(missing)).toMatchObject({
      token: 'fail',
      claims: 'blocked',
      exchange: 'blocked',
      'who-am-i': 'blocked',
    })
    const rubbish = await run(
      podOf(lab, { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: fileWith('x'.repeat(50)) }),
      ['-o', 'json'],
    )
    expect(steps(rubbish).token?.says).toContain('three parts')
    expect([missing.code, rubbish.code, lab.requests()['sts POST /'] ?? 0]).toEqual([1, 1, before])
  })
  test('with a token file that it may not read says whose it is', async () => {
    const file = fileWith(await token(lab), 0o000)
    // Root may read everything: then the program runs as nobody, who may not look into the lab's folder either.
    const env = { PATH: process.env.PATH, AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file }
    const ran = await run(env, [], process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {})
    expect(ran.out.replaceAll(/\s+/gu, ' ')).toMatch(/may not read it: it has mode 0000, owner \d+/u)
    expect(ran.out).toContain('workload/token-file-is-readable')
    expect(ran.code).toBe(1)
  })
  test('that is shadowed by static keys fails, and is proven all the same', async () => {
    const keys = {
      AWS_ACCESS_KEY_ID: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
      AWS_SECRET_ACCESS_KEY: randomBytes(30).toString('base64url'),
    }
    const ran = await run(podOf(lab, { ...(await web()), ...keys }), ['-o', 'json'])
    expect(statuses(ran)).toEqual({
      identity: 'fail',
      token: 'pass',
      claims: 'pass',
      signature: 'pass',
      exchange: 'pass',
      'who-am-i': 'pass',
    })
    expect(steps(ran).identity?.says).toContain('every SDK takes AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY first')
    expect(ran.code).toBe(1)
  })
  test('that is shadowed by a profile for one SDK says for which', async () => {
    const home = mkdtempSync(path.join(folder, 'home-'))
    mkdirSync(path.join(home, '.aws'))
    const secret = randomBytes(30).toString('base64url')
    writeFileSync(
      path.join(home, '.aws', 'credentials'),
      `[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = ${secret}\n`,
    )
    const ran = await run(podOf(lab, { ...(await web()), HOME: home }), ['-o', 'json'])
    expect(steps(ran).identity?.says).toMatch(/JavaScript takes profile default in .*credentials first/u)
    expect(ran.out).not.toContain(secret)
    expect(ran.code).toBe(1)
  })
  test('stays proven beside a key file of another cloud', async () => {
    const key = randomBytes(30).toString('base64url')
    const file = fileWith(JSON.stringify({ type: 'service_account', private_key: key }))
    const ran = await run(podOf(lab, { ...(await web()), GOOGLE_APPLICATION_CREDENTIALS: file }))
    expect(ran.out).not.toContain(key)
    expect(ran.out).toContain('Google Cloud')
    expect(ran.code).toBe(0)
  })
  test('lists a bucket in the words of S3', async () => {
    const ran = await run(podOf(lab, await web()), ['--s3', 'nobodys', '--write', '-o', 'json'])
    expect(statuses(ran)).toMatchObject({ 'who-am-i': 'pass', 's3-list': 'fail', 's3-write': 'fail' })
    expect(steps(ran)['s3-list']?.answer?.message).toContain('not authorized to perform: s3:ListBucket')
    expect(ran.code).toBe(1)
  })
})

describe('a bucket', async () => {
  const statement = {
    Effect: 'Allow',
    Action: ['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:DeleteObject'],
    Resource: 'arn:aws:s3:::carts*',
  }
  const texts = Object.fromEntries(
    readdirSync(demo('healthy'))
      .filter((name) => name !== 'expect.yaml')
      .map((name) => [name, readFileSync(path.join(demo('healthy'), name), 'utf8')]),
  )
  const granted = await start(
    {
      ...texts,
      'policy.json': JSON.stringify({
        RoleName: 'cart',
        PolicyName: 'carts',
        PolicyDocument: { Version: '2012-10-17', Statement: [statement] },
      }),
    },
    { overhear },
  )
  const env = async () =>
    podOf(granted, { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: fileWith(await token(granted)) })

  test('that the role may use is listed, written to and left as it was', async () => {
    const ran = await run(await env(), ['--s3', 'carts', '--write', '-o', 'json'])
    expect(statuses(ran)).toMatchObject({ 's3-list': 'pass', 's3-write': 'pass' })
    const methods = Object.keys(granted.requests()).filter((one) => one.startsWith('s3 '))
    expect(methods.map((one) => one.split(' ')[1]).sort()).toEqual(['DELETE', 'GET', 'GET', 'PUT'])
    expect(ran.code).toBe(0)
  })
  test('is written to only with a name', async () => {
    const ran = await run(await env(), ['--write'])
    expect(ran.err).toContain('--s3 BUCKET')
    expect(ran.code).toBe(2)
  })
})

describe('EKS Pod Identity in a pod', async () => {
  const shelf = path.join(import.meta.dirname, 'fixtures', 'aws', 'trust-policy-admits-pod-identity')
  const eks = await start(path.join(shelf, 'passes.case.yaml'), { overhear })
  const stranger = await start(path.join(shelf, 'principal-missing.case.yaml'), { overhear })
  const agent = async (from: Lab, claims: Claims = {}, address = `${from.urls.agent}/v1/credentials`) =>
    podOf(from, {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: address,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: fileWith(await token(from, { aud: 'pods.eks.amazonaws.com', ...claims })),
    })

  test('is proven step by step', async () => {
    const ran = await run(await agent(eks), ['-o', 'json'])
    expect(statuses(ran)).toEqual(proven)
    expect(steps(ran)['who-am-i']?.says).toContain('a session of role cart in account 111122223333')
    expect(ran.code).toBe(0)
  })
  test('for another audience is refused by claim and by EKS', async () => {
    const ran = await run(await agent(eks, { aud: 'sts.amazonaws.com' }), ['-o', 'json'])
    expect(steps(ran).claims?.says).toContain('pods.eks.amazonaws.com is wanted')
    expect(steps(ran).exchange?.answer?.code).toBe('InvalidTokenException')
    expect(ran.code).toBe(1)
  })
  test('with an expired token is refused in the words of the agent', async () => {
    const ran = await run(await agent(eks, { left: -60 }), ['-o', 'json'])
    expect(steps(ran).exchange?.answer?.message).toContain('failed basic claim validations: token is expired')
    expect(steps(ran).exchange?.causes?.[0]?.check).toBe('workload/token-is-fresh')
    expect(ran.code).toBe(1)
  })
  test('without an association, or with a role that does not trust it, is refused by EKS', async () => {
    const none = await run(await agent(eks, { sub: 'system:serviceaccount:shop:other' }), ['-o', 'json'])
    expect(steps(none).exchange?.answer?.code).toBe('ResourceNotFoundException')
    const untrusted = await run(await agent(stranger), ['-o', 'json'])
    expect(steps(untrusted).exchange?.answer?.code).toBe('AccessDeniedException')
    expect([none.code, untrusted.code]).toEqual([1, 1])
  })
  test('whose agent does not answer says so, with the address', async () => {
    const ran = await run(await agent(eks, {}, 'http://127.0.0.1:9/v1/credentials'))
    expect(ran.out).toContain('the agent at http://127.0.0.1:9/v1/credentials does not answer')
    expect(ran.out).toContain('aws/pod-identity-agent-running')
    expect(ran.code).toBe(1)
  })
  test('can be stopped while the agent is silent', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const env = await agent(eks, {}, `http://127.0.0.1:${port}/v1/credentials`)
    const child = execFile(process.execPath, [entry, 'exchange-test'], { env })
    const asked = new Promise((resolve) => silent.once('connection', resolve))
    let out = ''
    child.stdout?.on('data', (text) => {
      out += text
    })
    await asked
    child.kill('SIGINT')
    const code = await new Promise((resolve) => child.on('close', resolve))
    silent.close()
    expect(code).toBe(130)
    expect(out.replaceAll(/\s+/gu, ' ')).toContain('the run was stopped')
    expect(out).not.toContain('✗')
  })
  test('sends its token to no address that an SDK would not ask', async () => {
    const ran = await run(await agent(eks, {}, 'http://203.0.113.7/v1/credentials'), ['-o', 'json'])
    expect(steps(ran).exchange?.answer?.code).toBe('UnsupportedHost')
    expect(ran.code).toBe(1)
  })
  test('beside web identity is passed over by every SDK', async () => {
    const ran = await run({ ...(await agent(lab)), ...podOf(lab, await web()) }, ['-o', 'json'])
    expect(JSON.parse(ran.out).proofs[0].mechanism).toBe('web identity')
    expect(ran.code).toBe(0)
  })
})

describe('nothing to find', () => {
  test('says what was looked for, and exits 3', async () => {
    const ran = await run(podOf(lab, {}))
    expect(ran.out).toContain('AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN')
    expect(ran.out).toMatch(/^inconclusive: no workload identity was found/mu)
    expect(ran.code).toBe(3)
  })
})
