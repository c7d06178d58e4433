/** Makes the single executable out of dist/: this platform's own Node with the chunks, and the code that V8 compiled of them, as assets. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { inject } from 'postject'
import { rolldown } from 'rolldown'
import { ascii } from './ascii.ts'
import { wrapped } from './executable/chunks.ts'

const root = path.dirname(import.meta.dirname)
const dist = path.join(root, 'dist')
const target = path.join(root, 'dist-executable')
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
// Short runs end before a young generation of this size is full, and collecting it costs them more than its memory does.
const flags = [
  '--min-semi-space-size=8',
  // As in bin/kubectl-wi.
  '--no-turbofan',
  '--semi-space-growth-factor=1',
  '--no-parallel-scavenge',
]

// What runs the build may be any Node; what is built upon is the one that package-lock.json names.
const platform = process.platform === 'win32' ? 'win' : process.platform
const suffix = process.platform === 'win32' ? '.exe' : ''
const node =
  [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]
    .map((name) => path.join(root, 'node_modules', name, 'bin', `node${suffix}`))
    .find((file) => existsSync(file)) ?? process.execPath

const run = (args: readonly string[], env: NodeJS.ProcessEnv = process.env): string => {
  const { status, stdout, stderr } = spawnSync(node, [...flags, ...args], { encoding: 'utf8', env })
  // 1 and 3 are verdicts of what is run for the record.
  if (status === null || ![0, 1, 3].includes(status))
    throw new Error(`node ${args.join(' ')} ended with ${status}:\n${stderr}`)
  return stdout
}

const prepareChunks = (folder: string): void => {
  mkdirSync(path.join(folder, 'lib'), { recursive: true })
  mkdirSync(path.join(folder, 'code'))
  for (const name of readdirSync(path.join(dist, 'lib'))) {
    const text = readFileSync(path.join(dist, 'lib', name), 'utf8')
    writeFileSync(
      path.join(folder, 'lib', name),
      name.endsWith('.cjs') ? wrapped(text) : name.endsWith('.json') ? ascii(text) : text,
    )
  }
}

const unsignedToken = (): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'https://oidc.example.com', sub: 'system:serviceaccount:shop:cart', aud: ['any'], exp: 4e9 }
  return [part({ alg: 'RS256', kid: 'one' }), part(claims), 'c2lnbmF0dXJl'].join('.')
}

// What people and pods run most is run once, so that the functions that it calls are compiled already.
const recordCode = (folder: string): void => {
  const token = path.join(folder, 'token')
  writeFileSync(token, unsignedToken())
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: path.join(folder, 'none') }
  const nobody = { ...env, GCE_METADATA_HOST: '127.0.0.1:9' }
  const record = (args: readonly string[], with_: NodeJS.ProcessEnv = env): void => {
    run([path.join(root, 'scripts/executable/record.ts'), folder, ...args], with_)
  }
  record(['--help'])
  record(['__complete', 'doctor', 'sa/'])
  record(['token', token])
  record(['checks'])
  record(['explain', 'AADSTS700213'])
  record(['doctor', '--help'])
  record(['doctor', '-f', path.join(dist, 'cases/demo/healthy'), '-n', 'shop'])
  record(['exchange-test'], nobody)
  record(['--rest'])
}

const writeEntry = async (folder: string, version: string): Promise<string> => {
  const file = path.join(folder, 'entry.cjs')
  const bundle = await rolldown({
    input: path.join(root, 'scripts/executable/entry.ts'),
    cwd: root,
    platform: 'node',
    transform: { define: { VERSION: JSON.stringify(version) } },
  })
  await bundle.write({ file, format: 'cjs', minify: true })
  await bundle.close()
  return file
}

const assetsIn = (folder: string): Record<string, string> => {
  const of = (below: string, from: string): [string, string][] =>
    globSync('**/*', { cwd: from, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [[below, ...path.relative(from, file).split(path.sep)].join('/'), file])
  return Object.fromEntries([
    ...of('lib', path.join(folder, 'lib')),
    ...of('code', path.join(folder, 'code')),
    ...of('cases', path.join(dist, 'cases')),
  ])
}

const writeBlob = (folder: string, main: string): string => {
  const output = path.join(folder, 'blob')
  const config = path.join(folder, 'sea.json')
  const settings = {
    main,
    output,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // Of the one experimental part, the loader of the terminal UI, a person need not hear.
    execArgv: [...flags, '--disable-warning=ExperimentalWarning'],
    // A pod's NODE_OPTIONS are for the pod's own Node: a --require of its tracer would end this one.
    execArgvExtension: 'none',
    assets: assetsIn(folder),
  }
  writeFileSync(config, JSON.stringify(settings))
  run(['--experimental-sea-config', config])
  return output
}

// LIEF, which postject is made of, warns once for each note of the binary whose name it cannot find, on both streams.
const quietly = async (work: () => Promise<void>): Promise<void> => {
  const { warn, log } = console
  Object.assign(console, { warn: () => {}, log: () => {} })
  try {
    await work()
  } finally {
    Object.assign(console, { warn, log })
  }
}

// Node comes along, and so do the libraries that are compiled into it; its own licence names them all.
const writeLicences = (folder: string): void => {
  const ofNode = path.join(path.dirname(path.dirname(node)), 'LICENSE')
  const notices = readFileSync(path.join(dist, 'THIRD-PARTY-NOTICES'), 'utf8')
  const own = existsSync(ofNode) ? `Node.js\n\n${readFileSync(ofNode, 'utf8')}\n${'-'.repeat(80)}\n\n` : ''
  writeFileSync(path.join(folder, 'THIRD-PARTY-NOTICES'), own + notices)
  copyFileSync(path.join(dist, 'LICENSE'), path.join(folder, 'LICENSE'))
}

// Found beside the executable as kubectl found it, be that through links.
const writeCompletion = (folder: string): void => {
  const [name, text] =
    suffix === ''
      ? ['kubectl_complete-wi', '#!/bin/sh\nexec "$(dirname "$0")/kubectl-wi" __complete "$@"\n']
      : ['kubectl_complete-wi.cmd', '@"%~dp0kubectl-wi.exe" __complete %*\r\n']
  writeFileSync(path.join(folder, name), text, { mode: 0o755 })
}

const hashOfInputs = (): string => {
  const hash = createHash('sha256')
    .update(readFileSync(path.join(dist, '.stamp')))
    .update(run(['--version']))
  for (const file of globSync('scripts/{ascii.ts,build-executable.ts,executable/*.ts}', { cwd: root }).sort())
    hash.update(readFileSync(path.join(root, file)))
  return hash.digest('hex')
}

const build = async (): Promise<void> => {
  const hash = hashOfInputs()
  const stamp = path.join(target, '.stamp')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) {
    console.log('dist-executable is up to date')
    return
  }
  const started = performance.now()
  const { version }: { version: string } = JSON.parse(readFileSync(path.join(dist, 'package.json'), 'utf8'))
  const work = path.join(root, `dist-executable.${process.pid}`)
  const next = path.join(work, 'next')
  const executable = path.join(next, `kubectl-wi${suffix}`)
  try {
    mkdirSync(next, { recursive: true })
    prepareChunks(work)
    recordCode(work)
    const blob = writeBlob(work, await writeEntry(work, version))
    copyFileSync(node, executable)
    chmodSync(executable, 0o755)
    await quietly(() =>
      inject(executable, 'NODE_SEA_BLOB', readFileSync(blob), {
        sentinelFuse: fuse,
        ...(process.platform === 'darwin' ? { machoSegmentName: 'NODE_SEA' } : {}),
      }),
    )
    const said = spawnSync(executable, ['--version'], { encoding: 'utf8' })
    if (said.stdout !== `kubectl-wi ${version}\n`) throw new Error(`it does not start: ${said.stdout}${said.stderr}`)
    writeCompletion(next)
    writeLicences(next)
    writeFileSync(path.join(next, '.stamp'), hash)
    rmSync(target, { recursive: true, force: true })
    renameSync(next, target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  console.log(`dist-executable built in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

await build()
