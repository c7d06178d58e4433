/** The doctor on the command line: what it prints where, and how it ends. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { ownFolder } from './own-folder.ts'
import { demo, entry, root, run, sentence } from './running.ts'

const { folder, write } = ownFolder('cli')

describe('doctor -f', () => {
  // What a folder cannot show (the issuer as the internet sees it, an exchange) is left out, or nothing in files would be healthy.
  const seen = ['--check', 'aws/role-exists', '--check', 'workload/service-account-exists']

  it('finds what is well healthy and exits 0', () => {
    const { status, stdout, stderr } = run(['doctor', '-f', demo('healthy'), ...seen])
    expect(stdout).toMatch(/^healthy: /mu)
    expect([status, stderr]).toEqual([0, ''])
  })

  it('finds what is broken, says it on stdout and exits 1', () => {
    const { status, stdout, stderr } = run(['doctor', '-f', demo('broken')])
    expect(stdout).toMatch(/✗ .*\n/u)
    expect(stdout).toMatch(/^unhealthy: \d+ error/mu)
    expect(stdout).toMatch(/^ {5}why /mu)
    expect([status, stderr]).toEqual([1, ''])
  })

  it('ends with the command that plans what puts it right, and that one with what is true of documents', () => {
    const about = ['sa/cart', '-n', 'shop', '--context', 'a b', '-f', demo('broken')]
    const { stdout } = run(['doctor', ...about, '--token', 'canary'])
    expect(stdout).toMatch(/\nto put it right: kubectl wi fix sa\/cart -n shop --context 'a b' -f \S+\n/u)
    expect(stdout).not.toContain('canary')
    const plan = run(['fix', ...about]).stdout
    expect(plan).toMatch(/1 action;\s+documents\s+are\s+not\s+changed:\s+-o\s+shell\s+prints\s+what\s+to\s+type\.\n$/u)
    expect(run(['doctor', '-f', demo('healthy')]).stdout).not.toContain('to put it right')
  })

  it('exits 3 where too little is seen to tell, and says what would let us see', () => {
    const file = write(
      'alone.yaml',
      'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: cart, namespace: shop, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/cart"}}\n',
    )
    const { status, stdout } = run(['doctor', '-f', file])
    expect(stdout).toMatch(/^inconclusive: /mu)
    expect(stdout).toContain('Not seen')
    expect(stdout).toMatch(/^to see more: /mu)
    expect(status).toBe(3)
  })

  it('exits the same whatever the format, and as --fail-on says', () => {
    for (const format of ['table', 'wide', 'json', 'yaml']) {
      expect(run(['doctor', '-f', demo('broken'), '-o', format]).status).toBe(1)
      expect(run(['doctor', '-f', demo('healthy'), '-o', format, ...seen]).status).toBe(0)
      expect(run(['doctor', '-f', demo('healthy'), '-o', format]).status).toBe(3)
    }
    expect(run(['doctor', '-f', demo('broken'), '--fail-on', 'never']).status).toBe(0)
  })

  it('writes the same bytes twice, and they fit the published schema', () => {
    const schema = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
      JSON.parse(readFileSync(path.join(root, 'schemas', 'report-v1.schema.json'), 'utf8')),
    )
    for (const name of ['broken', 'healthy']) {
      const first = run(['doctor', '-f', demo(name), '-o', 'json'])
      expect(run(['doctor', '-f', demo(name), '-o', 'json']).stdout).toBe(first.stdout)
      expect(schema(JSON.parse(first.stdout)), JSON.stringify(schema.errors)).toBe(true)
    }
  })

  it('chooses checks by glob, with what must come before them', () => {
    const { stdout } = run(['doctor', '-f', demo('broken'), '-o', 'json', '--check', 'aws/role-exists'])
    const ids = new Set(JSON.parse(stdout).findings.map(({ check }: { check: string }) => check))
    expect(ids).toContain('aws/role-exists')
    expect(ids).toContain('aws/role-arn-valid')
    expect(ids).not.toContain('aws/sts-exchanges-token')
  })

  it('names the file and the place of a broken document, and goes on', () => {
    write('mixed/broken.yaml', 'a: [1, 2\nb: 3\n')
    write('mixed/values.yaml', 'replicas: 3\n')
    write('mixed/sa.yaml', 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: cart, namespace: shop}\n')
    const { status, stdout, stderr } = run(['doctor', '-f', path.join(folder, 'mixed'), 'sa/cart'])
    expect(stderr).toMatch(/broken\.yaml:\d+:\d+: /u)
    expect(stdout).toMatch(/not recognised: .*values\.yaml/u)
    expect([0, 1, 3]).toContain(status)
    sentence(stderr)
  })

  it('exits 2 where nothing at all could be read, and says why', () => {
    const file = write('rubbish/only.yaml', 'a: [1, 2\nb: 3\n')
    const { status, stdout, stderr } = run(['doctor', '-f', path.dirname(file)])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/nothing to examine.*\n.*only\.yaml:\d+:\d+/u)
    sentence(stderr)
  })

  it('gives plain text to a pipe, and colour only where it is forced', () => {
    const plain = run(['doctor', '-f', demo('broken')]).stdout
    const forced = run(['doctor', '-f', demo('broken')], { env: { FORCE_COLOR: '1' } }).stdout
    const control = String.fromCodePoint(27)
    expect(plain).not.toContain(control)
    expect(forced).toContain(control)
    expect(forced.replaceAll(new RegExp(`${control}\\[[0-9;]*m`, 'gu'), '')).toBe(plain)
    expect(run(['doctor', '-f', demo('broken'), '--no-color'], { env: { FORCE_COLOR: '1' } }).stdout).toBe(plain)
    expect(run(['doctor', '-f', demo('broken')], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }).stdout).toBe(plain)
  })

  it('fits the width it is told', () => {
    const narrow = run(['doctor', '-f', demo('broken')], { env: { COLUMNS: '60' } }).stdout
    const wide = run(['doctor', '-f', demo('broken')], { env: { COLUMNS: '120' } }).stdout
    expect(narrow.split('\n').length).toBeGreaterThan(wide.split('\n').length)
  })

  it('ends quietly when nobody reads to the end', async () => {
    const child = spawn(process.execPath, [entry, 'doctor', '-f', demo('broken'), '-o', 'json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += String(chunk)
    })
    child.stdout.destroy()
    const status = await new Promise((resolve) => child.on('exit', resolve))
    expect([status, said]).toEqual([1, ''])
  })
})

describe('a mistake in the usage', () => {
  const mistakes: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['doctor', '-f', '/no/such/folder'], /no such file or folder/u],
    [['doctor', 'cart', '-f', demo('broken')], /sa\/cart/u],
    [['doctor', 'secret/cart', '-f', demo('broken')], /use sa, pod/u],
    [['doctor', '-o', 'xml', '-f', demo('broken')], /-o.*table|output.*table/u],
    [['doctor', '--timeout', 'soon', '-f', demo('broken')], /30s/u],
    [['doctor', '--check', 'aws/role-exist', '-f', demo('broken')], /aws\/role-exists/u],
    [['doctor', '--overlay'], /-?file/u],
    [['doctor', '-l', 'a==(', '-f', demo('broken')], /selector/u],
    [['doctor', '--colour', '-f', demo('broken')], /colour/u],
    [['explain', 'no such thing at all'], /nothing is known/u],
    [['explain'], /what/u],
    [['token', '/no/such/file'], /no such file/u],
    [['checks', 'twice', '-o', 'html'], /./u],
    [['docter'], /doctor/u],
  ]
  for (const [args, says] of mistakes)
    it(`is one sentence on stderr and exit 2: ${args.filter((arg) => !arg.startsWith(root)).join(' ')}`, () => {
      const { status, stdout, stderr } = run(args)
      expect(stderr).toMatch(says)
      expect([status, stdout]).toEqual([2, ''])
      sentence(stderr)
    })

  it('says of a path that cannot be reached why not', () => {
    const loop = path.join(folder, 'loop')
    symlinkSync(loop, loop)
    expect(run(['doctor', '-f', loop]).stderr).toBe(`error: -f ${loop}: it is a link that leads back to itself\n`)
  })

  // There is a file that is always full where there is Linux.
  it.runIf(existsSync('/dev/full'))('says that the output cannot be written', () => {
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, [entry, 'checks'], {
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    })
    closeSync(full)
    expect([status, stderr]).toEqual([2, 'error: the output cannot be written (ENOSPC)\n'])
  })

  it('without a cluster says so and what to do', () => {
    const { status, stderr } = run(['doctor'])
    expect(status).toBe(2)
    expect(stderr).toMatch(/-f/u)
    sentence(stderr)
  })
})

describe('a cluster that does not answer', () => {
  /** Says its version and then nothing more. */
  const silent = async (use: (url: string, asked: Promise<void>) => Promise<void>): Promise<void> => {
    let heard: () => void = () => {}
    const asked = new Promise<void>((resolve) => {
      heard = resolve
    })
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/version') === true) {
        response.setHeader('content-type', 'application/json')
        response.end('{"major":"1","minor":"34","gitVersion":"v1.34.0"}')
      } else heard()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    try {
      await use(`http://127.0.0.1:${address.port}`, asked)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }
  const askedOf = (url: string): readonly string[] => [
    'doctor',
    'sa/cart',
    '-n',
    'shop',
    '-s',
    url,
    '--cloud-credentials',
    'none',
  ]
  const start = (args: readonly string[]) => {
    const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => {
      said.stdout += String(chunk)
    })
    child.stderr.on('data', (chunk) => {
      said.stderr += String(chunk)
    })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    return { child, said, ended }
  }

  it('is left within a second of Ctrl-C, which says what was not examined', () =>
    silent(async (url, asked) => {
      const [, ...whom] = askedOf(url)
      const commands = [askedOf(url), ['collect', '-d', path.join(folder, 'stopped'), ...whom], ['fix', ...whom]]
      const runs = commands.map(start)
      await asked
      await new Promise((resolve) => setTimeout(resolve, 600))
      for (const { child, said, ended } of runs) {
        const pressed = performance.now()
        child.kill('SIGINT')
        expect(await ended).toBe(130)
        expect(performance.now() - pressed).toBeLessThan(1000)
        expect(said.stderr).toMatch(/^stopped while /u)
        expect(said.stdout).toBe('')
      }
    }))

  it.skipIf(spawnSync('script', ['--version']).status !== 0)('leaves a terminal as it was', () =>
    silent(async (url) => {
      const words = [process.execPath, entry, ...askedOf(url)]
      const line = `stty cols 100 rows 30; exec ${words.map((word) => `'${word}'`).join(' ')}`
      const { NO_COLOR: _, CI: __, ...env } = process.env
      const child = spawn('script', ['-qec', line, '/dev/null'], { env: { ...env, TERM: 'xterm' } })
      let shown = ''
      child.stdout.on('data', (chunk) => {
        const before = shown.includes('looking for')
        shown += String(chunk)
        if (!before && shown.includes('looking for')) child.stdin.write('\u0003')
      })
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130)
      const control = String.fromCodePoint(27)
      expect(shown.lastIndexOf(`${control}[?25h`)).toBeGreaterThan(shown.lastIndexOf(`${control}[?25l`))
      // What was drawn is erased before the last words, which stand alone.
      const plain = shown.replaceAll(new RegExp(`${control}\\[\\??\\d*[a-zA-Z]`, 'gu'), '').trimEnd()
      expect(plain).toMatch(
        /stopped while looking for ServiceAccounts and pods; nothing was examined; it was waiting for \S.*\.$/u,
      )
      expect(shown.slice(0, shown.lastIndexOf('stopped'))).toMatch(new RegExp(`${control}\\[2K.*\\?25h$`, 'su'))
    }),
  )

  it('costs no more than --timeout, and is inconclusive', () =>
    silent(async (url) => {
      const { said, ended } = start([...askedOf(url), '--timeout', '1s'])
      const started = performance.now()
      expect(await ended).toBe(3)
      expect(performance.now() - started).toBeLessThan(5000)
      expect(said.stdout).toContain('a longer --timeout')
      expect(said.stdout).toMatch(/^inconclusive: /mu)
    }))
})
