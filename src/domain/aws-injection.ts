/** What the pod identity webhook has put into a pod, container by container. */
import { awsAudience, podIdentityAudience } from './audiences.ts'
import type { Container, Pod } from './workloads.ts'

export const skipLabel = 'eks.amazonaws.com/skip-pod-identity-webhook'
export const skipContainersAnnotation = 'eks.amazonaws.com/skip-containers'
/** The webhook's own name for its volume. */
export const tokenVolume = 'aws-iam-token'

/** web-identity, container-credentials: both variables of that mechanism; partial: some; none. */
export type Injected = 'web-identity' | 'container-credentials' | 'partial' | 'none'

export function injectedInto({ env }: Container): Injected {
  if ('AWS_ROLE_ARN' in env && 'AWS_WEB_IDENTITY_TOKEN_FILE' in env) return 'web-identity'
  if ('AWS_CONTAINER_CREDENTIALS_FULL_URI' in env && 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE' in env)
    return 'container-credentials'
  return 'AWS_ROLE_ARN' in env || 'AWS_WEB_IDENTITY_TOKEN_FILE' in env ? 'partial' : 'none'
}

/** Names in the annotation are separated by commas; https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/handler/handler.go */
export function skippedContainers({ annotations }: Pick<Pod, 'annotations'>): ReadonlySet<string> {
  const names = annotations[skipContainersAnnotation]
  if (names === undefined) return nobody
  return new Set(
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  )
}
const nobody: ReadonlySet<string> = new Set()

/** Whether any variable of an AWS identity, or the volume of one, is in the pod. */
export const showsAws = (pod: Pod): boolean =>
  pod.containers.some((one) => injectedInto(one) !== 'none') ||
  pod.volumes.some(({ tokens }) =>
    tokens.some(({ audience }) => audience === awsAudience || audience === podIdentityAudience),
  )

/** The token files that a container could read by its mounts: path and audience. */
export function tokensOf(
  pod: Pod,
  container: Container,
): readonly { readonly path: string; readonly audience?: string }[] {
  const volumes = new Map(pod.volumes.map((volume) => [volume.name, volume]))
  return container.mounts.flatMap(({ name, mountPath }) =>
    (volumes.get(name)?.tokens ?? []).map(({ path, audience }) => ({
      path: `${mountPath.replace(/\/+$/, '')}/${path}`,
      ...(audience === undefined ? {} : { audience }),
    })),
  )
}

/** The audiences of the tokens that containers with web identity variables are pointed at. */
export const webIdentityAudiences = (pod: Pod): readonly string[] =>
  pod.containers.flatMap((container) => {
    const file = container.env.AWS_WEB_IDENTITY_TOKEN_FILE
    if (injectedInto(container) !== 'web-identity' || typeof file !== 'string') return []
    return tokensOf(pod, container).flatMap(({ path, audience }) =>
      path === file && audience !== undefined ? [audience] : [],
    )
  })

/** Roles that a pod's containers were given, each once. */
export const rolesIn = (pod: Pod): readonly string[] => [
  ...new Set(pod.containers.flatMap(({ env }) => (typeof env.AWS_ROLE_ARN === 'string' ? env.AWS_ROLE_ARN : []))),
]

/** Only the webhook, or one who copies it to the letter, mounts a volume of this name where the variable points. */
export const isByWebhook = (pod: Pod): boolean =>
  pod.uid !== undefined &&
  pod.volumes.some(({ name, type }) => name === tokenVolume && type === 'projected') &&
  pod.containers.some(
    (one) => one.mounts.some(({ name }) => name === tokenVolume) && injectedInto(one) === 'web-identity',
  )

/** Whether a container asks the EKS Pod Identity agent of its node: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html */
export const asksPodIdentityAgent = (pod: Pod): boolean =>
  pod.containers.some((one) => injectedInto(one) === 'container-credentials')
