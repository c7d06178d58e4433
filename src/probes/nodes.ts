/** Which nodes are judged: those that were named or collected, and those whose agent judged pods ask. */
import type { Fact } from '../core/fact.ts'
import { type Json, listAt, textAt } from '../core/json.ts'
import { type Subject, subjectKey } from '../core/subject.ts'
import { asksPodIdentityAgent } from '../domain/aws-injection.ts'
import type { Pod } from '../domain/workloads.ts'
import { type Listed, listed } from './lists.ts'

/** Names of nodes. A node of another cloud has nobody to judge it; among documents a node stands for itself. */
export const nodesIn = (fact: Fact<Json>, documents: boolean): Fact<Listed<string>> => {
  const all = listed(fact, (node) => {
    const name = textAt(node, 'metadata', 'name')
    return name === undefined
      ? undefined
      : { name, fits: documents || textAt(node, 'spec', 'providerID')?.startsWith('aws:///') === true }
  })
  if (all.state !== 'known') return all
  const items = all.value.items.flatMap(({ name, fits }) => (fits ? name : []))
  return { ...all, value: { items, complete: all.value.complete } }
}

/** Those that are tagged as machines of a cluster: what else runs in the account is nobody's node. */
export const machineNames = (answer: Json): readonly string[] =>
  listAt(answer, 'Reservations')
    .flatMap((one) => listAt(one, 'Instances'))
    .filter((machine) => listAt(machine, 'Tags').length > 0)
    .flatMap((machine) => textAt(machine, 'PrivateDnsName') || [])

/** The nodes that were asked about, those whose Pod Identity agent judged pods ask for credentials, and those that matter to a pod. */
export function nodesOf(
  whole: ReadonlySet<string>,
  pods: readonly Pod[],
  matters: (pod: Pod) => boolean,
): readonly Subject[] {
  const users = new Map<string, string[]>([...whole].map((name) => [name, []]))
  for (const pod of pods) {
    if (pod.node === undefined || !(asksPodIdentityAgent(pod) || matters(pod))) continue
    const keys = users.get(pod.node) ?? []
    keys.push(
      `Pod ${pod.namespace}/${pod.name}`,
      subjectKey({ kind: 'ServiceAccount', namespace: pod.namespace, name: pod.serviceAccount }),
    )
    users.set(pod.node, keys)
  }
  return [...users].map(([name, of]) => ({
    kind: 'Node',
    name,
    ...(of.length > 0 ? { of: [...new Set(of)] } : {}),
    ...(whole.has(name) ? { whole: true } : {}),
  }))
}
