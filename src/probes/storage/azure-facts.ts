/** What Azure tells of a volume: its storage account, and whether the cluster means workload identity; asked only where that matters. */
import { absent, defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { azure, kubernetes } from '../../domain/questions.ts'
import { attribute, blobDriver, filesDriver } from '../../domain/storage-volumes.ts'
import { nothing } from './storage-pod.ts'
import { volumes } from './volumes.ts'

export type StorageAccount = {
  readonly name: string
  readonly sharedKeys: boolean | undefined
  readonly publicAccess: string | undefined
  readonly defaultAction: string | undefined
  readonly hierarchical: boolean | undefined
  readonly status: string | undefined
}

export const storageAccount = defineProbe({
  id: 'storage/storage-account',
  about: 'the storage account of the volume',
  scope: 'object',
  needs: {},
  wants: { volumes },
  ask: (_have, { volumes }, { ask }): Soon<Fact<StorageAccount>> => {
    const [volume] = volumes.state === 'known' ? volumes.value : []
    if (volume === undefined) return nothing
    const question = azure.storageAccounts()
    if (volume.driver !== blobDriver && volume.driver !== filesDriver) return absent(question)
    if (attribute(volume, 'protocol')?.toLowerCase() === 'nfs') return absent(question)
    const name = attribute(volume, 'storageAccount') ?? attribute(volume, 'storageAccountName')
    return onward(ask(question), (answer): Fact<StorageAccount> => {
      if (answer.state !== 'known') return answer
      const all = listAt(answer.value, 'accounts')
      const found = all.find((one) => textAt(one, 'name') === name)
      if (found === undefined)
        return unknown(
          'not-collected',
          `storage account ${name ?? 'of the volume'} was not seen`,
          question,
          'az storage account list > accounts.json',
        )
      const flag = (member: string): boolean | undefined => {
        const value = at(found, member)
        return typeof value === 'boolean' ? value : undefined
      }
      return known(
        {
          name: textAt(found, 'name') ?? '',
          sharedKeys: flag('allowSharedKeyAccess'),
          publicAccess: textAt(found, 'publicNetworkAccess'),
          defaultAction: textAt(found, 'defaultAction'),
          hierarchical: flag('isHnsEnabled'),
          status: textAt(found, 'statusOfPrimary'),
        },
        answer.from,
      )
    })
  },
})

/** Why workload identity is meant here; asked only of a volume that asks for a managed identity of the node. */
export const meansWorkloadIdentity = defineProbe({
  id: 'storage/means-workload-identity',
  about: 'whether the cluster means workload identity',
  scope: 'object',
  needs: {},
  wants: { volumes },
  ask: async (_have, { volumes }, { ask }): Promise<Fact<string>> => {
    const question = azure.managedClusters()
    const [volume] = volumes.state === 'known' ? volumes.value : []
    if (volume?.driver !== blobDriver || attribute(volume, 'AzureStorageAuthType')?.toLowerCase() !== 'msi')
      return absent(question)
    const claim = volume.claim
    if (claim !== undefined) {
      const accounts = await ask(kubernetes.list('serviceaccounts', claim.namespace))
      const bound =
        accounts.state === 'known'
          ? listAt(accounts.value, 'items').find(
              (one) => textAt(one, 'metadata', 'annotations', azureClientAnnotation) !== undefined,
            )
          : undefined
      if (bound !== undefined)
        return known(
          `ServiceAccount ${textAt(bound, 'metadata', 'name')} is annotated for workload identity`,
          accounts.from,
        )
    }
    const answer = await ask(question)
    if (answer.state !== 'known') return answer
    const clusters = listAt(answer.value, 'clusters')
    return clusters.some((one) => at(one, 'workloadIdentity') === true)
      ? known('workload identity is enabled in the cluster', answer.from)
      : absent(answer.from)
  },
})
