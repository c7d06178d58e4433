/** What a pod shows of mounting: calls of mounters, FUSE devices, what its containers may do, and volumes of CSI drivers and claims. */
import { at, isList, isObject, type Json, listAt, listOf, memberOf, textAt, textOf } from '../core/json.ts'

export type MountingContainer = {
  readonly name: string
  readonly image: string
  /** Init containers that go on beside the others are `sidecar`. */
  readonly role: 'container' | 'init' | 'sidecar'
  readonly privileged: boolean
  readonly capabilities: readonly string[]
  readonly dropped: readonly string[]
  readonly escalation?: boolean
  readonly user?: number
  readonly appArmor?: string
  readonly seccomp?: string
  /** Of device plugins, or `claim`. */
  readonly devices: readonly string[]
  /** It mounts the node's /dev/fuse, or all of /dev. */
  readonly mountsDevice: boolean
  /** Each: the tool, then its options, cleaned. */
  readonly calls: readonly (readonly string[])[]
  readonly mounts: readonly { readonly volume: string; readonly path: string; readonly propagation: string }[]
  readonly killedForMemory: boolean
  /** As the kubelet says; left out where it was not seen. */
  readonly ready?: boolean
  readonly memory?: string
}

export type PodVolume = {
  readonly name: string
  /** csi, azureFile, persistentVolumeClaim, hostPath, … */
  readonly type: string
  readonly driver?: string
  readonly claim?: string
  readonly attributes: { readonly [name: string]: string }
  readonly secret?: string
}

export type PodStorage = {
  readonly containers: readonly MountingContainer[]
  readonly volumes: readonly PodVolume[]
  readonly gates: readonly string[]
  readonly userNamespace: boolean
  readonly fsGroup?: number
  readonly automount?: boolean
}

const textsIn = (json: Json | undefined, ...path: readonly string[]): readonly string[] =>
  listAt(json, ...path).filter((one) => typeof one === 'string')

export function attributesOf(json: Json | undefined): { readonly [name: string]: string } {
  if (!isObject(json)) return {}
  const found: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(json))
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
      found[name] = String(value)
  return found
}

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V })

const flagAt = (json: Json | undefined, ...path: readonly string[]): boolean | undefined => {
  const found = at(json, ...path)
  return typeof found === 'boolean' ? found : undefined
}
const numberAt = (json: Json | undefined, ...path: readonly string[]): number | undefined => {
  const found = at(json, ...path)
  return typeof found === 'number' ? found : undefined
}
const profileAt = (json: Json | undefined, member: string): string | undefined =>
  textAt(json, 'securityContext', member, 'type')

const keysAt = (json: Json, ...path: readonly string[]): readonly string[] => {
  const found = at(json, ...path)
  return isObject(found) ? Object.keys(found) : []
}

function readVolume(json: Json): PodVolume {
  const type = isObject(json) ? (Object.keys(json).find((key) => key !== 'name') ?? 'emptyDir') : ''
  return {
    name: textOf(json, 'name') ?? '',
    type,
    ...optional('driver', textAt(json, 'csi', 'driver')),
    ...optional('claim', textAt(json, 'persistentVolumeClaim', 'claimName')),
    attributes: attributesOf(at(json, 'csi', 'volumeAttributes')),
    ...optional('secret', textAt(json, 'azureFile', 'secretName')),
  }
}

const concerns = (volume: Json): boolean =>
  isObject(volume) &&
  (volume.csi !== undefined ||
    volume.azureFile !== undefined ||
    volume.persistentVolumeClaim !== undefined ||
    isDevice(textAt(volume, 'hostPath', 'path')))
const isDevice = (path: string | undefined): boolean => path === '/dev/fuse' || path === '/dev/fuse/'

/** Old annotation of AppArmor: https://kubernetes.io/docs/tutorials/security/apparmor/ */
const oldAppArmor = 'container.apparmor.security.beta.kubernetes.io/'

/** `killed`: containers that ended for want of memory. */
function readContainer(
  json: Json,
  isInit: boolean,
  pod: Json,
  devices: ReadonlySet<string>,
  killed: ReadonlySet<string>,
) {
  const name = textOf(json, 'name') ?? ''
  const spec = memberOf(pod, 'spec')
  const mounts = listOf(json, 'volumeMounts').map((mount) => ({
    volume: textOf(mount, 'name') ?? '',
    path: textOf(mount, 'mountPath') ?? '',
    propagation: textOf(mount, 'mountPropagation') ?? 'None',
  }))
  const old = textAt(pod, 'metadata', 'annotations', `${oldAppArmor}${name}`)
  const always = textOf(json, 'restartPolicy') === 'Always'
  const one: MountingContainer = {
    name,
    image: textOf(json, 'image') ?? '',
    role: isInit ? (always ? 'sidecar' : 'init') : 'container',
    privileged: at(json, 'securityContext', 'privileged') === true,
    capabilities: textsIn(json, 'securityContext', 'capabilities', 'add').map((cap) => cap.replace(/^CAP_/, '')),
    dropped: textsIn(json, 'securityContext', 'capabilities', 'drop').map((cap) => cap.replace(/^CAP_/, '')),
    ...optional('escalation', flagAt(json, 'securityContext', 'allowPrivilegeEscalation')),
    ...optional(
      'user',
      numberAt(json, 'securityContext', 'runAsUser') ?? numberAt(spec, 'securityContext', 'runAsUser'),
    ),
    ...optional(
      'appArmor',
      profileAt(json, 'appArmorProfile') ??
        profileAt(spec, 'appArmorProfile') ??
        (old === undefined
          ? undefined
          : old === 'unconfined'
            ? 'Unconfined'
            : old === 'runtime/default'
              ? 'RuntimeDefault'
              : 'Localhost'),
    ),
    ...optional('seccomp', profileAt(json, 'seccompProfile') ?? profileAt(spec, 'seccompProfile')),
    // A pod as it would be has them where they are asked for.
    devices: [
      ...textsIn(json, 'devices'),
      ...keysAt(json, 'resources', 'limits').filter((key) => key.endsWith('/fuse')),
    ],
    mountsDevice: mounts.some(({ volume }) => devices.has(volume)),
    calls: listOf(json, 'mounters').map((call) =>
      isList(call) ? call.filter((word) => typeof word === 'string') : [],
    ),
    mounts,
    killedForMemory: killed.has(name),
    ...optional('ready', readyIn(pod, name)),
    ...optional('memory', textAt(json, 'resources', 'limits', 'memory')),
  }
  return one
}

const readyIn = (pod: Json, name: string): boolean | undefined =>
  flagAt(
    listAt(pod, 'status', 'readiness').find((one) => textOf(one, 'name') === name),
    'ready',
  )

const mounting = (one: Json): boolean => isObject(one) && (one.mounters !== undefined || one.devices !== undefined)

/** What of a pod (or of a template with its metadata) concerns mounting; undefined where nothing does. Fast: it is asked of every pod. */
export function storageOf(pod: Json): PodStorage | undefined {
  const spec = isObject(pod) ? pod.spec : undefined
  if (!isObject(spec)) return undefined
  const { volumes: listed, initContainers, containers: main } = spec
  const shows =
    spec.schedulingGates !== undefined ||
    (isList(main) && main.some(mounting)) ||
    (isList(listed) && listed.some(concerns)) ||
    (isList(initContainers) && initContainers.some(mounting))
  if (!shows) return undefined
  const volumes = isList(listed) ? listed : []
  const inits = isList(initContainers) ? initContainers : []
  const containers = isList(main) ? main : []
  const devices = new Set(
    volumes.flatMap((one) => (isDevice(textAt(one, 'hostPath', 'path')) ? (textOf(one, 'name') ?? []) : [])),
  )
  const killed = new Set(
    listAt(pod, 'status', 'containerStatuses').flatMap((one) =>
      textAt(one, 'lastState', 'terminated', 'reason') === 'OOMKilled' ? (textOf(one, 'name') ?? []) : [],
    ),
  )
  return {
    containers: [
      ...inits.map((one) => readContainer(one, true, pod, devices, killed)),
      ...containers.map((one) => readContainer(one, false, pod, devices, killed)),
    ],
    volumes: volumes.map(readVolume),
    gates: listOf(spec, 'schedulingGates').flatMap((one) => textOf(one, 'name') ?? []),
    userNamespace: spec.hostUsers === false,
    ...optional('fsGroup', numberAt(spec, 'securityContext', 'fsGroup')),
    ...optional('automount', flagAt(spec, 'automountServiceAccountToken')),
  }
}
