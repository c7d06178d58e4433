/** Recognises Entra's federated identity credentials: which issuer, subject and audience each of them takes. */
import type { Fact, Question } from '../../core/fact.ts'
import { at, isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { type Document, type Recogniser, told } from './document.ts'

/** A storage account, as far as it matters who may use it and how. */
function storageAccountOf(value: JsonObject): JsonObject | undefined {
  const type = textAt(value, 'type') ?? ''
  const id = textAt(value, 'id') ?? ''
  if (
    !/^Microsoft\.Storage\/storageAccounts$/i.test(type) &&
    !/\/Microsoft\.Storage\/storageAccounts\/[^/]+$/i.test(id)
  )
    return undefined
  const body = isObject(value.properties) ? value.properties : value
  const rules = isObject(body.networkAcls) ? body.networkAcls : isObject(body.networkRuleSet) ? body.networkRuleSet : {}
  const { allowSharedKeyAccess, publicNetworkAccess, isHnsEnabled, statusOfPrimary, provisioningState } = body
  const kept = { allowSharedKeyAccess, publicNetworkAccess, isHnsEnabled, statusOfPrimary, provisioningState }
  const draft: { [key: string]: Json } = { name: textAt(value, 'name') ?? id.slice(id.lastIndexOf('/') + 1) }
  for (const [key, member] of Object.entries({ ...kept, defaultAction: rules.defaultAction }))
    if (member !== undefined) draft[key] = member
  return draft
}

/** An AKS cluster, as far as it tells whether workload identity is meant. */
function managedClusterOf(value: JsonObject): JsonObject | undefined {
  const body = isObject(value.properties) ? value.properties : value
  const type = textAt(value, 'type') ?? ''
  const isOne =
    /^Microsoft\.ContainerService\/managedClusters$/i.test(type) ||
    (isObject(body.oidcIssuerProfile) && (isObject(body.securityProfile) || isObject(body.identityProfile)))
  if (!isOne) return undefined
  return {
    name: textAt(value, 'name') ?? '',
    workloadIdentity: at(body, 'securityProfile', 'workloadIdentity', 'enabled') === true,
    issuer: at(body, 'oidcIssuerProfile', 'enabled') === true,
  }
}

const call = 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read'

export function azureDocuments(): Recogniser {
  const credentials: JsonObject[] = []
  const accounts: JsonObject[] = []
  const clusters: JsonObject[] = []
  const takeOne = (value: Json): boolean => {
    if (!isObject(value)) return false
    const account = storageAccountOf(value)
    if (account !== undefined) accounts.push(account)
    const cluster = managedClusterOf(value)
    if (cluster !== undefined) clusters.push(cluster)
    if (account !== undefined || cluster !== undefined) return true
    // The resource manager wraps in properties what the command line prints flat.
    const body = isObject(value.properties) ? value.properties : value
    const { issuer, subject, audiences } = body
    if (typeof issuer !== 'string' || typeof subject !== 'string' || !isList(audiences)) return false
    const name = textAt(value, 'name')
    credentials.push({ issuer, subject, audiences, ...(name === undefined ? {} : { name }) })
    return true
  }
  const take = ({ value }: Document): boolean => {
    // `az … list` prints a bare list.
    if (
      isList(value) &&
      value.length > 0 &&
      value.every((one) => isObject(one) && textAt(one, 'id')?.startsWith('/subscriptions/'))
    )
      return value.map(takeOne).some(Boolean)
    if (isObject(value) && isList(value.value) && value.value.length > 0) return value.value.map(takeOne).every(Boolean)
    return takeOne(value)
  }
  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'azure') return undefined
    if (question.call === call && credentials.length > 0) return told({ credentials, complete: false }, question)
    if (question.call === 'Microsoft.Storage/storageAccounts/read' && accounts.length > 0)
      return told({ accounts }, question)
    if (question.call === 'Microsoft.ContainerService/managedClusters/read' && clusters.length > 0)
      return told({ clusters }, question)
    return undefined
  }
  return { take, answer }
}
