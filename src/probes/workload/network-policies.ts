/** The NetworkPolicies of the pod's namespace; asked only where the pod has a cloud identity and is bound by policies at all. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { at, isObject, type Json } from '../../core/json.ts'
import { admitsDns, type NetworkPolicy, readNetworkPolicy, restricting } from '../../domain/network-policies.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Texts } from '../../domain/workloads.ts'
import { listed } from '../lists.ts'
import { credentialEndpoint } from './credential-endpoint.ts'
import { pod } from './pod.ts'

export type PoliciesOfPod = {
  /** Those that restrict what the pod may reach. */
  readonly restricting: readonly NetworkPolicy[]
  readonly complete: boolean
  /** Labels of namespace kube-system, asked only where a rule for DNS selects by them. */
  readonly dnsLabels?: Texts
}

/** Each policy is read once, for however many pods. */
const held = new WeakMap<object, NetworkPolicy>()
function read(json: Json): NetworkPolicy | undefined {
  if (!isObject(json)) return undefined
  const before = held.get(json)
  if (before !== undefined) return before
  const policy = readNetworkPolicy(json)
  if (policy !== undefined) held.set(json, policy)
  return policy
}

const labelsOf = (namespace: Json): Texts => {
  const found: { [key: string]: string } = {}
  const labels = at(namespace, 'metadata', 'labels')
  if (isObject(labels))
    for (const [key, value] of Object.entries(labels)) if (typeof value === 'string') found[key] = value
  return found
}

export const networkPolicies = defineProbe({
  id: 'workload/network-policies',
  about: 'the NetworkPolicies of the namespace',
  scope: 'pod',
  needs: { pod, credentialEndpoint },
  wants: {},
  ask: ({ pod, credentialEndpoint }, _want, { ask }): Soon<Fact<PoliciesOfPod>> => {
    if (pod.state === 'absent' || credentialEndpoint.state === 'absent') return absent(pod.from)
    const { value } = pod
    // The host network is bound by none of them.
    if (value.hostNetwork) return absent(pod.from)
    return onward(ask(kubernetes.list('networkpolicies', value.namespace)), (fact): Soon<Fact<PoliciesOfPod>> => {
      const list = listed(fact, read)
      if (list.state !== 'known') return list
      const { items, complete } = list.value
      const over = restricting(items, value)
      const seen = { restricting: over, complete }
      if (credentialEndpoint.value.kind !== 'exchange' || !admitsDns(over, undefined).asksLabels)
        return known(seen, list.from)
      return onward(ask(kubernetes.get('namespaces', undefined, 'kube-system')), (namespace) =>
        known(namespace.state === 'known' ? { ...seen, dnsLabels: labelsOf(namespace.value) } : seen, list.from),
      )
    })
  },
})
