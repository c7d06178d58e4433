/** Completion: what kubectl is told may come next, with the names of a cluster that answers, refuses or is silent. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { complete } from '../src/examine/complete.ts'
import { placeOf } from '../src/examine/complete-words.ts'
import { folder, json, type Served, serve } from './live-doubles.ts'
import { root } from './running.ts'

const manifest = JSON.parse(readFileSync(path.join(root, 'dist', 'lib', 'commands.json'), 'utf8'))
const place = folder()
let served: Served
let env: NodeJS.ProcessEnv = {}

const table = (...names: readonly string[]) => ({
  kind: 'Table',
  columnDefinitions: [{ name: 'Age' }, { name: 'Name' }],
  rows: names.map((name) => ({ cells: ['1d', name] })),
})
const list = (...names: readonly string[]) => ({ kind: 'List', items: names.map((name) => ({ metadata: { name } })) })

beforeAll(async () => {
  served = await serve(undefined, ({ url }, response) => {
    const [, kind] = /^\/api\/v1\/namespaces\/shop\/(\w+)$/u.exec(url.pathname) ?? []
    if (kind === 'serviceaccounts') json(response, 200, table('cart', 'cashier', 'two words'))
    else if (kind === 'pods') json(response, 200, list('cart-0'))
    else if (url.pathname === '/api/v1/namespaces') json(response, 200, table('shop', 'kitchen'))
    else if (!url.pathname.startsWith('/apis/')) json(response, 403, { kind: 'Status', message: 'forbidden' })
  })
  const config = {
    clusters: [{ name: 'c', cluster: { server: served.url } }],
    contexts: ['east', 'west'].map((name) => ({ name, context: { cluster: 'c', namespace: 'shop' } })),
    'current-context': 'east',
  }
  const bin = path.join(root, 'bin')
  env = { ...process.env, KUBECONFIG: place.file('config', JSON.stringify(config)) }
  env.PATH = [path.dirname(process.execPath), bin, env.PATH].join(path.delimiter)
  env.XDG_STATE_HOME = '/nonexistent'
})
afterAll(async () => {
  await served.close()
  place.remove()
})

const ran = (file: string, args: readonly string[]): Promise<{ readonly out: string; readonly err: string }> =>
  new Promise((resolve) => {
    const child = spawn(file, args, { env })
    const said = { out: '', err: '' }
    child.stdout.on('data', (text) => {
      said.out += String(text)
    })
    child.stderr.on('data', (text) => {
      said.err += String(text)
    })
    child.on('close', () => resolve(said))
  })

const next = (...words: readonly string[]): Promise<string> =>
  complete(words, manifest, { version: '0', env, patienceMs: 20_000 })
const firsts = (text: string): readonly string[] => text.split('\n').map((line) => line.split('\t')[0] ?? '')

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

// A moment may be over on a machine that has much else to do.
describe.concurrent('kubectl', { retry: 2 }, () => {
  it.skipIf(!hasKubectl)('completes names out of the cluster', async () => {
    const { out } = await ran('kubectl', ['__complete', 'wi', 'doctor', 'sa/'])
    expect(out).toBe('sa/cart\nsa/cashier\n:4\n')
    expect(served.seen.some(({ request }) => request.headers.accept?.includes('as=Table') === true)).toBe(true)
  })

  it.skipIf(!hasKubectl)('passes on what a word is for, and that more of it follows', async () => {
    const { out } = await ran('kubectl', ['__complete', 'wi', 'fix', '-n', 'shop', 's'])
    expect(out).toBe('sa/\nstatefulset/\n:6\n')
  })
})

describe.concurrent('a cluster', () => {
  it('that does not answer costs a moment, and not a word', async () => {
    const started = performance.now()
    const script = path.join(root, 'bin', 'kubectl_complete-wi')
    const said = await ran(process.execPath, [script, 'doctor', '-n', 'shop', 'job/'])
    expect(said).toEqual({ out: ':4\n', err: '' })
    expect(performance.now() - started).toBeLessThan(3000)
  })

  it('that refuses, or is none, has no names', async () => {
    expect(await next('doctor', 'node/')).toBe(':4\n')
    expect(await next('doctor', '--kubeconfig', '/nonexistent', 'sa/')).toBe(':4\n')
    expect(await next('doctor', '--request-timeout', 'soon', 'sa/')).toBe(':4\n')
  })
})

describe.concurrent('what may come next', () => {
  it('are commands, and below them commands', async () => {
    expect(firsts(await next(''))).toEqual(expect.arrayContaining(['doctor', 'bind', 'undo']))
    expect(await next('bind', '')).toMatch(/^sa\t.*\n:4\n$/u)
    expect(await next('docter', '')).toBe(':4\n')
  })

  it('are names where a name is wanted', async () => {
    expect(await next('bind', 'sa', 'ca')).toBe('cart\ncashier\n:4\n')
    expect(await next('doctor', 'sa/cart', 'sa/')).toBe('sa/cashier\n:4\n')
    expect(await next('exchange-test', '--pod', '')).toBe('cart-0\n:4\n')
    expect(await next('doctor', '-n', 'k')).toBe('kitchen\n:4\n')
    expect(await next('doctor', '--context=w')).toBe('west\n:4\n')
    expect(await next('map', '--contexts', 'east,')).toBe('east,west\n:6\n')
    expect(await next('token', 'sa/ca')).toBe('sa/cart\nsa/cashier\n:4\n')
  })

  it('are check ids, formats and flags', async () => {
    expect(await next('explain', 'aws/role-exi')).toMatch(/^aws\/role-exists\t.+\n:4\n$/u)
    expect(firsts(await next('doctor', '--check', '!aws/'))).toEqual(
      expect.arrayContaining(['!aws/*', '!aws/role-exists']),
    )
    expect(await next('doctor', '-o', 's')).toBe('sarif\n:4\n')
    expect(await next('doctor', '--also', 'me')).toBe('metrics=\n:6\n')
    expect(await next('doctor', '-o=s')).toBe('sarif\n:4\n')
    expect(firsts(await next('doctor', '--no-'))).toEqual(['--no-exchange', '--no-color', ':4', ''])
    expect(await next('doctor', '-o', 'json', '--outp')).toBe(':4\n')
  })

  it('are files where a file is wanted', async () => {
    for (const words of [
      ['doctor', '-f', ''],
      ['lab', ''],
      ['lab', 'x', '--', ''],
      ['token', 'cart.j'],
    ])
      expect(await next(...words)).toBe(':0\n')
    expect(await next('collect', '-d', '')).toBe(':16\n')
  })

  it('is asked of the cluster that the line names', () => {
    const { given } = placeOf(['doctor', '--context', 'west', '-nshop', '-A', 'sa/'], manifest)
    expect([...given]).toEqual([
      ['context', ['west']],
      ['namespace', ['shop']],
      ['all-namespaces', ['']],
    ])
  })
})
