/** By which mechanisms of which clouds a ServiceAccount and its pods are bound. */
import { azureClientAnnotation, googleAnnotation, roleAnnotation } from './audiences.ts'
import type { Pod, ServiceAccount } from './workloads.ts'

export type BindingCloud = 'aws' | 'azure' | 'gcp'
export type MechanismBinding = {
  readonly cloud: BindingCloud
  readonly mechanism: string
  /** As a message names it: `IRSA (role arn:…)`. */
  readonly named: string
  readonly by: 'role-annotation' | 'association' | 'azure-annotation' | 'google-annotation' | 'external-account'
}

/** `associated`: the role of its association, empty where only the association was seen; undefined where there is none. */
export function bindingsOf(
  { annotations }: Pick<ServiceAccount, 'annotations'>,
  pods: readonly Pod[],
  associated: string | undefined,
): readonly MechanismBinding[] {
  const found: MechanismBinding[] = []
  const add = (cloud: BindingCloud, mechanism: string, by: MechanismBinding['by'], detail: string): void => {
    found.push({ cloud, mechanism, by, named: detail === '' ? mechanism : `${mechanism} (${detail})` })
  }
  const role = annotations[roleAnnotation]?.trim()
  if (role) add('aws', 'IRSA', 'role-annotation', role)
  if (associated !== undefined) add('aws', 'EKS Pod Identity', 'association', associated)
  const client = annotations[azureClientAnnotation]?.trim()
  if (client) add('azure', 'Azure workload identity', 'azure-annotation', `client ${client}`)
  const google = annotations[googleAnnotation]?.trim()
  if (google) add('gcp', 'GKE workload identity', 'google-annotation', google)
  const federated = pods.some(
    ({ volumes, containers }) =>
      containers.some(({ env }) => 'GOOGLE_APPLICATION_CREDENTIALS' in env) &&
      volumes.some(({ tokens }) =>
        tokens.some(({ audience }) => audience?.includes('/workloadIdentityPools/') === true),
      ),
  )
  if (federated) add('gcp', 'an external_account file', 'external-account', '')
  return found
}

/** Which of two mechanisms of one cloud counts. Admission follows the association; an SDK that has both sets of variables takes web identity. */
export function winnerOf(first: MechanismBinding, second: MechanismBinding, pods: readonly Pod[]): string {
  if (first.cloud === 'aws') {
    const both = pods.some(({ containers }) =>
      containers.some(({ env }) => 'AWS_WEB_IDENTITY_TOKEN_FILE' in env && 'AWS_CONTAINER_CREDENTIALS_FULL_URI' in env),
    )
    return both ? 'IRSA' : 'EKS Pod Identity'
  }
  return second.mechanism
}

/** What stands between pods and the metadata address: old interceptors, by the names of their DaemonSets. */
const interceptors: readonly { readonly pattern: RegExp; readonly name: string }[] = [
  { pattern: /(?:^|-)nmi(?:$|-)|aad-pod-identity/, name: 'NMI of aad-pod-identity' },
  { pattern: /kube2iam/, name: 'kube2iam' },
  { pattern: /(?:^|-)kiam(?:$|-)/, name: 'kiam' },
]
export const interceptorOf = ({ name, labels }: Pick<Pod, 'name' | 'labels'>): string | undefined =>
  interceptors.find(({ pattern }) => pattern.test(name) || Object.values(labels).some((label) => pattern.test(label)))
    ?.name

/** What a pod carries for such an interceptor; inert where none runs. */
export const interceptorMark = (pods: readonly Pod[]): string | undefined => {
  for (const { labels, annotations } of pods) {
    if (labels.aadpodidbinding !== undefined) return 'label aadpodidbinding'
    if (labels.aadpodbinding !== undefined) return 'label aadpodbinding'
    if (annotations['iam.amazonaws.com/role'] !== undefined) return 'annotation iam.amazonaws.com/role'
  }
  return undefined
}
