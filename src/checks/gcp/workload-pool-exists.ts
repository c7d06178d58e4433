/** The cluster has its workload identity pool. */
import { defineCheck } from '../../core/check.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleWorld } from '../../probes/gcp/world.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/workload-pool-exists',
    title: 'The cluster has its workload identity pool',
    severity: 'error',
    scope: 'cluster',
    cloud: 'gcp',
    section: 'Cluster',
    why: 'Without its workload identity pool a cluster gives its pods the account of their node, and IAM refuses every member that names the pool.',
    fix: {
      safety: 'review',
      does: 'Enable the pool on the cluster, then the metadata server on the node pools as a step of its own; grant members only once the cluster has its pool.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
      'https://github.com/kubernetes-sigs/external-dns/issues/283',
      'https://github.com/terraform-google-modules/terraform-google-kubernetes-engine/issues/916',
      'https://github.com/googleforgames/global-multiplayer-demo/issues/39',
      'https://github.com/konstructio/kubefirst/issues/1760',
    ],
  },
  only: { probe: googleWorld, otherwise: 'nothing shows that Google Cloud is in use' },
  needs: { googleWorld },
  wants: {},
  after: [],
  messages: {
    'workload-identity-off': say(
      'cluster {cluster} in {location} has no workload pool (workloadIdentityConfig.workloadPool is {observed}, autopilot is {autopilot}): its pods get the node account',
    ),
    'identity-pool-does-not-exist': say(
      'IAM knows no identity pool {pool}: no cluster of its project has Workload Identity on yet, or {pool} is not the name of a workload pool',
    ),
  },
  remedies: {
    'workload-identity-off': advise(
      'Enable the workload identity pool on cluster {cluster}; its node pools keep their mode and are a second step of their own.',
      'gcloud container clusters update {cluster} --location={location} --workload-pool={expected}',
    ),
    'identity-pool-does-not-exist': advise(
      'Create the cluster with Workload Identity on before the member is granted (in Terraform: depends_on the cluster), then grant again; the name of the pool is what the cluster prints.',
      'gcloud container clusters describe {cluster} --location={location} --format=value(workloadIdentityConfig.workloadPool)',
    ),
  },
  judge: ({ have }) => {
    if (have.googleWorld.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing shows that Google Cloud is in use' }
    const { cluster, heard, gke } = have.googleWorld.value
    const texts = heardFor(heard, 'gcp/workload-pool-exists')
    const seen = cluster.state === 'known' ? cluster.value : undefined
    const evidence =
      seen === undefined
        ? []
        : [evidenceOf(cluster.from, 'workloadIdentityConfig.workloadPool', seen.pool ?? null, 'PROJECT_ID.svc.id.goog')]
    if (seen !== undefined && seen.pool === undefined && !seen.autopilot)
      return {
        status: 'fail',
        message: 'workload-identity-off',
        data: {
          cluster: seen.name,
          location: seen.location ?? '',
          observed: 'not set',
          autopilot: 'off',
          expected: seen.project === undefined ? '' : `${seen.project}.svc.id.goog`,
        },
        evidence,
      }
    if (isOpen(cluster)) return undecidedBy(cluster, texts.map(ofHeard))
    // A cluster that has the very pool by now makes the text an old one.
    const text = texts.find(({ values }) => seen === undefined || seen.pool !== values.pool)
    if (text !== undefined && !(seen?.autopilot === true && seen.pool === undefined))
      return {
        status: 'fail',
        message: 'identity-pool-does-not-exist',
        data: { ...text.values, cluster: seen?.name ?? '', location: seen?.location ?? '' },
        evidence: [...evidence, ofHeard(text)],
      }
    if (seen !== undefined) return { status: 'pass', evidence }
    return gke
      ? undecidedBy(cluster)
      : { status: 'not-applicable', reason: 'nothing shows that the cluster is one of GKE' }
  },
})
