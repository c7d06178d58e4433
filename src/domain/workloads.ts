/** ServiceAccounts, pods and pod templates as the checks see them, read from the objects that the API serves. */
import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import {
  type Container,
  type Draft,
  noWords,
  numberAt,
  optional,
  type RunsAs,
  readContainers,
  readRunsAs,
  readVolume,
  type Volume,
} from './containers.ts'
import { type PodStorage, storageOf } from './pod-storage.ts'

export type { Container, Mount, ObjectName, RunsAs, TokenSource, Volume } from './containers.ts'

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

const noWriters: readonly Writer[] = Object.freeze([])

function readWriters(entries: readonly Json[]): readonly Writer[] {
  if (entries.length === 0) return noWriters
  return entries.map((entry) => {
    const annotations = listAt(entry, 'annotations')
    return {
      manager: textAt(entry, 'manager') ?? '',
      ...optional('time', textAt(entry, 'time')),
      annotations: areWords(annotations) ? annotations : annotations.filter((key) => typeof key === 'string'),
    }
  })
}

const areWords = (list: readonly Json[]): list is readonly string[] => list.every((word) => typeof word === 'string')

/** Assigned member by member: a large cluster has fifteen thousand, and spreading small objects is slow. */
function readMeta(json: Json, kind?: string): Draft<Meta> | undefined {
  const metadata = at(json, 'metadata')
  const name = textAt(metadata, 'name')
  if (name === undefined) return undefined
  const owners = listAt(metadata, 'ownerReferences')
  // Cut documents leave out `controller`; the only owner is the one then.
  const owner =
    owners.find((one) => at(one, 'controller') === true) ??
    (owners.length === 1 && at(owners[0], 'controller') === undefined ? owners[0] : undefined)
  const ownerKind = textAt(owner, 'kind')
  const ownerName = textAt(owner, 'name')
  const uid = textAt(metadata, 'uid')
  const created = textAt(metadata, 'creationTimestamp')
  const meta: Draft<Meta> = {
    kind: kind ?? textAt(json, 'kind') ?? '',
    namespace: textAt(metadata, 'namespace') ?? 'default',
    name,
    labels: texts(at(metadata, 'labels')),
    annotations: texts(at(metadata, 'annotations')),
    writers: readWriters(listAt(metadata, 'managedFields')),
  }
  if (uid !== undefined) meta.uid = uid
  if (created !== undefined) meta.created = created
  if (ownerKind !== undefined && ownerName !== undefined) meta.owner = { kind: ownerKind, name: ownerName }
  return meta
}

export const readServiceAccount = (json: Json): ServiceAccount | undefined => readMeta(json, 'ServiceAccount')

function readAffinityOs(spec: Json | undefined): readonly string[] {
  const affinity = at(spec, 'affinity')
  if (affinity === undefined) return noWords
  return listAt(affinity, 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms')
    .flatMap((term) => listAt(term, 'matchExpressions'))
    .filter((one) => textAt(one, 'key') === 'kubernetes.io/os' && textAt(one, 'operator') === 'In')
    .flatMap((one) => listAt(one, 'values').filter((value) => typeof value === 'string'))
}

function readSpec(meta: Draft<Meta>, whole: Json, phase: string | undefined): Draft<Pod> {
  const spec = at(whole, 'spec')
  const context = at(spec, 'securityContext')
  const pod: Draft<Pod> = Object.assign(meta, {
    serviceAccount: textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount') || 'default',
    leaving: false,
    hostNetwork: at(spec, 'hostNetwork') === true,
    nodeSelector: texts(at(spec, 'nodeSelector')),
    affinityOs: readAffinityOs(spec),
    volumes: listAt(spec, 'volumes').map(readVolume),
    containers: readContainers(spec),
  })
  const node = textAt(spec, 'nodeName')
  const runsAs = readRunsAs(spec)
  const fsGroup = numberAt(context, 'fsGroup')
  const groups = listAt(context, 'supplementalGroups').filter((one) => typeof one === 'number')
  const storage = storageOf(whole)
  if (node !== undefined) pod.node = node
  if (phase !== undefined) pod.phase = phase
  if (runsAs !== undefined) pod.runsAs = runsAs
  if (fsGroup !== undefined) pod.fsGroup = fsGroup
  if (groups.length > 0) pod.supplementalGroups = groups
  if (storage !== undefined) pod.storage = storage
  return pod
}

export function readPod(json: Json): Pod | undefined {
  const meta = readMeta(json, 'Pod')
  if (meta === undefined) return undefined
  const pod = readSpec(meta, json, textAt(json, 'status', 'phase'))
  pod.leaving = textAt(json, 'metadata', 'deletionTimestamp') !== undefined
  return pod
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
