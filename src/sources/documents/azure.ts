/** Recognises Entra's federated identity credentials: which issuer, subject and audience each of them takes. */
import type { Fact, Question } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { type Document, type Recogniser, told } from './document.ts'

const call = 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read'

export function azureDocuments(): Recogniser {
  const credentials: JsonObject[] = []
  const clusters: JsonObject[] = []
  const takeOne = (value: Json): boolean => {
    if (!isObject(value)) return false
    // The resource manager wraps in properties what the command line prints flat.
    const body = isObject(value.properties) ? value.properties : value
    const { issuer, subject, audiences } = body
    if (typeof issuer !== 'string' || typeof subject !== 'string' || !isList(audiences)) return false
    const name = textAt(value, 'name')
    credentials.push({ issuer, subject, audiences, ...(name === undefined ? {} : { name }) })
    return true
  }
  const take = ({ value }: Document): boolean => {
    if (isObject(value) && /^Microsoft\.ContainerService\/ManagedClusters$/i.test(textAt(value, 'type') ?? '')) {
      const name = textAt(value, 'name') ?? ''
      const { oidcIssuerProfile } = value
      clusters.push({ name, ...(isObject(oidcIssuerProfile) ? { oidcIssuerProfile } : {}) })
      return true
    }
    if (isObject(value) && isList(value.value) && value.value.length > 0) return value.value.map(takeOne).every(Boolean)
    return takeOne(value)
  }
  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'azure') return undefined
    const [cluster] = clusters
    if (question.call === 'Microsoft.ContainerService/managedClusters/read')
      return cluster !== undefined && clusters.length === 1 ? told(cluster, question) : undefined
    return question.call === call && credentials.length > 0
      ? told({ credentials, complete: false }, question)
      : undefined
  }
  return { take, answer }
}
