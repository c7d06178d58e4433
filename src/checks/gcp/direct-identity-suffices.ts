/** What the workload does works with a direct identity, or it has a Google service account. */
import { defineCheck } from '../../core/check.ts'
import { impersonates } from '../../domain/gcp-credentials.ts'
import { admits, isGkePool, namedBy, principalOf, readPoolMember, type Workload } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { openIn } from '../../probes/gcp/account.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleReach } from '../../probes/gcp/targets.ts'

/** The pool in which a member names the ServiceAccount. */
function poolNaming({ member }: Grant, workload: Workload | undefined): string | undefined {
  const who = namedBy(member)
  return who?.namespace === workload?.namespace && who?.name === workload?.name ? who?.pool : undefined
}

export const check = defineCheck({
  meta: {
    id: 'gcp/direct-identity-suffices',
    title: 'What the workload does works with a direct identity, or it has a Google service account',
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Access',
    why: 'A direct identity signs nothing, gets no ID tokens, and is refused by some services and by buckets with object ACLs; what needs those needs a Google service account.',
    fix: {
      safety: 'review',
      does: 'Annotate the ServiceAccount with a Google service account that already admits it, after a look at what only the direct principal has; never switch uniform bucket-level access for it.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
      'https://github.com/grafana/tempo/issues/3556',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/issues/315',
      'https://github.com/GoogleCloudPlatform/gsutil/issues/1849',
      'https://github.com/googleapis/nodejs-storage/issues/2447',
      'https://github.com/matheuscscp/gke-metadata-server',
      'https://github.com/Stackdriver/metadata-agent/issues/221',
    ],
  },
  only: { probe: googleReach, otherwise: 'the ServiceAccount is bound to no identity of Google' },
  needs: { googleReach },
  wants: {},
  after: [],
  messages: {
    'id-token-needs-account': say(
      'ServiceAccount {namespace}/{serviceAccount} asks for an ID token but has no Google service account; only an annotated one gets ID tokens',
    ),
    'signing-needs-account': say(
      'the workload signs URLs or blobs as {principal}; only a Google service account can sign',
    ),
    'email-is-no-account': say(
      'the client takes {email}, what the metadata server calls the e-mail of a direct identity, for a Google service account',
    ),
    'bucket-needs-uniform-access': say(
      'bucket {bucket} has uniform bucket-level access {observed}; a direct identity ({principal}) is admitted only where it is on',
    ),
    'service-refuses-federated-tokens': say(
      '{service} refused the federated token of {principal} with 401; it accepts service account tokens only',
    ),
    'perimeter-rule-not-applied': say(
      'a VPC Service Controls rule across perimeters does not cover {principal}; it covers Google service accounts',
    ),
  },
  remedies: {
    'id-token-needs-account': advise(
      'Give the ServiceAccount a Google service account: one that admits it already, or one that its owner makes for it.',
      'gcloud iam service-accounts list --format=value(email)',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account=EMAIL',
    ),
    'signing-needs-account': advise(
      'Give the ServiceAccount a Google service account: one that admits it already, or one that its owner makes for it.',
      'gcloud iam service-accounts list --format=value(email)',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account=EMAIL',
    ),
    'email-is-no-account': advise(
      'Give the ServiceAccount a Google service account: one that admits it already, or one that its owner makes for it.',
      'gcloud iam service-accounts list --format=value(email)',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account=EMAIL',
    ),
    'bucket-needs-uniform-access': advise(
      'Ask the owner of the bucket for uniform bucket-level access, which ends its object ACLs; or give the ServiceAccount a Google service account.',
      'gcloud storage buckets describe {location}',
    ),
    'service-refuses-federated-tokens': advise(
      'Give the ServiceAccount a Google service account: one that admits it already, or one that its owner makes for it.',
      'gcloud iam service-accounts list --format=value(email)',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account=EMAIL',
    ),
    'perimeter-rule-not-applied': advise(
      'Give the ServiceAccount a Google service account: one that admits it already, or one that its owner makes for it.',
      'gcloud iam service-accounts list --format=value(email)',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account=EMAIL',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleReach.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount is bound to no identity of Google' }
    const { google, federation, bucket, bucketDocument, workload } = have.googleReach.value
    const { world, annotation, heard, account, fact } = google
    const configuration = federation?.configuration
    if (annotation !== undefined || (configuration !== undefined && impersonates(configuration) !== undefined))
      return { status: 'not-applicable', reason: 'the workload acts as a Google service account' }
    const texts = heardFor(heard, 'gcp/direct-identity-suffices')
    const signing = heard.find(({ message }) => message === 'account-may-not-sign')
    const principal =
      workload?.pool === undefined
        ? 'its direct identity'
        : principalOf(workload.number, workload.pool, `ns/${workload.namespace}/sa/${workload.name}`)
    const place = {
      namespace: workload?.namespace ?? subject.namespace ?? '',
      serviceAccount: workload?.name ?? '',
      principal,
      bucket: bucket ?? '',
      location: bucket === undefined ? '' : `gs://${bucket}`,
    }
    const toPools = world.policies
      .flatMap(grantsOf)
      .filter(
        ({ resource, member }) => !resource.startsWith('serviceAccounts/') && readPoolMember(member) !== undefined,
      )
    const isAdmitted = ({ member }: Grant): boolean | undefined => workload !== undefined && admits(member, workload)
    const direct = toPools.filter((grant) => isAdmitted(grant) === true)
    const maybe = toPools.some((grant) => isAdmitted(grant) === undefined && poolNaming(grant, workload) !== undefined)
    // With a refusal it is enough that somebody meant its direct identity: whether the grant is written well is another check's.
    const isMeant = (grant: Grant): boolean => {
      const pool = poolNaming(grant, workload)
      if (pool === undefined || !isGkePool(pool)) return pool !== undefined
      return workload?.pool === undefined ? !isOpen(world.cluster) : workload.pool === pool
    }
    const isDirect = account !== undefined && (direct.length > 0 || toPools.some(isMeant))
    for (const text of texts) {
      const data = { ...place, service: 'the service', email: '', ...text.values }
      const evidence = [ofHeard(text)]
      switch (text.message) {
        case 'id-token-needs-account':
          return { status: 'fail', message: 'id-token-needs-account', data, evidence }
        case 'email-is-no-account':
          // The name of a pool is no account; any other word may be a slip of the pen.
          if (!/\.svc\.id\.goog|^principal:/.test(data.email)) continue
          return { status: 'fail', message: 'email-is-no-account', data, evidence }
        case 'bucket-needs-uniform-access':
          return {
            status: 'fail',
            message: 'bucket-needs-uniform-access',
            data: { ...data, observed: 'off' },
            evidence,
          }
        case 'service-refuses-federated-tokens':
          // Every token that has ended gives the same answer.
          if (isDirect) return { status: 'fail', message: 'service-refuses-federated-tokens', data, evidence }
          continue
        case 'perimeter-rule-not-applied':
          if (isDirect) return { status: 'fail', message: 'perimeter-rule-not-applied', data, evidence }
      }
    }
    if (signing !== undefined && isDirect)
      return { status: 'fail', message: 'signing-needs-account', data: place, evidence: [ofHeard(signing)] }
    const evidence = direct.map(({ resource, role, member }) => evidenceOf(fact.from, `${resource}: ${role}`, member))
    const onBucket = bucket !== undefined && direct.some(({ resource }) => resource === `buckets/${bucket}`)
    if (onBucket && bucketDocument.state === 'known' && bucketDocument.value.uniform === false)
      return {
        status: 'fail',
        message: 'bucket-needs-uniform-access',
        data: { ...place, observed: 'off' },
        evidence: [...evidence, evidenceOf(bucketDocument.from, 'uniformBucketLevelAccess', false, true)],
      }
    if (texts.length > 0)
      return {
        status: 'undecided',
        lacks: 'what was refused may have other causes, and whether the identity is a direct one was not seen',
        evidence: texts.map(ofHeard),
      }
    if (account !== undefined && direct.length === 0 && maybe)
      return undecidedBy(federation?.evaluated.state === 'unknown' ? federation.evaluated : openIn(world))
    if (account === undefined || direct.length === 0)
      return { status: 'not-applicable', reason: 'nothing shows that the workload uses a direct identity' }
    return onBucket && bucketDocument.state === 'unknown'
      ? undecidedBy(bucketDocument, evidence)
      : { status: 'pass', evidence }
  },
})
