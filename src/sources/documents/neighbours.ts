/** Recognises lists of the clouds that only checks of systems on top of them ask for: buckets, AKS clusters, assignments, project policies. */
import type { Fact, Question } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { aws, azure, gcp } from '../../domain/questions.ts'
import { type Recogniser, told } from './document.ts'

const pick = (value: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.flatMap((name) => (value[name] === undefined ? [] : [[name, value[name] ?? null]])))

const isAks = (value: JsonObject): boolean => /\/managedClusters\/[^/]+$/i.test(textAt(value, 'id') ?? '')
const isIdentity = (value: JsonObject): boolean =>
  /\/userAssignedIdentities\/[^/]+$/i.test(textAt(value, 'id') ?? '') && textAt(value, 'clientId') !== undefined
const isAssignment = (value: JsonObject): boolean =>
  textAt(value, 'principalId') !== undefined && textAt(value, 'scope') !== undefined

export function neighbourDocuments(): Recogniser {
  const buckets = new Set<string>()
  let bucketsComplete = false
  const clusters: JsonObject[] = []
  const identities: JsonObject[] = []
  const assignments: JsonObject[] = []
  /** By project, which the name of the file tells. */
  const policies = new Map<string, JsonObject>()

  return {
    take: ({ value, stem }) => {
      if (!isObject(value) || value.apiVersion !== undefined) return false
      if (isList(value.Buckets)) {
        for (const one of value.Buckets) buckets.add(textAt(one, 'Name') ?? '')
        bucketsComplete = value.ContinuationToken === undefined
        return true
      }
      // The resource manager wraps in properties what the command line prints flat.
      const flat = isObject(value.properties) ? { ...value, ...value.properties } : value
      if (isAks(value))
        clusters.push(pick(flat, ['id', 'name', 'location', 'resourceGroup', 'oidcIssuerProfile', 'securityProfile']))
      else if (isIdentity(flat)) identities.push(pick(flat, ['id', 'name', 'clientId', 'principalId', 'location']))
      else if (isAssignment(flat))
        assignments.push(
          pick(flat, ['principalId', 'principalName', 'roleDefinitionName', 'roleDefinitionId', 'scope']),
        )
      else if (
        isList(value.bindings) &&
        listAt(value, 'bindings').every((one) => textAt(one, 'role')?.startsWith('roles/'))
      )
        policies.set(stem.replace(/^projects?[_/-]/, ''), { bindings: value.bindings })
      else return false
      return true
    },
    answer: (question: Question): Fact<Json> | undefined => {
      const { call } = question
      if (call === aws.buckets().call)
        return buckets.size === 0 && !bucketsComplete
          ? undefined
          : told({ Buckets: [...buckets].map((Name) => ({ Name })), complete: bucketsComplete }, question)
      if (call === azure.cluster().call) {
        const [cluster] = clusters
        // Of several nobody says which one is examined.
        return cluster !== undefined && clusters.length === 1 ? told(cluster, question) : undefined
      }
      if (call === azure.managedIdentities().call)
        return identities.length === 0 ? undefined : told({ identities, complete: false }, question)
      if (call === azure.roleAssignments().call)
        return assignments.length === 0 ? undefined : told({ assignments, complete: false }, question)
      if (call === gcp.projectPolicy('').call) {
        const [only] = policies.values()
        const policy = policies.get(textAt(question.input, 'project') ?? '') ?? (policies.size === 1 ? only : undefined)
        return policy === undefined ? undefined : told(policy, question)
      }
      return undefined
    },
  }
}
