/** Grants and providers admit this workload and nobody else. */
import { defineCheck } from '../../core/check.ts'
import { isGkePool, namedBy, readLegacyMember, readPoolMember } from '../../domain/gcp-members.ts'
import { grantsOf, mayImpersonate, nameOfResource } from '../../domain/gcp-policies.ts'
import { isSharedIssuer } from '../../domain/gcp-provider.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleBreadth } from '../../probes/gcp/breadth.ts'
import { evidenceOf, isOpen, undecidedBy } from '../../probes/gcp/heard.ts'

/** Hours: https://cloud.google.com/iam/docs/workload-identity-federation */
const recommended = 6

export const check = defineCheck({
  meta: {
    id: 'gcp/grants-are-narrow',
    title: 'Grants and providers admit this workload and nobody else',
    severity: 'warning',
    scope: 'cluster',
    cloud: 'gcp',
    section: 'Binding',
    why: 'A pool is one for all clusters of a project, and a provider for all who have its issuer; whoever has the same name there has the same identity.',
    fix: {
      safety: 'manual',
      does: 'Show the owner of the grant the narrower member, or a condition on the tenant of the issuer; change no grant.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
      'https://cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation',
    ],
  },
  only: { probe: googleBreadth, otherwise: 'nothing shows that Google Cloud is in use' },
  needs: { googleBreadth },
  wants: {},
  after: [],
  messages: {
    'any-cluster-of-the-pool': say(
      '{member} admits {namespace}/{serviceAccount} of every cluster with pool {pool}: {clusters}',
    ),
    'any-account-of-the-project': say(
      'project {project} grants {role} to {member}, which may so impersonate every service account of the project',
    ),
    'whole-pool': say('{member} on {resource} admits every identity of pool {pool}'),
    'shared-issuer-without-condition': say(
      'provider {provider} trusts {issuer}, an issuer shared by many customers, without an attribute condition: anybody there can get an identity of the pool',
    ),
    'providers-share-subjects': say(
      'providers {providers} of pool {pool} map assertion.sub unchanged: ServiceAccounts of equal name in their clusters are one principal',
    ),
    'token-lives-long': say('the projected token lives {hours} h; recommended is under 6, documented as limit 48'),
  },
  remedies: {
    'any-cluster-of-the-pool': advise(
      'Keep clusters that do not trust one another in projects of their own; or name the one ServiceAccount by its uid, or the one cluster by kubernetes.cluster, which lets all its namespaces in.',
      'gcloud container clusters list --format=value(name,location)',
    ),
    'any-account-of-the-project': advise(
      'Grant {role} on the one account that the workload acts as, and take it off the project.',
      'gcloud projects get-iam-policy {project}',
    ),
    'whole-pool': advise(
      'Name the subjects, groups or attributes that are meant in the place of the whole pool.',
      'gcloud iam workload-identity-pools describe {pool} --location=global',
    ),
    'shared-issuer-without-condition': advise(
      'Have a condition set on {provider} that names your own organisation in a claim of the issuer.',
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global',
    ),
    'providers-share-subjects': advise(
      'Have a pool made for each provider, or a mapping that puts the cluster into the subject.',
      'gcloud iam workload-identity-pools providers list --workload-identity-pool={pool} --location=global',
    ),
    'token-lives-long': advise(
      'Set expirationSeconds of volume {volume} in the pod template to six hours or less.',
      'kubectl get pods -n {namespace} -o yaml',
    ),
  },
  judge: ({ have }) => {
    if (have.googleBreadth.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing shows that Google Cloud is in use' }
    const { world, clusters, longest, pods } = have.googleBreadth.value
    const { from } = have.googleBreadth
    const grants = world.policies.flatMap(grantsOf)
    const ofPool = grants.flatMap((grant) => {
      const named = namedBy(grant.member)
      return named !== undefined && isGkePool(named.pool) ? [{ ...grant, ...named }] : []
    })
    for (const { member, namespace, name, pool, resource, role } of ofPool) {
      const all =
        clusters.state === 'known' && clusters.value.complete
          ? clusters.value.items.filter((one) => one.pool === pool)
          : []
      if (all.length > 1)
        return {
          status: 'fail',
          message: 'any-cluster-of-the-pool',
          data: { member, namespace, serviceAccount: name, pool, clusters: all.map((one) => one.name).join(', ') },
          evidence: [
            evidenceOf(from, `${resource}: ${role}`, member),
            evidenceOf(clusters.from, 'clusters[].workloadPool', pool),
          ],
        }
    }
    for (const { resource, role, member } of grants) {
      const evidence = [evidenceOf(from, `${resource}: ${role}`, member)]
      const own = readPoolMember(member)
      const isWorkload = readLegacyMember(member) !== undefined || own !== undefined
      if (resource.startsWith('projects/') && isWorkload && mayImpersonate(role, undefined) === true)
        return {
          status: 'fail',
          message: 'any-account-of-the-project',
          data: { project: nameOfResource(resource), role, member },
          evidence,
        }
    }
    for (const { resource, role, member } of grants) {
      const own = readPoolMember(member)
      if (own?.selector === '*')
        return {
          status: 'fail',
          message: 'whole-pool',
          data: { member, resource, pool: own.pool },
          evidence: [evidenceOf(from, `${resource}: ${role}`, member)],
        }
    }
    for (const { id, pool, issuer, condition } of world.providers)
      if (issuer !== undefined && isSharedIssuer(issuer) && condition === undefined)
        return {
          status: 'fail',
          message: 'shared-issuer-without-condition',
          data: { provider: id, pool, issuer },
          evidence: [evidenceOf(from, `${id}: attributeCondition`, null)],
        }
    const plain = world.providers.filter(
      ({ mapping, disabled, state }) =>
        mapping['google.subject'] === 'assertion.sub' && !disabled && state !== 'DELETED',
    )
    for (const { pool, number } of plain) {
      const same = plain.filter((one) => one.pool === pool && one.number === number)
      if (same.length > 1)
        return {
          status: 'fail',
          message: 'providers-share-subjects',
          data: { providers: same.map(({ id }) => id).join(', '), pool },
          evidence: same.map(({ id }) =>
            evidenceOf(from, `${id}: attributeMapping["google.subject"]`, 'assertion.sub'),
          ),
        }
    }
    if (longest !== undefined && longest.seconds > recommended * 3600)
      return {
        status: 'fail',
        message: 'token-lives-long',
        data: {
          hours: Math.round(longest.seconds / 360) / 10,
          volume: longest.volume,
          namespace: longest.namespace,
          pod: longest.pod,
        },
        evidence: [
          evidenceOf(
            from,
            `pod ${longest.pod}: volume ${longest.volume}: expirationSeconds`,
            longest.seconds,
            recommended * 3600,
          ),
        ],
      }
    if (ofPool.length > 0 && (clusters.state === 'unknown' || (clusters.state === 'known' && !clusters.value.complete)))
      return clusters.state === 'unknown'
        ? undecidedBy(clusters)
        : {
            status: 'undecided',
            lacks: 'not all clusters of the project were seen',
            lift: 'gcloud container clusters list --format json',
          }
    const unseen = [world.collected, world.listing, pods].find(isOpen)
    if (unseen !== undefined) return undecidedBy(unseen)
    // How long tokens live says nothing of grants.
    const seen = [
      ...grants.map(({ resource, role, member }) => evidenceOf(from, `${resource}: ${role}`, member)),
      ...world.providers.map(({ id, condition }) => evidenceOf(from, `${id}: attributeCondition`, condition ?? null)),
    ]
    return seen.length > 0
      ? { status: 'pass', evidence: seen.slice(0, 20) }
      : { status: 'not-applicable', reason: 'no grant and no provider was seen' }
  },
})
