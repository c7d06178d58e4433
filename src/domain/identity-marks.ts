/** What shows that a ServiceAccount has, or a pod expects, a cloud identity. */
import { awsAudience, azureAudience, podIdentityAudience, roleAnnotation } from './audiences.ts'
import { isNearRoleKey } from './aws-role-keys.ts'
import type { Container, Meta, Pod } from './workloads.ts'

/** Prefixes of annotation keys by which some tool binds an identity, right or misspelt. */
const identityKeys = [
  'eks.amazonaws.com/',
  'iam.amazonaws.com/',
  'iam.gke.io/',
  'cloud.google.com/workload-identity-',
  'cloud.google.com/service-account-email',
  'azure.workload.identity/',
] as const
/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html; an account that somebody has masked or left out is still meant. */
const roleArn = /^arn:aws[a-z0-9-]*:iam::[^:]{0,60}:(?:role|instance-profile)\//

/** Thousands of objects have the same few keys. */
const judgedKeys = new Map<string, boolean>()
const mostJudged = 1000

function bindsByKey(key: string): boolean {
  const held = judgedKeys.get(key)
  if (held !== undefined) return held
  const binds = identityKeys.some((prefix) => key.startsWith(prefix)) || isNearRoleKey(key)
  if (judgedKeys.size < mostJudged) judgedKeys.set(key, binds)
  return binds
}

/** Whether anything on the object binds it to an identity, also under a key that nobody reads. */
export function namesIdentity({ annotations, labels }: Pick<Meta, 'annotations' | 'labels'>): boolean {
  for (const key in annotations) if (bindsByKey(key) || roleArn.test(annotations[key]?.trim() ?? '')) return true
  return labels['azure.workload.identity/use'] !== undefined
}

const identityVariables = [
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AZURE_FEDERATED_TOKEN_FILE',
] as const
/** Names that the webhooks give their volumes; a user's own volume of that name is a finding, so it counts as a mark. */
const volumeNames = ['aws-iam-token', 'eks-pod-identity-token', 'azure-identity-token'] as const
const audiences: readonly string[] = [awsAudience, podIdentityAudience, azureAudience]

const hasVariable = ({ env }: Container): boolean => identityVariables.some((name) => name in env)

/** A credential configuration of Google holds no secret, and so lies in a ConfigMap. */
const readsConfiguration = ({ volumes }: Pod, { env, mounts }: Container): boolean => {
  const path = env.GOOGLE_APPLICATION_CREDENTIALS
  if (typeof path !== 'string') return false
  const mount = mounts.find(({ mountPath }) => path.startsWith(`${mountPath.replace(/\/+$/, '')}/`))
  return volumes.some(({ name, from }) => name === mount?.name && from?.kind === 'ConfigMap')
}

/** Whether a pod, or the pod that a template would make, asks for an identity by itself. */
export const podExpectsIdentity = (pod: Pod): boolean =>
  pod.containers.some((container) => hasVariable(container) || readsConfiguration(pod, container)) ||
  namesIdentity(pod) ||
  // Nobody reads it there, and somebody evidently meant the pods.
  pod.outer?.labels['azure.workload.identity/use'] !== undefined ||
  pod.volumes.some(
    ({ name, tokens }) =>
      volumeNames.some((taken) => taken === name) ||
      tokens.some(
        ({ audience }) =>
          audience !== undefined && (audiences.includes(audience) || audience.includes('/workloadIdentityPools/')),
      ),
  )

/** The name of the role that an annotation or a pod's variable names: the last part of its ARN, or the whole value where it is no ARN. */
export function namedRole(
  one: (Meta & { readonly containers?: readonly Container[] }) | undefined,
): string | undefined {
  const value =
    one?.annotations[roleAnnotation] ??
    one?.containers?.map(({ env }) => env.AWS_ROLE_ARN).find((found) => typeof found === 'string')
  const name = value?.trim().split('/').at(-1)
  return name === undefined || name === '' ? undefined : name
}
