/** Recognises Google's workload identity pool providers: which issuer each of them federates; and clusters of GKE. */
import type { Fact, Question } from '../../core/fact.ts'
import { isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { type Document, type Recogniser, told } from './document.ts'

const providerName = /\/workloadIdentityPools\/[^/]+\/providers\/[^/]+$/

export function gcpDocuments(): Recogniser {
  const providers = new Map<string, JsonObject>()
  const clusters: JsonObject[] = []
  const take = ({ value }: Document): boolean => {
    const name = textAt(value, 'name')
    if (isObject(value) && /container\.googleapis\.com\/.*\/clusters\//.test(textAt(value, 'selfLink') ?? '')) {
      const { selfLink, privateClusterConfig, workloadIdentityConfig } = value
      const cluster: { [key: string]: Json } = { name: name ?? '' }
      for (const [key, member] of Object.entries({ selfLink, privateClusterConfig, workloadIdentityConfig }))
        if (member !== undefined) cluster[key] = member
      clusters.push(cluster)
      return true
    }
    if (!isObject(value) || name === undefined || !providerName.test(name)) return false
    const { oidc, state, attributeMapping, attributeCondition, disabled } = value
    const more = { oidc, state, attributeMapping, attributeCondition, disabled }
    const kept: { [key: string]: Json } = { name }
    for (const [key, member] of Object.entries(more)) if (member !== undefined) kept[key] = member
    providers.set(name, kept)
    return true
  }
  // A list of providers is of one pool only, so nobody has said that there are no others.
  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'gcp') return undefined
    const [cluster] = clusters
    // Of several nobody says which one is examined.
    if (question.call === 'container.clusters.get')
      return cluster !== undefined && clusters.length === 1 ? told(cluster, question) : undefined
    return question.call === 'iam.workloadIdentityPoolProviders.list' && providers.size > 0
      ? told({ providers: [...providers.values()], complete: false }, question)
      : undefined
  }
  return { take, answer }
}
