/** Whether a container that mounts by itself is let mount a FUSE filesystem. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import type { MountingContainer } from '../../domain/pod-storage.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { enforcedLevel } from '../../probes/storage/enforced-level.ts'
import { scene } from '../../probes/storage/scene.ts'
import { mounts } from '../../probes/storage/storage-pod.ts'
import { containersOf, partOf, provedBy, saidFor } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const id = 'storage/fuse-mount-is-permitted'

type Data = Place & {
  readonly container: string
  readonly level: string
  readonly what: string
  readonly helper: string
  readonly tool: string
  readonly library: string
  readonly profile: string
  readonly node: string
  readonly path: string
  readonly uid: string
  readonly count: string
  readonly max: string
}

const messages = {
  'pod-security-forbids': ({ namespace, level, what, container }: Data) =>
    `namespace ${namespace} enforces ${level}, which forbids ${what} of ${container}`,
  'propagation-needs-privilege': ({ container }: Data) =>
    `${container} asks for Bidirectional mount propagation without being privileged`,
  'capability-missing': ({ container }: Data) =>
    `${container} has no CAP_SYS_ADMIN and no setuid fusermount to mount for it`,
  'no-new-privileges': ({ container }: Data) =>
    `${container} sets allowPrivilegeEscalation false, so fusermount loses its setuid bit`,
  'helper-missing': ({ helper, container, tool, library }: Data) =>
    `${helper} is not in the image of ${container}, or is not setuid root (${tool} needs ${library})`,
  'apparmor-denies': ({ container, profile, node }: Data) =>
    `${container} runs under AppArmor profile ${profile} on ${node}, which denies mount`,
  'seccomp-denies': ({ container, profile }: Data) =>
    `${container} runs under seccomp profile ${profile}, which denies mount`,
  'host-profile-denies-path': ({ node, path }: Data) => `the fusermount3 profile of ${node} allows no mount at ${path}`,
  'allow-other-refused': ({ container, tool, uid }: Data) =>
    `/etc/fuse.conf in the image of ${container} lacks user_allow_other, and ${tool} is called with allow_other as ${uid}`,
  'too-many-mounts': ({ count, max }: Data) => `${count} FUSE mounts by one user; mount_max is ${max}`,
}

const inTemplate = (data: Data, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands)
}

const mayMount = (one: MountingContainer): boolean =>
  one.privileged || one.capabilities.some((cap) => cap === 'SYS_ADMIN' || cap === 'ALL')
const runsFuse = (one: MountingContainer): boolean => one.calls.length > 0 || one.mountsDevice || one.devices.length > 0
const forbidden = (one: MountingContainer): string | undefined =>
  one.privileged
    ? 'privileged'
    : one.capabilities.includes('SYS_ADMIN')
      ? 'the capability SYS_ADMIN'
      : one.mountsDevice
        ? 'the hostPath /dev/fuse'
        : undefined

export const check = defineCheck({
  meta: {
    id,
    title: 'The container may mount a FUSE filesystem',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Storage',
    why: 'A mounter whose mount is denied by a capability, a profile or a level ends before it serves a file, with words that look like a refusal of the store.',
    fix: {
      safety: 'review',
      does: 'Set appArmorProfile or the missing capability for the one container in the pod template; never make it privileged, never relax the Pod Security level of a namespace, never edit profiles of hosts.',
    },
    links: [
      'https://github.com/squat/generic-device-plugin/issues/80',
      'https://github.com/nestybox/sysbox/issues/947',
      'https://github.com/kubernetes/kubernetes/issues/7890',
    ],
  },
  only: { probe: mounts, otherwise: 'the pod mounts nothing by itself' },
  needs: { scene },
  wants: { enforcedLevel },
  after: ['storage/fuse-device-is-openable'],
  messages,
  remedies: {
    'pod-security-forbids': (data) =>
      advice(
        `Move ${data.workload} to a namespace whose Pod Security level is made for it, or mount by a CSI driver, which needs nothing of this in the pod; do not relax the level of ${data.namespace} for one container.`,
        sh`kubectl get namespace ${data.namespace} --show-labels`,
      ),
    'propagation-needs-privilege': (data) =>
      inTemplate(
        data,
        `Let a CSI driver mount, or keep mounter and application in one container and take mountPropagation out`,
      ),
    'capability-missing': (data) =>
      inTemplate(
        data,
        `Add SYS_ADMIN to securityContext.capabilities.add of ${data.container}, or let a CSI driver mount,`,
      ),
    'no-new-privileges': (data) =>
      inTemplate(data, `Take allowPrivilegeEscalation: false off ${data.container}, or let a CSI driver mount,`),
    'helper-missing': (data) =>
      inTemplate(
        data,
        `Use an image that has ${data.helper} setuid root (package fuse has fusermount, fuse3 has fusermount3) for ${data.container}`,
      ),
    'apparmor-denies': (data) =>
      inTemplate(
        data,
        `Set securityContext.appArmorProfile of ${data.container} to type Localhost with a profile that allows mount fstype=fuse, or to Unconfined,`,
      ),
    'seccomp-denies': (data) =>
      inTemplate(data, `Set securityContext.seccompProfile of ${data.container} to one that allows mount and umount2`),
    'host-profile-denies-path': (data) =>
      inTemplate(data, 'Mount below /mnt, /media, /tmp or the home directory, which the profile allows,'),
    'allow-other-refused': (data) =>
      inTemplate(
        data,
        `Write user_allow_other into /etc/fuse.conf of the image of ${data.container}, or leave allow_other out of its options`,
      ),
    'too-many-mounts': (data) =>
      inTemplate(data, 'Raise mount_max in /etc/fuse.conf of the image, or unmount what is no longer used,'),
  },
  judge: ({ have: { scene }, want: { enforcedLevel }, subject }) => {
    if (scene.state === 'absent') return { status: 'not-applicable', reason: 'the pod mounts nothing by itself' }
    const { pod, errors } = scene.value
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const all = containersOf(scene.value)
    const fuse = all.filter(runsFuse)
    const said = saidFor(errors, id)
    const texts = said.map(({ error }) => ofError(error))
    const evidence: Evidence[] = [
      ...texts,
      ...fuse.map((one) => ({
        question: scene.from,
        path: `container ${one.name}`,
        observed: `privileged ${one.privileged}, capabilities ${one.capabilities.join(', ') || 'none'}, AppArmor ${one.appArmor ?? 'not set'}, seccomp ${one.seccomp ?? 'not set'}`,
      })),
    ]
    const failing = (message: keyof typeof messages, one: MountingContainer | undefined, more: Partial<Data> = {}) => {
      const data: Data = {
        ...{ ...place, container: one === undefined ? 'the container' : `container ${one.name}` },
        ...{ level: 'a level', what: 'something', helper: 'fusermount', tool: one?.calls[0]?.[0] ?? 'the mounter' },
        ...{ library: 'libfuse', profile: 'of the runtime', path: 'this place', count: 'too many', max: '1000' },
        node: pod?.node === undefined ? 'its node' : `node ${pod.node}`,
        uid: one?.user === undefined ? 'a user other than root' : `uid ${one.user}`,
        ...more,
      }
      return { status: 'fail', message, data, evidence } as const
    }
    const proved = (message: string) => provedBy(said, message)
    const ofText = (message: keyof typeof messages, more: (text: string) => Partial<Data> = () => ({})) => {
      const error = proved(message)
      const [one] = fuse.filter((each) => !mayMount(each))
      return error === undefined ? undefined : failing(message, one ?? fuse[0], more(error.text))
    }
    const level = enforcedLevel.state === 'known' ? enforcedLevel.value : undefined
    const barred = level === undefined ? undefined : fuse.find((one) => forbidden(one) !== undefined)
    if (barred !== undefined && level !== undefined)
      return failing('pod-security-forbids', barred, { level, what: forbidden(barred) ?? '' })
    const violated = ofText('pod-security-forbids', (text) => ({
      level: partOf(text, /violates PodSecurity "(\w+):/, 'a level'),
      what: partOf(text, /violates PodSecurity "[^"]{1,40}": ([\w ]{1,60})/, 'what it asks for'),
      container: `container ${partOf(text, /container "([^"]{1,80})"/, 'that mounts')}`,
      namespace: pod?.namespace ?? partOf(text, /namespaces?[ "/]{1,3}([a-z0-9-]{1,63})/, place.namespace),
    }))
    if (violated !== undefined) return violated
    const spreading = all.find(
      (one) => !one.privileged && one.mounts.some(({ propagation }) => propagation === 'Bidirectional'),
    )
    if (spreading !== undefined) return failing('propagation-needs-privilege', spreading)
    const spread = ofText('propagation-needs-privilege')
    if (spread !== undefined) return spread
    const powerless = fuse.filter((one) => !mayMount(one))
    const noEscalation = powerless.find((one) => one.escalation === false)
    const denied = proved('capability-missing')
    // A bounding set without it keeps even a setuid helper from mounting, but the userspace helper may be another one's.
    const bare = powerless.find((one) => one.escalation !== false && (one.user === 0 || one.dropped.includes('ALL')))
    if (bare !== undefined && bare.calls.length > 0 && pod?.storage?.userNamespace !== true)
      return failing('capability-missing', bare)
    if (denied !== undefined && noEscalation === undefined) {
      const able = fuse.length > 0 && powerless.length === 0
      if (!able) return failing('capability-missing', powerless[0])
      const filtered = fuse.find(
        ({ seccomp, privileged }) => !privileged && seccomp !== undefined && seccomp !== 'Unconfined',
      )
      if (filtered !== undefined) return failing('seccomp-denies', filtered, { profile: filtered.seccomp ?? '' })
    }
    if (noEscalation !== undefined) return failing('no-new-privileges', noEscalation)
    const others =
      ofText('helper-missing', (text) => {
        const helper = /fusermount3/.test(text) ? 'fusermount3' : 'fusermount'
        return { helper, library: helper === 'fusermount3' ? 'libfuse 3' : 'libfuse 2' }
      }) ??
      ofText('apparmor-denies', () => ({ profile: fuse[0]?.appArmor ?? 'of the container runtime' })) ??
      ofText('host-profile-denies-path', (text) => ({ path: partOf(text, / name="([^"]{1,200})"/, 'this place') })) ??
      ofText('allow-other-refused') ??
      ofText('too-many-mounts', (text) => ({
        max: partOf(text, /mount_max=(\d{1,9})/, '1000'),
        count: 'as many as are allowed, or more,',
      }))
    if (others !== undefined) return others
    if (fuse.length === 0) return { status: 'not-applicable', reason: 'the pod mounts nothing by itself' }
    if (said.length > 0 || powerless.length > 0)
      return {
        status: 'undecided',
        lacks: 'whether a setuid fusermount in the image may mount for the container',
        evidence,
      }
    const confined = fuse.find(
      (one) => !one.privileged && one.appArmor !== 'Unconfined' && one.appArmor !== 'Localhost',
    )
    if (confined !== undefined)
      return {
        status: 'undecided',
        lacks: `whether the node of container ${confined.name} runs AppArmor, whose default profile denies mount`,
        evidence,
      }
    return { status: 'pass', evidence }
  },
})
