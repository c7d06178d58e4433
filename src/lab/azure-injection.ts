/** What the workload identity webhook of Azure puts into a pod, and what of it is taken out again when the pod is made anew. */
import { isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import { azureAudience, azureClientAnnotation } from '../domain/audiences.ts'
import { tenantAnnotation, useLabel } from '../domain/azure-pods.ts'

/** Up to v1.5.1: https://github.com/Azure/AKS/issues/5541 */
const volume = 'azure-identity-token'
const folder = '/var/run/secrets/azure/tokens'
const variables = ['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_FEDERATED_TOKEN_FILE', 'AZURE_AUTHORITY_HOST']
const isNamed = (one: Json, names: readonly string[]): boolean => names.includes(textAt(one, 'name') ?? '')

/** The spec as it was before the webhook saw it. */
export function withoutAzure(spec: JsonObject): JsonObject {
  if (!listAt(spec, 'volumes').some((one) => isNamed(one, [volume]))) return spec
  return {
    ...spec,
    volumes: listAt(spec, 'volumes').filter((one) => !isNamed(one, [volume])),
    containers: listAt(spec, 'containers').map((one) => ({
      ...(isObject(one) ? one : {}),
      env: listAt(one, 'env').filter((variable) => !isNamed(variable, variables)),
      volumeMounts: listAt(one, 'volumeMounts').filter((mount) => !isNamed(mount, [volume])),
    })),
  }
}

/** `account`: the pod's ServiceAccount, `tenant` what the webhook was told. Only pods with the label ever get to the webhook. */
export function withAzure(pod: JsonObject, account: JsonObject, tenant: string | undefined): JsonObject {
  if (textAt(pod, 'metadata', 'labels', useLabel) !== 'true') return pod
  const annotation = (key: string): string | undefined => textAt(account, 'metadata', 'annotations', key)
  const values = [
    annotation(azureClientAnnotation),
    annotation(tenantAnnotation) ?? tenant,
    `${folder}/${volume}`,
    'https://login.microsoftonline.com/',
  ]
  const env = variables.flatMap((name, index) => (values[index] ? [{ name, value: values[index] }] : []))
  const spec = isObject(pod.spec) ? pod.spec : {}
  const token = { audience: azureAudience, expirationSeconds: 3600, path: volume }
  const projected = { defaultMode: 420, sources: [{ serviceAccountToken: token }] }
  const containers = listAt(spec, 'containers').map((one) => {
    const own = listAt(one, 'env')
    return {
      ...(isObject(one) ? one : {}),
      env: [...own, ...env.filter(({ name }) => !own.some((held) => textAt(held, 'name') === name))],
      volumeMounts: [...listAt(one, 'volumeMounts'), { name: volume, mountPath: folder, readOnly: true }],
    }
  })
  return { ...pod, spec: { ...spec, containers, volumes: [...listAt(spec, 'volumes'), { name: volume, projected }] } }
}
