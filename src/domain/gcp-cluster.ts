/** Clusters and node pools of GKE as gcloud prints them. */
import { at, isObject, type Json, textAt } from '../core/json.ts'

export type GkeCluster = {
  readonly name: string
  readonly location?: string
  readonly project?: string
  /** Taken as it stands: other universes write it in another way than PROJECT.svc.id.goog. */
  readonly pool?: string
  readonly autopilot: boolean
  readonly version?: string
  readonly dataplane?: string
  /** How members and token audiences name it. */
  readonly url?: string
}
export type NodePool = {
  readonly name: string
  /** What decides over metadata, as it is written; undefined where nothing is. */
  readonly mode?: string
  readonly concealed: boolean
  readonly account?: string
  readonly maxPods?: number
}

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V })

export function readGkeCluster(json: Json): GkeCluster | undefined {
  const name = textAt(json, 'name')
  if (name === undefined) return undefined
  const link = textAt(json, 'selfLink') ?? ''
  const [, project, place] = /\/projects\/([^/]+)\/(?:locations|zones)\/([^/]+)\/clusters\//.exec(link) ?? []
  const location = textAt(json, 'location') ?? textAt(json, 'zone') ?? place
  return {
    name,
    ...optional('location', location),
    ...optional('project', project),
    ...optional('pool', textAt(json, 'workloadIdentityConfig', 'workloadPool')),
    autopilot: at(json, 'autopilot', 'enabled') === true,
    ...optional('version', textAt(json, 'currentMasterVersion')),
    ...optional('dataplane', textAt(json, 'networkConfig', 'datapathProvider')),
    ...optional(
      'url',
      project === undefined || location === undefined
        ? undefined
        : `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${name}`,
    ),
  }
}

export function readNodePool(json: Json): NodePool | undefined {
  const name = textAt(json, 'name')
  const config = at(json, 'config')
  if (name === undefined || config === undefined) return undefined
  const block = at(config, 'workloadMetadataConfig')
  const mode = textAt(block, 'mode') ?? textAt(block, 'nodeMetadata') ?? textAt(config, 'nodeMetadata')
  const max = Number(at(json, 'maxPodsConstraint', 'maxPodsPerNode'))
  return {
    name,
    ...optional('mode', mode),
    concealed: mode === 'SECURE' || (isObject(block) && Object.keys(block).length === 0),
    ...optional('account', textAt(config, 'serviceAccount')),
    ...(Number.isFinite(max) && max > 0 ? { maxPods: max } : {}),
  }
}
/** The older beta field says GKE_METADATA_SERVER for the same. */
export const servesWorkloads = ({ mode }: NodePool): boolean =>
  mode === 'GKE_METADATA' || mode === 'GKE_METADATA_SERVER'

/** A zone has a letter behind its region; a control plane there is alone. */
export const isZone = (location: string): boolean => /^[a-z]+-[a-z]+[0-9]+-[a-z]$/.test(location)
