/** A CloudTik workspace on Kubernetes, and the names that CloudTik derives from it. */
import { at, isObject, type Json, textAt } from '../core/json.ts'
import { partitionOfRegion } from './arn.ts'

/** https://github.com/oap-project/cloudtik */
export const accounts = { head: 'cloudtik-head-service-account', worker: 'cloudtik-worker-service-account' } as const
export type Part = keyof typeof accounts
export const parts: readonly Part[] = ['head', 'worker']

export type CloudType = 'aws' | 'gcp' | 'azure'
export type Workspace = {
  readonly name: string
  /** Where it was read. */
  readonly file?: string
  /** Kubernetes: the workspace's own name. */
  readonly namespace: string
  /** As written. */
  readonly type: string
  readonly cloud: CloudType | undefined
  readonly values: { readonly [key: string]: string }
  /** CloudTik makes, or uses, storage of the cloud. */
  readonly storage: boolean
  /** CloudTik makes it. */
  readonly managed: boolean
  /** It brings access keys of its own. */
  readonly keys: boolean
}

const clouds: { readonly [type: string]: CloudType } = { aws: 'aws', gcp: 'gcp', azure: 'azure' }
const yes = (value: Json | undefined): boolean =>
  value === true || (typeof value === 'string' && /^(?:true|yes|on)$/i.test(value))

export function readWorkspace(json: Json): Workspace | undefined {
  const name = textAt(json, 'metadata', 'name')
  const cloud = at(json, 'cloud')
  if (name === undefined || !isObject(cloud)) return undefined
  const type = textAt(cloud, 'type') ?? ''
  const values: { [key: string]: string } = {}
  for (const [key, value] of Object.entries(cloud))
    if (key !== 'type' && (typeof value === 'string' || typeof value === 'number')) values[key] = String(value)
  const managed = yes(cloud.managed_cloud_storage)
  const file = textAt(json, 'file')
  return {
    name,
    ...(file === undefined ? {} : { file }),
    namespace: textAt(json, 'namespace') ?? name,
    type,
    cloud: Object.hasOwn(clouds, type) ? clouds[type] : undefined,
    values,
    managed,
    storage: managed || yes(cloud.use_managed_cloud_storage),
    keys: at(json, 'keys') === true,
  }
}

export const required: { readonly [K in CloudType]: readonly string[] } = {
  aws: ['region', 'eks_cluster_name'],
  gcp: ['region', 'project_id'],
  azure: ['location', 'subscription_id', 'aks_resource_group', 'aks_cluster_name'],
}
/** The keys that name a cluster, and its place. */
export const clusterKey: { readonly [K in CloudType]: string } = {
  aws: 'eks_cluster_name',
  gcp: 'gke_cluster_name',
  azure: 'aks_cluster_name',
}
export const placeKey: { readonly [K in CloudType]: string } = { aws: 'region', gcp: 'region', azure: 'location' }

/** A value in the documentation's own words. */
export const isPlaceholder = (value: string): boolean =>
  /^your[-_ ]|^<.*>$|\$\{|^(?:xxx+|TODO|CHANGE[-_ ]?ME)$/i.test(value)

/** Longest name of a Google service account. https://cloud.google.com/iam/docs/service-accounts-create */
export const longestAccount = 30
export const googleAccount = (workspace: string, part: Part): string => `cloudtik-gke-${workspace}-${part}`
export const roleName = (namespace: string): string => `cloudtik-eks-${namespace}-role`
export const identityName = (workspace: string, part: Part): string => `cloudtik-aks-${workspace}-${part}`
export const bucketPrefix = (workspace: string): string => `cloudtik-${workspace}`
/** `cloudtik-<workspace>-<region>-<8 random>` */
export const isOwnBucket = (bucket: string, workspace: string, region: string): boolean =>
  bucket.startsWith(`cloudtik-${workspace}-${region}-`)

export const partitionOf = (region: string): string => partitionOfRegion(region) ?? 'aws'

/** Zones are in their region; Azure writes its locations in two ways. */
export const samePlace = (cloud: CloudType, written: string, actual: string): boolean =>
  cloud === 'gcp'
    ? actual === written || actual.startsWith(`${written}-`)
    : written.toLowerCase().replaceAll(' ', '') === actual.toLowerCase().replaceAll(' ', '')
