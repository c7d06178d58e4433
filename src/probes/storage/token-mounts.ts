/** The blob volumes that are mounted by token, and who mounts them on which node; absent where there are none. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { listAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import {
  attribute,
  blobDriver,
  inlineVolumes,
  readPersistentVolume,
  type Volume,
} from '../../domain/storage-volumes.ts'
import { listed } from '../lists.ts'
import { readPod } from '../read-once.ts'
import { versionIn } from './driver-uses.ts'

const byToken = (volume: Volume): boolean =>
  volume.driver === blobDriver &&
  Boolean(attribute(volume, 'clientID')) &&
  attribute(volume, 'mountWithWorkloadIdentityToken') === 'true'

export type TokenMount = {
  readonly node: string
  readonly account: string
  readonly storageAccount: string
  readonly client: string
}
export type TokenMounts = {
  readonly mounts: readonly TokenMount[]
  /** Whether all pods were seen. */
  readonly complete: boolean
  /** Of the driver, where it was seen. */
  readonly version?: string
}

/** Looked for only where a cluster is judged as such: no single workload shows it. */
export const tokenMounts = defineProbe({
  id: 'storage/token-mounts',
  about: 'the blob volumes that are mounted by token',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, { subject, ask }): Promise<Fact<TokenMounts>> => {
    const question = kubernetes.list('persistentvolumes')
    if (subject.whole !== true) return absent({ ...question, input: { whole: false } })
    const answer = listed(await ask(question), readPersistentVolume)
    const volumes = answer.state === 'known' ? answer.value.items.filter(byToken) : []
    if (volumes.length === 0) return absent(question)
    const asked = kubernetes.list('pods')
    const pods = listed(await ask(asked), readPod)
    if (pods.state !== 'known') return pods
    const mounts = pods.value.items.flatMap((pod) => {
      if (pod.node === undefined || pod.storage === undefined) return []
      const claims = new Set(pod.storage.volumes.map(({ claim }) => claim))
      const own = [
        ...volumes.filter(({ claim }) => claim?.namespace === pod.namespace && claims.has(claim.name)),
        ...inlineVolumes(pod.name, pod.storage).filter(byToken),
      ]
      return own.map((one) => ({
        ...{ node: pod.node ?? '', account: `${pod.namespace}/${pod.serviceAccount}` },
        ...{ storageAccount: attribute(one, 'storageAccount') ?? '', client: attribute(one, 'clientID') ?? '' },
      }))
    })
    const sets = await ask(kubernetes.list('daemonsets', 'kube-system'))
    const version = sets.state === 'known' ? versionIn(listAt(sets.value, 'items'), blobDriver)?.version : undefined
    return known({ mounts, complete: pods.value.complete, ...(version === undefined ? {} : { version }) }, asked)
  },
})
