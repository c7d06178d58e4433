/** Reads ServiceAccounts, pods and pod templates from the objects that the API serves. */
import { at, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import { storageOf } from './pod-storage.ts'
import type { Container, Meta, ObjectName, Pod, RunsAs, ServiceAccount, Texts, Volume } from './workloads.ts'

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
