/** exchange-test and mounting: real FUSE mounts of the kernel where this machine lets us make them, and a container without the device. */
import { execFile, execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { FuseSeen } from '../src/domain/fuse-limits.ts'
import { judgeDevice, judgeMounting, judgeMounts } from '../src/domain/fuse-verdict.ts'
import { podProbe, readProbe } from '../src/domain/pod-probe.ts'
import { fitsSchema } from './proof-schema.ts'
import { entry } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-mounts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Root in a mount namespace of its own, with the device: what it takes to mount for real. */
const mayMount = ((): boolean => {
  try {
    closeSync(openSync('/dev/fuse', 'r+'))
    execFileSync('unshare', ['-m', 'mount', '--make-rprivate', '/'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

type Told = { readonly id: string; readonly status: string; readonly says: string }
type Ran = { readonly code: number; readonly out: string }
const ended = (file: string, args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: folder, GCE_METADATA_HOST: '127.0.0.1:9' }
    execFile(file, args, { env, timeout: 30_000, killSignal: 'SIGKILL' }, (error, out) =>
      resolve({ code: Number(error?.code ?? 0), out }),
    )
  })
const steps = ({ out }: Ran): { readonly [id: string]: Told } => {
  fitsSchema(out)
  return Object.fromEntries(
    JSON.parse(out).proofs.flatMap((one: { steps: readonly Told[] }) => one.steps.map((step) => [step.id, step])),
  )
}

const places = { hung: path.join(folder, 'hung'), dead: path.join(folder, 'left behind') }
for (const place of Object.values(places)) mkdirSync(place)
/** One mount whose server never answers, one whose server has gone; the descriptors stay with this shell. */
const mounted = [
  'exec 3<>/dev/fuse',
  `mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 shop.hung '${places.hung}'`,
  'exec 4<>/dev/fuse',
  `mount -i -t fuse -o fd=4,rootmode=40000,user_id=0,group_id=0 shop.dead '${places.dead}'`,
  'exec 4>&-',
].join('\n')
const inside = (command: string): Promise<Ran> => ended('unshare', ['-m', 'sh', '-c', `${mounted}\n${command} 3>&-`])
const program = `'${process.execPath}' '${entry}' exchange-test -o json`

describe.runIf(mayMount)('with /dev/fuse', () => {
  test('the device opens, and mounts that hang or are dead are told from one another', async () => {
    const script = path.join(folder, 'probe.sh')
    writeFileSync(script, podProbe)
    const [ran, shell] = await Promise.all([inside(`${program} --fuse`), inside(`sh '${script}'`)])
    const { 'fuse-device': device, 'fuse-mount': mount, mounts } = steps(ran)
    expect([device?.status, mount?.status, mounts?.status]).toEqual(['pass', 'pass', 'fail'])
    expect(mounts?.says).toBe(
      `${places.hung} does not answer within 3 s; ${places.dead} answers "Transport endpoint is not connected"`,
    )
    expect(ran.code).toBe(1)
    // The shell in a container sees what the program does.
    const { complete, mounting } = readProbe(shell.out)
    expect([complete, mounting.device]).toEqual([true, 'open'])
    expect(judgeMounts(mounting.mounts)).toMatchObject({ status: 'fail', says: mounts?.says })
  })
  test('this program looks by itself where the container has no ls', async () => {
    const ran = await inside(`PATH=/nowhere ${program}`)
    expect(steps(ran).mounts?.says).toContain('Transport endpoint is not connected')
    expect(steps(ran).mounts?.says).toContain('does not answer')
  })
})

describe.runIf(mayMount)('without /dev/fuse', () => {
  const inBareContainer = (command: string): Promise<Ran> =>
    ended('unshare', ['-m', 'sh', '-c', `mount -t tmpfs none /dev && ${command}`])
  test('whoever wants to mount is told that there is none, and nobody else misses it', async () => {
    const [wanted, unwanted] = await Promise.all([inBareContainer(`${program} --fuse`), inBareContainer(program)])
    expect(steps(wanted)['fuse-device']).toMatchObject({
      status: 'fail',
      says: 'there is no /dev/fuse in this container',
      causes: [{ check: 'storage/fuse-device-is-openable' }],
    })
    expect(steps(wanted)['fuse-mount']?.status).toBe('blocked')
    expect(steps(unwanted)['fuse-device']?.status).toBe('pass')
    expect(steps(unwanted)['fuse-mount']).toBeUndefined()
    expect(wanted.code).toBe(1)
  })
  test('a device that the cgroup or its mode refuses is told from none', async () => {
    // A node of a device that nobody drives, and one that is somebody else's.
    const script = path.join(folder, 'probe.sh')
    writeFileSync(script, podProbe)
    const driverless = await inBareContainer(`mknod /dev/fuse c 10 250 && sh '${script}'`)
    expect(['ENODEV', 'ENXIO']).toContain(readProbe(driverless.out).mounting.device)
    const others = await inBareContainer(
      `mknod -m 600 /dev/fuse c 10 229 && chmod 755 '${folder}' && setpriv --reuid 65534 --clear-groups sh '${script}'`,
    )
    const { mounting } = readProbe(others.out)
    expect(mounting).toMatchObject({ device: 'EACCES', user: 65_534, effective: '0000000000000000' })
    expect(judgeDevice(mounting, true)).toMatchObject({ status: 'fail' })
  })
})

describe('the limits of a container', () => {
  const base: FuseSeen = { device: 'open', helpers: [], mounters: [], mounts: [], user: 1000 }
  const [all, none] = ['000001ffffffffff', '0000000000000000']
  const setuid = [{ name: 'fusermount3', setuid: true }]
  const rows: readonly (readonly [what: string, seen: Partial<FuseSeen>, status: string, says: RegExp])[] = [
    ['capabilities that were not seen', {}, 'unknown', /not seen/],
    ['CAP_SYS_ADMIN', { effective: all, bounding: all }, 'pass', /CAP_SYS_ADMIN/],
    [
      'nothing, nor for a helper',
      { effective: none, bounding: none, helpers: setuid },
      'fail',
      /would not get it either/,
    ],
    ['no helper', { effective: none, bounding: all }, 'fail', /no fusermount/],
    [
      'a helper without its bit',
      { effective: none, bounding: all, helpers: [{ name: 'fusermount', setuid: false }] },
      'fail',
      /not setuid/,
    ],
    [
      'no escalation',
      { effective: none, bounding: all, helpers: setuid, noNewPrivileges: true },
      'fail',
      /allowPrivilegeEscalation/,
    ],
    [
      'a setuid helper',
      { effective: none, bounding: all, helpers: setuid, noNewPrivileges: false },
      'pass',
      /setuid fusermount/,
    ],
    [
      'the profile of the runtime',
      { effective: all, appArmor: 'cri-containerd.apparmor.d (enforce)' },
      'fail',
      /denies mount/,
    ],
    ['a profile of their own', { effective: all, appArmor: 'shop-mounter (enforce)' }, 'unknown', /may be/],
    [
      'a profile that only complains',
      { effective: all, appArmor: 'docker-default (complain)' },
      'pass',
      /CAP_SYS_ADMIN/,
    ],
  ]
  test.each(rows)('with %s', (_what, seen, status, says) => {
    const outcome = judgeMounting({ ...base, ...seen })
    expect(outcome.status).toBe(status)
    expect(outcome.says).toMatch(says)
  })
  test('of the device: a hostPath without leave fails whoever asks, the rest only whoever needs it', () => {
    const of = (device: FuseSeen['device'], needed: boolean) => judgeDevice({ ...base, device }, needed).status
    expect([of('EPERM', false), of('EPERM', true)]).toEqual(['fail', 'fail'])
    for (const device of ['missing', 'EACCES', 'ENODEV', 'ENXIO'] as const)
      expect([of(device, false), of(device, true)]).toEqual(['pass', 'fail'])
  })
})
