/** exchange-test from outside: a minted token, and a real shell in a made-up container. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Ran, stepsOf } from './exchanging.ts'
import { execFront } from './exec-front.ts'
import { closeLabs, demo, mint, role, start } from './labs.ts'
import { fitsSchema } from './proof-schema.ts'
import { entry, sentence } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-exec-'))
const lab = await start(demo('healthy'))
const secrets = new Set<string>()

const { server, container, asked, left, close } = await execFront(lab)
afterAll(async () => {
  close()
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})

const run = (args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [entry, 'exchange-test', '-n', 'shop', ...args], { env: lab.env }, (error, out, err) => {
      for (const secret of secrets) expect(out + err).not.toContain(secret)
      sentence(out + err)
      fitsSchema(out)
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
const statuses = (ran: Ran) => Object.fromEntries(stepsOf(ran).map(({ id, status }) => [id, status]))

describe('--sa', () => {
  test('mints, exchanges and compares', async () => {
    const ran = await run(['--sa', 'cart', '-o', 'json'])
    expect(statuses(ran)).toEqual({
      identity: 'pass',
      minted: 'pass',
      claims: 'pass',
      signature: 'pass',
      exchange: 'pass',
      'who-am-i': 'pass',
    })
    expect(ran.code).toBe(0)
  })
  test('of nobody fails, and of one without a role leaves it open', async () => {
    const nobody = await run(['--sa', 'sa/nobody'])
    expect(nobody.out).toContain('ServiceAccount shop/nobody does not exist')
    expect(nobody.code).toBe(1)
  })
  test('in the broken cart keeps the words of STS', async () => {
    const broken = await start(demo('broken'))
    const ran: Ran = await new Promise((resolve) => {
      execFile(
        process.execPath,
        [entry, 'exchange-test', '--sa', 'cart', '-n', 'shop'],
        { env: broken.env },
        (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
      )
    })
    expect(ran.out).toContain('Not authorized to perform sts:AssumeRoleWithWebIdentity')
    expect(ran.out).toContain('aws/trust-policy-admits-service-account')
    expect(ran.code).toBe(1)
  })
})

describe('--pod', () => {
  let signature = ''
  const given = async (more: NodeJS.ProcessEnv = {}, audience = 'sts.amazonaws.com'): Promise<void> => {
    const token = await mint(lab, { audiences: [audience] })
    signature = token.split('.')[2] ?? ''
    for (const part of [token, ...token.split('.').slice(1)]) secrets.add(part)
    const place = mkdtempSync(path.join(folder, 'token-'))
    writeFileSync(path.join(place, 'token'), token)
    mkdirSync(path.join(place, 'home'))
    container.env = {
      PATH: process.env.PATH,
      HOME: path.join(place, 'home'),
      AWS_ROLE_ARN: role,
      AWS_WEB_IDENTITY_TOKEN_FILE: path.join(place, 'token'),
      SOMETHING: 'two\nlines=here',
      ...more,
    }
  }
  const look = ['--pod', 'cart-0', '-c', 'cart', '-o', 'json']
  const there = () => ['--server', server]

  test('reads what the container has, and exchanges a token like its own', async () => {
    await given()
    const ran = await run([...look, ...there()])
    expect(statuses(ran)).toEqual({
      look: 'pass',
      identity: 'pass',
      token: 'pass',
      'own-claims': 'pass',
      minted: 'pass',
      claims: 'pass',
      signature: 'pass',
      exchange: 'pass',
      'who-am-i': 'pass',
      'fuse-device': 'pass',
    })
    expect(asked).toContain('/api/v1/namespaces/shop/pods/cart-0/exec cart')
    expect(ran.code).toBe(0)
  })
  test('sees keys by their names, and not their values', async () => {
    const secret = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY'
    secrets.add(secret)
    await given({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: secret })
    left()
    const ran = await run([...look, ...there()])
    const told = left()
    expect(told).toContain('token AWS_WEB_IDENTITY_TOKEN_FILE eyJ')
    expect([secret, signature].filter((one) => told.includes(one))).toEqual([])
    expect(stepsOf(ran).find(({ id }) => id === 'identity')?.says).toContain('every SDK takes AWS_ACCESS_KEY_ID')
    expect(ran.code).toBe(1)
  })
  test('says of a token file that is not there, or is none', async () => {
    await given({ AWS_WEB_IDENTITY_TOKEN_FILE: '/nonexistent/token' })
    const missing = await run([...look, ...there()])
    expect(stepsOf(missing).find(({ id }) => id === 'token')?.says).toBe('there is no such file in the container')
    const rubbish = path.join(folder, 'rubbish')
    writeFileSync(rubbish, 'a-secret.of.another-kind')
    secrets.add('a-secret')
    await given({ AWS_WEB_IDENTITY_TOKEN_FILE: rubbish })
    const none = await run([...look, ...there()])
    expect(stepsOf(none).find(({ id }) => id === 'token')?.says).toContain('is no token')
    expect([missing.code, none.code]).toEqual([1, 1])
  })
  test('leaves it open where exec is refused', async () => {
    const ran = await run(['--pod', 'other', '-c', 'cart', '-o', 'json', ...there()])
    expect(statuses(ran)).toEqual({ look: 'unknown' })
    expect(stepsOf(ran)[0]?.lift).toContain('pods/exec')
    expect(ran.code).toBe(3)
  })
  test('without any identity says what was looked for', async () => {
    container.env = { PATH: process.env.PATH, HOME: folder }
    const ran = await run(['--pod', 'pod/cart-0', '-c', 'cart', ...there()])
    expect(ran.out).toContain('no workload identity was found in pod shop/cart-0')
    expect(ran.code).toBe(3)
  })
})
