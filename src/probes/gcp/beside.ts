/** What a pod's key files and neighbours say: variables that override workload identity, and ServiceAccounts that were meant instead. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, textAt, textsAt } from '../../core/json.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { namedBy } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf } from '../../domain/gcp-policies.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import type { Container, Pod } from '../../domain/workloads.ts'
import { pods } from '../cluster/pods.ts'
import { listed } from '../lists.ts'
import { readServiceAccount } from '../read-once.ts'
import { pod } from '../workload/pod.ts'
import { openIn } from './account.ts'
import { isOpen } from './heard.ts'
import { googlePod } from './pod.ts'
import { googleWorld } from './world.ts'

export type Override = {
  readonly container: string
  readonly variable: string
  readonly value?: string
  readonly volume: string
  readonly external: boolean
}
export type Overrides = {
  readonly pod: Pod
  readonly found: readonly Override[]
  readonly annotated: boolean
  readonly open?: string
}

const keyFile = 'GOOGLE_APPLICATION_CREDENTIALS'
const gcloudFile = 'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE'
const hosts = ['GCE_METADATA_HOST', 'GCE_METADATA_IP'] as const
export const overriding = [keyFile, gcloudFile, ...hosts] as const

const behind = (pod: Pod, container: Container, path: string | undefined) => {
  const mount = container.mounts
    .filter(({ mountPath }) => path?.startsWith(`${mountPath.replace(/\/+$/, '')}/`) === true || path === mountPath)
    .sort((a, b) => b.mountPath.length - a.mountPath.length)[0]
  return pod.volumes.find(({ name }) => name === mount?.name)
}

/** Absent where the ServiceAccount has neither the annotation nor a grant of a GKE pool. */
export const googleOverrides = defineProbe({
  id: 'gcp/overrides',
  about: 'what overrides the metadata server in the pod',
  scope: 'pod',
  needs: { googlePod },
  wants: {},
  only: 'googlePod',
  ask: async ({ googlePod }, _want, { ask }): Promise<Fact<Overrides>> => {
    const { pod, google, fact, node } = googlePod.value
    const annotated = google?.annotation !== undefined
    const isOfPool = ({ member }: Grant): boolean => member.includes('.svc.id.goog')
    const granted = google?.grants.some(isOfPool) === true
    if (isOpen(node)) return node.state === 'unknown' ? node : absent(gcp.collected())
    // Elsewhere than on GKE there is no metadata server to be overridden.
    const machine = node.state === 'known' ? textAt(node.value, 'spec', 'providerID') : undefined
    if (machine !== undefined && !machine.startsWith('gce:')) return absent(gcp.collected())
    if (!annotated && !granted)
      return google?.openGrants.some(isOfPool) === true ? openIn(google.world) : absent(gcp.collected())
    if (pod === undefined) return fact.state === 'unknown' ? fact : absent(gcp.collected())
    const found: Override[] = []
    let open: string | undefined
    for (const container of pod.containers) {
      for (const variable of overriding) {
        if (!(variable in container.env) || container.env[variable] === '') continue
        const value = container.env[variable] ?? undefined
        const reference = container.references?.[variable]
        const volume = behind(pod, container, value)
        const maps =
          volume?.from?.kind === 'ConfigMap'
            ? await ask(kubernetes.get('configmaps', pod.namespace, volume.from.name))
            : undefined
        const data = maps?.state === 'known' ? at(maps.value, 'data') : undefined
        const external = typeof data === 'object' && data !== null && Object.keys(data).length > 0
        const from =
          volume === undefined
            ? reference === undefined
              ? 'no volume'
              : `${reference.kind} ${reference.name}`
            : `volume ${volume.name}`
        found.push({
          container: container.name,
          variable,
          ...(value === undefined ? {} : { value }),
          volume: from,
          external,
        })
        if (!annotated && volume !== undefined && !external)
          open ??= `what kind of file ${variable} of container ${container.name} names was not seen`
      }
      for (const { kind, name, prefix } of container.envSources ?? []) {
        const fact = await ask(kubernetes.get(kind === 'Secret' ? 'secrets' : 'configmaps', pod.namespace, name))
        if (fact.state === 'unknown')
          open ??= `which variables ${kind} ${name} gives container ${container.name} was not seen`
        const keys = fact.state === 'known' ? textsAt(fact.value, 'keys').map((key) => `${prefix}${key}`) : []
        for (const variable of overriding)
          if (keys.includes(variable))
            found.push({ container: container.name, variable, volume: `${kind} ${name}`, external: false })
      }
    }
    return known({ pod, found, annotated, ...(open === undefined ? {} : { open }) }, fact.from)
  },
})

export type Neighbours = {
  readonly pod: Pod
  readonly bound: readonly string[]
  /** Of the bound ones, those that some pod runs as. */
  readonly used: readonly string[]
  readonly complete: boolean
  /** Grants were looked through, or nothing but annotations could be. */
  readonly byAnnotation: boolean
}

/** Absent where no ServiceAccount of the namespace is bound to Google. */
export const googleNeighbours = defineProbe({
  id: 'gcp/neighbours',
  about: 'the ServiceAccounts of the namespace that are bound to Google Cloud',
  scope: 'pod',
  needs: { googleWorld },
  wants: { pod, pods },
  only: 'googleWorld',
  ask: async ({ googleWorld }, { pod, pods }, { ask }): Promise<Fact<Neighbours>> => {
    if (!googleWorld.value.gke || pod.state !== 'known') return absent(gcp.collected())
    const { namespace } = pod.value
    const accounts = listed(await ask(kubernetes.list('serviceaccounts', namespace)), readServiceAccount)
    if (accounts.state !== 'known') return accounts
    const granted = new Set(
      googleWorld.value.policies.flatMap(grantsOf).flatMap(({ member }) => {
        const named = namedBy(member)
        return named?.namespace === namespace ? [named.name] : []
      }),
    )
    const annotated = accounts.value.items
      .filter(({ annotations }) => annotations[googleAnnotation] !== undefined)
      .map(({ name }) => name)
    const bound = [
      ...new Set([...annotated, ...accounts.value.items.map(({ name }) => name).filter((name) => granted.has(name))]),
    ].sort()
    if (bound.length === 0) return absent(gcp.collected())
    const shelf = pods.state === 'known' ? pods.value.get(namespace) : undefined
    const complete = accounts.value.complete && shelf?.fact.state === 'known' && shelf.fact.value.complete
    return known(
      {
        pod: pod.value,
        bound,
        used: bound.filter((name) => (shelf?.by.get(name) ?? []).length > 0),
        complete,
        byAnnotation: annotated.length > 0,
      },
      pod.from,
    )
  },
})
