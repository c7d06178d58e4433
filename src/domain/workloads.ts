/** ServiceAccounts, pods and pod templates as the checks see them. */
import type { Container, RunsAs, Volume } from './containers.ts'
import type { PodStorage } from './pod-storage.ts'

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
