/** kube-apiserver and kube-controller-manager built from Debian's source package, and etcd, kept in the cache. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { cached, type Entry } from './cache.ts'
import { openApt } from './debian.ts'
import { type Log, run } from './processes.ts'

const version = '1.20.2'
const programs = ['kube-apiserver', 'kube-controller-manager'] as const
const bound = 20 * 60

export type KubernetesPrograms = Entry & {
  readonly version: string
  readonly apiServer: string
  readonly controllerManager: string
  readonly etcd: string
}

/** The programs from the cache, built first where they are not there: some minutes and 2 GB of scratch space. */
export async function kubernetesPrograms(order: {
  readonly root: string
  readonly mirror?: string | undefined
  readonly log: Log
}): Promise<KubernetesPrograms> {
  const { root, mirror, log } = order
  const entry = await cached({
    root,
    log,
    // The last digit is the recipe's: raise it when this file builds something else.
    name: `kubernetes-${version}-${process.arch}-1`,
    works: async (folder) => {
      try {
        for (const [name, flag] of [
          ...programs.map((one) => [one, '--version'] as const),
          ['etcd', '--version'] as const,
        ])
          await run({ file: path.join(folder, 'bin', name), args: [flag] }, 60)
        return true
      } catch {
        return false
      }
    },
    make: (folder) => build(folder, mirror, log),
  })
  const at = (name: string): string => path.join(entry.folder, 'bin', name)
  return {
    ...entry,
    version,
    apiServer: at('kube-apiserver'),
    controllerManager: at('kube-controller-manager'),
    etcd: at('etcd'),
  }
}

async function build(folder: string, mirror: string | undefined, log: Log): Promise<void> {
  const scratch = path.join(folder, 'scratch')
  const bin = path.join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  await mkdir(scratch)
  let since = performance.now()
  const step = (what: string): void => {
    const now = performance.now()
    log(`kubernetes ${version}: ${what}, ${((now - since) / 1000).toFixed(1)} s`)
    since = now
  }
  const apt = await openApt(path.join(scratch, 'apt'), mirror)
  const tools = path.join(scratch, 'tools')
  const packages = await apt.unpack(['golang-1.19-go', 'golang-1.19-src', 'etcd-server'], tools)
  const tree = path.join(scratch, 'go', 'src', 'k8s.io', 'kubernetes')
  const source = await apt.source('kubernetes', tree)
  if (!source.includes(version)) throw new Error(`Debian's source package is ${source}, not ${version}`)
  await rename(path.join(tools, 'usr', 'bin', 'etcd'), path.join(bin, 'etcd'))
  step('fetched and unpacked')

  const root = path.join(tools, 'usr', 'lib', 'go-1.19')
  const env = {
    PATH: `${path.join(root, 'bin')}:/usr/bin:/bin`,
    HOME: scratch,
    TMPDIR: scratch,
    GOROOT: root,
    GOPATH: path.join(scratch, 'go'),
    GOCACHE: path.join(scratch, 'cache'),
    GO111MODULE: 'off',
    GOFLAGS: '',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
  }
  // The machine is somebody's: the compiler waits for whatever else runs.
  const politely = (file: string, args: readonly string[]): Promise<string> =>
    run({ file: '/usr/bin/nice', args: ['-n', '10', file, ...args], env, cwd: tree }, bound)
  const go = (args: readonly string[]): Promise<string> => politely(path.join(root, 'bin', 'go'), args)

  await generateOpenApi(tree, scratch, go, politely)
  step('OpenAPI definitions generated')
  // What `kubectl version` and every client see; the tarball leaves placeholders of git here.
  const stamp = 'k8s.io/kubernetes/vendor/k8s.io/component-base/version'
  const [major = '', minor = ''] = version.split('.')
  const facts = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'archive' }
  const values = Object.entries(facts).map(([name, value]) => `-X ${stamp}.${name}=${value}`)
  for (const name of programs) {
    const flags = ['-trimpath', '-ldflags', `-w -s ${values.join(' ')}`, '-tags', 'providerless']
    await go(['build', ...flags, '-o', path.join(bin, name), `k8s.io/kubernetes/cmd/${name}`])
    step(`${name} built`)
  }
  await writeFile(path.join(folder, 'made-from.json'), JSON.stringify({ source, packages }, null, 2))
  // Go makes parts of its caches read-only.
  await run({ file: '/bin/chmod', args: ['-R', 'u+w', scratch] }, 120)
  await rm(scratch, { recursive: true, force: true, maxRetries: 3 })
}

/** The tarball lacks pkg/generated/openapi: upstream's Makefile makes it from every package that is marked for it. */
async function generateOpenApi(
  tree: string,
  scratch: string,
  go: (args: readonly string[]) => Promise<string>,
  politely: (file: string, args: readonly string[]) => Promise<string>,
): Promise<void> {
  const generator = path.join(scratch, 'openapi-gen')
  await go(['build', '-o', generator, 'k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen'])
  const inputs = new Set<string>()
  for (const place of ['pkg', 'staging/src/k8s.io'])
    for await (const file of goFiles(path.join(tree, place))) {
      const folder = path.relative(tree, path.dirname(file))
      if (/_examples|sample-apiserver|testdata/.test(folder)) continue
      if ((await readFile(file, 'utf8')).includes('+k8s:openapi-gen='))
        inputs.add(`k8s.io/kubernetes/${folder.replace(/^staging\/src\//, 'vendor/')}`)
    }
  const header = path.join(scratch, 'header.txt')
  await writeFile(header, '')
  await politely(generator, [
    '--logtostderr',
    ...['-i', [...inputs].sort().join(',')],
    ...['-p', 'k8s.io/kubernetes/pkg/generated/openapi'],
    ...['-O', 'zz_generated.openapi'],
    ...['-h', header],
    ...['-r', path.join(scratch, 'violations.txt')],
  ])
  if (!existsSync(path.join(tree, 'pkg', 'generated', 'openapi', 'zz_generated.openapi.go')))
    throw new Error('openapi-gen wrote nothing')
}

async function* goFiles(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile() && entry.name.endsWith('.go')) yield path.join(entry.parentPath, entry.name)
}
