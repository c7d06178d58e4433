/** The node runs the GKE metadata server. */

import type { Evidence } from '../../core/check.ts'
import { defineCheck } from '../../core/check.ts'
import { type NodePool, servesWorkloads } from '../../domain/gcp-cluster.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleNode } from '../../probes/gcp/node.ts'

/** More pods than this leave room for the metadata server: https://github.com/GoogleCloudPlatform/gcpdiag/tree/main/gcpdiag/lint/gke */
const fewest = 16
const modeOf = ({ mode, concealed }: NodePool): string => mode ?? (concealed ? 'an empty block' : 'not set')

export const check = defineCheck({
  meta: {
    id: 'gcp/node-runs-metadata-server',
    title: 'The node runs the GKE metadata server',
    severity: 'error',
    scope: 'node',
    cloud: 'gcp',
    section: 'Node',
    why: 'Pods of GKE get their tokens from the metadata server of their node; without it they get the account of the node, or nothing.',
    fix: {
      safety: 'review',
      does: 'Switch the one node pool to GKE_METADATA after looking at the pods that would lose the account of the node; never in the same step as the pool, never two node pools at once.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/troubleshooting.md',
      'https://github.com/kubeflow/pipelines/issues/6089',
      'https://github.com/kubeflow/kfctl/issues/48',
      'https://github.com/google-github-actions/setup-gcloud/issues/271',
      'https://github.com/GoogleCloudPlatform/gcpdiag/tree/main/gcpdiag/lint/gke',
    ],
  },
  only: { probe: googleNode, otherwise: 'nothing shows that it is a node of GKE' },
  needs: { googleNode },
  wants: {},
  after: ['gcp/workload-pool-exists'],
  messages: {
    'gce-metadata': say(
      'node pool {nodePool} has workload metadata mode {mode}, expected GKE_METADATA: its pods get the node account {nodeServiceAccount}',
    ),
    'metadata-concealed': say(
      'node pool {nodePool} conceals metadata ({observed}), expected workload metadata mode GKE_METADATA: concealment and workload identity exclude each other',
    ),
    'label-missing': say(
      'node {node} has iam.gke.io/gke-metadata-server-enabled={observed}, expected "true": no GKE metadata server is scheduled there',
    ),
    'crash-looping': say(
      'gke-metadata-server on node {node} is not ready: {restarts} restarts, {reason} (GKE {version})',
    ),
    'out-of-memory': say(
      'gke-metadata-server on node {node} was OOMKilled; the cluster has {count} ServiceAccounts, the metadata server holds up to 3000',
    ),
    'no-room': say(
      'gke-metadata-server cannot be placed on node {node}: {condition}; node pool {nodePool} allows {maxPodsPerNode} pods per node, expected at least 16',
    ),
  },
  remedies: {
    'gce-metadata': advise(
      'Switch node pool {nodePool} to GKE_METADATA; first see which of its pods live on the account of the node, which they lose at once.',
      'kubectl get pods -A -o wide',
      'gcloud container node-pools update {nodePool} --cluster={cluster} --location={location} --workload-metadata=GKE_METADATA',
    ),
    'metadata-concealed': advise(
      'Switch node pool {nodePool} from metadata concealment to GKE_METADATA; the two exclude each other.',
      'gcloud container node-pools update {nodePool} --cluster={cluster} --location={location} --workload-metadata=GKE_METADATA',
    ),
    'label-missing': advise(
      'See the workload metadata mode of the node pool of {node} and switch it to GKE_METADATA; GKE then sets the label by itself.',
      'kubectl get node {node} --show-labels',
      'gcloud container node-pools update {nodePool} --cluster={cluster} --location={location} --workload-metadata=GKE_METADATA',
    ),
    'crash-looping': advise(
      'Read the log of the metadata server on {node}, and upgrade the node pool where its version is known to be broken.',
      'kubectl logs -n kube-system -l k8s-app=gke-metadata-server -c gke-metadata-server --previous --tail=50',
    ),
    'out-of-memory': advise(
      'Delete ServiceAccounts that nobody uses, until the cluster is well below 3000 of them.',
      'kubectl get serviceaccounts -A',
    ),
    'no-room': advise(
      'Make room for one more pod on {node}, or move its workloads to a node pool that allows more pods per node.',
      'kubectl describe node {node}',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleNode.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing shows that it is a node of GKE' }
    const { world, nodes, alone, pods, count, heard } = have.googleNode.value
    const cluster = world.cluster.state === 'known' ? world.cluster.value : undefined
    if (cluster?.autopilot === true)
      return { status: 'pass', evidence: [evidenceOf(world.cluster.from, 'autopilot.enabled', true)] }
    const own = nodes.state === 'known' ? nodes.value : []
    const names = new Set(own.flatMap(({ pool }) => pool ?? []))
    const all = world.nodePools.state === 'known' ? world.nodePools.value.items : []
    // Where its node pool is not known, all of them together may still say it.
    const pools = all.filter(({ name }) => !alone || names.size === 0 || names.has(name))
    const place = { cluster: cluster?.name ?? '', location: cluster?.location ?? '' }
    const evidence: Evidence[] = [
      ...pools.map((pool) =>
        evidenceOf(
          world.nodePools.from,
          `nodePools[${pool.name}].config.workloadMetadataConfig.mode`,
          modeOf(pool),
          'GKE_METADATA',
        ),
      ),
      ...own.map(({ name, label }) =>
        evidenceOf(
          nodes.from,
          `${name}: metadata.labels["iam.gke.io/gke-metadata-server-enabled"]`,
          label ?? null,
          'true',
        ),
      ),
    ]
    const without = pools.filter((pool) => !servesWorkloads(pool))
    const [first] = without
    // Where the node of nobody in particular is meant, one good node pool may be the one that matters.
    if (first !== undefined && without.length === pools.length) {
      const data = {
        ...place,
        nodePool: first.name,
        mode: modeOf(first),
        observed: modeOf(first),
        nodeServiceAccount: first.account ?? 'default',
      }
      return { status: 'fail', message: first.concealed ? 'metadata-concealed' : 'gce-metadata', data, evidence }
    }
    const texts = heardFor(heard, 'gcp/node-runs-metadata-server')
    const concealed = texts.find(({ message }) => message === 'metadata-concealed')
    if (concealed !== undefined && pools.length === 0)
      return {
        status: 'fail',
        message: 'metadata-concealed',
        data: { ...place, observed: 'as the log says' },
        evidence: [...evidence, ofHeard(concealed)],
      }
    const linux = own.filter(({ windows }) => !windows)
    const unlabelled = linux.filter(({ label }) => label !== 'true')
    const bare = unlabelled.find(({ pool }) => pool !== undefined) ?? unlabelled[0]
    const disabled = texts.find(({ message }) => message === 'label-missing')
    const isGke = alone || disabled !== undefined || linux.some(({ pool }) => pool !== undefined)
    if (bare !== undefined && unlabelled.length === linux.length && isGke)
      return {
        status: 'fail',
        message: 'label-missing',
        data: { ...place, node: bare.name, observed: bare.label ?? 'not set', nodePool: bare.pool ?? '' },
        evidence: [...evidence, ...texts.map(ofHeard)],
      }
    if (disabled !== undefined && own.length === 0 && pools.length === 0)
      return { status: 'fail', message: 'label-missing', data: { ...place }, evidence: [ofHeard(disabled)] }
    const servers = pods.state === 'known' ? pods.value.items : []
    const onNode = servers.filter(({ node }) => !alone || node === subject.name)
    const down = onNode.filter(({ ready, unplaced }) => !ready && unplaced === undefined)
    const [worst] = down
    const isWindows = alone && own.some(({ windows }) => windows)
    if (worst !== undefined && down.length === onNode.length && !isWindows) {
      const ofPod = {
        ...evidenceOf(pods.from, 'status.containerStatuses', { restarts: worst.restarts, reason: worst.reason }),
        expected: 'ready',
      }
      const data = { ...place, node: worst.node ?? '' }
      if (worst.outOfMemory)
        return {
          status: 'fail',
          message: 'out-of-memory',
          data: { ...data, count: count.state === 'known' ? count.value.count : '' },
          evidence: [...evidence, ofPod],
        }
      return {
        status: 'fail',
        message: 'crash-looping',
        data: { ...data, restarts: worst.restarts, reason: worst.reason, version: cluster?.version ?? '' },
        evidence: [...evidence, ofPod],
      }
    }
    const waiting = servers.find(
      ({ unplaced, node }) => unplaced !== undefined && (node === undefined || node === subject.name),
    )
    const tight = pools.find(({ maxPods }) => maxPods !== undefined && maxPods < fewest)
    if (waiting !== undefined && onNode.every(({ ready }) => !ready) && !isWindows)
      return {
        status: 'fail',
        message: 'no-room',
        data: {
          ...place,
          node: alone ? subject.name : '',
          condition: waiting.unplaced ?? '',
          nodePool: tight?.name ?? pools[0]?.name ?? '',
          maxPodsPerNode: tight?.maxPods ?? pools[0]?.maxPods ?? '',
        },
        evidence: [...evidence, evidenceOf(pods.from, 'status.conditions', waiting.unplaced ?? '')],
      }
    if (isOpen(pods)) return undecidedBy(pods, evidence)
    const served = pools.length > 0 && without.length === 0
    const labelled = linux.length > 0 && unlabelled.length === 0
    if (served || labelled || isWindows) return { status: 'pass', evidence }
    if (without.length > 0 || unlabelled.length > 0)
      return {
        status: 'undecided',
        lacks: 'some nodes have the metadata server and some do not; where the workload runs was not seen',
        lift: 'kubectl get pods -o yaml',
        evidence,
      }
    return undecidedBy(nodes.state === 'unknown' ? nodes : world.nodePools, evidence)
  },
})
