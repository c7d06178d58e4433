/** What follows from the limits of a container for mounting by FUSE, and from the state of what it has mounted. */
import type { Lead, Outcome } from '../core/proof.ts'
import { type FuseSeen, mayAdminister, type SeenMount } from './fuse-limits.ts'

type Details = readonly (readonly [name: string, value: string])[]

const openable = 'storage/fuse-device-is-openable'
const permitted = 'storage/fuse-mount-is-permitted'
const alive = 'storage/mount-is-alive'

/** Profiles that container runtimes put on whatever names none; each of them denies mount. */
const ofRuntimes = /^(?:cri-containerd\.apparmor\.d|docker-default|crio-default|containers-default-[\d.]+) \(enforce\)$/

const seccomps = ['none', 'strict', 'a filter']
const mebibyte = 1 << 20

export function limitsOf(seen: FuseSeen): Details {
  const { device, module, user, effective, noNewPrivileges, seccomp, appArmor, helpers, mounters, allowOther, memory } =
    seen
  const admin = mayAdminister(effective)
  const optional: readonly (readonly [string, string | undefined])[] = [
    ['/dev/fuse', device === 'open' ? 'opens' : device === 'missing' ? 'not there' : `refused: ${device}`],
    ['kernel', module === undefined ? undefined : module ? 'knows fuse' : 'has no fuse in /proc/filesystems'],
    ['user', user === undefined ? undefined : String(user)],
    ['capabilities', admin === undefined ? undefined : `${effective}: ${admin ? 'with' : 'without'} CAP_SYS_ADMIN`],
    ['escalation', noNewPrivileges === undefined ? undefined : noNewPrivileges ? 'off (NoNewPrivs)' : 'on'],
    ['seccomp', seccomp === undefined ? undefined : (seccomps[seccomp] ?? String(seccomp))],
    ['AppArmor', appArmor],
    [
      'helpers',
      helpers.map(({ name, setuid }) => `${name}${setuid ? ', setuid' : ', not setuid'}`).join('; ') || 'none',
    ],
    ['allow_other', allowOther === undefined ? undefined : allowOther ? 'for everybody' : 'for root alone'],
    ['mounters', mounters.length === 0 ? undefined : mounters.join(', ')],
    ['memory', memory === undefined ? undefined : `${Math.floor(memory / mebibyte)} MiB, a mounter's cache included`],
  ]
  return optional.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}

/** Whether anything in the container is made to mount by itself. */
export const mountsItself = ({ mounters }: FuseSeen): boolean => mounters.length > 0

/** `needed`: somebody wants to mount from inside this container; where nobody does, what is not there is not missed. */
export function judgeDevice(seen: FuseSeen, needed: boolean): Outcome {
  const details = limitsOf(seen)
  const fail = (says: string, why: string): Outcome => ({
    status: 'fail',
    says,
    details,
    causes: [{ check: openable, says: why }],
  })
  const { device } = seen
  if (device === 'open') return { status: 'pass', says: 'this container may open /dev/fuse', details }
  // Whoever has the file has been given it, and means to mount.
  if (device === 'EPERM')
    return fail(
      'the device cgroup refuses to open /dev/fuse, whatever capabilities the container has',
      'a hostPath gives the file and not the leave: it takes a resource of a device plugin',
    )
  if (!needed)
    return {
      status: 'pass',
      says: `this container could not mount by FUSE itself (/dev/fuse: ${device === 'missing' ? 'not there' : device}), and nothing in it does; what a CSI driver mounts needs none of it`,
      details,
    }
  if (device === 'unseen')
    return { status: 'unknown', says: '/dev/fuse could not be looked at', details, lift: 'a shell with redirections' }
  if (device === 'missing')
    return fail('there is no /dev/fuse in this container', 'the pod gives the container no such device')
  return device === 'EACCES'
    ? fail('the mode of /dev/fuse, or a security module, keeps this user out', 'its mode admits another user')
    : fail(`/dev/fuse has no driver behind it (${device})`, 'the node has not loaded the module fuse')
}

export function judgeMounting(seen: FuseSeen): Outcome {
  const { effective, bounding, noNewPrivileges, helpers, appArmor } = seen
  const fail = (says: string, why: string): Outcome => ({
    status: 'fail',
    says,
    causes: [{ check: permitted, says: why }],
  })
  const own = mayAdminister(effective)
  if (own === undefined)
    return { status: 'unknown', says: 'the capabilities of this container were not seen', lift: 'a readable /proc' }
  if (!own) {
    // A setuid helper has no more than the bounding set leaves it.
    if (mayAdminister(bounding) !== true)
      return fail(
        'it has no CAP_SYS_ADMIN, and a setuid fusermount would not get it either',
        'the container lacks the capability SYS_ADMIN',
      )
    if (helpers.length === 0)
      return fail(
        'this user has no CAP_SYS_ADMIN, and no fusermount is there to mount for it',
        'the image lacks fusermount (package fuse) or fusermount3 (package fuse3)',
      )
    if (!helpers.some(({ setuid }) => setuid))
      return fail(`${helpers[0]?.name} is not setuid root, so it mounts for nobody`, 'the image lost the setuid bit')
    if (noNewPrivileges === true)
      return fail(
        'allowPrivilegeEscalation is false, so a setuid fusermount gains nothing',
        'allowPrivilegeEscalation: false takes the setuid bit away',
      )
  }
  if (appArmor !== undefined && ofRuntimes.test(appArmor))
    return fail(`the AppArmor profile ${appArmor} denies mount`, 'the default profile of the runtime denies mount')
  if (appArmor?.endsWith('(enforce)') === true)
    return {
      status: 'unknown',
      says: `nothing else is in the way, and the AppArmor profile ${appArmor} may be`,
      lift: "mount once: only that shows what a profile of one's own allows",
    }
  return {
    status: 'pass',
    says: own ? 'it may mount: it has CAP_SYS_ADMIN' : 'it may mount, by a setuid fusermount',
  }
}

const wordsOf = ({ path, seen }: SeenMount): { readonly says: string; readonly lead: Lead } | undefined => {
  if (seen.state === 'hung')
    return {
      says: `${path} does not answer within ${seen.seconds} s`,
      lead: { check: alive, says: 'the mounter behind it hangs, or waits for a store that does not answer' },
    }
  if (seen.state !== 'dead') return undefined
  if (seen.code === 'ENOTCONN')
    return {
      says: `${path} answers "Transport endpoint is not connected"`,
      lead: { check: alive, says: 'the process that mounted it has ended; it comes back with a new pod only' },
    }
  return seen.code === 'EACCES'
    ? {
        says: `this user may not look into ${path}`,
        lead: { check: alive, says: 'it was mounted for another user: set uid, gid or allow_other in its options' },
      }
    : { says: `${path} answers ${seen.code}`, lead: { check: alive, says: 'what is behind the mount has gone' } }
}

const stateWords = (seen: SeenMount['seen']): string =>
  seen.state === 'alive'
    ? 'answers'
    : seen.state === 'dead'
      ? seen.code
      : seen.state === 'hung'
        ? 'hangs'
        : 'not looked at'
const spread = { private: '', shared: ', Bidirectional', master: ', HostToContainer' }

/** The word on what is mounted; undefined where nothing is. */
export function judgeMounts(mounts: readonly SeenMount[]): Outcome | undefined {
  if (mounts.length === 0) return undefined
  const details = mounts.map(
    (one) => [one.path, `${one.type}, ${stateWords(one.seen)}${spread[one.propagation]}`] as const,
  )
  const bad = mounts.flatMap((one) => wordsOf(one) ?? [])
  if (bad.length > 0)
    return {
      status: 'fail',
      says: bad.map(({ says }) => says).join('; '),
      details,
      causes: bad.slice(0, 1).map(({ lead }) => lead),
    }
  const unseen = mounts.find(({ seen }) => seen.state === 'unseen')
  if (unseen?.seen.state === 'unseen')
    return { status: 'unknown', says: `${unseen.path} was not looked at: ${unseen.seen.detail}`, details }
  return {
    status: 'pass',
    says: mounts.length === 1 ? 'the mount answers' : `all ${mounts.length} mounts answer`,
    details,
  }
}
