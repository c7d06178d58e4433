/** A node of GKE, or all that were seen, and how the metadata server fares there. */
import { absent, defineProbe, type Fact, known, reading } from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import { type Listed, listed } from '../lists.ts'
import { errorsOfPod } from '../workload/observed-errors.ts'
import { type Heard, heardIn } from './heard.ts'
import { googleWorld, type World } from './world.ts'

export type GkeNode = {
  readonly name: string
  readonly pool?: string
  readonly label?: string
  readonly windows: boolean
}
export type MetadataPod = {
  readonly node?: string
  readonly ready: boolean
  readonly restarts: number
  readonly reason: string
  readonly outOfMemory: boolean
  /** Why it could not be placed, where it waits for a node. */
  readonly unplaced?: string
}
export const metadataLabel = 'iam.gke.io/gke-metadata-server-enabled'

const readNode = (json: Json): GkeNode | undefined => {
  const name = textAt(json, 'metadata', 'name')
  const labels = at(json, 'metadata', 'labels')
  if (name === undefined) return undefined
  const pool = textAt(labels, 'cloud.google.com/gke-nodepool')
  const label = textAt(labels, metadataLabel)
  return {
    name,
    ...(pool === undefined ? {} : { pool }),
    ...(label === undefined ? {} : { label }),
    windows: textAt(labels, 'kubernetes.io/os') === 'windows',
  }
}
const readMetadataPod = (json: Json): MetadataPod | undefined => {
  if (textAt(json, 'metadata', 'labels', 'k8s-app') !== 'gke-metadata-server') return undefined
  const node = textAt(json, 'spec', 'nodeName')
  const statuses = listAt(json, 'status', 'containerStatuses')
  const unready = statuses.find((one) => at(one, 'ready') === false)
  const last = textAt(unready, 'lastState', 'terminated', 'reason')
  const reason =
    textAt(unready, 'state', 'waiting', 'reason') ??
    textAt(unready, 'state', 'terminated', 'reason') ??
    last ??
    'not ready'
  const scheduled = listAt(json, 'status', 'conditions').find(
    (one) => textAt(one, 'type') === 'PodScheduled' && textAt(one, 'status') === 'False',
  )
  const unplaced =
    scheduled === undefined
      ? undefined
      : (textAt(scheduled, 'message') ?? textAt(scheduled, 'reason') ?? 'it waits for a node')
  const restarts = Math.max(0, ...statuses.map((one) => Number(at(one, 'restartCount') ?? 0)))
  return {
    ...(node === undefined ? {} : { node }),
    ready: statuses.length > 0 && unready === undefined,
    restarts,
    reason,
    outOfMemory: statuses.some(
      (one) =>
        textAt(one, 'lastState', 'terminated', 'reason') === 'OOMKilled' ||
        textAt(one, 'state', 'terminated', 'reason') === 'OOMKilled',
    ),
    ...(unplaced === undefined ? {} : { unplaced }),
  }
}

/** Where the metadata server's pods run; asked once for all nodes. */
export const metadataPods = defineProbe({
  id: 'gcp/metadata-pods',
  about: 'the pods of the GKE metadata server',
  scope: 'cluster',
  needs: { googleWorld },
  wants: {},
  only: 'googleWorld',
  ask: async (_have, _want, { ask }): Promise<Fact<Listed<MetadataPod>>> => {
    const fact = await ask(kubernetes.list('pods', 'kube-system'))
    return reading(fact, (json) => ({
      items: listAt(json, 'items').flatMap((one) => readMetadataPod(one) ?? []),
      complete: at(json, 'complete') === true,
    }))
  },
})

/** How many ServiceAccounts the whole cluster has; undefined where not all were seen. */
export const accountCount = defineProbe({
  id: 'gcp/account-count',
  about: 'how many ServiceAccounts the cluster has',
  scope: 'cluster',
  needs: { googleWorld },
  wants: {},
  only: 'googleWorld',
  ask: async (_have, _want, { ask }): Promise<Fact<{ readonly count: number; readonly complete: boolean }>> => {
    const all = await ask(kubernetes.list('serviceaccounts'))
    // Where nobody counted them, nothing is said of how many there are.
    if (all.state === 'unknown' && (all.why === 'not-collected' || all.why === 'not-asked')) return absent(all.from)
    return reading(all, (json) => ({
      count: listAt(json, 'items').length,
      complete: at(json, 'complete') !== false,
    }))
  },
})

export type GoogleNode = {
  readonly world: World
  /** The node itself, or all of them where the cluster answers for those that nobody named. */
  readonly nodes: Fact<readonly GkeNode[]>
  readonly alone: boolean
  readonly pods: Fact<Listed<MetadataPod>>
  readonly count: Fact<{ readonly count: number; readonly complete: boolean }>
  readonly heard: readonly Heard[]
}

export const googleNode = defineProbe({
  id: 'gcp/node',
  about: 'how the GKE metadata server fares on the node',
  scope: 'node',
  needs: { googleWorld },
  wants: { metadataPods, accountCount, errorsOfPod },
  only: 'googleWorld',
  ask: async (
    { googleWorld },
    { metadataPods, accountCount, errorsOfPod },
    { subject, ask },
  ): Promise<Fact<GoogleNode>> => {
    const world = googleWorld.value
    const alone = subject.kind === 'Node'
    const own = alone
      ? reading(await ask(kubernetes.get('nodes', undefined, subject.name)), (json) => {
          const node = readNode(json)
          return node && [node]
        })
      : undefined
    const all = own === undefined ? listed(await ask(kubernetes.list('nodes')), readNode) : undefined
    const nodes: Fact<readonly GkeNode[]> =
      own ?? (all?.state === 'known' ? known(all.value.items, all.from) : (all ?? absent(gcp.collected())))
    const isGke =
      world.cluster.state === 'known' ||
      world.nodePools.state === 'known' ||
      (metadataPods.state === 'known' && metadataPods.value.items.length > 0) ||
      (nodes.state === 'known' && nodes.value.some(({ pool, label }) => pool !== undefined || label !== undefined))
    const heard = heardIn(errorsOfPod).length > 0 ? heardIn(errorsOfPod) : world.heard
    const spoken = heard.some(({ check }) => check === 'gcp/node-runs-metadata-server')
    if (!isGke && !spoken) return absent(gcp.collected())
    return known({ world, nodes, alone, pods: metadataPods, count: accountCount, heard }, nodes.from)
  },
})
