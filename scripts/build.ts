/** Builds the product into dist/: CommonJS chunks, ESM chunks for the terminal UI, the command manifest, the npm package. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { Plugin } from '@oclif/core'
import { type RolldownOutput, type Plugin as RolldownPlugin, rolldown } from 'rolldown'
import { ascii } from './ascii.ts'
import { besideChunks, withoutAbsent } from './build-plugins.ts'
import { chunkName, groups } from './chunks.ts'

const root = path.dirname(import.meta.dirname)
const dist = path.join(root, 'dist')
const stamp = '.stamp'

type PackageJson = { readonly version: string; readonly description: string; readonly license: string }

const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8'))

const sources = (...patterns: readonly string[]): string[] => globSync(patterns, { cwd: root }).sort()

// What decides the output; an equal hash makes the build a no-op, since the tests and the demo call it every time.
const hashOfInputs = (): string => {
  const hash = createHash('sha256')
  const inputs = sources(
    'src/**/*.{ts,tsx,json}',
    'bin/*',
    'package.json',
    'package-lock.json',
    'scripts/{ascii,build,build-plugins,chunks}.ts',
    'tsconfig.json',
  )
  for (const file of inputs)
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

const commandFiles = (): Map<string, string> =>
  new Map(
    sources('src/commands/**/*.ts').map((file) => [
      path.relative('src/commands', file).replace(/\.ts$/, '').replaceAll(path.sep, ':'),
      path.join(root, file),
    ]),
  )

const entry = 'virtual:main'

// The one place that knows all commands, so that each is its own chunk and no folder is read at run time.
const virtualEntry = (commands: ReadonlyMap<string, string>, version: string): RolldownPlugin => ({
  name: 'virtual-entry',
  resolveId: (id) => (id === entry ? { id: entry, moduleSideEffects: true } : null),
  load: (id) =>
    id !== entry
      ? null
      : `import { main } from ${JSON.stringify(path.join(root, 'src/main.ts'))}
         import manifest from './commands.json'
         export const load = {
           ${[...commands].map(([name, file]) => `${JSON.stringify(name)}: () => import(${JSON.stringify(file)}),`).join('\n')}
         }
         export const start = () => main(process.argv.slice(2), {
           version: ${JSON.stringify(version)}, root: __dirname, manifest, load,
         })`,
})

const ui = path.join(root, 'src', 'ui') + path.sep
const isUi = (file: string): boolean => file.startsWith(ui)
const uiChunk = (file: string): string => `./ui-${path.parse(file).name}.mjs`

// ink and yoga await at top level, which CommonJS cannot: the UI stays ESM, and the rest reaches it as a file.
const uiBoundary = (entries: Set<string>): RolldownPlugin => ({
  name: 'ui-boundary',
  async resolveId(id, importer, { kind }) {
    if (id === './commands.json') return { id, external: true }
    if (importer === undefined || isUi(importer) || !id.startsWith('.')) return null
    const file = path.resolve(path.dirname(importer), id)
    if (!isUi(file)) return null
    if (kind !== 'dynamic-import')
      throw new Error(`${importer}: src/ui is reached by await import() alone, not by ${id}`)
    entries.add(file)
    return { id: uiChunk(file), external: true }
  },
})

// The typed client of every Kubernetes API comes along with the reading of kubeconfigs: ten times as much, never asked for.
// Its package does not say that its modules do nothing by being loaded; all but the polyfill only declare.
const declaresOnly = /@kubernetes[\\/]client-node[\\/]dist[\\/](?!polyfill\.js)/

// Every call of EC2 stands in one CommonJS file of two megabytes; out of its modules only those that are named come along.
const ec2 = path.join(root, 'node_modules/@aws-sdk/client-ec2/dist-es/index.js')

const shared = {
  resolve: { alias: { '@aws-sdk/client-ec2': ec2 } },
  treeshake: { moduleSideEffects: [{ test: declaresOnly, sideEffects: false }] },
  platform: 'node' as const,
  cwd: root,
  tsconfig: path.join(root, 'tsconfig.json'),
  transform: {
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.DEV': '"false"',
      'process.env.OCLIF_DISABLE_ENGINE_WARNING': '"1"',
    },
  },
  onLog: (level: string, log: { readonly message: string; readonly code?: string }): void => {
    // Warnings about packages' own habits (direct eval, comments) are not ours to act on; an unresolved import is.
    if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message)
    if (process.env.DEBUG !== undefined) console.error(level, log.message)
  },
}

const output = { minify: true, keepNames: false, comments: false, sourcemap: false } as const

const modulesOf = (files: RolldownOutput['output']): readonly string[] =>
  files.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))

const buildMain = async (dir: string, commands: ReadonlyMap<string, string>, version: string) => {
  const uiEntries = new Set<string>()
  const data = new Set<string>()
  const bundle = await rolldown({
    ...shared,
    input: { main: entry },
    plugins: [virtualEntry(commands, version), uiBoundary(uiEntries), withoutAbsent, besideChunks(data)],
  })
  const { output: files } = await bundle.write({
    ...output,
    dir,
    format: 'cjs',
    exports: 'named',
    entryFileNames: '[name].cjs',
    chunkFileNames: ({ facadeModuleId }) => `${chunkName(facadeModuleId ?? '')}.cjs`,
    codeSplitting: { groups },
  })
  await bundle.close()
  for (const file of files.map(({ fileName }) => path.join(dir, fileName)))
    if (file.endsWith('.cjs')) writeFileSync(file, ascii(readFileSync(file, 'utf8')))
  for (const file of data) writeFileSync(path.join(dir, path.basename(file)), JSON.stringify(readJson(file)))
  return { uiEntries, modules: modulesOf(files) }
}

const buildUi = async (dir: string, entries: ReadonlySet<string>): Promise<readonly string[]> => {
  if (entries.size === 0) return []
  const bundle = await rolldown({
    ...shared,
    input: Object.fromEntries([...entries].map((file) => [path.parse(file).name, file])),
    plugins: [withoutAbsent],
  })
  const { output: files } = await bundle.write({
    ...output,
    dir,
    format: 'esm',
    entryFileNames: 'ui-[name].mjs',
    chunkFileNames: 'ui-[name].mjs',
    codeSplitting: entries.size > 1,
  })
  await bundle.close()
  return modulesOf(files)
}

// oclif writes its manifest from the built chunks themselves, so it cannot disagree with what will run.
const writeManifest = async (dir: string, version: string): Promise<void> => {
  const file = path.join(dir, 'commands.json')
  writeFileSync(file, '{}')
  const target = path.join(dir, 'all-commands.cjs')
  writeFileSync(
    target,
    `const { load } = require('./main.cjs')
     exports.ready = Promise.all(Object.entries(load).map(async ([id, get]) => [id, (await get()).default]))
       .then((all) => { exports.commands = Object.fromEntries(all) })`,
  )
  const all: { default: { ready: Promise<void> } } = await import(target)
  await all.default.ready
  const plugin = new Plugin({
    root: dir,
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
    pjson: {
      name: 'kubectl-wi',
      version,
      oclif: { commands: { strategy: 'explicit', target: './all-commands.cjs', identifier: 'commands' } },
    },
  })
  await plugin.load()
  rmSync(target)
  writeFileSync(file, JSON.stringify(plugin.manifest.commands))
}

// The chunks carry other people's code without its comments; their licences ask to come along.
const writeNotices = (dir: string, modules: readonly string[]): void => {
  const homes = new Set<string>()
  for (const id of modules) {
    const home = /.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0]
    if (home !== undefined && path.isAbsolute(home)) homes.add(home)
  }
  const notices = [...homes].sort().map((home) => {
    const { name, version, license } = readJson<{ name: string; version: string; license?: string }>(
      path.join(home, 'package.json'),
    )
    const texts = globSync('{LICEN[CS]E,licen[cs]e,NOTICE}*', { cwd: home }).sort()
    return [
      `${name} ${version} (${license ?? 'see below'})`,
      ...texts.map((file) => readFileSync(path.join(home, file), 'utf8')),
    ].join('\n\n')
  })
  writeFileSync(path.join(dir, 'THIRD-PARTY-NOTICES'), `${notices.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`)
}

const writePackage = (dir: string, pjson: PackageJson): void => {
  mkdirSync(path.join(dir, 'bin'), { recursive: true })
  const bins = sources('bin/kubectl*').map((file) => path.basename(file))
  for (const bin of bins) {
    cpSync(path.join(root, 'bin', bin), path.join(dir, 'bin', bin))
    chmodSync(path.join(dir, 'bin', bin), 0o755)
  }
  const { version, description, license } = pjson
  const published = {
    name: 'kubectl-wi',
    version,
    description,
    license,
    type: 'commonjs',
    bin: Object.fromEntries(bins.map((bin) => [bin, `bin/${bin}`])),
    files: ['bin', 'cases', 'lib', 'THIRD-PARTY-NOTICES'],
    engines: { node: '>=22' },
  }
  writeFileSync(path.join(dir, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
  // What `kubectl wi lab` serves where no case is named.
  cpSync(path.join(root, 'test/fixtures/demo'), path.join(dir, 'cases/demo'), { recursive: true })
  for (const file of ['LICENSE', 'README.md']) {
    if (existsSync(path.join(root, file))) cpSync(path.join(root, file), path.join(dir, file))
  }
}

// A build beside the old one and a rename: a test that runs the product meanwhile never sees half of it.
const replace = (next: string): void => {
  const old = `${next}.old`
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(next, dist)
  rmSync(old, { recursive: true, force: true })
}

const build = async (): Promise<void> => {
  const hash = hashOfInputs()
  const stamped = path.join(dist, stamp)
  if (!process.argv.includes('--force') && existsSync(stamped) && readFileSync(stamped, 'utf8') === hash) {
    console.log('dist is up to date')
    return
  }
  const started = performance.now()
  const pjson = readJson<PackageJson>(path.join(root, 'package.json'))
  const next = path.join(root, `dist.${process.pid}`)
  const lib = path.join(next, 'lib')
  try {
    const { uiEntries, modules } = await buildMain(lib, commandFiles(), pjson.version)
    const [uiModules] = await Promise.all([buildUi(lib, uiEntries), writeManifest(lib, pjson.version)])
    writeNotices(next, [...modules, ...uiModules])
    writePackage(next, pjson)
    writeFileSync(path.join(next, stamp), hash)
    replace(next)
  } finally {
    rmSync(next, { recursive: true, force: true })
  }
  console.log(`dist built in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

try {
  await build()
} catch (error) {
  // rolldown's own message shows the place; the stack would only show this script.
  console.error(error instanceof Error && 'errors' in error ? error.message : error)
  process.exitCode = 1
}
