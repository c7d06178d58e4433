/** What in a pod comes before the identity that it is bound to: variables and files by name, never by value. */
import { azureClientAnnotation, googleAnnotation, roleAnnotation } from './audiences.ts'
import { injectedInto, skippedContainers } from './aws-injection.ts'
import type { Container, Mount, ObjectName, Pod, ServiceAccount, Volume } from './workloads.ts'

export type BoundCloud = 'aws' | 'azure' | 'gcp'
/** The identity that a container is bound to; `declared` as the ServiceAccount or the container names it. */
export type Bound = { readonly cloud: BoundCloud; readonly mechanism: string; readonly declared: string }

/** What each cloud's SDKs take first. A name alone decides; the others of its line go with it. */
const firstNames: { readonly [C in BoundCloud]: readonly (readonly [string, ...string[]])[] } = {
  aws: [['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']],
  azure: [['AZURE_CLIENT_SECRET'], ['AZURE_CLIENT_CERTIFICATE_PATH'], ['AZURE_USERNAME', 'AZURE_PASSWORD']],
  gcp: [],
}
const keyFileNames = ['GOOGLE_APPLICATION_CREDENTIALS', 'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE'] as const

/** What the container is bound to, by what it was given or by what its ServiceAccount asks for. */
export function boundOf(
  pod: Pod,
  container: Container,
  account: Pick<ServiceAccount, 'annotations'> | undefined,
): readonly Bound[] {
  if (container.role === 'ephemeral' || skippedContainers(pod).has(container.name)) return []
  const found: Bound[] = []
  const annotations = account?.annotations ?? {}
  const role = annotations[roleAnnotation]
  const injected = injectedInto(container)
  if (injected === 'container-credentials')
    found.push({ cloud: 'aws', mechanism: 'EKS Pod Identity', declared: 'the role of its association' })
  else if (injected === 'web-identity' || role)
    found.push({ cloud: 'aws', mechanism: 'web identity', declared: container.env.AWS_ROLE_ARN ?? role ?? 'its role' })
  const client = annotations[azureClientAnnotation]
  if ('AZURE_FEDERATED_TOKEN_FILE' in container.env || (client && pod.labels['azure.workload.identity/use'] === 'true'))
    found.push({
      cloud: 'azure',
      mechanism: 'Azure workload identity',
      declared: container.env.AZURE_CLIENT_ID ?? client ?? 'the identity of its ServiceAccount',
    })
  const google = annotations[googleAnnotation]
  if (google) found.push({ cloud: 'gcp', mechanism: 'GKE workload identity', declared: google })
  return found
}

/** Whether the key names in the sources of `envFrom`, and behind optional references, decide something. */
export const objectsToLookInto = (container: Container): readonly ObjectName[] => [
  ...(container.envSources ?? []).map(({ kind, name }) => ({ kind, name })),
  ...Object.entries(container.references ?? {}).flatMap(([variable, { kind, name, optional }]) =>
    optional && allFirst.has(variable) ? [{ kind, name }] : [],
  ),
]
const allFirst: ReadonlySet<string> = new Set([...Object.values(firstNames).flat(2), ...keyFileNames])

export const nameOfObject = ({ kind, name }: ObjectName): string => `${kind} ${name}`

/** The names of the keys in a Secret or ConfigMap; undefined where they were not seen. */
export type KeysOf = (object: ObjectName) => readonly string[] | undefined

type Setter =
  | { readonly by: 'variables'; readonly names: readonly string[] }
  | {
      readonly by: 'object'
      readonly names: readonly string[]
      readonly object: ObjectName
      readonly wholesale: boolean
    }
export type Shadow = { readonly container: string; readonly bound: Bound } & (
  | Setter
  | { readonly by: 'file'; readonly source: string; readonly path: string; readonly volume: string }
  | { readonly by: 'key-file'; readonly path: string; readonly variable: string }
)
export type Shadows = { readonly found: readonly Shadow[]; readonly open?: string }

/** By which of these names something is set: in the container's own words, or out of an object. */
function settersOf(container: Container, names: readonly [string, ...string[]], keysOf: KeysOf): readonly Setter[] {
  const [first] = names
  const reference = container.references?.[first]
  const set = names.filter((name) => name in container.env)
  if (first in container.env) {
    if (container.env[first] === '') return []
    if (reference === undefined) return [{ by: 'variables', names: set }]
    if (reference.optional && keysOf(reference)?.includes(reference.key) !== true) return []
    const { kind, name } = reference
    return [{ by: 'object', names: set, object: { kind, name }, wholesale: false }]
  }
  return (container.envSources ?? []).flatMap(({ kind, name, prefix }) => {
    const keys = (keysOf({ kind, name }) ?? []).map((key) => `${prefix}${key}`)
    return keys.includes(first)
      ? [
          {
            by: 'object',
            names: names.filter((one) => keys.includes(one)),
            object: { kind, name },
            wholesale: true,
          },
        ]
      : []
  })
}

const folder = (path: string): string => path.replace(/\/+$/, '')
const holds = ({ mountPath }: Mount, path: string): boolean =>
  path === folder(mountPath) || path.startsWith(`${folder(mountPath)}/`)
const volumeAt = (pod: Pod, container: Container, path: string): readonly [Mount, Volume] | undefined => {
  const mount = container.mounts
    .filter((one) => holds(one, path))
    .sort((a, b) => b.mountPath.length - a.mountPath.length)[0]
  const volume = pod.volumes.find(({ name }) => name === mount?.name)
  return mount === undefined || volume === undefined ? undefined : [mount, volume]
}
const inHome = /\/\.aws(?:\/credentials)?\/?$/

/** Files of profiles: SDKs disagree on whether they come before web identity, and agree that they come before Pod Identity. */
function files(pod: Pod, container: Container, bound: Bound): Shadows {
  const found: Shadow[] = []
  let open: string | undefined
  const named = container.env.AWS_SHARED_CREDENTIALS_FILE
  const mounts = container.mounts.filter(
    (mount) => inHome.test(mount.mountPath) || (typeof named === 'string' && holds(mount, named)),
  )
  for (const mount of mounts) {
    const volume = pod.volumes.find(({ name }) => name === mount.name)
    if (volume === undefined || volume.type === 'emptyDir') continue
    if (volume.type === 'secret')
      found.push({
        container: container.name,
        bound,
        by: 'file',
        source: volume.from === undefined ? `volume ${volume.name}` : nameOfObject(volume.from),
        path: mount.mountPath,
        volume: volume.name,
      })
    else
      open ??= `whether volume ${volume.name} (${volume.type}) of container ${container.name} holds AWS credentials was not seen`
  }
  const profiles = ['AWS_PROFILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE'].filter(
    (name) => name in container.env && container.env[name] !== '',
  )
  const matters = bound.mechanism === 'EKS Pod Identity' ? profiles : profiles.filter((name) => name === 'AWS_PROFILE')
  if (matters.length > 0)
    open ??= `what profile container ${container.name} takes by ${matters.join(' and ')} was not seen`
  return open === undefined ? { found } : { found, open }
}

function keyFiles(pod: Pod, container: Container, bound: Bound): Shadows {
  for (const variable of keyFileNames) {
    if (!(variable in container.env) || container.env[variable] === '') continue
    const path = container.env[variable]
    const at = typeof path === 'string' ? volumeAt(pod, container, path) : undefined
    if (typeof path === 'string' && at?.[1].type === 'secret')
      return { found: [{ container: container.name, bound, by: 'key-file', path, variable }] }
    return { found: [], open: `what kind of file ${variable} of container ${container.name} names was not seen` }
  }
  return { found: [] }
}

/** What shadows the identities of one container, in the order of who says it loudest. */
export function shadowsOf(pod: Pod, container: Container, bounds: readonly Bound[], keysOf: KeysOf): Shadows {
  const all = bounds.map((bound): Shadows => {
    const set = firstNames[bound.cloud]
      .flatMap((names) => settersOf(container, names, keysOf))
      .map((setter): Shadow => ({ container: container.name, bound, ...setter }))
    const more =
      bound.cloud === 'aws'
        ? files(pod, container, bound)
        : bound.cloud === 'gcp'
          ? keyFiles(pod, container, bound)
          : undefined
    return { ...more, found: [...set, ...(more?.found ?? [])] }
  })
  const open = all.map((one) => one.open).find((one) => one !== undefined)
  const found = all.flatMap((one) => one.found)
  return open === undefined ? { found } : { found, open }
}
