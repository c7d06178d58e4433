/** What is known of Google Cloud around this cluster; absent where nothing shows that it is in use. */
import { absent, defineProbe, type Fact, type Inquiry, known, reading } from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { type GkeCluster, type NodePool, readGkeCluster, readNodePool } from '../../domain/gcp-cluster.ts'
import { type Configuration, providerIn } from '../../domain/gcp-credentials.ts'
import { type Policy, readPolicy } from '../../domain/gcp-policies.ts'
import { type Provider, readProvider } from '../../domain/gcp-provider.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { type JudgedAccount, judgedAccounts } from '../cluster/judged-accounts.ts'
import { observedErrors } from '../cluster/observed-errors.ts'
import { pods } from '../cluster/pods.ts'
import { type Listed, listed } from '../lists.ts'
import { type Heard, heardIn } from './heard.ts'

export type World = {
  readonly heard: readonly Heard[]
  readonly cluster: Fact<GkeCluster>
  readonly nodePools: Fact<Listed<NodePool>>
  /** A folder, which shows things that nobody asked for by name. */
  readonly documents: boolean
  readonly collected: Fact<Json>
  /** Something shows that the cluster is one of GKE, or behaves like one. */
  readonly gke: boolean
  readonly policies: readonly Policy[]
  readonly accounts: readonly string[]
  readonly buckets: readonly string[]
  readonly configurations: readonly Configuration[]
  readonly providers: readonly Provider[]
  /** The list that the providers are from, where there is one. */
  readonly listing: Fact<unknown>
  /** Of the project of the cluster, and so of its pool; what members say of it proves nothing, for it is what they are judged by. */
  readonly number: Fact<string>
}

export const googleMarks: readonly string[] = [
  'iam.gke.io/',
  'cloud.google.com/workload-identity-provider',
  'cloud.google.com/service-account-email',
]
export const hasGoogleMark = (annotations: { readonly [key: string]: string }): boolean => {
  for (const key in annotations) if (googleMarks.some((mark) => key.startsWith(mark))) return true
  return false
}

/** The configurations in a ConfigMap, which is read only as far as it holds any. */
export const configurationsIn = (item: Json): readonly Configuration[] => {
  const data = at(item, 'data')
  const name = textAt(item, 'metadata', 'name')
  const namespace = textAt(item, 'metadata', 'namespace')
  if (typeof data !== 'object' || data === null || name === undefined) return []
  return Object.entries(data).flatMap(([key, text]): readonly Configuration[] => {
    if (typeof text !== 'string' || !text.includes('external_account')) return []
    try {
      const body: Json = JSON.parse(text)
      if (typeof body !== 'object' || body === null || !('type' in body)) return []
      const whole = 'partial' in body ? {} : { text }
      return [{ name, key, body, ...whole, ...(namespace === undefined ? {} : { namespace }) }]
    } catch {
      return []
    }
  })
}

/** Checks that only a cluster of GKE can fail. */
const ofGke: ReadonlySet<string> = new Set([
  'gcp/annotation-agrees-with-grants',
  'gcp/client-waits-for-metadata-server',
  'gcp/node-runs-metadata-server',
  'gcp/pod-can-reach-metadata-server',
  'gcp/pod-is-served-by-metadata-server',
  'gcp/workload-pool-exists',
])

/** Whether a pod asks for a token that is for a pool, or reads a configuration. */
export const asksGoogle = (pods: Iterable<Pod>): boolean =>
  [...pods].some(
    ({ volumes, containers }) =>
      volumes.some(({ tokens }) =>
        tokens.some(
          ({ audience }) => providerIn(audience) !== undefined || audience?.endsWith('.svc.id.goog') === true,
        ),
      ) || containers.some(({ env }) => 'GOOGLE_APPLICATION_CREDENTIALS' in env),
  )

/** What marks anybody who is judged: of GKE, or of Google at all. */
const markOf = async (
  { subjects, ask }: Inquiry,
  accounts: readonly JudgedAccount[],
): Promise<'gke' | 'google' | undefined> => {
  let mark: 'google' | undefined
  for (const { kind, name } of subjects) {
    if (kind === 'GoogleServiceAccount') mark = 'google'
    if (kind === 'Node') {
      const node = await ask(kubernetes.get('nodes', undefined, name))
      const labels = node.state === 'known' ? at(node.value, 'metadata', 'labels') : undefined
      const isGke = (key: string): boolean => /^(?:cloud\.google\.com\/gke-|iam\.gke\.io\/)/.test(key)
      if (typeof labels === 'object' && labels !== null && Object.keys(labels).some(isGke)) return 'gke'
    }
  }
  for (const { fact } of accounts) {
    if (fact.state !== 'known' || !hasGoogleMark(fact.value.annotations)) continue
    if (Object.keys(fact.value.annotations).some((key) => key.startsWith('iam.gke.io/'))) return 'gke'
    mark = 'google'
  }
  return mark
}

/** A project's number by its id. */
export const projectNumber = async (project: string, ask: Inquiry['ask']): Promise<Fact<string>> =>
  reading(await ask(gcp.project(project)), (json) => textAt(json, 'projectNumber'))

export const googleWorld = defineProbe({
  id: 'gcp/world',
  about: 'what is known of Google Cloud',
  scope: 'cluster',
  needs: {},
  wants: { observedErrors, pods, judgedAccounts },
  ask: async (_have, { observedErrors, pods, judgedAccounts }, inquiry): Promise<Fact<World>> => {
    const { ask } = inquiry
    const heard = heardIn(observedErrors)
    const collected = await ask(gcp.collected())
    const documents = collected.state === 'known'
    const maps = documents ? await ask(kubernetes.list('configmaps')) : undefined
    const configurations: readonly Configuration[] = [
      ...(documents ? listAt(collected.value, 'configurations') : []).flatMap((one): readonly Configuration[] => {
        const body = at(one, 'configuration')
        const name = textAt(one, 'name')
        return typeof body === 'object' && body !== null && 'type' in body && name !== undefined ? [{ name, body }] : []
      }),
      ...(maps?.state === 'known' ? listAt(maps.value, 'items').flatMap(configurationsIn) : []),
    ]
    const cluster = reading(await ask(gcp.cluster()), readGkeCluster)
    const nodePools = listed(await ask(gcp.nodePools()), readNodePool, 'nodePools')
    const policies = (documents ? listAt(collected.value, 'policies') : []).flatMap((one) => {
      const resource = textAt(one, 'resource')
      const policy = at(one, 'policy')
      return resource === undefined || policy === undefined ? [] : (readPolicy(resource, policy) ?? [])
    })
    const all = listed(await ask(gcp.workloadIdentityPoolProviders()), readProvider, 'providers')
    const providers = all.state === 'known' ? all.value.items : []
    const accounts = documents ? textsAt(collected.value, 'accounts') : []
    const buckets = documents ? textsAt(collected.value, 'buckets') : []
    const marked = await markOf(inquiry, judgedAccounts.state === 'known' ? judgedAccounts.value : [])
    const asking =
      pods.state === 'known' &&
      [...pods.value.values()].some(({ by }) => [...by.values()].some((some) => asksGoogle(some)))
    const inUse =
      heard.length + configurations.length + policies.length + providers.length + accounts.length + buckets.length >
        0 ||
      cluster.state === 'known' ||
      nodePools.state === 'known' ||
      marked !== undefined ||
      asking
    if (!inUse) return absent(gcp.collected())
    const project = cluster.state === 'known' ? cluster.value.project : undefined
    const number: Fact<string> =
      project !== undefined
        ? await projectNumber(project, ask)
        : cluster.state === 'known'
          ? absent(cluster.from)
          : cluster
    return known(
      {
        heard,
        cluster,
        nodePools,
        gke:
          cluster.state === 'known' ||
          nodePools.state === 'known' ||
          marked === 'gke' ||
          heard.some(({ check }) => ofGke.has(check)),
        documents,
        collected,
        policies,
        accounts,
        buckets,
        configurations,
        providers,
        listing: all,
        number,
      },
      gcp.cluster(),
    )
  },
})
