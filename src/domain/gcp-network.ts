/** Whether network policies let a pod reach the metadata server of GKE: Kubernetes, Cilium and Calico, each in its own words. */
import { at, isList, isObject, type Json, listAt, textAt, textsAt } from '../core/json.ts'
import { readSelector, unmet } from './webhooks.ts'
import type { Pod } from './workloads.ts'

export type Target = { readonly ip: string; readonly port: number }
/** Where policy is judged before the node rewrites the address, and where after it. */
export const clientSide: Target = { ip: '169.254.169.254', port: 80 }
export const nodeSide: Target = { ip: '169.254.169.252', port: 988 }

export const targetsOf = (dataplane: string | undefined, clusterSeen: boolean): readonly Target[] =>
  !clusterSeen ? [clientSide, nodeSide] : dataplane === 'ADVANCED_DATAPATH' ? [clientSide] : [nodeSide]

const numberOf = (ip: string): number | undefined => {
  const parts = ip.split('.').map(Number)
  if (parts.length !== 4 || parts.some((one) => !Number.isInteger(one) || one < 0 || one > 255)) return undefined
  return parts.reduce((all, one) => all * 256 + one, 0)
}
/** IPv4 only: nobody reaches the metadata server in these policies by another. */
export function contains(cidr: string, ip: string): boolean {
  const [base = '', bits = '32'] = cidr.split('/')
  const from = numberOf(base)
  const one = numberOf(ip)
  const size = 2 ** (32 - Number(bits))
  return (
    from !== undefined &&
    one !== undefined &&
    Number.isFinite(size) &&
    Math.floor(from / size) === Math.floor(one / size)
  )
}

export type Judged = {
  readonly policy: string
  readonly kind: 'kubernetes' | 'cilium' | 'calico'
  /** Undefined where its words are not understood. */
  readonly allows: boolean | undefined
  /** What it allows, in short. */
  readonly allowed: string
  /** The entity of Cilium that its author may have taken for the node. */
  readonly entity?: string
  readonly deniesIngress?: true
  /** The policy itself, where its egress rules are in one list that another rule can join. */
  readonly object?: {
    readonly resource: string
    readonly namespace?: string
    readonly name: string
    readonly isListed: boolean
  }
}

const portFits = (ports: readonly Json[], target: Target): boolean =>
  ports.length === 0 ||
  ports.some((one) => {
    const port = Number(at(one, 'port') ?? target.port)
    const end = Number(at(one, 'endPort') ?? port)
    const protocol = textAt(one, 'protocol') ?? 'TCP'
    return (protocol === 'TCP' || protocol === 'ANY') && port <= target.port && target.port <= end
  })
const named = (json: Json): string =>
  `${textAt(json, 'metadata', 'namespace') ?? ''}/${textAt(json, 'metadata', 'name') ?? ''}`.replace(/^\//, '')
const objectOf = (json: Json, resource: string): Required<Pick<Judged, 'object'>> => {
  const namespace = textAt(json, 'metadata', 'namespace')
  return {
    object: {
      resource,
      ...(namespace === undefined ? {} : { namespace }),
      name: textAt(json, 'metadata', 'name') ?? '',
      isListed: isList(at(json, 'spec', 'egress')),
    },
  }
}
const inShort = (texts: readonly string[]): string => {
  const all = [...new Set(texts)].slice(0, 5)
  return all.length === 0 ? 'nothing' : all.join(', ')
}

/** A Kubernetes NetworkPolicy that restricts this pod's egress; undefined where it does not. */
function ofKubernetes(json: Json, pod: Pod, targets: readonly Target[]): Judged | undefined {
  const spec = at(json, 'spec')
  const types = textsAt(spec, 'policyTypes')
  const egress = at(spec, 'egress')
  if (!(types.length > 0 ? types.includes('Egress') : egress !== undefined)) return undefined
  if (unmet(readSelector(at(spec, 'podSelector')), pod.labels) !== undefined) return undefined
  const rules = listAt(spec, 'egress')
  const allows = targets.some((target) =>
    rules.some((rule) => {
      const to = listAt(rule, 'to')
      const peer =
        to.length === 0 ||
        to.some((one) => {
          const block = at(one, 'ipBlock')
          const cidr = textAt(block, 'cidr')
          return (
            cidr !== undefined &&
            contains(cidr, target.ip) &&
            !textsAt(block, 'except').some((out) => contains(out, target.ip))
          )
        })
      return peer && portFits(listAt(rule, 'ports'), target)
    }),
  )
  const allowed = inShort(
    rules.flatMap((rule) => {
      const to = listAt(rule, 'to').map((one) => textAt(one, 'ipBlock', 'cidr') ?? 'pods by label')
      return to.length === 0 ? listAt(rule, 'ports').map((one) => `port ${String(at(one, 'port') ?? 'any')}`) : to
    }),
  )
  return { policy: named(json), kind: 'kubernetes', allows, allowed, ...objectOf(json, 'networkpolicies') }
}

const everywhere: ReadonlySet<string> = new Set(['all', 'world', 'world-ipv4'])
const ofNode: ReadonlySet<string> = new Set(['host', 'remote-node', 'kube-apiserver', 'cluster'])

/** The host entity does not match 169.254.169.254: https://github.com/Smana/runlore/issues/562 */
function ofCilium(json: Json, pod: Pod): readonly Judged[] {
  const specs = [at(json, 'spec'), ...listAt(json, 'specs')].filter(isObject)
  return specs.flatMap((spec): Judged[] => {
    const egress = at(spec, 'egress')
    if (egress === undefined) return []
    const selector = readSelector(at(spec, 'endpointSelector'))
    const plain = {
      ...selector,
      labels: Object.fromEntries(
        Object.entries(selector.labels).map(([key, value]) => [key.replace(/^(?:k8s|any):/, ''), value]),
      ),
    }
    const keys = [...Object.keys(plain.labels), ...plain.expressions.map(({ key }) => key)]
    if (keys.some((key) => key.includes('io.kubernetes.pod') || key.includes('io.cilium')))
      return [{ policy: named(json), kind: 'cilium', allows: undefined, allowed: '' }]
    if (unmet(plain, pod.labels) !== undefined) return []
    const rules = listAt(spec, 'egress')
    const entities: string[] = []
    const shown: string[] = []
    let byName = false
    const allows = rules.some((rule) => {
      const own = textsAt(rule, 'toEntities')
      entities.push(...own.filter((one) => ofNode.has(one)))
      const cidrs = [
        ...textsAt(rule, 'toCIDR'),
        ...listAt(rule, 'toCIDRSet').flatMap((one) => textAt(one, 'cidr') ?? []),
      ]
      const ports = listAt(rule, 'toPorts').flatMap((one) => listAt(one, 'ports'))
      shown.push(...own.map((one) => `entity ${one}`), ...cidrs)
      if (
        listAt(rule, 'toFQDNs').some((one) =>
          /metadata|\*/.test(textAt(one, 'matchName') ?? textAt(one, 'matchPattern') ?? ''),
        )
      )
        byName = true
      const other = ['toEndpoints', 'toServices', 'toFQDNs', 'toGroups', 'toNodes'].some(
        (name) => at(rule, name) !== undefined,
      )
      return [clientSide, nodeSide].some((target) => {
        const peer =
          own.some((one) => everywhere.has(one)) ||
          cidrs.some((cidr) => contains(cidr, target.ip)) ||
          (own.length + cidrs.length === 0 && !other)
        return peer && portFits(ports, target)
      })
    })
    const [entity] = entities
    return [
      {
        policy: named(json),
        kind: 'cilium',
        allows: allows ? true : byName ? undefined : false,
        allowed: inShort(shown),
        ...(entity === undefined ? {} : { entity }),
        ...(listAt(json, 'specs').length > 0
          ? {}
          : objectOf(
              json,
              `cilium${textAt(json, 'metadata', 'namespace') === undefined ? 'clusterwide' : ''}networkpolicies`,
            )),
      },
    ]
  })
}

/** `all()`, `app == 'cart'`, `has(app)`, joined by &&; undefined for any other words of Calico's selectors. */
function selects(selector: string | undefined, labels: { readonly [key: string]: string }): boolean | undefined {
  if (selector === undefined || selector.trim() === '' || selector.trim() === 'all()') return true
  let all = true
  for (const part of selector.split('&&')) {
    const [, key, operator, value] = /^\s*([\w./-]+)\s*(==|!=)\s*['"]([^'"]*)['"]\s*$/.exec(part) ?? []
    const [, has] = /^\s*has\(\s*([\w./-]+)\s*\)\s*$/.exec(part) ?? []
    if (has !== undefined) all &&= has in labels
    else if (key !== undefined) all &&= (labels[key] === value) === (operator === '==')
    else return undefined
  }
  return all
}

function ofCalico(json: Json, pod: Pod): Judged | undefined {
  const spec = at(json, 'spec')
  const selected = selects(textAt(spec, 'selector'), pod.labels)
  if (selected === false) return undefined
  const types = textsAt(spec, 'types')
  const ingress = listAt(spec, 'ingress')
  const egress = listAt(spec, 'egress')
  const policy = named(json)
  const [first] = ingress
  const plainDeny =
    textAt(first, 'action') === 'Deny' && at(first, 'source') === undefined && at(first, 'protocol') === undefined
  const deniesIngress = selected === true && (plainDeny || (types.includes('Ingress') && ingress.length === 0))
  const restricts = types.length > 0 ? types.includes('Egress') : egress.length > 0
  const matches = (rule: Json, target: Target): boolean | undefined => {
    const destination = at(rule, 'destination')
    if (destination === undefined) return true
    const nets = textsAt(destination, 'nets')
    if (Object.keys(isObject(destination) ? destination : {}).some((key) => key !== 'nets' && key !== 'ports'))
      return undefined
    const ports = listAt(destination, 'ports')
    return (
      (nets.length === 0 || nets.some((net) => contains(net, target.ip))) &&
      (ports.length === 0 || ports.some((port) => Number(port) === target.port))
    )
  }
  const verdictFor = (target: Target): boolean | undefined => {
    for (const rule of egress) {
      const fits = matches(rule, target)
      if (fits === undefined) return undefined
      if (fits) return textAt(rule, 'action') !== 'Deny'
    }
    return false
  }
  const words = [clientSide, nodeSide].map(verdictFor)
  const allows =
    !restricts || words.includes(true) ? true : selected === undefined || words.includes(undefined) ? undefined : false
  return {
    policy,
    kind: 'calico',
    allows,
    allowed: inShort(
      egress
        .filter((rule) => textAt(rule, 'action') === 'Allow')
        .flatMap((rule) => textsAt(rule, 'destination', 'nets')),
    ),
    ...(deniesIngress ? { deniesIngress: true } : {}),
  }
}

export type Policies = {
  readonly kubernetes: readonly Json[]
  readonly cilium: readonly Json[]
  readonly calico: readonly Json[]
}

/** Every policy that restricts the pod, each with its word on the metadata server; those of other namespaces are left out by whoever asks. */
export const judgePolicies = (policies: Policies, pod: Pod, targets: readonly Target[]): readonly Judged[] => [
  ...policies.kubernetes.flatMap((one) => ofKubernetes(one, pod, targets) ?? []),
  ...policies.cilium.flatMap((one) => ofCilium(one, pod)),
  ...policies.calico.flatMap((one) => ofCalico(one, pod) ?? []),
]
