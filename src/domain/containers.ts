/** Containers and volumes of a pod as the checks see them. */
import { at, isObject, type Json, type JsonObject, listOf, memberOf, textAt, textOf, textsAt } from '../core/json.ts'

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
/** While it is made. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] }

export const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V })

function objectAt(json: Json | undefined, secret: string, configMap: string, member: string): ObjectName | undefined {
  const ofSecret = textAt(json, secret, member)
  if (ofSecret !== undefined) return { kind: 'Secret', name: ofSecret }
  const ofConfigMap = textAt(json, configMap, 'name')
  return ofConfigMap === undefined ? undefined : { kind: 'ConfigMap', name: ofConfigMap }
}

export const numberAt = (json: Json | undefined, name: string): number | undefined => {
  const found = memberOf(json, name)
  return typeof found === 'number' ? found : undefined
}

export function readRunsAs(json: Json | undefined): RunsAs | undefined {
  const context = memberOf(json, 'securityContext')
  const user = numberAt(context, 'runAsUser')
  const group = numberAt(context, 'runAsGroup')
  return user === undefined && group === undefined
    ? undefined
    : { ...optional('user', user), ...optional('group', group) }
}

const noTokens: readonly TokenSource[] = Object.freeze([])

function readTokens(sources: readonly Json[]): readonly TokenSource[] {
  let tokens: TokenSource[] | undefined
  for (const source of sources) {
    const token = memberOf(source, 'serviceAccountToken')
    if (token === undefined) continue
    const audience = textOf(token, 'audience')
    const seconds = memberOf(token, 'expirationSeconds')
    tokens ??= []
    tokens.push({
      path: textOf(token, 'path') ?? '',
      ...optional('audience', audience),
      ...(typeof seconds === 'number' ? { expirationSeconds: seconds } : {}),
    })
  }
  return tokens ?? noTokens
}

const typeOf = (volume: JsonObject): string | undefined => {
  for (const key in volume) if (key !== 'name') return key
  return undefined
}

/** By the sources of a projected volume, of which there is one object for all that are alike. */
const tokensOf = new WeakMap<readonly Json[], readonly TokenSource[]>()

export function readVolume(json: Json): Volume {
  const projected = memberOf(json, 'projected')
  const sources = listOf(projected, 'sources')
  let tokens = sources.length === 0 ? noTokens : tokensOf.get(sources)
  if (tokens === undefined) {
    tokens = readTokens(sources)
    tokensOf.set(sources, tokens)
  }
  const volume: Draft<Volume> = {
    name: textOf(json, 'name') ?? '',
    // The API's own default: a volume without a source is an emptyDir.
    type: (isObject(json) ? typeOf(json) : undefined) ?? 'emptyDir',
    tokens,
  }
  const defaultMode = numberAt(projected, 'defaultMode')
  const from = objectAt(json, 'secret', 'configMap', 'secretName')
  if (defaultMode !== undefined) volume.defaultMode = defaultMode
  if (from !== undefined) volume.from = from
  return volume
}

type Variables = Draft<Pick<Container, 'env' | 'references'>>

function readVariables(variables: readonly Json[]): Variables {
  const env: { [name: string]: string | null } = {}
  const references: { [name: string]: ObjectName & { readonly key: string; readonly optional: boolean } } = {}
  let referring = false
  for (const variable of variables) {
    const name = textOf(variable, 'name')
    if (name === undefined) continue
    // A variable without value and valueFrom is the empty text.
    const bare = isObject(variable) && !('value' in variable) && !('valueFrom' in variable) && !('hidden' in variable)
    env[name] = textOf(variable, 'value') ?? (bare ? '' : null)
    const reference = objectAt(memberOf(variable, 'valueFrom'), 'secretKeyRef', 'configMapKeyRef', 'name')
    if (reference === undefined) continue
    const body = at(variable, 'valueFrom', reference.kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef')
    const optional = memberOf(body, 'optional') === true
    references[name] = { ...reference, key: textOf(body, 'key') ?? '', optional }
    referring = true
  }
  return referring ? { env, references } : { env }
}

function readMount(json: Json): Mount {
  const mount: Draft<Mount> = {
    name: textOf(json, 'name') ?? '',
    mountPath: textOf(json, 'mountPath') ?? '',
    readOnly: memberOf(json, 'readOnly') === true,
  }
  const subPath = textOf(json, 'subPath') ?? textOf(json, 'subPathExpr')
  if (subPath !== undefined) mount.subPath = subPath
  return mount
}

export const noWords: readonly string[] = Object.freeze([])

function readWords(command: readonly Json[], args: readonly Json[]): readonly string[] {
  if (command.length === 0 && args.length === 0) return noWords
  return [...command, ...args].filter((word) => typeof word === 'string')
}

function readContainer(json: Json, role: Container['role']): Container {
  const sources = listOf(json, 'envFrom')
  const container: Draft<Container> = {
    name: textOf(json, 'name') ?? '',
    role,
    ...readVariables(listOf(json, 'env')),
    envFrom: sources.length > 0,
    mounts: listOf(json, 'volumeMounts').map(readMount),
    command: readWords(listOf(json, 'command'), listOf(json, 'args')),
  }
  if (sources.length > 0) {
    const envSources = sources.flatMap((source) => {
      const found = objectAt(source, 'secretRef', 'configMapRef', 'name')
      return found === undefined ? [] : [{ ...found, prefix: textOf(source, 'prefix') ?? '' }]
    })
    if (envSources.length > 0) container.envSources = envSources
  }
  const runsAs = readRunsAs(json)
  if (runsAs !== undefined) container.runsAs = runsAs
  const image = textOf(json, 'image')
  if (image !== undefined) container.image = image
  if (role === 'init' && textOf(json, 'restartPolicy') === 'Always') container.sidecar = true
  if (listOf(json, 'tokenPaths').length > 0) container.tokenPaths = textsAt(json, 'tokenPaths')
  if (memberOf(json, 'asksMetadata') === true) container.asksMetadata = true
  return container
}

const placesOfContainers = {
  initContainers: 'init',
  containers: 'container',
  ephemeralContainers: 'ephemeral',
} as const

export function readContainers(spec: Json | undefined): readonly Container[] {
  const containers: Container[] = []
  for (const place of ['initContainers', 'containers', 'ephemeralContainers'] as const)
    for (const one of listOf(spec, place)) containers.push(readContainer(one, placesOfContainers[place]))
  // A list that grew has room for more.
  return containers.slice()
}
