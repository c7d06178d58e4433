/** The Service, the endpoints, the pods and the policies behind a webhook that runs in the cluster. */
import { absent, defineProbe, type Fact, known, reading, type Unknown } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import { type Client, injectorsOf, readSelector, type Selector, unmet } from '../../domain/webhooks.ts'
import { readPod } from '../../domain/workload-objects.ts'
import type { Pod } from '../../domain/workloads.ts'
import { listed } from '../lists.ts'
import { webhookConfiguration } from './webhooks.ts'

export type ServicePort = { readonly port: number; readonly target: string }
export type Behind = {
  readonly webhook: string
  readonly client: Client
  /** Undefined where the Service is not there. */
  readonly ports?: readonly ServicePort[]
  /** Undefined where nothing shows it. */
  readonly ready?: number
  readonly pods: readonly Pod[]
  readonly killed: readonly { readonly pod: string; readonly limit: string; readonly restarts: number }[]
  /** A policy that lets nothing in on the port, although it selects the webhook's pods. */
  readonly closed?: string
}
/** What was seen, and the first thing that could not be. */
export type Service = { readonly behind: readonly Behind[]; readonly unseen?: Unknown }

const portOf = (json: Json): ServicePort | undefined => {
  const port = at(json, 'port')
  if (typeof port !== 'number') return undefined
  const target = at(json, 'targetPort')
  return { port, target: typeof target === 'number' || typeof target === 'string' ? String(target) : String(port) }
}

const isReady = (endpoint: Json): boolean => at(endpoint, 'conditions', 'ready') !== false

const killedIn = (json: Json): Behind['killed'][number] | undefined => {
  const status = listAt(json, 'status', 'containerStatuses').find(
    (one) => textAt(one, 'lastState', 'terminated', 'reason') === 'OOMKilled',
  )
  const name = textAt(status, 'name')
  const restarts = at(status ?? null, 'restartCount')
  if (name === undefined) return undefined
  const container = listAt(json, 'spec', 'containers').find((one) => textAt(one, 'name') === name)
  return {
    pod: textAt(json, 'metadata', 'name') ?? '',
    limit: textAt(container, 'resources', 'limits', 'memory') ?? 'not collected',
    restarts: typeof restarts === 'number' ? restarts : 0,
  }
}

type Policy = { readonly name: string; readonly selector: Selector; readonly ports: readonly string[] | 'any' }

/** What a policy of ingress lets in, by port; who may come in is not looked at, so that nothing is called closed that may be open. */
function readPolicy(json: Json): Policy | null {
  const types = listAt(json, 'spec', 'policyTypes')
  if (types.length > 0 && !types.includes('Ingress')) return null
  const rules = listAt(json, 'spec', 'ingress')
  const open = rules.some((rule) => listAt(rule, 'ports').length === 0)
  const ports = rules.flatMap((rule) =>
    listAt(rule, 'ports').map((one) => {
      const port = at(one, 'port')
      const last = at(one, 'endPort')
      return typeof port === 'number' && typeof last === 'number' ? `${port}-${last}` : String(port ?? '*')
    }),
  )
  return {
    name: textAt(json, 'metadata', 'name') ?? '',
    selector: readSelector(at(json, 'spec', 'podSelector')),
    ports: open || ports.includes('*') ? 'any' : ports,
  }
}

const letsIn = ({ ports }: Policy, target: string): boolean =>
  ports === 'any' ||
  ports.some((one) => {
    const [from = '', to] = one.split('-')
    // A name may stand for the number, and the other way round.
    const sameKind = /^\d+$/.test(from) === /^\d+$/.test(target)
    return to === undefined
      ? one === target || !sameKind
      : Number(target) >= Number(from) && Number(target) <= Number(to)
  })

/** Absent where no webhook of the configuration runs in the cluster. */
export const webhookService = defineProbe({
  id: 'cluster/webhook-service',
  about: 'the Service behind the webhook, its endpoints, pods and policies',
  scope: 'object',
  needs: { webhookConfiguration },
  wants: {},
  only: 'webhookConfiguration',
  ask: async ({ webhookConfiguration }, _want, { ask }): Promise<Fact<Service>> => {
    const behind: Behind[] = []
    let unseen: Unknown | undefined
    const look = async (question: Parameters<typeof ask>[0]): Promise<Fact<Json>> => {
      const fact = await ask(question)
      if (fact.state === 'unknown') unseen ??= fact
      return fact
    }
    for (const { name: webhook, service: client } of injectorsOf(webhookConfiguration.value)) {
      if (client === undefined) continue
      const { namespace, name } = client
      const service = await look(kubernetes.get('services', namespace, name))
      if (service.state === 'absent') behind.push({ webhook, client, pods: [], killed: [] })
      if (service.state !== 'known') continue
      const slices = listed(await look(kubernetes.list('endpointslices', namespace)), (json) =>
        isObject(json) ? json : undefined,
      )
      const own =
        slices.state === 'known'
          ? slices.value.items.filter((one) => textAt(one, 'metadata', 'labels', 'kubernetes.io/service-name') === name)
          : []
      const ready = own.flatMap((one) => listAt(one, 'endpoints')).filter(isReady).length
      const counted = slices.state === 'known' && (ready > 0 || own.length > 0 || slices.value.complete)
      const labels = readSelector({ matchLabels: at(service.value, 'spec', 'selector') ?? {} })
      const selects = Object.keys(labels.labels).length > 0
      const list = listed(await look(kubernetes.list('pods', namespace)), (json) => {
        const pod = readPod(json)
        return pod === undefined ? undefined : { pod, killed: killedIn(json) }
      })
      const pods = (list.state === 'known' ? list.value.items : []).filter(
        ({ pod }) => selects && unmet(labels, pod.labels) === undefined,
      )
      const ports = listAt(service.value, 'spec', 'ports').flatMap((one) => portOf(one) ?? [])
      const target = ports.find(({ port }) => port === client.port)?.target
      const policies = listed(await look(kubernetes.list('networkpolicies', namespace)), readPolicy)
      const over = (policies.state === 'known' ? policies.value.items : []).filter(
        (one) => one !== null && pods.some(({ pod }) => unmet(one.selector, pod.labels) === undefined),
      )
      const closes =
        target !== undefined && over.length > 0 && over.every((one) => one !== null && !letsIn(one, target))
      behind.push({
        webhook,
        client,
        ports,
        ...(counted ? { ready } : {}),
        pods: pods.map(({ pod }) => pod),
        killed: pods.flatMap(({ killed }) => killed ?? []),
        ...(closes && over[0] ? { closed: over[0].name } : {}),
      })
    }
    if (behind.length === 0 && unseen === undefined) return absent(webhookConfiguration.from)
    return known({ behind, ...(unseen === undefined ? {} : { unseen }) }, webhookConfiguration.from)
  },
})

/** Ports on which the control plane of a private GKE cluster reaches nodes: https://cloud.google.com/kubernetes-engine/docs/how-to/private-clusters#add_firewall_rules */
export const privateNodePorts: readonly string[] = ['443', '10250']

/** Whether the control plane reaches nodes through Google's own firewall rule only; absent where no webhook would be called through it. */
export const privateNodes = defineProbe({
  id: 'cluster/private-nodes',
  about: 'whether the nodes are private ones of GKE',
  scope: 'object',
  needs: { webhookService },
  wants: {},
  ask: async ({ webhookService }, _want, { ask }): Promise<Fact<boolean>> => {
    const question = gcp.cluster()
    const targets =
      webhookService.state === 'known'
        ? webhookService.value.behind.flatMap(({ ports, client }) =>
            (ports ?? []).filter(({ port }) => port === client.port).map(({ target }) => target),
          )
        : []
    if (targets.every((target) => privateNodePorts.includes(target))) return absent(question)
    const cluster = await ask(question)
    if (cluster.state === 'known')
      return reading(cluster, (json) => at(json, 'privateClusterConfig', 'enablePrivateNodes') === true)
    const version = await ask(kubernetes.nonResource('/version'))
    if (version.state !== 'known') return version.state === 'absent' ? cluster : version
    return (textAt(version.value, 'gitVersion') ?? '').includes('-gke.') ? cluster : absent(question)
  },
})
