/** The metadata server and the control plane behind it have headroom. */
import { defineCheck } from '../../core/check.ts'
import { isZone } from '../../domain/gcp-cluster.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleConnections } from '../../probes/gcp/breadth.ts'
import { evidenceOf, isOpen, undecidedBy } from '../../probes/gcp/heard.ts'
import { accountCount } from '../../probes/gcp/node.ts'
import { googleWorld } from '../../probes/gcp/world.ts'

/** Some way before 3000, where it runs out of memory. */
const many = 2700
const fewest = 16
const mostConnections = 500

export const check = defineCheck({
  meta: {
    id: 'gcp/metadata-server-has-headroom',
    title: 'The metadata server and the control plane behind it have headroom',
    severity: 'info',
    scope: 'cluster',
    cloud: 'gcp',
    section: 'Node',
    why: 'The metadata server has limits of its own: ServiceAccounts it can hold, room on the node, connections, and a control plane that answers.',
    fix: {
      safety: 'manual',
      does: 'Delete ServiceAccounts that nobody uses, plan a node pool with more pods per node, or a regional cluster; each means to move workloads.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
      'https://github.com/GoogleCloudPlatform/gcpdiag/tree/main/gcpdiag/lint/gke',
    ],
  },
  only: { probe: googleWorld, otherwise: 'nothing shows that Google Cloud is in use' },
  needs: { googleWorld },
  wants: { accountCount, googleConnections },
  after: ['gcp/workload-pool-exists'],
  messages: {
    'many-service-accounts': say(
      'the cluster has {count} ServiceAccounts; beyond 3000 the metadata server runs out of memory',
    ),
    'few-pods-per-node': say(
      'node pool {nodePool} allows {maxPodsPerNode} pods per node; expected at least 16, or the metadata server may not find room',
    ),
    'many-connections': say(
      'the metadata server on {node} answered {count} requests with 499; beyond 500 connections per node it queues',
    ),
    'zonal-control-plane': say(
      'cluster {cluster} has its control plane in zone {location} alone; no new tokens while it is upgraded or away',
    ),
  },
  remedies: {
    'many-service-accounts': advise('Delete ServiceAccounts that nobody uses.', 'kubectl get serviceaccounts -A'),
    'few-pods-per-node': advise(
      'Plan a node pool that allows at least 16 pods per node, and move the workloads there.',
      'gcloud container node-pools list --cluster={cluster} --location={location}',
    ),
    'many-connections': advise(
      'Have clients on {node} keep their connections and tokens, or spread them over more nodes.',
      'kubectl get pods -A -o wide --field-selector spec.nodeName={node}',
    ),
    'zonal-control-plane': advise(
      'Plan a regional cluster where workloads must get new tokens at any time; a zonal one cannot be changed into it.',
      'gcloud container clusters describe {cluster} --location={location}',
    ),
  },
  judge: ({ have, want }) => {
    if (have.googleWorld.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing shows that Google Cloud is in use' }
    const { cluster, nodePools, gke } = have.googleWorld.value
    const { accountCount, googleConnections } = want
    const seen = cluster.state === 'known' ? cluster.value : undefined
    const place = { cluster: seen?.name ?? '', location: seen?.location ?? '' }
    const count = accountCount.state === 'known' ? accountCount.value.count : undefined
    if (count !== undefined && count >= many && gke)
      return {
        status: 'fail',
        message: 'many-service-accounts',
        data: { ...place, count },
        evidence: [evidenceOf(accountCount.from, 'items', count, many)],
      }
    const pools = nodePools.state === 'known' ? nodePools.value.items : []
    const tight = pools.find(({ maxPods }) => maxPods !== undefined && maxPods < fewest)
    if (tight?.maxPods !== undefined)
      return {
        status: 'fail',
        message: 'few-pods-per-node',
        data: { ...place, nodePool: tight.name, maxPodsPerNode: tight.maxPods },
        evidence: [
          evidenceOf(
            nodePools.from,
            `nodePools[${tight.name}].maxPodsConstraint.maxPodsPerNode`,
            tight.maxPods,
            fewest,
          ),
        ],
      }
    const busy =
      googleConnections.state === 'known'
        ? googleConnections.value.find((one) => one.count > mostConnections)
        : undefined
    if (busy !== undefined)
      return {
        status: 'fail',
        message: 'many-connections',
        data: { ...place, ...busy },
        evidence: [evidenceOf(googleConnections.from, busy.node, busy.count, mostConnections)],
      }
    if (seen?.location !== undefined && isZone(seen.location))
      return {
        status: 'fail',
        message: 'zonal-control-plane',
        data: place,
        evidence: [evidenceOf(cluster.from, 'location', seen.location)],
      }
    if (!gke) return { status: 'not-applicable', reason: 'nothing shows that the cluster is one of GKE' }
    if (isOpen(nodePools)) return undecidedBy(nodePools)
    if (isOpen(accountCount)) return undecidedBy(accountCount)
    if (isOpen(googleConnections)) return undecidedBy(googleConnections)
    return seen === undefined
      ? undecidedBy(cluster)
      : { status: 'pass', evidence: [evidenceOf(cluster.from, 'location', seen.location ?? null)] }
  },
})
