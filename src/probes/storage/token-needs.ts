/** What a CSI driver has to be handed for the volumes that use the pod's identity; absent where none does. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import {
  blobDriver,
  type CsiDriver,
  filesDriver,
  gcsDriver,
  inlineVolumes,
  podAudience,
  readCsiDriver,
  readPersistentVolume,
  readStorageClass,
  s3Driver,
  type Volume,
} from '../../domain/storage-volumes.ts'
import { readPod } from '../read-once.ts'
import { driverErrors } from './object-errors.ts'
import { saidFor } from './words.ts'

export type TokenNeeds = {
  /** Undefined where only a text speaks of one. */
  readonly driver?: CsiDriver
  /** One of those that use the pod's identity. */
  readonly volume: string
  /** Undefined where it is that of a workload pool which nobody has seen. */
  readonly audience?: string
  readonly unseenPool: boolean
}

const id = 'storage/csi-driver-receives-tokens'
const withTokens: ReadonlySet<string> = new Set([blobDriver, filesDriver, s3Driver, gcsDriver])
/** Enough for whoever looks at a few workloads; a whole cluster has its volumes as objects. */
const mostPods = 50

export const tokenNeeds = defineProbe({
  id: 'storage/token-needs',
  about: 'what the driver has to be handed',
  scope: 'object',
  needs: {},
  wants: { driverErrors },
  ask: async (_have, { driverErrors }, { subject, subjects, ask }): Promise<Fact<TokenNeeds>> => {
    const question = kubernetes.get('csidrivers', undefined, subject.name)
    const said = driverErrors.state === 'known' && saidFor(driverErrors.value, id).length > 0
    if (subject.kind === 'Cluster')
      return said ? known({ volume: 'the volume', unseenPool: false }, driverErrors.from) : absent(question)
    if (!withTokens.has(subject.name)) return absent(question)
    const answer = await ask(question)
    if (answer.state !== 'known') return answer
    const driver = readCsiDriver(answer.value)
    if (driver === undefined) return absent(question)
    const volumes: Volume[] = []
    for (const [resource, read] of [
      ['persistentvolumes', readPersistentVolume],
      ['storageclasses', readStorageClass],
    ] as const) {
      const list = await ask(kubernetes.list(resource))
      if (list.state === 'known') volumes.push(...listAt(list.value, 'items').flatMap((one) => read(one) ?? []))
    }
    for (const { namespace, name } of subjects.filter(({ kind }) => kind === 'Pod').slice(0, mostPods)) {
      const fact = await ask(kubernetes.get('pods', namespace, name))
      const pod = fact.state === 'known' ? readPod(fact.value) : undefined
      if (pod?.storage !== undefined) volumes.push(...inlineVolumes(`pod ${pod.name}`, pod.storage))
    }
    const own = volumes.filter((one) => one.driver === driver.name)
    if (driver.name === gcsDriver) {
      const cluster = await ask(gcp.cluster())
      const pool =
        cluster.state === 'known' ? textAt(cluster.value, 'workloadIdentityConfig', 'workloadPool') : undefined
      return known(
        {
          driver,
          volume: own[0]?.id ?? 'each of its volumes',
          unseenPool: pool === undefined,
          ...(pool === undefined ? {} : { audience: pool }),
        },
        answer.from,
      )
    }
    const ofPod = own.find((one) => podAudience(one) !== undefined)
    const audience = ofPod === undefined ? undefined : podAudience(ofPod)
    return ofPod === undefined || audience === undefined
      ? absent(answer.from)
      : known({ driver, volume: ofPod.id, audience, unseenPool: false }, answer.from)
  },
})
