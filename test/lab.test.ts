/** What the lab makes of a case, what it leaves behind, and `kubectl wi lab` itself. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CaseError } from '../src/lab/case-documents.ts'
import { startLab } from '../src/lab/lab.ts'
import { api, ask, closeLabs, demo, mint, refusal, start } from './labs.ts'

afterAll(closeLabs)

describe('a case', () => {
  const token = (kid: string) =>
    JSON.stringify({
      header: { alg: 'RS256', kid },
      payload: { iss: 'https://issuer.example/a', sub: 'system:serviceaccount:shop:cart' },
    })
  const keys = JSON.stringify({ keys: [{ kty: 'RSA', kid: 'first', n: 'AQAB', e: 'AQAB', use: 'sig', alg: 'RS256' }] })
  const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: cart, namespace: shop}\n'
  const provider = JSON.stringify({ Url: 'https://issuer.example/a', ClientIDList: ['sts.amazonaws.com'] })
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
  })

  it.each([
    ['first', 'AccessDenied'],
    ['second', 'InvalidIdentityToken'],
  ])('whose tokens are signed with the key %s of its key set is answered with %s', async (kid, code) => {
    const lab = await start({
      'token.json': token(kid),
      'jwks.json': keys,
      'sa.yaml': account,
      '111122223333.json': provider,
      'cart.json': policy,
    })
    expect(lab.issuer).toBe('https://issuer.example/a')
    expect(await refusal(lab, await mint(lab))).toMatchObject({ code })
  })

  it('leaves nothing behind', async () => {
    const lab = await startLab(demo('broken'), {
      base: { PATH: '/bin', AWS_PROFILE: 'mine', AWS_SESSION_TOKEN: 'mine', HOME: '/home/me' },
    })
    const folder = path.dirname(lab.kubeconfig)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(lab.kubeconfig).mode & 0o777).toBe(0o600)
    expect(lab.env).toMatchObject({
      PATH: '/bin',
      HOME: '/home/me',
      AWS_REGION: 'us-west-2',
      AWS_ENDPOINT_URL_STS: lab.urls.sts,
    })
    expect(lab.env).not.toHaveProperty('AWS_PROFILE')
    expect(lab.env).not.toHaveProperty('AWS_SESSION_TOKEN')
    expect(await readFile(lab.kubeconfig, 'utf8')).toContain(
      'current-context: arn:aws:eks:us-west-2:111122223333:cluster/shop',
    )
    await lab.close()
    await lab.close()
    expect(existsSync(folder)).toBe(false)
    await expect(ask(lab, lab.urls.sts)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('that is not there, or is nothing, is one sentence', async () => {
    await expect(startLab('/nowhere')).rejects.toThrow(CaseError)
    await expect(startLab({ 'note.txt': 'nothing' })).rejects.toThrow('holds no document')
    await expect(startLab({ 'bad.yaml': 'a: [' })).rejects.toThrow(/bad\.yaml/)
  })
})

describe('what a case does not show', () => {
  const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: cart, namespace: shop}\n'

  it('is refused, not said to be absent', async () => {
    const lab = await start({ 'sa.yaml': account })
    const pods = await api(lab, 'GET', '/api/v1/namespaces/shop/pods')
    expect(pods).toMatchObject({ status: 403, body: { message: expect.stringContaining('the case shows no pods') } })
    expect(await api(lab, 'GET', '/apis/batch/v1/namespaces/shop/jobs')).toMatchObject({ status: 403 })
    expect(await api(lab, 'GET', '/api/v1/namespaces/shop/events')).toMatchObject({ status: 200, body: { items: [] } })
    await api(lab, 'POST', '/api/v1/namespaces/shop/pods', { metadata: { name: 'new' } })
    expect(await api(lab, 'GET', '/api/v1/namespaces/shop/pods')).toMatchObject({ status: 200, body: { items: [{}] } })
  })

  it('is absent where a list shows all, or the workloads were taken from a cluster', async () => {
    const lab = await start({ 'sa.yaml': account, 'pods.yaml': 'apiVersion: v1\nkind: PodList\nitems: []\n' })
    expect(await api(lab, 'GET', '/api/v1/pods')).toMatchObject({ status: 200, body: { items: [] } })
    const whole = await start(demo('healthy'))
    for (const kinds of ['apps/v1/statefulsets', 'apps/v1/daemonsets', 'batch/v1/jobs', 'batch/v1/cronjobs'])
      expect(await api(whole, 'GET', `/apis/${kinds}`)).toMatchObject({ status: 200, body: { items: [] } })
    expect(await api(whole, 'GET', '/api/v1/namespaces/shop/serviceaccounts/nobody')).toMatchObject({ status: 404 })
  })

  it('is no uid and no age of a pod that is a manifest', async () => {
    const lab = await start({ 'pod.yaml': account.replace('ServiceAccount', 'Pod') })
    const { body } = await api(lab, 'GET', '/api/v1/namespaces/shop/pods/cart')
    expect(body.metadata).toEqual({ name: 'cart', namespace: 'shop', resourceVersion: expect.any(String) })
  })
})

type Run = { readonly code: number | null; readonly out: string; readonly err: string }
const plugin = path.join(import.meta.dirname, '..', 'bin', 'kubectl-wi')
const run = (args: readonly string[], during?: (kill: (signal: NodeJS.Signals) => void, out: string) => void) =>
  new Promise<Run>((resolve) => {
    const child = spawn(process.execPath, [plugin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (part) => {
      out += part
      during?.((signal) => child.kill(signal), out)
    })
    child.stderr.on('data', (part) => {
      err += part
    })
    child.on('close', (code) => resolve({ code, out, err }))
  })

describe('kubectl wi lab', () => {
  const fails = ({ out }: Run): readonly string[] => {
    const { findings }: { findings: readonly { check: string; status: string }[] } = JSON.parse(out)
    return findings.filter(({ status }) => status === 'fail').map(({ check }) => check)
  }
  it.each([
    ['broken', 1],
    ['healthy', 0],
  ])('lets the doctor find over the wire what it finds in the files: %s', async (name, code) => {
    const doctor = ['doctor', 'sa/cart', '-n', 'shop', '-o', 'json']
    const [files, wire] = await Promise.all([
      run([...doctor, '-f', demo(name)]),
      run(['lab', demo(name), '--', 'kubectl-wi', ...doctor]),
    ])
    expect(wire.code).toBe(code)
    expect(fails(wire)).toEqual(code === 1 ? ['aws/trust-policy-admits-service-account'] : [])
    expect(fails(files)).toEqual(fails(wire))
  })

  it('serves the broken cart where no case is named, and ends as the command ends', async () => {
    const [ended, missing, nowhere] = await Promise.all([
      run(['lab', '--', 'sh', '-c', 'kubectl-wi --version && cat "$KUBECONFIG" && exit 7']),
      run(['lab', '--', 'no-such-command']),
      run(['lab', '/nowhere', '--', 'true']),
    ])
    expect(ended).toMatchObject({ code: 7, out: expect.stringContaining('cluster/shop') })
    expect(missing).toMatchObject({
      code: 2,
      err: 'error: The command no-such-command was not found on PATH, so nothing was run.\n',
    })
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('there is no such file or folder') })
  })

  it('hands a signal on and leaves no folder behind', async () => {
    let folder = ''
    const { code } = await run(['lab', '--', 'sh', '-c', 'dirname "$KUBECONFIG"; exec sleep 60'], (kill, out) => {
      if (!out.endsWith('\n')) return
      folder = out.trim()
      expect(existsSync(folder)).toBe(true)
      kill('SIGTERM')
    })
    expect(code).toBe(143)
    expect(folder).toContain('kubectl-wi-lab-')
    expect(readdirSync(tmpdir())).not.toContain(path.basename(folder))
  })
})
