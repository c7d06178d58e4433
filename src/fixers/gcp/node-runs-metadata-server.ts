/** Switches one node pool to the GKE metadata server, and names the pods that would lose the account of their node. */
import { check } from '../../checks/gcp/node-runs-metadata-server.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { located, serveMetadata } from '../../domain/gcp-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { pods } from '../../probes/cluster/pods.ts'
import { googleNode } from '../../probes/gcp/node.ts'

const needs = { googleNode }
const wants = { pods }
const named = 10

/** The pods of these nodes as `namespace/name`, with how many more there are. */
function disturbed({ have: { googleNode }, want }: Brief, nodePool: string): string {
  if (want.pods.state !== 'known' || googleNode.state === 'absent') return 'pods that were not seen'
  const { nodes, alone } = googleNode.value
  const own =
    nodes.state === 'known' ? nodes.value.filter(({ pool }) => alone || pool === nodePool).map(({ name }) => name) : []
  const all = [...want.pods.value.values()]
    .flatMap(({ by }) => [...by.values()].flat())
    .filter(({ node, namespace }) => namespace !== 'kube-system' && node !== undefined && own.includes(node))
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .sort()
  if (all.length === 0) return own.length === 0 ? 'pods on nodes that were not seen' : 'no pod that was seen'
  const more = all.length > named ? ` and ${all.length - named} more` : ''
  return `${all.slice(0, named).join(', ')}${more}`
}

type Brief = ProposalBrief<typeof needs, typeof wants, MessageData>

function turnOn(brief: Brief): Proposal {
  const { have, data } = brief
  const world = have.googleNode.state === 'absent' ? undefined : have.googleNode.value.world
  const place = world?.cluster.state === 'known' ? located(world.cluster.value) : undefined
  const pools = world?.nodePools.state === 'known' ? world.nodePools.value.items : []
  const index = pools.findIndex(({ name }) => name === word(data, 'nodePool'))
  const pool = pools[index]
  // The pool of the cluster comes first, as a step of its own.
  const ready = world?.cluster.state === 'known' && world.cluster.value.pool !== undefined
  if (place === undefined || pool === undefined || !ready) return byHand
  const summary = `Switch node pool ${pool.name} of cluster ${place.name} to GKE_METADATA; the account of the node is lost to ${disturbed(brief, pool.name)}`
  return [{ summary, safety: 'review', ...serveMetadata(place, pool, index) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: { 'gce-metadata': turnOn, 'metadata-concealed': turnOn },
})
