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
    const name = attribute(volume, 'storageAccount') ?? attribute(volume, 'storageAccountName')
    const question = azure.storageAccount(name ?? '')
    if (volume.driver !== blobDriver && volume.driver !== filesDriver) return absent(question)
    if (attribute(volume, 'protocol')?.toLowerCase() === 'nfs') return absent(question)
    if (name === undefined)
      return unknown('not-collected', 'the volume does not say which storage account it is of', question)
    return onward(ask(question), (answer): Fact<StorageAccount> => {
      if (answer.state !== 'known') return answer
      const found = answer.value
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
    const question = azure.cluster()
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
    return at(answer.value, 'securityProfile', 'workloadIdentity', 'enabled') === true
      ? known('workload identity is enabled in the cluster', answer.from)
      : absent(answer.from)
  },
})
