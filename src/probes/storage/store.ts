/** The store of a volume or pod, as far as something was seen of it or of its answers; absent where nothing was. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { attribute, blobDriver } from '../../domain/storage-volumes.ts'
import { readPod } from '../read-once.ts'
import { storageAccount } from './azure-facts.ts'
import { storeErrors } from './object-errors.ts'
import { nothing } from './storage-pod.ts'
import { volumes } from './volumes.ts'
import { saidFor } from './words.ts'

export type Store = {
  readonly name?: string
  /** What holds the pod back from being scheduled. */
  readonly gates: readonly string[]
  /** A blob volume that is not mounted as a hierarchical one. */
  readonly flat: boolean
}

export const storeOf = defineProbe({
  id: 'storage/store',
  about: 'the store that is mounted',
  scope: 'object',
  needs: {},
  wants: { volumes, storeErrors, storageAccount },
  ask: (_have, { volumes, storeErrors, storageAccount }, { subject, ask }): Soon<Fact<Store>> => {
    const said =
      storeErrors.state === 'known' && saidFor(storeErrors.value, 'storage/store-admits-the-identity').length > 0
    const [volume] = volumes.state === 'known' ? volumes.value : []
    const name =
      volume === undefined
        ? undefined
        : (attribute(volume, 'bucketName') ?? attribute(volume, 'storageAccount') ?? volume.handle)
    const flat =
      volume?.driver === blobDriver &&
      !volume.mountOptions.some((one) => /use-adls=true/.test(one)) &&
      attribute(volume, 'isHnsEnabled') !== 'true'
    const of = (gates: readonly string[]): Store => ({ gates, flat, ...(name === undefined ? {} : { name }) })
    if (subject.kind !== 'Pod')
      return said || storageAccount.state === 'known'
        ? known(of([]), said ? storeErrors.from : volumes.from)
        : absent(volumes.from)
    return onward(ask(kubernetes.get('pods', subject.namespace, subject.name)), (answer): Fact<Store> => {
      const gates = answer.state === 'known' ? (readPod(answer.value)?.storage?.gates ?? []) : []
      const held = gates.includes('gke-gcsfuse/bucket-scan-pending')
      return said || held || storageAccount.state === 'known' ? known(of(gates), answer.from) : nothing
    })
  },
})
