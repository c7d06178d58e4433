/** The chunk guard: a command that asks nobody loads few files, no package, and no network. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = path.dirname(import.meta.dirname)
const entry = path.join(root, 'bin', 'kubectl-wi')
const lib = path.join(root, 'dist', 'lib') + path.sep
const most = 8

type Loaded = { readonly files: readonly string[]; readonly builtins: readonly string[]; readonly fetched: boolean }

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-chunks-'))
  writeFileSync(
    path.join(folder, 'hook.cjs'),
    `const { writeFileSync } = require('node:fs')
     const fetched = Object.getOwnPropertyDescriptor(globalThis, 'fetch')
     let asked = false
     globalThis.fetch = (...args) => { asked = true; return fetched.value(...args) }
     process.on('exit', () => writeFileSync(process.env.LOADED, JSON.stringify({
       files: Object.keys(require.cache).filter((file) => file !== __filename),
       builtins: process.moduleLoadList.filter((name) => name.startsWith('NativeModule ')).map((name) => name.slice(13)),
       fetched: asked,
     })))`,
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const load = (
  args: readonly string[],
  input = '',
): Loaded & { readonly status: number | null; readonly stderr: string } => {
  const report = path.join(folder, 'loaded.json')
  const { status, stderr } = spawnSync(process.execPath, ['--require', path.join(folder, 'hook.cjs'), entry, ...args], {
    encoding: 'utf8',
    input,
    env: { ...process.env, LOADED: report, XDG_CACHE_HOME: path.join(folder, 'cache'), KUBECONFIG: '/nonexistent' },
  })
  return { ...JSON.parse(readFileSync(report, 'utf8')), status, stderr }
}

const commands: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(path.join(lib, 'commands.json'), 'utf8'))

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const jwt = [
  encode({ alg: 'RS256', kid: 'one' }),
  encode({
    iss: 'https://oidc.example.com',
    sub: 'system:serviceaccount:shop:cart',
    aud: ['sts.amazonaws.com'],
    exp: 4102444800,
  }),
  'c2lnbmF0dXJl',
].join('.')

const local: ReadonlyArray<readonly [command: string, args: readonly string[], input?: string]> = [
  ['--help', ['--help']],
  ['an unknown command', ['no-such-command']],
  ['checks', ['checks']],
  ['checks', ['checks', '-o', 'json']],
  ['explain', ['explain', 'AADSTS700213']],
  ['token', ['token', '-'], jwt],
  ['completion of formats', ['__complete', 'doctor', '-o', '']],
  ['completion of checks', ['__complete', 'explain', 'aws/']],
]

describe('a local command', () => {
  for (const [command, args, input] of local) {
    const written = command.includes(' ') || command.startsWith('-') || command in commands
    it.skipIf(!written)(`loads at most ${most} chunks and no network for ${args.join(' ')}`, () => {
      const { files, builtins, fetched, status, stderr } = load(args, input)
      const chunks = files.filter((file) => file.startsWith(lib) && file.endsWith('.cjs'))
      expect(status, stderr).not.toBeNull()
      expect(chunks.length, chunks.join('\n')).toBeLessThanOrEqual(most)
      expect(chunks.length).toBeGreaterThan(0)
      expect(files.filter((file) => file.includes('node_modules'))).toEqual([])
      expect(builtins.filter((name) => /^(http|https|http2|tls|crypto|_http_\w+|_tls_\w+)$/.test(name))).toEqual([])
      // What examines is a megabyte and more.
      expect(chunks.reduce((bytes, file) => bytes + statSync(file).size, 0)).toBeLessThan(500_000)
      expect(fetched).toBe(false)
    })
  }
})

describe('the bundle', () => {
  it('has a chunk for each command, and loads none of them for --help', () => {
    const { files } = load(['--help'])
    for (const id of Object.keys(commands)) {
      const chunk = path.join(lib, `command-${id.replaceAll(':', '-')}.cjs`)
      expect(existsSync(chunk), chunk).toBe(true)
      expect(files).not.toContain(chunk)
    }
  })
})
