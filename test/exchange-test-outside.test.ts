/** exchange-test from outside: a minted token, and a real shell in a made-up container behind the protocol of kubectl exec. */
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ran, stepsOf } from './exchanging.ts'
import { closeLabs, demo, mint, role, start } from './labs.ts'
import { entry, sentence } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-exec-'))
const lab = await start(demo('healthy'))
const secrets = new Set<string>()
const container: { env: NodeJS.ProcessEnv } = { env: {} }

/** The API server of the lab, and exec beside it: channels as kubectl speaks them, and sh on this machine in the place of the container. */
const client = createRequire(createRequire(import.meta.url).resolve('@kubernetes/client-node'))
const { WebSocketServer } = client('ws')
const front = createServer((incoming, outgoing) => {
  const onward = request(
    lab.urls.kubernetes + incoming.url,
    { method: incoming.method, headers: { ...incoming.headers, host: '127.0.0.1' }, ca: lab.world.roots, agent: false },
    (reply) => {
      outgoing.writeHead(reply.statusCode ?? 500, reply.headers)
      reply.pipe(outgoing)
    },
  )
  onward.on('error', () => outgoing.destroy())
  incoming.pipe(onward)
})
const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v5.channel.k8s.io' })
const asked: string[] = []
/** All that has left the container. */
let left = ''
front.on('upgrade', (incoming: IncomingMessage, socket, head) => {
  const url = new URL(incoming.url ?? '', 'http://127.0.0.1')
  asked.push(`${url.pathname} ${url.searchParams.get('container')}`)
  if (!url.pathname.startsWith('/api/v1/namespaces/shop/pods/cart-0/') || !incoming.headers.authorization) {
    const refusal = JSON.stringify({ kind: 'Status', status: 'Failure', message: 'pods "other" not found', code: 404 })
    socket.end(
      `HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: ${refusal.length}\r\n\r\n${refusal}`,
    )
    return
  }
  sockets.handleUpgrade(incoming, socket, head, (channel: { send: (data: Buffer) => void; close: () => void }) => {
    const [shell = 'sh', ...args] = url.searchParams.getAll('command')
    const child = spawn(shell, args, { env: container.env, stdio: ['ignore', 'pipe', 'pipe'] })
    const send = (number: number, data: Buffer): void => channel.send(Buffer.concat([Buffer.from([number]), data]))
    child.stdout.on('data', (data: Buffer) => {
      left += String(data)
      send(1, data)
    })
    child.stderr.on('data', (data: Buffer) => send(2, data))
    child.on('close', (code) => {
      const status =
        code === 0
          ? { status: 'Success' }
          : { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: String(code) }] } }
      send(3, Buffer.from(JSON.stringify({ metadata: {}, ...status })))
      channel.close()
    })
  })
})

let server = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  server = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
})
afterAll(async () => {
  front.closeAllConnections()
  front.close()
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})

const run = (args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [entry, 'exchange-test', '-n', 'shop', ...args], { env: lab.env }, (error, out, err) => {
      for (const secret of secrets) expect(out + err).not.toContain(secret)
      sentence(out + err)
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
    })
    expect(asked).toContain('/api/v1/namespaces/shop/pods/cart-0/exec cart')
    expect(ran.code).toBe(0)
  })
  test('sees keys by their names, and not their values', async () => {
    const secret = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY'
    secrets.add(secret)
    await given({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: secret })
    left = ''
    const ran = await run([...look, ...there()])
    expect(left).toContain('token AWS_WEB_IDENTITY_TOKEN_FILE eyJ')
    expect([secret, signature].filter((one) => left.includes(one))).toEqual([])
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
