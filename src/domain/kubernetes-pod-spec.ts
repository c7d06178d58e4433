/** Which fields of a pod's spec a check may see: names, mounts and flags; of variables only values that are no secret. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import { mayMount, mounterCalls } from './mounter-words.ts'
import { pickAttributes } from './storage-attributes.ts'

type Draft = { [key: string]: Json }

const visible: ReadonlySet<string> = new Set([
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_STS_REGIONAL_ENDPOINTS',
  'AWS_PROFILE',
  'AWS_ROLE_SESSION_NAME',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_EC2_METADATA_DISABLED',
  'ENABLE_PREFIX_DELEGATION',
  'AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG',
  'ENABLE_IPv6',
  'AZURE_CLIENT_ID',
  'AZURE_TENANT_ID',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_AUTHORITY_HOST',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'GOOGLE_CLOUD_PROJECT',
  'GCE_METADATA_HOST',
  'AZURE_STORAGE_AUTH_TYPE',
  'AZURE_STORAGE_SPN_CLIENT_ID',
  'AZURE_STORAGE_SPN_TENANT_ID',
  'AZURE_STORAGE_AAD_ENDPOINT',
  'AZURE_STORAGE_IDENTITY_CLIENT_ID',
  'AZURE_OAUTH_TOKEN_FILE',
  'GCE_METADATA_IP',
  'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
])

/** Of rclone, which reads every option from the environment too. */
const ofRclone = /^RCLONE_(?:[A-Z0-9_]{1,60}_)?(?:ENV_AUTH|USE_MSI|TYPE|PROVIDER)$/

/** `https://user:password@proxy:3128` → `https://proxy:3128`; a proxy is often written without the scheme. */
function withoutUserInfo(value: string): string {
  const at = value.lastIndexOf('@')
  if (at < 0) return value
  const scheme = value.indexOf('://')
  return `${scheme >= 0 && scheme < at ? value.slice(0, scheme + 3) : ''}${value.slice(at + 1)}`
}

const carriesAddress = (name: string): boolean =>
  name.startsWith('AWS_ENDPOINT_URL') ||
  name.endsWith('_PROXY') ||
  name.endsWith('_proxy') ||
  name === 'AZURE_AUTHORITY_HOST'

/** The kind of reference with the names in it: secretKeyRef {name, key}, fieldRef {fieldPath}, … */
export function pickReference(from: JsonObject): JsonObject {
  const draft: Draft = {}
  for (const kind in from) {
    const reference = from[kind]
    if (!isObject(reference)) continue
    const named: Draft = {}
    for (const name of ['name', 'key', 'fieldPath', 'resource', 'optional']) {
      const value = reference[name]
      if (value !== undefined) named[name] = value
    }
    draft[kind] = named
  }
  const { prefix } = from
  return typeof prefix === 'string' ? { ...draft, prefix } : draft
}

/** Objects and lists that were picked when they were read, of which there is one for all that are alike: to be kept as they are. */
const picked = new WeakSet<object>()

export const isPicked = (value: object): boolean => picked.has(value)

/** Says of a value that its picks have been taken already. */
export function keptAsItIs<T extends object>(value: T): T {
  picked.add(value)
  return value
}

/** The objects of a list, each picked; made by `map`, which leaves no room for more: a list that grows by one is given room for 17. */
export function each(list: readonly Json[], pick: (from: JsonObject) => JsonObject): readonly JsonObject[] {
  const objects = list.every(isObject) ? list : list.filter(isObject)
  return picked.has(objects) ? objects : objects.map((one) => (picked.has(one) ? one : pick(one)))
}

/** One object per name: a cluster has the same few variables in thousands of pods. */
const hiddenOnes = new Map<string, JsonObject>()
const mostHiddenOnes = 10_000

function hidden(name: string): JsonObject {
  const held = hiddenOnes.get(name)
  if (held !== undefined) return held
  const one = Object.freeze({ name, hidden: true })
  if (hiddenOnes.size < mostHiddenOnes) hiddenOnes.set(name, one)
  return one
}

/** One object for all that are alike: thousands of pods tolerate the same taints and mount the same volumes. */
const sharedOnes = new Map<string, Json>()
const mostSharedOnes = 2000
const longestShared = 2000

function shared(value: Json): Json {
  if (typeof value === 'object' && value !== null && picked.has(value)) return value
  const key = JSON.stringify(value)
  const held = sharedOnes.get(key)
  if (held !== undefined) return held
  if (sharedOnes.size < mostSharedOnes && key.length <= longestShared) sharedOnes.set(key, value)
  return value
}

/** A variable whose value is not looked at is marked `hidden`, to be told from an empty one. */
export function pickVariable(from: JsonObject): JsonObject {
  const { name, value, valueFrom } = from
  if (typeof name !== 'string') return {}
  if (isObject(valueFrom)) return { name, valueFrom: pickReference(valueFrom) }
  if (value === undefined) return from.hidden === undefined ? { name } : hidden(name)
  if (typeof value === 'string' && (visible.has(name) || name.startsWith('AWS_ENDPOINT_URL') || ofRclone.test(name))) {
    // Where a file name belongs, some put the whole key.
    if (value.length <= 2048 && !value.includes('{'))
      return { name, value: carriesAddress(name) ? withoutUserInfo(value) : value }
  }
  return hidden(name)
}

const flags: ReadonlySet<string> = new Set([
  '--api-audiences',
  '--anonymous-auth',
  '--annotation-prefix',
  '--token-audience',
  '--token-mount-path',
  '--token-expiration',
  '--compose-role-arn',
  '--watch-config-map',
  '--sts-regional-endpoint',
  '--aws-default-region',
  '--aws-vpc-id',
  '--aws-vpc-tags',
  '--aws-region',
  '--feature-gates',
  '--cluster-name',
])

/** argv[0] (of a command) and the flags that tell how tokens are made, in the form in which they were written. */
function pickWords(words: readonly Json[], isCommand: boolean): readonly Json[] {
  const picked: Json[] = []
  const first = words[0]
  if (isCommand && typeof first === 'string' && first.length <= 256) picked.push(first)
  for (let index = isCommand ? 1 : 0; index < words.length; index += 1) {
    const word = words[index]
    if (typeof word !== 'string' || !word.startsWith('--')) continue
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    if (!name.startsWith('--service-account-') && !flags.has(name)) continue
    picked.push(word)
    const next = words[index + 1]
    if (equals < 0 && typeof next === 'string' && !next.startsWith('-')) {
      picked.push(next)
      index += 1
    }
  }
  return picked
}

/** Where the Azure webhook mounts its token, before and since v1.6.0: https://github.com/Azure/AKS/issues/5541 */
const azureTokenPath = /\/var\/run\/secrets\/azure\/(?:tokens\/azure-identity-token|wi\/token\/azure-identity-token)/g
const asksMetadata = /\baz\s+login\s+(?:--identity|-i)\b|Connect-AzAccount\s+-Identity\b/i
const longestHint = 64 * 1024

const pathsIn = (text: Json | undefined): readonly string[] =>
  typeof text === 'string' && text.length <= longestHint && text.includes('/secrets/azure/')
    ? (text.match(azureTokenPath) ?? [])
    : []

/** Of words and values that are dropped, which token paths of Azure are written out in them, and whether they ask for the node's identity. */
function pickAzureHints(from: JsonObject, draft: Draft): void {
  const { command, args, env, tokenPaths } = from
  // What was picked before has them already.
  if (from.asksMetadata === true) draft.asksMetadata = true
  let paths: string[] | undefined
  let logsIn = false
  for (const list of [command, args, tokenPaths]) {
    if (!isList(list)) continue
    for (const word of list) {
      for (const path of pathsIn(word)) {
        paths ??= []
        paths.push(path)
      }
      logsIn ||= typeof word === 'string' && /login|Connect-AzAccount/i.test(word)
    }
  }
  if (logsIn) {
    const words = [command, args]
      .flatMap((list) => (isList(list) ? list : []))
      .filter((word) => typeof word === 'string')
    const joined = words.join(' ')
    if (joined.length <= longestHint && asksMetadata.test(joined)) draft.asksMetadata = true
  }
  if (isList(env))
    for (const one of env)
      if (isObject(one) && one.name !== 'AZURE_FEDERATED_TOKEN_FILE')
        for (const path of pathsIn(one.value)) {
          paths ??= []
          paths.push(path)
        }
  if (paths !== undefined) draft.tokenPaths = [...new Set(paths)]
}

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

function pickMembers(from: JsonObject, names: readonly string[]): Draft {
  const draft: Draft = {}
  for (const name of names) {
    const value = from[name]
    if (value !== undefined) draft[name] = value
  }
  return draft
}

function pickContainer(from: JsonObject): JsonObject {
  const draft = pickMembers(from, containerNames)
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

/** Resources of a device plugin that hands out /dev/fuse under any name, and devices that are claimed. */
function fuseDevices({ resources, devices }: JsonObject): readonly Json[] {
  if (isList(devices)) return devices
  if (!isObject(resources)) return []
  const { limits, requests, claims } = resources
  const names = [limits, requests].flatMap((one) =>
    isObject(one) ? Object.keys(one).filter((name) => name.endsWith('/fuse')) : [],
  )
  return isList(claims) && claims.length > 0 ? [...new Set([...names, 'claim'])] : [...new Set(names)]
}

export const pickMount = (from: JsonObject): JsonObject => pickMembers(from, mountNames)

const pickNamed = (from: JsonObject, names: readonly string[]): JsonObject =>
  picked.has(from) ? from : pickMembers(from, names)

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
      draft.projected = picked.has(body) ? body : shared(pickProjected(body))
    } else if (type === 'csi' && body.volumeAttributes !== undefined)
      draft.csi = { ...pickMembers(body, volumeNames), volumeAttributes: pickAttributes(body.volumeAttributes) }
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
]
const podProcessNames = [...processNames, 'fsGroup', 'supplementalGroups', 'appArmorProfile', 'seccompProfile']

/** The spec of a pod or of a pod template with only what a check may look at. Pure; never throws, whatever the shape. */
export function pickPodSpec(spec: JsonObject): JsonObject {
  const draft = pickMembers(spec, specNames)
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
