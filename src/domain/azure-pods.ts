/** What the Azure webhook reads from a pod and puts into it: labels, annotations, variables and tokens. */
import { azureAudience, bindingAudience } from './audiences.ts'
import { fileOf } from './token-files.ts'
import type { Container, Meta, Pod } from './workloads.ts'

/** All that the webhook reads has this before it. */
const prefix = 'azure.workload.identity/'
export const useLabel = `${prefix}use`
export const tenantAnnotation = `${prefix}tenant-id`
export const expirationAnnotation = `${prefix}service-account-token-expiration`
export const skipAnnotation = `${prefix}skip-containers`
export const proxyAnnotation = `${prefix}inject-proxy-sidecar`
export const proxyPortAnnotation = `${prefix}proxy-sidecar-port`
export const bindingAnnotation = `${prefix}use-identity-binding`
export const podIdentityLabel = 'aadpodidbinding'
export const proxyContainer = 'azwi-proxy'
export const proxyInit = 'azwi-proxy-init'

/** Where the webhook mounts its token: up to v1.5.1, and since v1.6.0 (https://github.com/Azure/AKS/issues/5541). */
export const tokenFiles = [
  '/var/run/secrets/azure/tokens/azure-identity-token',
  '/var/run/secrets/azure/wi/token/azure-identity-token',
] as const

export const fileVariable = 'AZURE_FEDERATED_TOKEN_FILE'

const hasPrefix = (texts: { readonly [key: string]: string }): boolean =>
  Object.keys(texts).some((key) => key.startsWith(prefix))
const resembles = (key: string): boolean =>
  /azure/i.test(key) && /(?:client-?_?\.?id|workload[-._]?identity)/i.test(key)

/** Whether anything on a ServiceAccount, right or misspelt, is meant for Azure. */
export const accountAsks = ({ annotations, labels }: Pick<Meta, 'annotations' | 'labels'>): boolean =>
  hasPrefix(annotations) || hasPrefix(labels) || Object.keys(annotations).some(resembles)

export const isAzureAudience = (audience: string | undefined): boolean =>
  audience !== undefined &&
  (audience.toLowerCase().startsWith(azureAudience.toLowerCase()) || audience === bindingAudience)

/** Whether a pod, or a template, has anything of Azure's identities about it. */
export const podAsks = (pod: Pod): boolean =>
  hasPrefix(pod.labels) ||
  hasPrefix(pod.annotations) ||
  (pod.outer !== undefined && (hasPrefix(pod.outer.labels) || hasPrefix(pod.outer.annotations))) ||
  podIdentityLabel in pod.labels ||
  pod.containers.some(({ name, env }) => fileVariable in env || 'AZURE_CLIENT_ID' in env || name === proxyContainer) ||
  pod.volumes.some(({ tokens }) => tokens.some(({ audience }) => isAzureAudience(audience)))

export const usesBinding = ({ annotations }: Pick<Meta, 'annotations'>): boolean =>
  annotations[bindingAnnotation]?.toLowerCase() === 'true'

/** The containers that an application runs in; what the migration brought is none of them. */
export const ownContainers = ({ containers }: Pod): readonly Container[] =>
  containers.filter(({ role, name }) => role !== 'ephemeral' && name !== proxyContainer && name !== proxyInit)

export const skipped = ({ annotations }: Pick<Meta, 'annotations'>): ReadonlySet<string> =>
  new Set(
    (annotations[skipAnnotation] ?? '')
      .split(';')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  )

/** Whether a container has the variable and, mounted where it points, a projected token. */
export function isInjected(pod: Pod, container: Container): boolean {
  const path = container.env[fileVariable]
  if (path === undefined) return false
  // A value that is not in the pod may well be right.
  if (path === null) return true
  return fileOf(pod, container, 'azure', path).volume !== undefined
}

export const hasFile = ({ env }: Container): boolean => fileVariable in env

/**
 * Whether the container is told of a client id. An empty one is none: older webhooks write it that way where the
 * ServiceAccount has no annotation. https://github.com/Azure/azure-workload-identity/blob/v1.1.0/pkg/webhook/webhook.go
 */
export const namesClient = ({ env }: Container): boolean => 'AZURE_CLIENT_ID' in env && env.AZURE_CLIENT_ID !== ''

/** Written so by hand, in every container that wants an identity: nobody has to inject anything. */
export const isSelfMade = (pod: Pod): boolean => {
  const asking = ownContainers(pod).filter(({ env }) => fileVariable in env)
  return asking.length > 0 && asking.every((one) => isInjected(pod, one))
}

/** Whether the pod's volumes come from a driver that gets the pod's token from the kubelet, and nothing else in it asks for an identity. */
export const onlyByDriver = (pod: Pod): boolean =>
  pod.volumes.some(({ type }) => type === 'csi') &&
  !(useLabel in pod.labels) &&
  !(pod.outer !== undefined && useLabel in pod.outer.labels) &&
  !pod.containers.some(({ env }) => fileVariable in env || 'AZURE_CLIENT_ID' in env)

/** The audience of the token that the container reads. */
export function audienceIn(pod: Pod): string | undefined {
  for (const container of ownContainers(pod)) {
    const path = container.env[fileVariable]
    const source = typeof path === 'string' ? fileOf(pod, container, 'azure', path).source : undefined
    if (source?.audience !== undefined) return source.audience
  }
  return pod.volumes.flatMap(({ tokens }) => tokens.map(({ audience }) => audience)).find(isAzureAudience)
}
