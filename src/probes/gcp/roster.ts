/** Who of Google's is judged beside the workloads: accounts, policies, configurations and stores, and the nodes of bound pods. */
import type { Fact, Question } from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import { keyOfSubject, type Subject, subjectKey } from '../../core/subject.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { admits, namedBy } from '../../domain/gcp-members.ts'
import { grantsOf, nameOfResource, readPolicy } from '../../domain/gcp-policies.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import type { Pod, ServiceAccount } from '../../domain/workloads.ts'
import { mapBehind } from './federation.ts'
import { configurationsIn } from './world.ts'

export type GoogleRoster = {
  readonly collected: Json | undefined
  readonly maps: readonly Json[]
  readonly stores: readonly Json[]
}

/** What a folder holds; a live cluster is asked none of it. */
export async function lookForGoogle(
  ask: (question: Question) => Promise<Fact<Json>>,
  documents: boolean,
): Promise<GoogleRoster> {
  if (!documents) return { collected: undefined, maps: [], stores: [] }
  const [collected, maps, ...stores] = await Promise.all([
    ask(gcp.collected()),
    ask(kubernetes.list('configmaps')),
    ask(kubernetes.list('secretstores')),
    ask(kubernetes.list('clustersecretstores')),
  ])
  const items = (fact: Fact<Json>): readonly Json[] => (fact.state === 'known' ? listAt(fact.value, 'items') : [])
  return {
    collected: collected.state === 'known' ? collected.value : undefined,
    maps: items(maps),
    stores: stores.flatMap(items),
  }
}

/** ServiceAccounts that a grant names plainly: they have an identity of Google's without an annotation. */
export function grantedIn({ collected }: GoogleRoster): ReadonlySet<string> {
  const found = new Set<string>()
  for (const one of listAt(collected, 'policies'))
    for (const { member } of grantsOf(readPolicy('', at(one, 'policy') ?? null) ?? { resource: '', bindings: [] })) {
      const named = namedBy(member)
      if (named !== undefined)
        found.add(keyOfSubject({ kind: 'ServiceAccount', namespace: named.namespace, name: named.name }))
    }
  return found
}

/** The subjects behind what was found, each hung to the ServiceAccounts that it is about. */
export function googleSubjects(
  found: GoogleRoster,
  accounts: readonly Subject[],
  known: ReadonlyMap<string, ServiceAccount>,
  pods: Iterable<Pod>,
): readonly Subject[] {
  const subjects = new Map<
    string,
    { readonly kind: string; readonly name: string; readonly namespace?: string; readonly of: string[] }
  >()
  const add = (kind: string, name: string, of?: string, namespace?: string): void => {
    const key = `${kind} ${namespace ?? ''}/${name}`
    const before = subjects.get(key) ?? { kind, name, ...(namespace === undefined ? {} : { namespace }), of: [] }
    if (of !== undefined && !before.of.includes(of)) before.of.push(of)
    subjects.set(key, before)
  }
  for (const subject of accounts) {
    const key = subjectKey(subject)
    const email = known.get(key)?.annotations[googleAnnotation]
    if (email !== undefined && /@[a-z0-9.:-]+gserviceaccount\.com$/.test(email)) add('GoogleServiceAccount', email, key)
  }
  for (const one of listAt(found.collected, 'accounts')) if (typeof one === 'string') add('GoogleServiceAccount', one)
  for (const one of listAt(found.collected, 'policies')) {
    const resource = textAt(one, 'resource') ?? ''
    const name = nameOfResource(resource)
    const kind = resource.startsWith('projects/')
      ? 'GoogleProject'
      : resource.startsWith('buckets/')
        ? 'Bucket'
        : 'GoogleServiceAccount'
    const policy = readPolicy(resource, at(one, 'policy') ?? null)
    add(kind, name || 'service account')
    for (const { member } of policy === undefined ? [] : grantsOf(policy))
      for (const { namespace, name: account, kind: own } of accounts)
        if (
          own === 'ServiceAccount' &&
          namespace !== undefined &&
          (admits(member, { namespace, name: account }) ?? namedBy(member)?.name === account)
        )
          add(kind, name || 'service account', keyOfSubject({ kind: own, namespace, name: account }))
  }
  for (const one of listAt(found.collected, 'configurations')) {
    const name = textAt(one, 'name')
    if (name !== undefined) add('CredentialConfiguration', name)
  }
  // What a pod reads is its ServiceAccount's; of a live cluster no other is looked for.
  const keys = new Set(accounts.map(subjectKey))
  for (const pod of pods) {
    const of = subjectKey({ kind: 'ServiceAccount', namespace: pod.namespace, name: pod.serviceAccount })
    const map = keys.has(of) ? mapBehind(pod) : undefined
    if (map !== undefined) add('CredentialConfiguration', map.name, of, pod.namespace)
  }
  for (const { name, namespace } of found.maps.flatMap(configurationsIn))
    add('CredentialConfiguration', name, undefined, namespace)
  for (const store of found.stores) {
    const name = textAt(store, 'metadata', 'name')
    const kind = textAt(store, 'kind')
    if (name !== undefined && kind !== undefined && at(store, 'spec', 'provider', 'gcpsm') !== undefined)
      add(kind, name, undefined, textAt(store, 'metadata', 'namespace'))
  }
  return [...subjects.values()].map(({ of, ...one }) => ({ ...one, ...(of.length > 0 ? { of } : {}) }))
}

/** Whether the node of a pod matters: its ServiceAccount is bound to Google. */
export const runsOnGke = ({ namespace, serviceAccount }: Pod, known: ReadonlyMap<string, ServiceAccount>): boolean =>
  known.get(keyOfSubject({ kind: 'ServiceAccount', namespace, name: serviceAccount }))?.annotations[
    googleAnnotation
  ] !== undefined
