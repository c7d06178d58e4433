/** What the egress rules of NetworkPolicies admit: https://kubernetes.io/docs/concepts/services-networking/network-policies/ */
import { at, isList, isObject, type Json, listAt, textAt } from '../core/json.ts'
import { holds } from './address-blocks.ts'
import { readSelector, type Selector, unmet } from './webhooks.ts'
import type { Pod, Texts } from './workloads.ts'

type Port = { readonly protocol: string; readonly port?: number | string; readonly endPort?: number }
type Peer =
  | { readonly kind: 'block'; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: 'pods'; readonly namespaces?: Selector; readonly pods?: Selector }
/** Without peers to everybody, without ports on every port. */
type Rule = { readonly peers?: readonly Peer[]; readonly ports?: readonly Port[] }

export type NetworkPolicy = {
  readonly name: string
  readonly namespace: string
  readonly selector: Selector
  /** Whether it restricts egress; one that does, and has no rules, admits nothing. */
  readonly egress: boolean
  readonly rules: readonly Rule[]
}

/** `maybe`: the rules do not tell, because it depends on the network plugin or on an address that is not known here. */
export type Admits = 'yes' | 'no' | 'maybe'

function readPeer(json: Json): Peer {
  const cidr = textAt(json, 'ipBlock', 'cidr')
  if (cidr !== undefined)
    return {
      kind: 'block',
      cidr,
      except: listAt(json, 'ipBlock', 'except').filter((one) => typeof one === 'string'),
    }
  const namespaces = at(json, 'namespaceSelector')
  const pods = at(json, 'podSelector')
  return {
    kind: 'pods',
    ...(isObject(namespaces) ? { namespaces: readSelector(namespaces) } : {}),
    ...(isObject(pods) ? { pods: readSelector(pods) } : {}),
  }
}

function readPort(json: Json): Port {
  const port = at(json, 'port')
  const endPort = at(json, 'endPort')
  return {
    protocol: textAt(json, 'protocol') ?? 'TCP',
    ...(typeof port === 'number' || typeof port === 'string' ? { port } : {}),
    ...(typeof endPort === 'number' ? { endPort } : {}),
  }
}

export function readNetworkPolicy(json: Json): NetworkPolicy | undefined {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined || !isObject(at(json, 'spec'))) return undefined
  const types = at(json, 'spec', 'policyTypes')
  const rules = listAt(json, 'spec', 'egress')
  return {
    name,
    namespace: textAt(json, 'metadata', 'namespace') ?? 'default',
    selector: readSelector(at(json, 'spec', 'podSelector')),
    // Where the types are left out, a policy is one of egress if it has rules of it.
    egress: isList(types) && types.length > 0 ? types.includes('Egress') : rules.length > 0,
    rules: rules.map((rule) => {
      const peers = listAt(rule, 'to')
      const ports = listAt(rule, 'ports')
      // An empty list means the same as none: everybody, every port.
      return {
        ...(peers.length > 0 ? { peers: peers.map(readPeer) } : {}),
        ...(ports.length > 0 ? { ports: ports.map(readPort) } : {}),
      }
    }),
  }
}

/** The policies that restrict what this pod may reach; policies bind pods of their own namespace, and none that is on the host network. */
export const restricting = (policies: readonly NetworkPolicy[], pod: Pod): readonly NetworkPolicy[] =>
  pod.hostNetwork
    ? []
    : policies.filter(
        ({ egress, namespace, selector }) =>
          egress && namespace === pod.namespace && unmet(selector, pod.labels) === undefined,
      )

const either = (answers: readonly Admits[]): Admits =>
  answers.includes('yes') ? 'yes' : answers.includes('maybe') ? 'maybe' : 'no'
const both = (one: Admits, other: Admits): Admits =>
  one === 'no' || other === 'no' ? 'no' : one === 'yes' ? other : 'maybe'

type Door = { readonly protocol: 'TCP' | 'UDP'; readonly port: number; readonly names?: readonly string[] }

/** A port's name is looked up at the pod that is called; an address that is no pod has none. */
const onPort = ({ ports }: Rule, { protocol, port, names = [] }: Door): Admits =>
  ports === undefined
    ? 'yes'
    : either(
        ports.map((one) => {
          if (one.protocol !== protocol) return 'no'
          if (one.port === undefined) return 'yes'
          if (typeof one.port === 'string') return names.includes(one.port) ? 'yes' : names.length > 0 ? 'maybe' : 'no'
          return port === one.port || (one.endPort !== undefined && port >= one.port && port <= one.endPort)
            ? 'yes'
            : 'no'
        }),
      )

const overRules = (policies: readonly NetworkPolicy[], door: Door, to: (peer: Peer, policy: NetworkPolicy) => Admits) =>
  either(
    policies.flatMap((policy) =>
      policy.rules.map((rule) => {
        const open = onPort(rule, door)
        if (open === 'no' || rule.peers === undefined) return open
        return both(open, either(rule.peers.map((peer) => to(peer, policy))))
      }),
    ),
  )

/** Whether a pod that these policies restrict may call this TCP port of an address outside of all pods. Pure; no policy restricts nothing. */
export const admitsAddress = (policies: readonly NetworkPolicy[], address: string, port: number): Admits =>
  policies.length === 0
    ? 'yes'
    : overRules(policies, { protocol: 'TCP', port }, (peer) => {
        if (peer.kind === 'pods') return 'no'
        const inside = holds(peer.cidr, address)
        const out = peer.except.map((one) => holds(one, address))
        if (inside === undefined || out.includes(undefined)) return 'maybe'
        return inside && !out.includes(true) ? 'yes' : 'no'
      })

const local: readonly string[] = ['169.254.0.0/16', '127.0.0.0/8', 'fe80::/10', '::1/128']
const isLocal = (block: string): boolean => local.some((one) => holds(one, block) === true)

/** Whether it may call TCP 443 of a host of the cloud, whose address may be a public one or that of a private endpoint. */
export const admitsCloud = (policies: readonly NetworkPolicy[]): Admits =>
  policies.length === 0
    ? 'yes'
    : overRules(policies, { protocol: 'TCP', port: 443 }, (peer) =>
        peer.kind === 'pods' || isLocal(peer.cidr)
          ? 'no'
          : peer.cidr.trim() === '0.0.0.0/0' && peer.except.every(isLocal)
            ? 'yes'
            : 'maybe',
      )

const dnsNamespace = 'kube-system'
const nameLabel = 'kubernetes.io/metadata.name'
const dnsPods: Texts = { 'k8s-app': 'kube-dns' }

export type Dns = { readonly admits: Admits; readonly reason: string; readonly asksLabels: boolean }

/** What a namespace selector that names kube-system by a label says of it; the API server sets one label itself, others must be put there. */
function toDnsNamespace(selector: Selector, labels: Texts | undefined): Admits {
  if (unmet(selector, { ...labels, [nameLabel]: dnsNamespace }) === undefined) return 'yes'
  return labels !== undefined && Object.values(selector.labels).includes(dnsNamespace) ? 'no' : 'maybe'
}

/** Whether it may ask the cluster's DNS. `labels`: those of namespace kube-system, undefined where they were not seen. */
export function admitsDns(policies: readonly NetworkPolicy[], labels: Texts | undefined): Dns {
  if (policies.length === 0) return { admits: 'yes', reason: '', asksLabels: false }
  const onUdp: Door = { protocol: 'UDP', port: 53, names: ['dns'] }
  const anywhere = overRules(policies, onUdp, () => 'yes')
  let asksLabels = false
  const lacking: string[] = []
  const admits = overRules(policies, onUdp, (peer, { namespace }) => {
    // Some plugins see the Service's address, some the pod's, and Cilium takes neither for a block.
    if (peer.kind === 'block') return isLocal(peer.cidr) && !peer.cidr.startsWith('169.254.') ? 'no' : 'maybe'
    const pods: Admits = peer.pods === undefined || unmet(peer.pods, dnsPods) === undefined ? 'yes' : 'maybe'
    if (peer.namespaces === undefined) return namespace === dnsNamespace ? pods : 'no'
    if (unmet(peer.namespaces, { [nameLabel]: dnsNamespace }) === undefined) return pods
    asksLabels = true
    const there = toDnsNamespace(peer.namespaces, labels)
    if (there === 'no') lacking.push(...Object.entries(peer.namespaces.labels).map(([key, value]) => `${key}=${value}`))
    return both(there, pods)
  })
  const reason =
    anywhere === 'no'
      ? 'none is for UDP port 53'
      : lacking.length > 0
        ? `namespace ${dnsNamespace} has no label ${lacking[0]}`
        : `those for UDP port 53 lead to no pods of namespace ${dnsNamespace}`
  return { admits, reason, asksLabels }
}
