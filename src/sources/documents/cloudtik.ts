/** Recognises workspace and cluster YAML of CloudTik on Kubernetes. */
import { at, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import type { Reader } from './configurations.ts'

/** What is kept of `cloud_provider`: names, never keys. */
const kept = [
  'type',
  'region',
  'eks_cluster_name',
  'project_id',
  'gke_cluster_name',
  'gke_network',
  'location',
  'subscription_id',
  'aks_resource_group',
  'aks_cluster_name',
  'managed_cloud_storage',
  'use_managed_cloud_storage',
  'managed_cloud_database',
]

/** Where somebody gave keys for the storage, whatever they are: https://github.com/oap-project/cloudtik */
const storages = ['aws_s3_storage', 'gcp_cloud_storage', 'azure_cloud_storage', 'storage', 'cloud_storage']
const isKey = (name: string): boolean => /access\.?_?key|secret|account\.?_?key|private\.?_?key/i.test(name)

const holdsKeys = (provider: JsonObject, cloud: JsonObject): boolean =>
  [provider, cloud].some((one) =>
    storages.some(
      (name) => isObject(one[name]) && Object.entries(one[name] ?? {}).some(([key, value]) => isKey(key) && value),
    ),
  )

/** A workspace is called by its own name, or by that of its file. */
export const workspace: Reader = ({ value, stem }) => {
  if (!isObject(value) || value.apiVersion !== undefined || !isObject(value.provider)) return undefined
  const { provider } = value
  const cloud = provider.cloud_provider
  if (provider.type !== 'kubernetes' || !isObject(cloud)) return undefined
  const picked: { [key: string]: Json } = {}
  for (const name of kept) {
    const member = cloud[name] ?? (name.includes('managed_cloud') ? provider[name] : undefined)
    if (member !== undefined) picked[name] = member
  }
  const namespace = textAt(value, 'provider', 'namespace')
  return {
    kind: 'Workspace',
    name: textAt(value, 'workspace_name') ?? stem,
    content: {
      cloud: picked,
      keys: holdsKeys(provider, cloud),
      ...(at(value, 'cluster_name') === undefined ? {} : { cluster: true }),
      ...(namespace === undefined ? {} : { namespace }),
    },
  }
}
