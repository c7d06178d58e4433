/** The AKS or Arc cluster as the resource manager shows it; asked only where something of Azure is in use. */
import { absent, defineProbe, type Fact, inquire, type Soon } from '../../core/fact.ts'
import { at, isObject, type Json, textAt } from '../../core/json.ts'
import { azure } from '../../domain/questions.ts'
import { azureInUse } from './use.ts'

export type AzureCluster = {
  readonly name: string
  readonly isArc: boolean
  readonly id?: string
  readonly resourceGroup: string
  readonly location?: string
  /** Whether the document shows the profile at all; an abridged one says nothing. */
  readonly showsIssuer: boolean
  readonly issuerEnabled?: boolean
  readonly issuerUrl?: string
  readonly showsAddOn: boolean
  readonly addOnEnabled?: boolean
  readonly restrictsMetadata: boolean
}

function read(json: Json): AzureCluster | undefined {
  const name = textAt(json, 'name')
  if (name === undefined) return undefined
  const id = textAt(json, 'id')
  const location = textAt(json, 'location')
  const enabled = at(json, 'oidcIssuerProfile', 'enabled')
  const url = textAt(json, 'oidcIssuerProfile', 'issuerUrl')
  const addOn = at(json, 'securityProfile', 'workloadIdentity', 'enabled')
  return {
    name,
    isArc: /connectedclusters/i.test(textAt(json, 'type') ?? ''),
    resourceGroup: textAt(json, 'resourceGroup') ?? 'GROUP',
    showsIssuer: isObject(at(json, 'oidcIssuerProfile')),
    showsAddOn: isObject(at(json, 'securityProfile', 'workloadIdentity')),
    restrictsMetadata: textAt(json, 'podLinkLocalAccess') === 'None',
    ...(id === undefined ? {} : { id }),
    ...(location === undefined ? {} : { location }),
    ...(typeof enabled === 'boolean' ? { issuerEnabled: enabled } : {}),
    ...(url === undefined || url === '' ? {} : { issuerUrl: url }),
    ...(typeof addOn === 'boolean' ? { addOnEnabled: addOn } : {}),
  }
}

export const azureCluster = defineProbe({
  id: 'azure/cluster',
  about: 'the cluster as the resource manager shows it',
  scope: 'cluster',
  needs: { azureInUse },
  wants: {},
  ask: ({ azureInUse }, _want, inquiry): Soon<Fact<AzureCluster>> =>
    azureInUse.state === 'absent' ? absent(azure.cluster()) : inquire(inquiry, azure.cluster(), read),
})
