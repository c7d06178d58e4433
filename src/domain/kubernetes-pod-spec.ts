/** Which fields of a pod's spec a check may see: names, mounts and flags. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import { each, isPicked, shared } from './kubernetes-alike.ts'
import { pickAzureHints, pickWords } from './kubernetes-command-words.ts'
import { type Draft, keep } from './kubernetes-pick.ts'
import { pickReference, pickVariable } from './kubernetes-variables.ts'
import { mayMount, mounterCalls } from './mounter-words.ts'
import { pickAttributes } from './storage-attributes.ts'

const containerNames = ['name', 'image', 'restartPolicy', 'targetContainerName']
const processNames = ['runAsUser', 'runAsGroup']
/** What a container that mounts may do; of every other one nobody asks. */
const mountingNames = [
  ...processNames,
  'privileged',
  'capabilities',
  'allowPrivilegeEscalation',
  'appArmorProfile',
  'seccompProfile',
]
const mountNames = ['name', 'mountPath', 'subPath', 'subPathExpr', 'readOnly', 'mountPropagation']

function pickContainer(from: JsonObject): JsonObject {
  const draft = keep(from, containerNames)
  const { securityContext, command, args, env, envFrom, volumeMounts } = from
  const devices = fuseDevices(from)
  const mounting = mayMount(from) || spreads(volumeMounts) || devices.length > 0
  if (isObject(securityContext))
    draft.securityContext = mounting
      ? pickNamed(securityContext, mountingNames)
      : pickNamed(securityContext, processNames)
  if (isList(command)) draft.command = pickWords(command, true)
  if (isList(args)) {
    const words = pickWords(args, false)
    if (words.length > 0) draft.args = words
  }
  if (isList(env)) draft.env = each(env, pickVariable)
  pickAzureHints(from, draft)
  if (isList(envFrom)) draft.envFrom = each(envFrom, pickReference)
  if (isList(volumeMounts)) draft.volumeMounts = each(volumeMounts, pickMount)
  // Empty for a container whose image is a driver, or that only speaks of a mounter.
  if (mayMount(from) || spreads(volumeMounts)) draft.mounters = mounterCalls(from)
  if (devices.length > 0) draft.devices = devices
  return draft
}

const spreads = (mounts: Json | undefined): boolean =>
  isList(mounts) &&
  mounts.some((one) => isObject(one) && (one.mountPropagation === 'Bidirectional' || one.mountPath === '/dev/fuse'))

const none: readonly Json[] = []
const isOfFuse = (name: string): boolean => name.endsWith('/fuse')
const fuseIn = (amounts: Json | undefined): readonly string[] =>
  isObject(amounts) ? Object.keys(amounts).filter(isOfFuse) : []

/** Resources of a device plugin that hands out /dev/fuse under any name, and devices that are claimed. */
function fuseDevices({ resources, devices }: JsonObject): readonly Json[] {
  if (isList(devices)) return devices
  if (!isObject(resources)) return none
  const { limits, requests, claims } = resources
  const claimed = isList(claims) && claims.length > 0
  const names = [...fuseIn(limits), ...fuseIn(requests), ...(claimed ? ['claim'] : [])]
  return names.length === 0 ? none : [...new Set(names)]
}

export const pickMount = (from: JsonObject): JsonObject => keep(from, mountNames)

const pickNamed = (from: JsonObject, names: readonly string[]): JsonObject =>
  isPicked(from) ? from : keep(from, names)

/** What of a projected source matters: the token in full, of the others the name. */
function pickSource(from: JsonObject): JsonObject {
  const { serviceAccountToken } = from
  if (serviceAccountToken !== undefined) return { serviceAccountToken }
  return pickReference(from)
}

export const pickProjected = ({ sources, defaultMode }: JsonObject): JsonObject => ({
  sources: isList(sources) ? each(sources, pickSource) : [],
  ...(defaultMode === undefined ? {} : { defaultMode }),
})

const volumeNames = ['secretName', 'name', 'claimName', 'path', 'type', 'driver', 'readOnly', 'medium', 'optional']

/** The name and the one type of a volume; inside it names and paths, never attributes, which may hold keys. */
function pickVolume(from: JsonObject): JsonObject {
  const draft: Draft = {}
  if (from.name !== undefined) draft.name = from.name
  for (const type in from) {
    const body = from[type]
    if (type === 'name' || !isObject(body)) continue
    if (type === 'projected') {
      draft.projected = isPicked(body) ? body : shared(pickProjected(body))
    } else if (type === 'csi' && body.volumeAttributes !== undefined)
      draft.csi = { ...keep(body, volumeNames), volumeAttributes: pickAttributes(body.volumeAttributes) }
    else draft[type] = pickNamed(body, volumeNames)
  }
  return draft
}

const specNames = [
  'serviceAccountName',
  'serviceAccount',
  'nodeName',
  'hostNetwork',
  'nodeSelector',
  'automountServiceAccountToken',
  'tolerations',
  'schedulingGates',
  'hostUsers',
  'imagePullSecrets',
]
const podProcessNames = [...processNames, 'fsGroup', 'supplementalGroups', 'appArmorProfile', 'seccompProfile']

/** The spec of a pod or of a pod template with only what a check may look at. Pure; never throws, whatever the shape. */
export function pickPodSpec(spec: JsonObject): JsonObject {
  const draft = keep(spec, specNames)
  if (draft.tolerations !== undefined) draft.tolerations = shared(draft.tolerations)
  const { securityContext, affinity, volumes, containers, initContainers, ephemeralContainers } = spec
  if (isObject(securityContext)) draft.securityContext = pickNamed(securityContext, podProcessNames)
  if (isObject(affinity) && affinity.nodeAffinity !== undefined)
    draft.affinity = { nodeAffinity: affinity.nodeAffinity }
  if (isList(volumes)) draft.volumes = each(volumes, pickVolume)
  if (isList(containers)) draft.containers = each(containers, pickContainer)
  if (isList(initContainers)) draft.initContainers = each(initContainers, pickContainer)
  if (isList(ephemeralContainers)) draft.ephemeralContainers = each(ephemeralContainers, pickContainer)
  return draft
}
