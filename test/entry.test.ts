/** The thin entry from outside: every way in which somebody may start it. */
import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = path.dirname(import.meta.dirname)
const entry = path.join(root, 'bin', 'kubectl-wi')
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-entry-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const start = (file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> =>
  spawnSync(file, args, {
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: path.join(folder, 'cache'), ...env },
  })

// Node 20 and older, wherever the machine has one on its PATH outside this checkout.
const oldNode = (): string | undefined => {
  for (const directory of (process.env.PATH ?? '').split(path.delimiter)) {
    if (directory.includes('node_modules')) continue
    const found = start(path.join(directory, 'node'), ['-p', 'process.versions.node'])
    if (found.status === 0) return Number.parseInt(found.stdout, 10) < 22 ? path.join(directory, 'node') : undefined
  }
  return undefined
}

// The entry decides by the version it is told, so an old Node can be acted where none is installed.
const pretend = (): string => {
  const file = path.join(folder, 'pretend.cjs')
  writeFileSync(
    file,
    `if (!process.env.PRETENDED) {
       process.env.PRETENDED = '1'
       Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.0.0' } })
     }`,
  )
  return file
}

describe('the entry', () => {
  it('answers --version without the product', () => {
    const bare = path.join(folder, 'bare')
    cpSync(path.join(root, 'dist', 'bin'), path.join(bare, 'bin'), { recursive: true })
    cpSync(path.join(root, 'dist', 'package.json'), path.join(bare, 'package.json'))
    const { stdout, status } = start(process.execPath, [path.join(bare, 'bin', 'kubectl-wi'), '--version'])
    expect(stdout).toBe(`kubectl-wi ${version}\n`)
    expect(status).toBe(0)
  })

  it('says in one sentence what to run in a checkout that was not built', () => {
    const checkout = path.join(folder, 'checkout')
    cpSync(path.join(root, 'bin'), path.join(checkout, 'bin'), { recursive: true })
    const { stderr, stdout, status } = start(process.execPath, [path.join(checkout, 'bin', 'kubectl-wi'), 'checks'])
    expect(stderr).toBe('kubectl wi is not built in this checkout: run `npm run build`.\n')
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })

  it('works as a copied package, without node_modules and through a symlink on PATH', () => {
    const installed = path.join(folder, 'installed')
    cpSync(path.join(root, 'dist'), installed, { recursive: true })
    const onPath = path.join(folder, 'on-path')
    mkdirSync(onPath)
    symlinkSync(path.join(installed, 'bin', 'kubectl-wi'), path.join(onPath, 'kubectl-wi'))
    const { stdout, stderr, status } = start(path.join(onPath, 'kubectl-wi'), ['--help'])
    expect(stderr).toBe('')
    expect(stdout).toContain('$ kubectl wi [COMMAND]')
    expect(status).toBe(0)
  })

  it('hands over from an old Node to the one that the checkout pins, with its arguments and exit code', () => {
    const { stdout, status } = start(process.execPath, ['-r', pretend(), entry, '--help'])
    expect(stdout).toContain('$ kubectl wi [COMMAND]')
    expect(status).toBe(0)
    const refused = start(process.execPath, ['-r', pretend(), entry, 'no-such-command'])
    expect(refused.stderr).toContain('"no-such-command" is not a command of kubectl wi')
    expect(refused.status).toBe(2)
  })

  it('says in one sentence what it needs where no newer Node is pinned', () => {
    const { stderr, status } = start(process.execPath, [
      '-r',
      pretend(),
      path.join(root, 'dist', 'bin', 'kubectl-wi'),
      'checks',
    ])
    expect(stderr).toMatch(/^kubectl wi needs Node\.js 22 or newer, and this is v[\d.]+\.\n$/)
    expect(status).toBe(2)
  })

  it('passes a signal on to the Node that it handed over to, and ends by the same signal', async () => {
    const fake = path.join(folder, 'pinned')
    cpSync(path.join(root, 'bin'), path.join(fake, 'bin'), { recursive: true })
    const platform = process.platform === 'win32' ? 'win' : process.platform
    const pinned = path.join(fake, 'node_modules', `node-${platform}-${process.arch}`, 'bin', 'node')
    mkdirSync(path.dirname(pinned), { recursive: true })
    writeFileSync(pinned, '#!/bin/sh\necho ready\nexec sleep 20\n')
    chmodSync(pinned, 0o755)
    const child = spawn(process.execPath, ['-r', pretend(), path.join(fake, 'bin', 'kubectl-wi'), 'doctor'])
    const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill('SIGTERM')
    expect(await ended).toBe('SIGTERM')
  })

  it.skipIf(oldNode() === undefined)('parses and hands over on the old Node of this machine', () => {
    const { stdout, status } = start(oldNode() ?? '', [entry, '--help'])
    expect(stdout).toContain('$ kubectl wi [COMMAND]')
    expect(status).toBe(0)
  })

  it('starts where the cache folder cannot be written', () => {
    const { stdout, stderr, status } = start(process.execPath, [entry, '--help'], { XDG_CACHE_HOME: '/dev/null' })
    expect(stdout).toContain('$ kubectl wi [COMMAND]')
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0

  it.skipIf(!kubectl)('is a plugin that kubectl lists without a warning and runs', () => {
    const onPath = path.join(folder, 'kubectl-path')
    mkdirSync(onPath)
    symlinkSync(entry, path.join(onPath, 'kubectl-wi'))
    // Other plugins of this machine may have warnings of their own.
    const found = execFileSync('which', ['kubectl'], { encoding: 'utf8' }).trim()
    symlinkSync(found, path.join(onPath, 'kubectl'))
    symlinkSync(process.execPath, path.join(onPath, 'node'))
    symlinkSync('/usr/bin/env', path.join(onPath, 'env'))
    const list = start(path.join(onPath, 'kubectl'), ['plugin', 'list', '--name-only'], { PATH: onPath })
    expect(list.stdout).toContain('kubectl-wi')
    expect(list.stdout + list.stderr).not.toContain('warning')
    expect(list.status).toBe(0)
    expect(start(path.join(onPath, 'kubectl'), ['wi', '--version'], { PATH: onPath }).stdout).toBe(
      `kubectl-wi ${version}\n`,
    )
  })
})

describe('what it says', () => {
  it('suggests the command that was meant, and exits 2', () => {
    const { stderr, stdout, status } = start(process.execPath, [entry, 'chekcs'])
    expect(stderr).toBe('error: "chekcs" is not a command of kubectl wi: did you mean `kubectl wi checks`?\n')
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })

  it('refuses what it does not take in sentences, without a stack trace or the value of a flag, and exits 2', () => {
    const misused: readonly (readonly [words: readonly string[], command: string, says: string])[] = [
      [['checks', '--no-such-flag'], 'checks', 'there is no flag --no-such-flag'],
      [
        ['doctor', '--tokne=canary, canary', '-q'],
        'doctor',
        'there is no flag --tokne; did you mean --token?\nthere is no flag -q',
      ],
      [['doctor', '--timeout', '5x'], 'doctor', '--timeout: "5x" is no duration: write 30s, 5m or 1h'],
      [['checks', '-o', 'jsn'], 'checks', '--output "jsn" is not one of table, json, markdown; did you mean json?'],
      [['doctor', '--watch', '--wait', '5s'], 'doctor', '--wait and --watch do not go together'],
      [['doctor', '--overlay'], 'doctor', '--overlay goes with --file'],
      [['exchange-test', '-c', 'app'], 'exchange-test', '--container goes with --pod or --in-pod'],
      [['collect'], 'collect', '--dir is missing'],
      [['bind', 'sa'], 'bind sa', 'NAME is missing: the ServiceAccount'],
      [['checks', 'aws', 'gcp'], 'checks', 'aws gcp: nothing more was expected here'],
      [['--token=canary', 'doctor'], '', 'flags come after the command: kubectl wi COMMAND --token …'],
    ]
    for (const [words, command, says] of misused) {
      const { stdout, stderr, status } = start(process.execPath, [entry, ...words])
      const help = ['kubectl wi', ...(command === '' ? [] : [command]), '--help'].join(' ')
      expect([stderr, stdout, status]).toEqual([`error: ${says}\n\`${help}\` says what it takes\n`, '', 2])
    }
  })

  it('prints the help of one command', () => {
    for (const args of [
      ['checks', '--help'],
      ['checks', '-h'],
      ['help', 'checks'],
    ]) {
      const { stdout, status } = start(process.execPath, [entry, ...args])
      expect(stdout).toContain('$ kubectl wi checks')
      expect(status).toBe(0)
    }
  })

  // Breaks in the middle of a command, as a mistake of ours would.
  const broken = (): string => {
    const file = path.join(folder, 'broken.cjs')
    writeFileSync(file, `process.stdout.write = () => { throw new TypeError('it broke') }`)
    return file
  }

  it('owns its mistakes in one sentence, and exits 2', () => {
    const { stderr, status } = start(process.execPath, ['-r', broken(), entry, 'checks'])
    expect(stderr).toBe('this is a bug in kubectl wi: it broke (DEBUG=1 shows where)\n')
    expect(status).toBe(2)
  })

  it('shows where it broke only when it is asked to', () => {
    const { stderr, status } = start(process.execPath, ['-r', broken(), entry, 'checks'], { DEBUG: '1' })
    expect(stderr).toContain('this is a bug in kubectl wi: it broke\n')
    expect(stderr).toMatch(/^\s+at /m)
    expect(status).toBe(2)
  })

  it('exits 130 when it is interrupted', async () => {
    const hook = path.join(folder, 'listening.cjs')
    writeFileSync(
      hook,
      `const on = process.on
       process.on = function (event, listener) {
         const self = on.call(this, event, listener)
         if (event === 'SIGINT') require('node:fs').writeSync(1, 'listening')
         return self
       }`,
    )
    const child = spawn(process.execPath, ['-r', hook, entry, 'explain', '-'])
    const ended = new Promise((resolve) => child.on('exit', resolve))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill('SIGINT')
    expect(await ended).toBe(130)
  })

  it('is silent when the reader of its output goes away', () => {
    const script = `{ "${process.execPath}" "${entry}" --help; echo "status $?" >&2; } | true`
    const { stderr } = start('sh', ['-c', script])
    expect(stderr).toBe('status 0\n')
  })
})
