/** A container without a runtime: Debian's C library, CA certificates and the single executable below a root of their own, in namespaces. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, connect as dial, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { cached, cacheRoot } from './servers/cache.ts'
import { notDebian, openApt } from './servers/debian.ts'
import type { Log } from './servers/processes.ts'

/** As distroless/cc has them. */
const packages = ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates', 'tzdata']
const repository = path.join(import.meta.dirname, '..', '..')
const executable = path.join(repository, 'dist-executable', 'kubectl-wi')
/** Of the image that the Containerfile makes. */
export const nobody = 65_532

export type PodFile = { readonly text: string; readonly mode?: number; readonly owner?: number }
export type PodOrder = {
  readonly args: readonly string[]
  readonly env: { readonly [name: string]: string }
  /** By path below /var/run, the only place of the pod's own. */
  readonly files?: { readonly [path: string]: PodFile }
  readonly user?: number
  /** What answers in the pod's network, which is its loopback alone: `ADDRESS PORT` → a port of this machine's loopback. */
  readonly reaches?: { readonly [place: string]: number }
  readonly family?: 4 | 6
  readonly writable?: boolean
  readonly memoryMiB?: number
}
export type PodRan = {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What the kernel charged it at most; undefined where it was not limited. */
  readonly peakMiB?: number
}

/** Why there can be no such root here; undefined where there can. */
export function noPodRoot(): string | undefined {
  const debian = notDebian()
  if (debian !== undefined) return debian
  if (process.getuid?.() !== 0) return 'a root of its own and its namespaces are for root alone'
  if (spawnSync('unshare', ['--mount', '--net', 'ip', 'link']).status !== 0)
    return 'this machine gives no new namespaces'
  return undefined
}

const built = (): void => {
  for (const script of ['build.ts', 'build-executable.ts']) {
    const made = spawnSync(process.execPath, [path.join(repository, 'scripts', script)], { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(made.stderr)
  }
}

async function rootFolder(log: Log): Promise<string> {
  const root = cacheRoot(process.env)
  const entry = await cached({
    root,
    log,
    // The last digit is the recipe's.
    name: `pod-root-bookworm-${process.arch}-1`,
    works: async (folder) => existsSync(path.join(folder, 'root/etc/ssl/certs/ca-certificates.crt')),
    make: async (folder) => {
      const scratch = path.join(folder, 'apt')
      const into = path.join(folder, 'root')
      await (await openApt(scratch, process.env.WI_LIVE_MIRROR)).unpack(packages, into)
      rmSync(scratch, { recursive: true, force: true })
      // What Debian's own scripts would do, which do not run here.
      const certificates = globSync('usr/share/ca-certificates/mozilla/*.crt', { cwd: into }).sort()
      mkdirSync(path.join(into, 'etc/ssl/certs'), { recursive: true })
      const all = certificates.map((file) => readFileSync(path.join(into, file), 'utf8'))
      writeFileSync(path.join(into, 'etc/ssl/certs/ca-certificates.crt'), all.join(''))
      writeFileSync(path.join(into, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n')
      writeFileSync(
        path.join(into, 'etc/passwd'),
        `nonroot:x:${nobody}:${nobody}:nonroot:/home/nonroot:/sbin/nologin\n`,
      )
      for (const place of ['proc', 'tmp', 'var/run', 'usr/local/bin'])
        mkdirSync(path.join(into, place), { recursive: true })
      writeFileSync(path.join(into, 'usr/local/bin/kubectl-wi'), '')
    },
  })
  return path.join(entry.folder, 'root')
}

/** Runs in the pod's network with the machine's files: what reaches a place there goes out by a socket of the file system. */
const relay = `
const net = require('node:net')
const [folder, ...places] = process.argv.slice(1)
let open = places.length
for (const place of places) {
  const [host, port] = place.split(' ')
  const server = net.createServer((socket) => {
    const out = net.connect(folder + '/' + place.replaceAll(' ', '_'))
    socket.on('error', () => out.destroy()); out.on('error', () => socket.destroy())
    socket.pipe(out).pipe(socket)
  })
  server.listen({ host, port: Number(port) }, () => { open -= 1; if (open === 0) require('node:fs').writeFileSync(folder + '/ready', '') })
}
if (open === 0) require('node:fs').writeFileSync(folder + '/ready', '')
`

// Everything that it mounts and starts ends with its namespaces and with the shell.
const script = `
mount --bind "$ROOT" "$HERE"
mount --bind "$EXECUTABLE" "$HERE/usr/local/bin/kubectl-wi"
mount --bind "$POD" "$HERE/var/run"
mount -t proc proc "$HERE/proc"
if [ -z "$WRITABLE" ]; then mount -o remount,bind,ro "$HERE"; mount -o remount,bind,ro "$HERE/var/run"; fi
ip link set lo up
for address in $ADDRESSES; do ip address add "$address" dev lo $(case "$address" in *:*) echo nodad;; esac); done
if [ "$FAMILY" = 6 ]; then ip address del 127.0.0.1/8 dev lo; fi
"$NODE" -e "$RELAY" "$SOCKETS" "$@" & relay=$!
while [ ! -e "$SOCKETS/ready" ]; do sleep 0.02; done
if [ -n "$GROUP" ]; then echo $$ > "$GROUP/cgroup.procs"; fi
set +e
. "$SOCKETS/command"
code=$?
kill $relay 2>/dev/null
exit $code
`

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

export type PodRoot = { readonly run: (order: PodOrder) => Promise<PodRan>; readonly folder: string }

/** Builds the executable where it is out of date. @throws Error where noPodRoot says why */
export async function podRoot(log: Log = () => {}): Promise<PodRoot> {
  built()
  const root = await rootFolder(log)
  return { folder: root, run: (order) => runIn(root, order) }
}

function layFiles(pod: string, files: PodOrder['files'] = {}): void {
  for (const [name, { text, mode = 0o644, owner = 0 }] of Object.entries(files)) {
    if (!name.startsWith('/var/run/')) throw new Error(`${name} lies outside of what is the pod's own`)
    const file = path.join(pod, name.slice('/var/run/'.length))
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 })
    writeFileSync(file, text)
    chownSync(file, owner, owner)
    chmodSync(file, mode)
  }
}

const mebibyte = 1 << 20

/** A group of the kernel that may have so much memory and no more; undefined where the machine gives none. */
function memoryGroup(
  mebibytes: number | undefined,
): { folder: string; peak: () => number; end: () => void } | undefined {
  const folder = `/sys/fs/cgroup/memory/wi-live-${process.pid}-${Math.random().toString(36).slice(2)}`
  if (mebibytes === undefined) return undefined
  try {
    mkdirSync(folder)
    writeFileSync(`${folder}/memory.limit_in_bytes`, String(mebibytes * mebibyte))
  } catch {
    return undefined
  }
  const peak = (): number => Number(readFileSync(`${folder}/memory.max_usage_in_bytes`, 'utf8')) / mebibyte
  return { folder, peak, end: () => rmdirSync(folder) }
}

async function runIn(root: string, order: PodOrder): Promise<PodRan> {
  const { args, env, files, user = nobody, reaches = {}, family = 4, memoryMiB } = order
  const folder = mkdtempSync(path.join(tmpdir(), 'wi-live-pod-'))
  const [here, pod, sockets] = ['here', 'pod', 'sockets'].map((name) => path.join(folder, name))
  if (here === undefined || pod === undefined || sockets === undefined) throw new Error('no folder')
  for (const one of [here, pod, sockets]) mkdirSync(one, { mode: 0o755 })
  chmodSync(folder, 0o755)
  layFiles(pod, files)
  const doors = await Promise.all(
    Object.entries(reaches).map(([place, port]) => door(path.join(sockets, place.replaceAll(' ', '_')), port)),
  )
  const words = ['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
  words.push('/usr/sbin/chroot', `--userspec=${user}:${user}`, '--groups=', here, '/usr/local/bin/kubectl-wi', ...args)
  writeFileSync(path.join(sockets, 'command'), words.map(quoted).join(' '))
  const group = memoryGroup(memoryMiB)
  const addresses = [...new Set(Object.keys(reaches).map((place) => place.split(' ')[0] ?? ''))]
    .filter((one) => one !== '127.0.0.1' && one !== '::1')
    .map((one) => (one.includes(':') ? `${one}/128` : `${one}/32`))
  try {
    const child = spawn('unshare', ['--mount', '--net', 'sh', '-ec', script, 'sh', ...Object.keys(reaches)], {
      env: {
        PATH: process.env.PATH,
        ROOT: root,
        EXECUTABLE: executable,
        HERE: here,
        POD: pod,
        SOCKETS: sockets,
        NODE: process.execPath,
        RELAY: relay,
        ADDRESSES: addresses.join(' '),
        FAMILY: String(family),
        WRITABLE: order.writable === true ? 'yes' : '',
        GROUP: group?.folder ?? '',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 100_000,
    })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    const peak = group?.peak()
    return { code: code ?? -1, out, err, ...(peak === undefined ? {} : { peakMiB: Math.round(peak) }) }
  } finally {
    group?.end()
    for (const one of doors) one.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const door = (file: string, port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      const out = dial(port, '127.0.0.1')
      socket.on('error', () => out.destroy())
      out.on('error', () => socket.destroy())
      socket.pipe(out).pipe(socket)
    })
    server.once('error', reject)
    server.listen(file, () => resolve(server))
  })
