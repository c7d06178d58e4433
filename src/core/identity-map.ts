/** Who can become whom: one link for each pair of a ServiceAccount and an identity of a cloud that something binds or lets pass. */
import { byText } from './subject.ts'

/**
 * `bound`: it asks for the identity and is let through. `may`: it is let through and does not ask. `refused`: it asks and is not let through.
 * `orphan`: the identity trusts a ServiceAccount that is not there. `elsewhere`: it trusts one of another cluster. `unseen`: it asks, and
 * whether it is let through was not seen.
 */
export const linkStates = ['refused', 'unseen', 'orphan', 'may', 'bound', 'elsewhere'] as const
export type LinkState = (typeof linkStates)[number]

export type Link = {
  readonly state: LinkState
  /** Where several clusters are on the map. */
  readonly context?: string
  /** A ServiceAccount's; for a pattern that fits no single one, the pattern stands in `pattern` and both are `*`. */
  readonly namespace: string
  readonly name: string
  /** Pods that run as it now; left out where that was not seen. */
  readonly pods?: number
  readonly cloud: 'aws' | 'azure' | 'gcp'
  /** As its cloud names it: an ARN, an e-mail, a resource id or a client id. */
  readonly identity: string
  readonly via: 'irsa' | 'pod-identity' | 'workload-identity' | 'federation'
  /** Whether the trust names it, takes it in with others, or hangs on what was not seen. */
  readonly trust: 'exact' | 'wildcard' | 'conditional' | 'none' | 'unseen'
  /** What the trust is written for, where it is no exact name. */
  readonly pattern?: string
  /** Under which issuer or pool it is trusted, where that is not this cluster's. */
  readonly issuer?: string
}

export type IdentityMap = {
  readonly schema: 'kubectl-wi/map/v1'
  readonly source: string
  readonly links: readonly Link[]
  /** What the whole shows beside single links: one name in several clusters. */
  readonly remarks: readonly string[]
  /** What could not be seen, so that links may be missing. */
  readonly unseen: readonly string[]
}

export const byLink = (a: Link, b: Link): number =>
  byText(a.context ?? '', b.context ?? '') ||
  byText(a.namespace, b.namespace) ||
  byText(a.name, b.name) ||
  byText(a.identity, b.identity) ||
  byText(a.issuer ?? '', b.issuer ?? '') ||
  byText(a.via, b.via)

/** The same name in several clusters, or under several issuers, with the identity that they share or do not share. */
export function remarksOn(links: readonly Link[]): readonly string[] {
  const places = new Map<string, { readonly clusters: Set<string>; readonly identities: Set<string> }>()
  for (const { state, context, issuer, namespace, name, identity } of links) {
    if (state === 'refused' || state === 'unseen' || state === 'orphan' || name === '*') continue
    const key = `${namespace}/${name}`
    const place = places.get(key) ?? { clusters: new Set(), identities: new Set() }
    places.set(key, place)
    place.clusters.add(issuer ?? context ?? 'this cluster')
    place.identities.add(identity)
  }
  return [...places].flatMap(([who, { clusters, identities }]) =>
    clusters.size < 2
      ? []
      : [
          `${who} is in ${clusters.size} clusters (${[...clusters].sort().join(', ')}) and becomes ${
            identities.size === 1 ? `${[...identities][0]} in all of them` : `${identities.size} identities there`
          }`,
        ],
  )
}
