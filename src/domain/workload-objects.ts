/** Reads ServiceAccounts, pods and pod templates from the objects that the API serves. */
import { at, isObject, type Json, type JsonObject, listAt, listOf, memberOf, textAt, textOf } from '../core/json.ts'
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
    const annotations = listOf(entry, 'annotations')
    return {
      manager: textOf(entry, 'manager') ?? '',
      ...optional('time', textOf(entry, 'time')),
      annotations: areWords(annotations) ? annotations : annotations.filter((key) => typeof key === 'string'),
    }
  })
}

const areWords = (list: readonly Json[]): list is readonly string[] => list.every((word) => typeof word === 'string')

/** Assigned member by member: a large cluster has fifteen thousand, and spreading small objects is slow. */
function readMeta(json: Json, kind?: string): Draft<Meta> | undefined {
  const metadata = memberOf(json, 'metadata')
  const name = textOf(metadata, 'name')
  if (name === undefined) return undefined
  const owners = listOf(metadata, 'ownerReferences')
  // Cut documents leave out `controller`; the only owner is the one then.
  const owner =
    owners.find((one) => memberOf(one, 'controller') === true) ??
    (owners.length === 1 && at(owners[0], 'controller') === undefined ? owners[0] : undefined)
  const ownerKind = textOf(owner, 'kind')
  const ownerName = textOf(owner, 'name')
  const uid = textOf(metadata, 'uid')
  const created = textOf(metadata, 'creationTimestamp')
  const meta: Draft<Meta> = {
    kind: kind ?? textOf(json, 'kind') ?? '',
    namespace: textOf(metadata, 'namespace') ?? 'default',
    name,
    labels: texts(memberOf(metadata, 'labels')),
    annotations: texts(memberOf(metadata, 'annotations')),
    writers: readWriters(listOf(metadata, 'managedFields')),
  }
  if (uid !== undefined) meta.uid = uid
  if (created !== undefined) meta.created = created
  if (ownerKind !== undefined && ownerName !== undefined) meta.owner = { kind: ownerKind, name: ownerName }
  return meta
}

export const readServiceAccount = (json: Json): ServiceAccount | undefined => readMeta(json, 'ServiceAccount')

function readAffinityOs(spec: Json | undefined): readonly string[] {
  const affinity = memberOf(spec, 'affinity')
  if (affinity === undefined) return noWords
  return listAt(affinity, 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms')
    .flatMap((term) => listOf(term, 'matchExpressions'))
    .filter((one) => textOf(one, 'key') === 'kubernetes.io/os' && textOf(one, 'operator') === 'In')
    .flatMap((one) => listOf(one, 'values').filter((value) => typeof value === 'string'))
}

function readSpec(meta: Draft<Meta>, whole: Json, phase: string | undefined): Draft<Pod> {
  const spec = memberOf(whole, 'spec')
  const context = memberOf(spec, 'securityContext')
  const pod: Draft<Pod> = Object.assign(meta, {
    serviceAccount: textOf(spec, 'serviceAccountName') || textOf(spec, 'serviceAccount') || 'default',
    leaving: false,
    hostNetwork: memberOf(spec, 'hostNetwork') === true,
    nodeSelector: texts(memberOf(spec, 'nodeSelector')),
    affinityOs: readAffinityOs(spec),
    volumes: listOf(spec, 'volumes').map(readVolume),
    containers: readContainers(spec),
  })
  const node = textOf(spec, 'nodeName')
  const runsAs = readRunsAs(spec)
  const fsGroup = numberAt(context, 'fsGroup')
  const groups = listOf(context, 'supplementalGroups').filter((one) => typeof one === 'number')
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
  const template = at(json, ...(templates[textOf(json, 'kind') ?? ''] ?? ['spec', 'template']))
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
