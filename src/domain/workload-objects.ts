/** Reads ServiceAccounts, pods and pod templates from the objects that the API serves. */
import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import { type Draft, noWords, numberAt, optional, readContainers, readRunsAs, readVolume } from './containers.ts'
import { storageOf } from './pod-storage.ts'
import type { Meta, Pod, ServiceAccount, Texts, Writer } from './workloads.ts'

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
