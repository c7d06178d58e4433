/** What tells how wide grants and providers are, and how busy metadata servers are. */
import { absent, defineProbe, type Fact, known, reading } from '../../core/fact.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { providerIn } from '../../domain/gcp-credentials.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import { pods } from '../cluster/pods.ts'
import { type Listed, listed } from '../lists.ts'
import { googleWorld, type World } from './world.ts'

export type Breadth = {
  readonly world: World
  /** All clusters of the project; absent where no member of a GKE pool makes them matter. */
  readonly clusters: Fact<Listed<{ readonly name: string; readonly pool?: string }>>
  /** Of the pods that are judged, the first list that was not seen; absent where all were. */
  readonly pods: Fact<unknown>
  /** The projected token for Google that lives longest. */
  readonly longest?: {
    readonly namespace: string
    readonly pod: string
    readonly volume: string
    readonly seconds: number
  }
}

export const googleBreadth = defineProbe({
  id: 'gcp/breadth',
  about: 'how wide grants and providers are',
  scope: 'cluster',
  needs: { googleWorld },
  wants: { pods },
  only: 'googleWorld',
  ask: async ({ googleWorld }, { pods }, { ask }): Promise<Fact<Breadth>> => {
    const world = googleWorld.value
    const matters = world.policies.some(({ bindings }) =>
      bindings.some(({ members }) => members.some((one) => one.includes('.svc.id.goog'))),
    )
    const clusters = matters
      ? listed(
          await ask(gcp.clusters()),
          (json) => {
            const name = textAt(json, 'name')
            const pool = textAt(json, 'workloadPool')
            return name === undefined ? undefined : { name, ...(pool === undefined ? {} : { pool }) }
          },
          'clusters',
        )
      : absent(gcp.clusters())
    let longest: Breadth['longest']
    const shelves = pods.state === 'known' ? [...pods.value.values()] : []
    const all = shelves.flatMap(({ by }) => [...by.values()].flat())
    // Where nobody is judged, it may be that nobody could be seen.
    const lists = shelves.length === 0 ? [await ask(kubernetes.list('pods'))] : shelves.map(({ fact }) => fact)
    const unseen = [pods, ...lists].find(({ state }) => state === 'unknown')
    for (const { namespace, name, volumes } of all)
      for (const { name: volume, tokens } of volumes)
        for (const { audience, expirationSeconds: seconds } of tokens)
          if (providerIn(audience) !== undefined && seconds !== undefined && seconds > (longest?.seconds ?? 0))
            longest = { namespace, pod: name, volume, seconds }
    return known(
      { world, clusters, pods: unseen ?? absent(pods.from), ...(longest === undefined ? {} : { longest }) },
      googleWorld.from,
    )
  },
})

/** How often metadata servers gave up on a caller, by node; nobody asks for the log where it was not wanted. */
export const googleConnections = defineProbe({
  id: 'gcp/connections',
  about: 'how busy the metadata servers are',
  scope: 'cluster',
  needs: { googleWorld },
  wants: {},
  ask: async (
    { googleWorld },
    _want,
    { ask },
  ): Promise<Fact<readonly { readonly node: string; readonly count: number }[]>> => {
    if (googleWorld.state === 'absent' || !googleWorld.value.gke) return absent(gcp.logs())
    const fact = await ask(gcp.logs())
    if (fact.state === 'unknown' && (fact.why === 'not-asked' || fact.why === 'not-collected'))
      return absent(gcp.logs())
    return reading(fact, (json) =>
      listAt(json, 'node499').flatMap((one) => {
        const node = textAt(one, 'node')
        const count = at(one, 'count')
        return node === undefined || typeof count !== 'number' ? [] : [{ node, count }]
      }),
    )
  },
})
