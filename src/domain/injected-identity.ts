/** What an identity webhook puts into a pod for what stands on its ServiceAccount. */
import { azureClientAnnotation, roleAnnotation } from './audiences.ts'
import type { Pod, ServiceAccount } from './workloads.ts'

export type Binding = {
  readonly annotation: string
  /** What the annotation says now. */
  readonly value: string
  /** The variable by which the webhook hands the value to containers. */
  readonly variable: string
  /** Names of webhooks that do so. */
  readonly webhooks: readonly string[]
}

/** https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/handler/handler.go */
const skipLabel = 'eks.amazonaws.com/skip-pod-identity-webhook'

/** The binding by which this pod would be injected; undefined where no webhook acts on it. */
export function bindingOf(pod: Pod, { annotations }: Pick<ServiceAccount, 'annotations'>): Binding | undefined {
  const role = annotations[roleAnnotation]?.trim()
  if (role && !(skipLabel in pod.labels))
    return {
      annotation: roleAnnotation,
      value: role,
      variable: 'AWS_ROLE_ARN',
      webhooks: ['pod-identity-webhook.amazonaws.com', 'iam-for-pods.amazonaws.com'],
    }
  const client = annotations[azureClientAnnotation]?.trim()
  if (client && pod.labels['azure.workload.identity/use'] === 'true')
    return {
      annotation: azureClientAnnotation,
      value: client,
      variable: 'AZURE_CLIENT_ID',
      webhooks: ['mutation.azure-workload-identity.io'],
    }
  return undefined
}

export type InjectedValue =
  | { readonly state: 'none' | 'hidden' }
  | { readonly state: 'seen'; readonly values: readonly string[] }

/** The values of the binding's variable in the pod's containers; hidden where one is there and its value is not. */
export function injectedValue(pod: Pod, variable: string): InjectedValue {
  const values: string[] = []
  let hidden = false
  for (const { env } of pod.containers) {
    const value = Object.hasOwn(env, variable) ? env[variable] : undefined
    if (typeof value === 'string' && value !== '') values.push(value)
    else if (value === null) hidden = true
  }
  if (values.length > 0) return { state: 'seen', values: [...new Set(values)] }
  return { state: hidden ? 'hidden' : 'none' }
}
