/** What this container has mounted, and what keeps it from mounting: read from /proc, with the device really opened. */
import { execFile } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import {
  type DeviceState,
  type FuseSeen,
  helperCommands,
  type MountState,
  mounterCommands,
  mountsIn,
  profileIn,
  type SeenMount,
  statusIn,
} from '../../domain/fuse-limits.ts'
import { codeOfWords } from '../../domain/mount-words.ts'
import { codeOf } from './trouble.ts'

const mostMounts = 20
/** A mount that takes longer to say what it is does not serve files either. */
const patience = 3000
/** What another process of Node takes; a container that has no room for it is not pushed over its limit. */
const ofNode = 80 * 1024 * 1024

/** Whatever cannot be read is as good as empty: each file may be missing in a container. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function deviceState(): DeviceState {
  try {
    closeSync(openSync('/dev/fuse', 'r+'))
    return 'open'
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return 'missing'
    return code === 'EPERM' || code === 'EACCES' || code === 'ENODEV' || code === 'ENXIO' ? code : 'unseen'
  }
}

type Program = { readonly file: string; readonly setuid: boolean }

function programOf(name: string, folders: readonly string[]): Program | undefined {
  for (const folder of folders) {
    const file = path.join(folder, name)
    try {
      const { mode } = statSync(file)
      if ((mode & 0o111) !== 0) return { file, setuid: (mode & 0o4000) !== 0 }
    } catch {
      // It is not in this folder.
    }
  }
  return undefined
}

const bytesIn = (file: string): number | undefined => {
  const text = textOf(file).trim()
  // Without a limit version 1 of control groups has a number near the largest.
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
const memoryLimit = (): number | undefined =>
  bytesIn('/sys/fs/cgroup/memory.max') ?? bytesIn('/sys/fs/cgroup/memory/memory.limit_in_bytes')
const memoryInUse = (): number =>
  bytesIn('/sys/fs/cgroup/memory.current') ?? bytesIn('/sys/fs/cgroup/memory/memory.usage_in_bytes') ?? 0

/** Asks in a process of its own: a system call into a mount that hangs cannot be taken back, and would keep this process from ending. */
function look(place: string, program: readonly string[], signal: AbortSignal | undefined): Promise<MountState> {
  const [file = '', ...args] = program
  return new Promise((resolve) => {
    execFile(
      file,
      [...args, place],
      {
        env: { LC_ALL: 'C', ...(process.env.PATH === undefined ? {} : { PATH: process.env.PATH }) },
        timeout: patience,
        killSignal: 'SIGKILL',
        maxBuffer: 1 << 16,
        ...(signal === undefined ? {} : { signal }),
      },
      (error, _out, words) => {
        if (error === null) resolve({ state: 'alive' })
        else if (error.killed === true) resolve({ state: 'hung', seconds: patience / 1000 })
        else if (typeof error.code === 'number') resolve({ state: 'dead', code: codeOfWords(words) })
        else resolve({ state: 'unseen', detail: 'the program that looks could not be started' })
      },
    )
  })
}

/** `ls` where there is one, this program itself where there is none and memory for it. */
function looker(folders: readonly string[]): readonly string[] | string {
  const ls = programOf('ls', folders)
  if (ls !== undefined) return [ls.file, '-d']
  const limit = memoryLimit()
  if (limit !== undefined && limit - memoryInUse() < ofNode)
    return 'the memory limit of this container has no room for a second process'
  const { execPath, argv, execArgv } = process
  const [, entry] = argv
  // A single executable names itself twice.
  return [
    execPath,
    ...execArgv,
    ...(entry === undefined || entry === execPath ? [] : [entry]),
    'exchange-test',
    '--look-at',
  ]
}

async function lookAt(
  mounts: ReturnType<typeof mountsIn>,
  folders: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly SeenMount[]> {
  if (mounts.length === 0) return []
  const program = looker(folders)
  if (typeof program === 'string')
    return mounts.map((one) => ({ ...one, seen: { state: 'unseen', detail: program } as const }))
  const found: SeenMount[] = []
  const [file = ''] = program
  const looks = async (one: (typeof mounts)[number]): Promise<SeenMount> => ({
    ...one,
    seen: await look(one.path, program, signal),
  })
  // Small programs may run side by side; this one has the memory for one more of its kind.
  if (path.basename(file) === 'ls') return Promise.all(mounts.map(looks))
  for (const one of mounts) found.push(await looks(one))
  return found
}

/** Looks at the container that this process runs in; never throws. */
export async function lookAtMounting(env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<FuseSeen> {
  const folders = (env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(':').filter((one) => one.startsWith('/'))
  const filesystems = textOf('/proc/filesystems')
  const configuration = textOf('/etc/fuse.conf')
  const appArmor = profileIn(textOf('/proc/self/attr/apparmor/current') || textOf('/proc/self/attr/current'))
  const memory = memoryLimit()
  return {
    device: deviceState(),
    ...(filesystems === '' ? {} : { module: /\bfuse$/m.test(filesystems) }),
    ...statusIn(textOf('/proc/self/status')),
    ...(appArmor === undefined ? {} : { appArmor }),
    helpers: helperCommands.flatMap((name) => {
      const found = programOf(name, folders)
      return found === undefined ? [] : [{ name, setuid: found.setuid }]
    }),
    mounters: mounterCommands.filter((name) => programOf(name, folders) !== undefined),
    allowOther: /^\s*user_allow_other\b/m.test(configuration),
    ...(memory === undefined ? {} : { memory }),
    mounts: await lookAt(mountsIn(textOf('/proc/self/mountinfo')).slice(0, mostMounts), folders, signal),
  }
}

/** What the process does that was started to look at one mount: the code of the system on stderr, and nothing else. */
export function lookAtMount(place: string): number {
  try {
    statSync(place)
    return 0
  } catch (error) {
    process.stderr.write(`${codeOf(error)}\n`)
    return 1
  }
}
