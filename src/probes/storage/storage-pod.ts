/** The pod, or the pod template, where it shows something of mounting; absent where it shows nothing. */
import {
  type Absent,
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  known,
  type Question,
  type Soon,
} from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readWorkload } from '../../domain/workload-objects.ts'
import type { Pod } from '../../domain/workloads.ts'
import { messagesSaid } from '../../knowledge/error-texts.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { templateResources } from '../cluster/pods.ts'
import { listed } from '../lists.ts'
import { errorsOfPod } from '../workload/observed-errors.ts'
import { pod } from '../workload/pod.ts'

/** Of what does not matter: one for all pods of a large cluster, hardly any of which mounts a store. */
export const nothing: Absent = absent({ system: 'probe', call: 'storage', input: {} })

/** Of a ServiceAccount whose pods nobody saw: the template that would make them. */
async function templateOf({ subject, ask }: Inquiry, from: Question): Promise<Fact<Pod>> {
  const lists = await Promise.all(
    templateResources.map(async (resource) =>
      listed(await ask(kubernetes.list(resource, subject.namespace)), readWorkload),
    ),
  )
  for (const list of lists) {
    const found =
      list.state === 'known'
        ? list.value.items.find(
            ({ storage, serviceAccount }) => storage !== undefined && serviceAccount === subject.name,
          )
        : undefined
    if (found !== undefined) return known(found, list.from)
  }
  return absent(from)
}

/** What a pod or its template mounts. */
export const storagePod = defineProbe({
  id: 'storage/pod',
  about: 'what the pod mounts',
  scope: 'pod',
  needs: {},
  wants: { pod },
  ask: (_have, { pod }, inquiry): Soon<Fact<Pod>> => {
    if (pod.state === 'known') return pod.value.storage === undefined ? nothing : pod
    return inquiry.subject.kind === 'ServiceAccount' ? templateOf(inquiry, pod.from) : nothing
  },
})

const checks = [
  'csi-driver-is-registered',
  'csi-driver-receives-tokens',
  'kubelet-may-request-driver-audience',
  'fuse-device-is-openable',
  'fuse-mount-is-permitted',
  'driver-has-its-own-identity',
  'mounter-supports-the-identity',
  'mounter-asks-for-the-identity',
  'mountpoint-s3-volume-is-consistent',
  'blob-volume-uses-workload-identity',
  'blob-volume-needs-no-account-key',
  'gcsfuse-sidecar-is-injected',
  'gcsfuse-volume-can-authenticate',
  'store-admits-the-identity',
  'mount-is-alive',
] as const
/** By check: the fragments that lead to it, and the message that each proves by itself. */
export const saidOf: ReadonlyMap<string, ReadonlyMap<string, string | undefined>> = new Map(
  checks.map((name) => [`storage/${name}`, messagesSaid(`storage/${name}`)] as const),
)
const ofStorage = new Set([...saidOf.values()].flatMap((fragments) => [...fragments.keys()]))
export const isOfStorage = ({ fragment }: ObservedError): boolean => ofStorage.has(fragment)

/** Known error texts about storage that speak of the pod; absent where there are none. */
export const storageErrors = defineProbe({
  id: 'storage/pod-errors',
  about: 'known error texts about volumes in logs and events',
  scope: 'pod',
  needs: {},
  wants: { errorsOfPod },
  ask: (_have, { errorsOfPod }): Fact<readonly ObservedError[]> => {
    if (errorsOfPod.state !== 'known' || errorsOfPod.value.length === 0) return nothing
    const found = errorsOfPod.value.filter(isOfStorage)
    return found.length === 0 ? nothing : known(found, errorsOfPod.from)
  },
})

/** Whether storage matters for the pod at all. */
export const mounts = defineProbe({
  id: 'storage/mounts',
  about: 'whether the pod mounts a store',
  scope: 'pod',
  needs: {},
  wants: { storagePod, storageErrors },
  ask: (_have, { storagePod, storageErrors }): Fact<true> => {
    if (storageErrors.state === 'known') return known(true, storageErrors.from)
    if (storagePod.state === 'known') return known(true, storagePod.from)
    return nothing
  },
})
