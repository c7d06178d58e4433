/** Where a pod fetches its cloud credentials, by its mechanism, and what in the pod itself stands before that place. */

import { holds } from './address-blocks.ts'
import { googleAnnotation } from './audiences.ts'
import { asksPodIdentityAgent, injectedInto } from './aws-injection.ts'
import { usualAuthority } from './azure-clouds.ts'
import type { Container, Pod, ServiceAccount } from './workloads.ts'

export type CredentialEndpoint = { readonly mechanism: string } & (
  | { readonly kind: 'agent'; readonly address: string }
  | { readonly kind: 'metadata' }
  | { readonly kind: 'exchange'; readonly hosts: readonly string[] }
)

export const agentAddress = '169.254.170.23'
/** GKE's metadata server as policies see it: https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity */
export const metadataDoors = [
  { address: '169.254.169.252', port: 988 },
  { address: '169.254.169.254', port: 80 },
] as const

const valueIn = (containers: readonly Container[], name: string): string | undefined =>
  containers.map(({ env }) => env[name]).find((value) => typeof value === 'string') ?? undefined

function stsHost(containers: readonly Container[]): string {
  const region = valueIn(containers, 'AWS_REGION') ?? valueIn(containers, 'AWS_DEFAULT_REGION')
  return region === undefined || !/^[a-z0-9-]{1,40}$/.test(region)
    ? 'sts.amazonaws.com'
    : `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

const hostOf = (url: string): string => /^https?:\/\/([\w.-]{1,200})/.exec(url)?.[1] ?? url.slice(0, 200)

/** The place of the pod's own mechanism; undefined where nothing shows that it has one. */
export function credentialEndpointOf(
  pod: Pod,
  account: Pick<ServiceAccount, 'annotations'> | undefined,
): CredentialEndpoint | undefined {
  const { containers } = pod
  if (asksPodIdentityAgent(pod)) {
    const url = valueIn(containers, 'AWS_CONTAINER_CREDENTIALS_FULL_URI') ?? ''
    const address = url.includes('[fd00:ec2::23]') ? 'fd00:ec2::23' : agentAddress
    return { kind: 'agent', mechanism: 'EKS Pod Identity', address }
  }
  if (containers.some((one) => injectedInto(one) === 'web-identity'))
    return { kind: 'exchange', mechanism: 'AWS web identity', hosts: [stsHost(containers)] }
  if (containers.some(({ env }) => 'AZURE_FEDERATED_TOKEN_FILE' in env)) {
    const host = hostOf(valueIn(containers, 'AZURE_AUTHORITY_HOST') ?? usualAuthority)
    return { kind: 'exchange', mechanism: 'Azure workload identity', hosts: [host] }
  }
  const federated = pod.volumes.some(({ tokens }) =>
    tokens.some(({ audience }) => audience?.includes('/workloadIdentityPools/') === true),
  )
  if (federated)
    return {
      kind: 'exchange',
      mechanism: 'Google workload identity federation',
      hosts: ['sts.googleapis.com', 'iamcredentials.googleapis.com'],
    }
  return account?.annotations[googleAnnotation] === undefined
    ? undefined
    : { kind: 'metadata', mechanism: 'GKE workload identity' }
}

/** Whether calls of the pod go to the cloud itself, as far as its variables tell: not through a proxy, not to an endpoint of its own. */
export const goesStraight = ({ containers }: Pod): boolean =>
  containers.every(
    ({ env, envFrom }) =>
      !envFrom &&
      !['HTTPS_PROXY', 'https_proxy', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_STS'].some((name) => name in env),
  )

const spares = (list: string, address: string): boolean =>
  list
    .split(/[,\s]+/)
    .some(
      (one) => one === '*' || one.replace(/:80$/, '').replace(/[[\]]/g, '') === address || holds(one, address) === true,
    )

export type Proxied = { readonly container: string; readonly variable: string; readonly known: boolean }

/** The container that asks the agent through a proxy: the agent is called over plain HTTP, so HTTP_PROXY alone counts. */
export function proxiedAgent({ containers }: Pod, address: string): Proxied | undefined {
  for (const { name, env } of containers) {
    const variable = ['HTTP_PROXY', 'http_proxy'].find((one) => env[one] !== undefined && env[one] !== '')
    if (variable === undefined || !('AWS_CONTAINER_CREDENTIALS_FULL_URI' in env)) continue
    const lists = [env.NO_PROXY, env.no_proxy].filter((one) => one !== undefined)
    if (lists.some((list) => list !== null && spares(list, address))) continue
    return { container: name, variable, known: !lists.includes(null) && env[variable] !== null }
  }
  return undefined
}

/** Sidecars that take a pod's outgoing calls, and the annotation that leaves an address to itself. */
const meshes = [
  { sidecar: 'istio-proxy', mesh: 'Istio', annotation: 'traffic.sidecar.istio.io/excludeOutboundIPRanges' },
  { sidecar: 'linkerd-proxy', mesh: 'Linkerd', annotation: 'config.linkerd.io/skip-outbound-ports' },
] as const

export type Intercepted = { readonly mesh: string; readonly annotation: string }

export function interceptedBy({ containers, annotations }: Pod, address: string): Intercepted | undefined {
  const one = meshes.find(({ sidecar }) => containers.some(({ name }) => name === sidecar))
  if (one === undefined) return undefined
  const { mesh, annotation } = one
  const list = annotations[annotation] ?? ''
  const spared = mesh === 'Linkerd' ? list.split(',').some((port) => port.trim() === '80') : spares(list, address)
  return spared ? undefined : { mesh, annotation }
}

const silence =
  /timed? ?out|connection refused|could not connect|ECONNREFUSED|EHOSTUNREACH|context deadline exceeded|network is unreachable|no route to host|no such host|could not resolve|temporary failure in name resolution|EAI_AGAIN|ENOTFOUND/i

/** Whether a text says that this place, by address or by name, did not answer. */
export const saysSilent = (text: string, places: readonly string[]): boolean => {
  const plain = text.slice(0, 20_000)
  return silence.test(plain) && places.some((place) => plain.includes(place))
}
