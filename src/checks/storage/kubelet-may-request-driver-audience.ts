/** Whether the API server lets the kubelet ask for tokens of the audience that the pod's driver needs. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { driversOfPod } from '../../probes/storage/drivers-of-pod.ts'
import { scene } from '../../probes/storage/scene.ts'
import { mounts } from '../../probes/storage/storage-pod.ts'
import { partOf, saidFor } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const id = 'storage/kubelet-may-request-driver-audience'

type Data = Place & {
  readonly volume: string
  readonly kind: string
  readonly version: string
  readonly driver: string
  readonly audience: string
  readonly reason: string
}

const messages = {
  'in-tree-volume': ({ volume, kind, version, driver, audience }: Data) =>
    `${volume} is an in-tree ${kind}; ${version} serves it through ${driver} without letting kubelet ask for ${audience}`,
  'not-declared': ({ driver, audience }: Data) =>
    `neither a projected volume of the pod nor ${driver} declares ${audience}, so kubelet may not ask for it`,
  'wrong-node': ({ reason }: Data) => `the token was asked for by a node that does not run the pod (${reason})`,
}

export const check = defineCheck({
  meta: {
    id,
    title: 'The kubelet may request the audience that the driver needs',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Storage',
    why: 'From Kubernetes 1.33 on (seen on 1.32.0) a kubelet gets tokens only for audiences that the pod or its CSI driver declares; without one the volume never mounts.',
    fix: {
      safety: 'review',
      does: 'Grant request-serviceaccounts-token-audience for the one audience and the one ServiceAccount to system:nodes, or write the volume as spec.csi; never grant it with a wildcard.',
    },
    links: [
      'https://github.com/Azure/AKS/issues/4821',
      'https://github.com/kubernetes/kubernetes/issues/129993',
      'https://github.com/kubernetes/kubernetes/issues/129935',
      'https://github.com/kubernetes/test-infra/issues/33953',
    ],
  },
  only: { probe: mounts, otherwise: 'no driver of the pod needs a token' },
  needs: { scene },
  wants: { driversOfPod },
  after: ['storage/csi-driver-is-registered'],
  messages,
  remedies: {
    'in-tree-volume': (data) => {
      const { where, commands } = editTemplate(data)
      return advice(
        `Write ${data.volume} as a csi volume of driver ${data.driver}, in ${where} or its PersistentVolume, or upgrade the control plane to a version that counts such drivers.`,
        ...commands,
      )
    },
    'not-declared': (data) =>
      advice(
        `Have the installer of the driver declare tokenRequests for ${data.audience} (a value of its chart, or an upgrade of its add-on), or grant the verb request-serviceaccounts-token-audience on ${data.audience} for the one ServiceAccount to group system:nodes.`,
        'kubectl get csidrivers -o yaml',
      ),
    'wrong-node': (data) =>
      advice(
        'Let the pod start anew: the node that asked does not have it any more. Where that comes again, look for a kubelet with the name or the credentials of another node.',
        sh`kubectl get pods -n ${data.namespace} -o wide`,
      ),
  },
  judge: ({ have: { scene }, want: { driversOfPod }, subject }) => {
    const none = { status: 'not-applicable', reason: 'no driver of the pod needs a token' } as const
    if (scene.state === 'absent') return none
    const { pod, volumes, errors } = scene.value
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const said = saidFor(errors, id)
    const drivers = driversOfPod.state === 'known' ? driversOfPod.value : []
    const evidence: Evidence[] = [
      ...said.map(({ error }) => ofError(error)),
      ...drivers.map(({ driver, audience, declared }) => ({
        question: driversOfPod.from,
        path: `items["${driver}"].spec.tokenRequests`,
        observed: declared.join(', ') || 'none',
        expected: audience,
      })),
    ]
    const [first] = said
    if (first !== undefined) {
      const { text } = first.error
      const audience = partOf(
        text,
        /audience \\*"([^"\\]{1,200})\\*"/,
        partOf(text, /for audience ([\w:/.-]{1,200})/, 'the audience'),
      )
      const inTree = volumes.find((one) => one.inTree !== undefined)
      const driver = drivers.find((one) => one.audience === audience)?.driver
      const data: Data = {
        ...{ ...place, volume: inTree?.id ?? 'the volume', kind: inTree?.inTree?.source ?? 'volume' },
        version: partOf(text, /\b(v?1\.\d{2}\.\d{1,2})\b/, 'this version of Kubernetes'),
        driver: inTree?.inTree?.driver ?? (driver === undefined ? 'a CSIDriver that it uses' : `CSIDriver ${driver}`),
        audience: audience === '' ? 'the audience of the API server' : audience,
        reason: /different node/.test(text)
          ? 'the pod is scheduled to a different one'
          : 'the token was not bound to a pod',
      }
      const failing = (message: keyof typeof messages) => ({ status: 'fail', message, data, evidence }) as const
      if (/not bound to a pod|scheduled on a different node/.test(text)) return failing('wrong-node')
      if (inTree !== undefined) return failing('in-tree-volume')
      const declared = drivers.find((one) => one.audience === audience && one.declared.includes(audience))
      if (declared === undefined && /audience/.test(text) && !/0 or 1 audiences/.test(text)) {
        if (driversOfPod.state === 'unknown')
          return {
            status: 'undecided',
            lacks: 'which audiences the drivers of the pod declare',
            lift: 'kubectl get csidrivers -o yaml',
            evidence,
          }
        return failing('not-declared')
      }
      return { status: 'undecided', lacks: 'which volume of the pod the token was asked for', evidence }
    }
    if (drivers.length === 0) return none
    // Whether the API server insists depends on its version; that a driver asks for less is another check's to say.
    return drivers.every(({ audience, declared }) => declared.includes(audience)) ? { status: 'pass', evidence } : none
  },
})
