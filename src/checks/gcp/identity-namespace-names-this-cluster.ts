/** Tools that exchange tokens themselves name this cluster or fleet membership and its pool. */
import { defineCheck } from '../../core/check.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleNaming } from '../../probes/gcp/objects.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/identity-namespace-names-this-cluster',
    title: 'Tools that exchange tokens themselves name this cluster or fleet membership and its pool',
    severity: 'error',
    scope: 'object',
    kinds: ['SecretStore', 'ClusterSecretStore', 'CredentialConfiguration', 'Cluster'],
    cloud: 'gcp',
    section: 'Federation',
    why: 'Tools that exchange tokens by themselves name location, cluster and pool in their own settings; STS knows none of another name.',
    fix: {
      safety: 'review',
      does: 'Write the one differing field with what the cluster or the membership says; leave the account and the secrets that it refers to alone.',
    },
    links: [
      'https://github.com/external-secrets/external-secrets/issues/3408',
      'https://github.com/external-secrets/external-secrets/issues/2754',
      'https://github.com/GoogleCloudPlatform/secrets-store-csi-driver-provider-gcp/issues/655',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/pkg/cloud_provider/auth/token_sources.go',
    ],
  },
  only: { probe: googleNaming, otherwise: 'it names no cluster and no fleet' },
  needs: { googleNaming },
  wants: {},
  after: ['gcp/workload-pool-exists'],
  messages: {
    'location-differs': say('{kind} {name} says clusterLocation {observed}; the cluster is in {expected}'),
    'cluster-differs': say('{kind} {name} says clusterName {observed}; the cluster is {expected}'),
    'project-differs': say('{kind} {name} says clusterProjectID {observed}; the cluster is in project {expected}'),
    'pool-rebuilt': say(
      '{tool} uses pool {observed}, built from the project id; the pool of the cluster is {expected}',
    ),
    'token-binding-not-found': say(
      'idbindtoken answered 404: it knows no cluster or pool of the given name ({location}, {cluster}, {pool})',
    ),
    'fleet-audience-differs': say(
      'the credential configuration has audience {observed}; expected identitynamespace:{pool}:https://gkehub.googleapis.com/projects/{fleetProject}/locations/global/memberships/{membership}',
    ),
    'fleet-token-audience-differs': say('the projected token has audience {observed}; expected the fleet pool {pool}'),
  },
  remedies: {
    'location-differs': advise(
      'Set clusterLocation of {kind} {name} to {expected}.',
      'kubectl edit {resource} {name} -n {namespace}',
    ),
    'cluster-differs': advise(
      'Set clusterName of {kind} {name} to {expected}.',
      'kubectl edit {resource} {name} -n {namespace}',
    ),
    'project-differs': advise(
      'Set clusterProjectID of {kind} {name} to {expected}.',
      'kubectl edit {resource} {name} -n {namespace}',
    ),
    'pool-rebuilt': advise(
      'Have {tool} use pool {expected} by its own settings or a newer version; it is what the cluster prints, whatever the project is called.',
    ),
    'token-binding-not-found': advise(
      'Compare clusterLocation, clusterName and clusterProjectID of the store with what the cluster prints; a zone is not its region.',
      'gcloud container clusters list --format=value(name,location)',
    ),
    'fleet-audience-differs': advise(
      'Set the audience of {name} to what the membership of this cluster has.',
      'gcloud container fleet memberships list',
    ),
    'fleet-token-audience-differs': advise(
      'Set audience: {pool} in the projected token of the pod template.',
      'kubectl get pods -A -o yaml',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleNaming.state === 'absent')
      return { status: 'not-applicable', reason: 'it names no cluster and no fleet' }
    const { kind, name, said, cluster, fleet, tokenAudience, heard, pods } = have.googleNaming.value
    const { from } = have.googleNaming
    const resource = kind === 'SecretStore' ? 'secretstore' : 'clustersecretstore'
    const data = { kind, name, resource, namespace: subject.namespace ?? 'default' }
    const [text] = heard
    if (kind === 'Cluster') {
      if (text === undefined) return { status: 'not-applicable', reason: 'it names no cluster and no fleet' }
      return {
        status: 'fail',
        message: 'token-binding-not-found',
        data: { location: 'its location', cluster: 'its cluster', pool: 'its pool', ...text.values },
        evidence: [ofHeard(text)],
      }
    }
    if (kind === 'CredentialConfiguration') {
      const evidence = [evidenceOf(from, `${name}: audience`, said.audience ?? null)]
      const own = cluster.state === 'known' ? cluster.value.pool : undefined
      const isFleet = said.audience?.includes('gkehub.googleapis.com') === true
      if (!isFleet) {
        if (own !== undefined && said.pool !== undefined && own !== said.pool)
          return {
            status: 'fail',
            message: 'pool-rebuilt',
            data: { ...data, tool: name, observed: said.pool, expected: own },
            evidence,
          }
        return own === undefined ? undecidedBy(cluster, evidence) : { status: 'pass', evidence }
      }
      if (tokenAudience !== undefined && said.pool !== undefined && tokenAudience !== said.pool)
        return {
          status: 'fail',
          message: 'fleet-token-audience-differs',
          data: { ...data, observed: tokenAudience, pool: said.pool },
          evidence: [
            ...evidence,
            evidenceOf(from, 'spec.volumes[].projected.sources.serviceAccountToken.audience', tokenAudience, said.pool),
          ],
        }
      if (fleet.state !== 'known') return undecidedBy(fleet, evidence)
      const { pool, project, membership } = fleet.value
      const expected = `identitynamespace:${pool}:https://gkehub.googleapis.com/projects/${project}/locations/global/memberships/${membership}`
      if (said.audience !== expected)
        return {
          status: 'fail',
          message: 'fleet-audience-differs',
          data: { ...data, observed: said.audience ?? '', pool, fleetProject: project, membership },
          evidence: [evidenceOf(from, `${name}: audience`, said.audience ?? null, expected)],
        }
      return isOpen(pods) ? undecidedBy(pods, evidence) : { status: 'pass', evidence }
    }
    if (cluster.state !== 'known') {
      if (text !== undefined)
        return {
          status: 'fail',
          message: 'token-binding-not-found',
          data: {
            ...data,
            location: said.location ?? 'its location',
            cluster: said.cluster ?? 'its cluster',
            pool: said.project === undefined ? 'its pool' : `${said.project}.svc.id.goog`,
          },
          evidence: [ofHeard(text)],
        }
      return undecidedBy(cluster)
    }
    const { location, project, pool, name: real } = cluster.value
    const seen = (field: string, observed: string | undefined, expected: string | undefined) =>
      evidenceOf(from, `spec.provider.gcpsm.auth.workloadIdentity.${field}`, observed ?? null, expected)
    const evidence = [
      seen('clusterLocation', said.location, location),
      seen('clusterName', said.cluster, real),
      seen('clusterProjectID', said.project, project),
    ]
    // The location has to be the same text: a zone is not its region.
    if (said.location !== undefined && location !== undefined && said.location !== location)
      return {
        status: 'fail',
        message: 'location-differs',
        data: { ...data, observed: said.location, expected: location },
        evidence,
      }
    if (said.cluster !== undefined && said.cluster !== real)
      return {
        status: 'fail',
        message: 'cluster-differs',
        data: { ...data, observed: said.cluster, expected: real },
        evidence,
      }
    if (said.project !== undefined && project !== undefined && said.project !== project)
      return {
        status: 'fail',
        message: 'project-differs',
        data: { ...data, observed: said.project, expected: project },
        evidence,
      }
    if (said.project !== undefined && pool !== undefined && pool !== `${said.project}.svc.id.goog`)
      return {
        status: 'fail',
        message: 'pool-rebuilt',
        data: { ...data, tool: `${kind} ${name}`, observed: `${said.project}.svc.id.goog`, expected: pool },
        evidence,
      }
    return { status: 'pass', evidence }
  },
})
