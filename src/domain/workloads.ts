/** ServiceAccounts, pods and pod templates as the checks see them. */
import type { PodStorage } from './pod-storage.ts'

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
