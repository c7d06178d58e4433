/** ServiceAccounts, pods and pod templates as the checks see them, read from the objects that the API serves. */
import { at, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import { type PodStorage, storageOf } from './pod-storage.ts'

export type Texts = { readonly [key: string]: string }

/** Who wrote which annotations, and when (`metadata.managedFields`, which many exports strip). */
export type Writer = { readonly manager: string; readonly time?: string; readonly annotations: readonly string[] }

export type Meta = {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Set by the API server: an object without it is a manifest, and what admission would add to it is not known. */
  readonly uid?: string
  readonly created?: string
  readonly labels: Texts
  readonly annotations: Texts
  readonly writers: readonly Writer[]
  readonly owner?: { readonly kind: string; readonly name: string }
}

export type ServiceAccount = Meta

export type TokenSource = { readonly audience?: string; readonly path: string; readonly expirationSeconds?: number }
export type Volume = {
  readonly name: string
  /** projected, emptyDir, secret, hostPath, csi, … */
  readonly type: string
  readonly tokens: readonly TokenSource[]
  /** Of a projected volume; 0644 where it is not set. */
  readonly defaultMode?: number
  /** The Secret or ConfigMap that it is filled from. */
  readonly from?: ObjectName
}
/** A Secret or ConfigMap by name. */
export type ObjectName = { readonly kind: 'Secret' | 'ConfigMap'; readonly name: string }
/** As whom processes run, as far as it is written: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/ */
export type RunsAs = { readonly user?: number; readonly group?: number }
export type Mount = {
  readonly name: string
  readonly mountPath: string
  readonly subPath?: string
  readonly readOnly: boolean
}
export type Container = {
  readonly name: string
  readonly role: 'container' | 'init' | 'ephemeral'
  /** By name; null where the value is not in the pod (valueFrom) or is not looked at. */
  readonly env: { readonly [name: string]: string | null }
  /** More variables come from ConfigMaps or Secrets, and are not looked at. */
  readonly envFrom: boolean
  /** Where those come from, and what is put before their names. */
  readonly envSources?: readonly (ObjectName & { readonly prefix: string })[]
  /** By variable, the Secret or ConfigMap that its value comes from. */
  readonly references?: { readonly [name: string]: ObjectName & { readonly key: string; readonly optional: boolean } }
  readonly runsAs?: RunsAs
  readonly mounts: readonly Mount[]
  /** argv[0] and the flags that a check may look at. */
  readonly command: readonly string[]
  readonly image?: string
  /** An init container that goes on running. */
  readonly sidecar?: true
  /** Paths of Azure's token file that are written out in its words or variables. */
  readonly tokenPaths?: readonly string[]
  /** Its words log in as the identity of the node. */
  readonly asksMetadata?: true
}
export type Pod = Meta & {
  /** `default` where the pod names none. */
  readonly serviceAccount: string
  readonly node?: string
  readonly phase?: string
  /** It is being deleted. */
  readonly leaving: boolean
  readonly hostNetwork: boolean
  readonly nodeSelector: Texts
  /** Operating systems that node affinity asks for. */
  readonly affinityOs: readonly string[]
  readonly volumes: readonly Volume[]
  readonly containers: readonly Container[]
  /** What holds for containers that do not say otherwise. */
  readonly runsAs?: RunsAs
  readonly fsGroup?: number
  readonly supplementalGroups?: readonly number[]
  /** What it mounts, where it mounts something that may need an identity. */
  readonly storage?: PodStorage
  /** Of a pod template: what its workload itself carries, and by which labels it selects its pods. */
  readonly outer?: {
    readonly labels: Texts
    readonly annotations: Texts
    readonly selects: Texts
    /** The API server has it already. */
    readonly born: boolean
  }
}

const noTexts: Texts = Object.freeze({})
const areTexts = (json: JsonObject): json is JsonObject & Texts => {
  for (const key in json) if (typeof json[key] !== 'string') return false
  return true
}

/** The object itself where it holds texts only, as nearly all do. */
const texts = (json: Json | undefined): Texts => {
  if (!isObject(json)) return noTexts
  if (areTexts(json)) return json
  const found: { [key: string]: string } = {}
  for (const [key, value] of Object.entries(json)) if (typeof value === 'string') found[key] = value
  return found
}

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V })

function readMeta(json: Json, kind?: string): Meta | undefined {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined) return undefined
  const owners = listAt(json, 'metadata', 'ownerReferences')
  // Cut documents leave out `controller`; the only owner is the one then.
  const owner =
    owners.find((one) => at(one, 'controller') === true) ??
    (owners.length === 1 && at(owners[0], 'controller') === undefined ? owners[0] : undefined)
  const ownerKind = textAt(owner, 'kind')
  const ownerName = textAt(owner, 'name')
  return {
    kind: kind ?? textAt(json, 'kind') ?? '',
    namespace: textAt(json, 'metadata', 'namespace') ?? 'default',
    name,
    ...optional('uid', textAt(json, 'metadata', 'uid')),
    ...optional('created', textAt(json, 'metadata', 'creationTimestamp')),
    labels: texts(at(json, 'metadata', 'labels')),
    annotations: texts(at(json, 'metadata', 'annotations')),
    writers: listAt(json, 'metadata', 'managedFields').map((entry) => ({
      manager: textAt(entry, 'manager') ?? '',
      ...optional('time', textAt(entry, 'time')),
      annotations: listAt(entry, 'annotations').filter((key) => typeof key === 'string'),
    })),
    ...(ownerKind !== undefined && ownerName !== undefined ? { owner: { kind: ownerKind, name: ownerName } } : {}),
  }
}

export const readServiceAccount = (json: Json): ServiceAccount | undefined => readMeta(json, 'ServiceAccount')

function objectAt(json: Json | undefined, secret: string, configMap: string, member: string): ObjectName | undefined {
  const ofSecret = textAt(json, secret, member)
  if (ofSecret !== undefined) return { kind: 'Secret', name: ofSecret }
  const ofConfigMap = textAt(json, configMap, 'name')
  return ofConfigMap === undefined ? undefined : { kind: 'ConfigMap', name: ofConfigMap }
}

const numberAt = (json: Json | undefined, ...path: readonly string[]): number | undefined => {
  const found = at(json, ...path)
  return typeof found === 'number' ? found : undefined
}

function readRunsAs(json: Json | undefined): { readonly runsAs?: RunsAs } {
  const user = numberAt(json, 'securityContext', 'runAsUser')
  const group = numberAt(json, 'securityContext', 'runAsGroup')
  return user === undefined && group === undefined
    ? {}
    : { runsAs: { ...optional('user', user), ...optional('group', group) } }
}

function readVolume(json: Json): Volume {
  const type = isObject(json) ? Object.keys(json).find((key) => key !== 'name') : undefined
  const sources = listAt(json, 'projected', 'sources')
  return {
    name: textAt(json, 'name') ?? '',
    // The API's own default: a volume without a source is an emptyDir.
    type: type ?? 'emptyDir',
    ...optional('defaultMode', numberAt(json, 'projected', 'defaultMode')),
    ...optional('from', objectAt(json, 'secret', 'configMap', 'secretName')),
    tokens: sources.flatMap((source) => {
      const token = at(source, 'serviceAccountToken')
      if (token === undefined) return []
      const seconds = at(token, 'expirationSeconds')
      return [
        {
          path: textAt(token, 'path') ?? '',
          ...optional('audience', textAt(token, 'audience')),
          ...(typeof seconds === 'number' ? { expirationSeconds: seconds } : {}),
        },
      ]
    }),
  }
}

function readContainer(json: Json, role: Container['role']): Container {
  const env: { [name: string]: string | null } = {}
  const references: { [name: string]: ObjectName & { readonly key: string; readonly optional: boolean } } = {}
  for (const variable of listAt(json, 'env')) {
    const name = textAt(variable, 'name')
    if (name === undefined) continue
    // A variable without value and valueFrom is the empty text.
    const bare = isObject(variable) && !('value' in variable) && !('valueFrom' in variable) && !('hidden' in variable)
    env[name] = textAt(variable, 'value') ?? (bare ? '' : null)
    const reference = objectAt(at(variable, 'valueFrom'), 'secretKeyRef', 'configMapKeyRef', 'name')
    if (reference !== undefined) {
      const body = at(variable, 'valueFrom', reference.kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef')
      const optional = at(body, 'optional') === true
      references[name] = { ...reference, key: textAt(body, 'key') ?? '', optional }
    }
  }
  const envSources = listAt(json, 'envFrom').flatMap((source) => {
    const found = objectAt(source, 'secretRef', 'configMapRef', 'name')
    return found === undefined ? [] : [{ ...found, prefix: textAt(source, 'prefix') ?? '' }]
  })
  return {
    name: textAt(json, 'name') ?? '',
    role,
    env,
    envFrom: listAt(json, 'envFrom').length > 0,
    ...(envSources.length > 0 ? { envSources } : {}),
    ...(Object.keys(references).length > 0 ? { references } : {}),
    ...readRunsAs(json),
    mounts: listAt(json, 'volumeMounts').map((mount) => ({
      name: textAt(mount, 'name') ?? '',
      mountPath: textAt(mount, 'mountPath') ?? '',
      ...optional('subPath', textAt(mount, 'subPath') ?? textAt(mount, 'subPathExpr')),
      readOnly: at(mount, 'readOnly') === true,
    })),
    command: [...listAt(json, 'command'), ...listAt(json, 'args')].filter((word) => typeof word === 'string'),
    ...optional('image', textAt(json, 'image')),
    ...(role === 'init' && textAt(json, 'restartPolicy') === 'Always' ? { sidecar: true as const } : {}),
    ...(listAt(json, 'tokenPaths').length > 0 ? { tokenPaths: textsAt(json, 'tokenPaths') } : {}),
    ...(at(json, 'asksMetadata') === true ? { asksMetadata: true as const } : {}),
  }
}

function readSpec(meta: Meta, whole: Json, phase: string | undefined): Pod {
  const spec = at(whole, 'spec')
  const terms = listAt(
    spec,
    'affinity',
    'nodeAffinity',
    'requiredDuringSchedulingIgnoredDuringExecution',
    'nodeSelectorTerms',
  )
  const affinityOs = terms
    .flatMap((term) => listAt(term, 'matchExpressions'))
    .filter((one) => textAt(one, 'key') === 'kubernetes.io/os' && textAt(one, 'operator') === 'In')
    .flatMap((one) => listAt(one, 'values').filter((value) => typeof value === 'string'))
  const groups = listAt(spec, 'securityContext', 'supplementalGroups').filter((one) => typeof one === 'number')
  return {
    ...meta,
    serviceAccount: textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount') || 'default',
    ...optional('node', textAt(spec, 'nodeName')),
    ...optional('phase', phase),
    leaving: false,
    hostNetwork: at(spec, 'hostNetwork') === true,
    nodeSelector: texts(at(spec, 'nodeSelector')),
    affinityOs,
    volumes: listAt(spec, 'volumes').map(readVolume),
    containers: [
      ...listAt(spec, 'initContainers').map((one) => readContainer(one, 'init')),
      ...listAt(spec, 'containers').map((one) => readContainer(one, 'container')),
      ...listAt(spec, 'ephemeralContainers').map((one) => readContainer(one, 'ephemeral')),
    ],
    ...readRunsAs(spec),
    ...optional('fsGroup', numberAt(spec, 'securityContext', 'fsGroup')),
    ...(groups.length > 0 ? { supplementalGroups: groups } : {}),
    ...optional('storage', storageOf(whole)),
  }
}

export function readPod(json: Json): Pod | undefined {
  const meta = readMeta(json, 'Pod')
  if (meta === undefined) return undefined
  const leaving = textAt(json, 'metadata', 'deletionTimestamp') !== undefined
  return { ...readSpec(meta, json, textAt(json, 'status', 'phase')), leaving }
}

const templates: { readonly [kind: string]: readonly string[] } = {
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
}

/** A workload's pod template as the pod that it would make; it has the workload's name and kind, and the template's labels and annotations. */
export function readWorkload(json: Json): Pod | undefined {
  const meta = readMeta(json)
  const template = at(json, ...(templates[textAt(json, 'kind') ?? ''] ?? ['spec', 'template']))
  if (meta === undefined || template === undefined) return undefined
  const { uid: _, ...rest } = meta
  const outer = {
    labels: meta.labels,
    annotations: meta.annotations,
    selects: texts(at(json, 'spec', 'selector', 'matchLabels')),
    born: meta.uid !== undefined,
  }
  const made = readSpec(
    {
      ...rest,
      labels: texts(at(template, 'metadata', 'labels')),
      annotations: texts(at(template, 'metadata', 'annotations')),
    },
    template,
    undefined,
  )
  return { ...made, outer }
}

/** `Deployment shop/cart`, as messages name a workload. */
export const nameOf = (one: Meta): string => `${one.kind.toLowerCase()}/${one.name}`

/** When an annotation was last written, if the object still has its managedFields. */
export function writtenAt(
  meta: Meta,
  annotation: string,
): { readonly manager: string; readonly time: string } | undefined {
  let last: { readonly manager: string; readonly time: string } | undefined
  for (const { manager, time, annotations } of meta.writers)
    if (time !== undefined && annotations.includes(annotation) && (last === undefined || time > last.time))
      last = { manager, time }
  return last
}
