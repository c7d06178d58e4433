/** Whether a container that mounts by itself can open /dev/fuse. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import type { MountingContainer } from '../../domain/pod-storage.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { scene } from '../../probes/storage/scene.ts'
import { mounts } from '../../probes/storage/storage-pod.ts'
import { containersOf, provedBy, saidFor } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const id = 'storage/fuse-device-is-openable'
/** CRI-O gives devices by annotation, where it is set up to: https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md */
const byAnnotation = 'io.kubernetes.cri-o.Devices'

type Data = Place & {
  readonly container: string
  readonly tool: string
  readonly node: string
  readonly mode: string
  readonly owner: string
  readonly uid: number | string
}

const messages = {
  'device-cgroup-denies': ({ container }: Data) =>
    `container ${container} mounts /dev/fuse by hostPath and is not privileged; the device cgroup refuses to open it, whatever capabilities it has`,
  'no-device': ({ container, tool }: Data) => `container ${container} runs ${tool} and is given no /dev/fuse`,
  'module-missing': ({ node }: Data) => `${node} has no fuse in /proc/filesystems`,
  'mode-denies': ({ mode, owner, container, uid }: Data) =>
    `/dev/fuse is ${mode} of ${owner}; container ${container} runs as ${uid}`,
}

const inTemplate = (data: Data, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands, listDevices)
}
const listDevices = 'kubectl get nodes -o jsonpath={.items[*].status.allocatable}'

const runsFuse = (one: MountingContainer): boolean => one.calls.length > 0 || one.mountsDevice || one.devices.length > 0

export const check = defineCheck({
  meta: {
    id,
    title: 'The container can open /dev/fuse',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Storage',
    why: 'A FUSE mounter without the device ends before it asks for any credential; a hostPath gives the file, and not the leave of the device cgroup.',
    fix: {
      safety: 'review',
      does: 'Replace the hostPath by a resource limit of a device plugin that the nodes already offer, in the pod template; never set privileged for it.',
    },
    links: ['https://github.com/kubernetes/kubernetes/issues/137549', 'https://github.com/squat/generic-device-plugin'],
  },
  only: { probe: mounts, otherwise: 'the pod mounts nothing by itself' },
  needs: { scene },
  wants: {},
  after: [],
  messages,
  remedies: {
    'device-cgroup-denies': (data) =>
      inTemplate(
        data,
        `Take the hostPath /dev/fuse out and give container ${data.container} a resource limit of a device plugin that offers the device, such as smarter-devices/fuse: 1 (the last command shows what the nodes offer),`,
      ),
    'no-device': (data) =>
      inTemplate(
        data,
        `Give container ${data.container} a resource limit of a device plugin that offers /dev/fuse, such as smarter-devices/fuse: 1 (the last command shows what the nodes offer),`,
      ),
    'module-missing': (data) =>
      advice(
        'Load the module fuse on the nodes (modprobe fuse), and have their image or bootstrap load it at every start; or let a CSI driver mount.',
        sh`kubectl get ${data.workload} -n ${data.namespace} -o wide`,
      ),
    'mode-denies': (data) =>
      inTemplate(
        data,
        `Run container ${data.container} as a user that may open the device, or let a device plugin hand it out with a mode that admits its user,`,
      ),
  },
  judge: ({ have: { scene }, subject }) => {
    if (scene.state === 'absent') return { status: 'not-applicable', reason: 'the pod mounts nothing by itself' }
    const seen = scene.value
    const { pod, errors } = seen
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const said = saidFor(errors, id)
    const fuse = containersOf(seen).filter(runsFuse)
    const given = (one: MountingContainer): boolean =>
      one.privileged || one.devices.length > 0 || pod?.annotations[byAnnotation]?.includes('/dev/fuse') === true
    const [suspect = fuse[0]] = fuse.filter((one) => !given(one))
    const data: Data = {
      ...place,
      container: suspect?.name ?? 'of the pod',
      tool: suspect?.calls[0]?.[0] ?? 'a FUSE mounter',
      node: pod?.node === undefined ? 'the node of the pod' : `node ${pod.node}`,
      mode: 'of a mode that keeps this user out, and',
      owner: 'another one',
      uid: suspect?.user === undefined ? 'a user that is not its owner' : `uid ${suspect.user}`,
    }
    const evidence: Evidence[] = fuse.map((one) => ({
      question: scene.from,
      path: `container ${one.name}`,
      observed: `privileged ${one.privileged}, hostPath /dev/fuse ${one.mountsDevice}, devices ${one.devices.join(', ') || 'none'}`,
    }))
    const texts = said.map(({ error }) => ofError(error))
    const failing = (message: keyof typeof messages) => ({
      ...({ status: 'fail', message, data, evidence: [...texts, ...evidence] } as const),
    })
    const denied = provedBy(said, 'device-cgroup-denies')
    if (fuse.some((one) => !given(one) && one.mountsDevice)) return failing('device-cgroup-denies')
    if (denied !== undefined && (fuse.length === 0 || fuse.some((one) => !given(one))))
      return failing('device-cgroup-denies')
    if (fuse.some((one) => !given(one) && !one.mountsDevice)) return failing('no-device')
    const absentDevice = said.some(({ message }) => message === undefined)
    if (absentDevice && fuse.length > 0) return failing('module-missing')
    if (provedBy(said, 'mode-denies') !== undefined) return failing('mode-denies')
    if (said.length > 0)
      return {
        status: 'undecided',
        lacks: absentDevice
          ? 'whether the container is given no /dev/fuse, or its node lacks the module'
          : 'why a container that is given the device may not open it',
        lift: 'kubectl get pods -A -o yaml',
        evidence: [...texts, ...evidence],
      }
    if (fuse.length === 0) return { status: 'not-applicable', reason: 'the pod mounts nothing by itself' }
    return { status: 'pass', evidence }
  },
})
