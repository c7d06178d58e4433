/** What decides whether a container can mount by FUSE, and what it has mounted: as `/proc` tells it to whoever is inside. */

export type DeviceState = 'open' | 'missing' | 'EPERM' | 'EACCES' | 'ENODEV' | 'ENXIO' | 'unseen'

export type MountState =
  | { readonly state: 'alive' }
  /** A code of the system, ENOTCONN above all. */
  | { readonly state: 'dead'; readonly code: string }
  | { readonly state: 'hung'; readonly seconds: number }
  | { readonly state: 'unseen'; readonly detail: string }

export type Mounted = {
  readonly path: string
  readonly type: string
  /** `private`, `shared` (Bidirectional) or `master` (HostToContainer). */
  readonly propagation: 'private' | 'shared' | 'master'
}
export type SeenMount = Mounted & { readonly seen: MountState }

export type FuseSeen = {
  readonly device: DeviceState
  /** Whether the kernel knows the filesystem. */
  readonly module?: boolean
  readonly user?: number
  /** Sets in hexadecimal, as /proc/self/status has them. */
  readonly effective?: string
  readonly bounding?: string
  readonly noNewPrivileges?: boolean
  /** 0: none, 1: strict, 2: a filter. */
  readonly seccomp?: number
  readonly appArmor?: string
  readonly helpers: readonly { readonly name: string; readonly setuid: boolean }[]
  /** Mounters that stand on PATH. */
  readonly mounters: readonly string[]
  /** `user_allow_other` in /etc/fuse.conf. */
  readonly allowOther?: boolean
  /** Bytes; undefined where there is no limit. */
  readonly memory?: number
  readonly mounts: readonly SeenMount[]
}

/** Commands that mount a store by themselves, and what mounts for them. */
export const mounterCommands = [
  's3fs',
  'goofys',
  'mount-s3',
  'rclone',
  'juicefs',
  'geesefs',
  'blobfuse',
  'blobfuse2',
  'gcsfuse',
] as const
export const helperCommands = ['fusermount3', 'fusermount'] as const

const overNetwork = /^(?:fuse(?:\..+)?|nfs4?|cifs)$/
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))

/** The mounts of stores in /proc/self/mountinfo: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
export function mountsIn(mountinfo: string): readonly Mounted[] {
  const found: Mounted[] = []
  for (const line of mountinfo.split('\n')) {
    const [head = '', tail = ''] = line.split(' - ')
    const fields = head.split(' ')
    const type = tail.split(' ')[0] ?? ''
    const path = fields[4]
    if (path === undefined || !overNetwork.test(type)) continue
    const tags = fields.slice(6)
    const propagation = tags.some((one) => one.startsWith('shared:'))
      ? 'shared'
      : tags.some((one) => one.startsWith('master:'))
        ? 'master'
        : 'private'
    found.push({ path: unescaped(path), type, propagation })
  }
  return found
}

/** What of /proc/self/status matters. */
export function statusIn(
  status: string,
): Pick<FuseSeen, 'effective' | 'bounding' | 'noNewPrivileges' | 'seccomp' | 'user'> {
  const of = (name: string): string | undefined => new RegExp(`^${name}:[ \\t]*([0-9a-f]{1,32})`, 'm').exec(status)?.[1]
  const [effective, bounding, none, seccomp] = ['CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp'].map(of)
  const user = /^Uid:[ \t]*\d+[ \t]+(\d{1,10})/m.exec(status)?.[1]
  return {
    ...(effective === undefined ? {} : { effective }),
    ...(bounding === undefined ? {} : { bounding }),
    ...(none === undefined ? {} : { noNewPrivileges: none === '1' }),
    ...(seccomp === undefined ? {} : { seccomp: Number(seccomp) }),
    ...(user === undefined ? {} : { user: Number(user) }),
  }
}

/** The AppArmor profile in force; undefined where another security module wrote the file, or none. */
export const profileIn = (current: string): string | undefined =>
  /^(?:unconfined|.{1,200} \((?:enforce|complain|kill|unconfined|prompt)\))$/.exec(current.replace(/[\0\n]+$/, ''))?.[0]

const systemAdmin = 1n << 21n
/** CAP_SYS_ADMIN in a set of /proc/self/status; undefined where that was not seen. */
export const mayAdminister = (set: string | undefined): boolean | undefined =>
  set === undefined ? undefined : (BigInt(`0x${set}`) & systemAdmin) !== 0n
