/** Which fields matter of the objects that only Google's identities read: network policies, secret stores, the metadata server's pods. */
import { same } from '../core/edit.ts'
import { isList, isObject, type Json, type JsonObject, textAt } from '../core/json.ts'
import { pickConfiguration } from './gcp-credentials.ts'

type Draft = { [key: string]: Json }
type Pick = (from: JsonObject, draft: Draft) => void

const specOf =
  (...names: readonly string[]): Pick =>
  ({ spec }, draft) => {
    if (!isObject(spec)) return
    const kept: Draft = {}
    for (const name of names) {
      const value = spec[name]
      if (value !== undefined) kept[name] = value
    }
    draft.spec = kept
  }

const cilium: Pick = (from, draft) => {
  specOf('endpointSelector', 'egress', 'egressDeny')(from, draft)
  if (isList(from.specs)) draft.specs = from.specs
}

/** Of a store only where it says which cluster it belongs to; its references to Secrets stay where they are. */
const secretStore: Pick = ({ spec }, draft) => {
  const provider = isObject(spec) && isObject(spec.provider) ? spec.provider.gcpsm : undefined
  if (!isObject(provider)) return
  const own = isObject(provider.auth) ? provider.auth.workloadIdentity : undefined
  const kept: Draft = {}
  if (isObject(own))
    for (const name of ['clusterLocation', 'clusterName', 'clusterProjectID']) {
      const value = own[name]
      if (typeof value === 'string') kept[name] = value
    }
  draft.spec = {
    provider: {
      gcpsm: {
        ...(typeof provider.projectID === 'string' ? { projectID: provider.projectID } : {}),
        ...(own === undefined ? {} : { auth: { workloadIdentity: kept } }),
      },
    },
  }
}

export const googlePicks: { readonly [kind: string]: Pick } = {
  // Calico's own kind of that name selects by `selector` and says what it does in `types`.
  NetworkPolicy: specOf('podSelector', 'policyTypes', 'ingress', 'egress', 'selector', 'types', 'order'),
  GlobalNetworkPolicy: specOf('ingress', 'egress', 'selector', 'namespaceSelector', 'types', 'order'),
  CiliumNetworkPolicy: cilium,
  CiliumClusterwideNetworkPolicy: cilium,
  ServiceEntry: specOf('hosts'),
  SecretStore: secretStore,
  ClusterSecretStore: secretStore,
}

const ciliumKeys = ['enable-bpf-masquerade', 'enable-host-legacy-routing', 'cilium-version'] as const

/** Credential configurations, which hold no secret, and the settings of Cilium and of the mesh; undefined where it holds none of them. */
export function pickGoogleMap(name: string, data: JsonObject): JsonObject | undefined {
  const kept: Draft = {}
  if (name === 'cilium-config') for (const key of ciliumKeys) if (typeof data[key] === 'string') kept[key] = data[key]
  if (name === 'istio' && typeof data.mesh === 'string') {
    const mode = /outboundTrafficPolicy:[\s{]*mode:\s*["']?(\w+)/.exec(data.mesh.slice(0, 20_000))?.[1]
    if (mode !== undefined) kept.mesh = `outboundTrafficPolicy: {mode: ${mode}}`
  }
  for (const [key, value] of Object.entries(data)) {
    if (typeof value !== 'string' || value.length > 20_000 || !value.includes('external_account')) continue
    try {
      const parsed: Json = JSON.parse(value)
      const configuration = pickConfiguration(parsed)
      if (configuration === undefined) continue
      // As it stands only where nothing was left out of it: that text can be compared, and changed.
      kept[key] = same(parsed, configuration) ? value : JSON.stringify({ ...configuration, partial: true })
    } catch {
      // It is something else that has the word in it.
    }
  }
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** How the pods of the GKE metadata server fare. */
export function pickMetadataServer(metadata: Json | undefined, status: Json | undefined): JsonObject | undefined {
  if (!isObject(status) || textAt(metadata, 'labels', 'k8s-app') !== 'gke-metadata-server') return undefined
  const kept: Draft = {}
  for (const name of ['phase', 'conditions', 'containerStatuses']) {
    const value = status[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}
