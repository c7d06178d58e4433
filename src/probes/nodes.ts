/** Which nodes are judged: those that were named or collected, and those whose agent judged pods ask. */
import type { Fact } from '../core/fact.ts'
import { type Json, listAt, textAt } from '../core/json.ts'
import { keyOfSubject, type Subject } from '../core/subject.ts'
import { asksPodIdentityAgent } from '../domain/aws-injection.ts'
import { hasTaint, shutDown, uninitialized, virtualNode } from '../domain/kubernetes-cloud-picks.ts'
import type { Pod } from '../domain/workloads.ts'
import { type Listed, listed } from './lists.ts'

/** A node of AWS, one that waits for its cloud, one that stands for machines elsewhere. */
const isJudged = (node: Json): boolean =>
  textAt(node, 'spec', 'providerID')?.startsWith('aws:///') === true ||
  [uninitialized, shutDown, virtualNode].some((taint) => hasTaint(node, taint))

/** Names of nodes. Of another cloud only those are judged of which somebody speaks; among documents a node stands for itself. */
export const nodesIn = (fact: Fact<Json>, documents: boolean): Fact<Listed<string>> => {
  const all = listed(fact, (node) => {
    const name = textAt(node, 'metadata', 'name')
    return name === undefined ? undefined : { name, fits: documents || isJudged(node) }
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
      keyOfSubject({ kind: 'ServiceAccount', namespace: pod.namespace, name: pod.serviceAccount }),
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
