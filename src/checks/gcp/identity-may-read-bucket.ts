/** The identity may read its bucket, and write it where it writes. */
import { defineCheck } from '../../core/check.ts'
import { admits, principalOf } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleReach } from '../../probes/gcp/targets.ts'

const reads: ReadonlySet<string> = new Set([
  'roles/storage.objectViewer',
  'roles/storage.objectUser',
  'roles/storage.objectAdmin',
  'roles/storage.admin',
  'roles/storage.legacyBucketReader',
  'roles/storage.legacyBucketOwner',
])
/** Roles that hold storage.buckets.get. */
const seesBucket: ReadonlySet<string> = new Set([
  'roles/storage.admin',
  'roles/storage.bucketViewer',
  'roles/storage.legacyBucketReader',
  'roles/storage.legacyBucketWriter',
  'roles/storage.legacyBucketOwner',
])
const everybody: ReadonlySet<string> = new Set(['allUsers', 'allAuthenticatedUsers'])

export const check = defineCheck({
  meta: {
    id: 'gcp/identity-may-read-bucket',
    title: 'The identity may read its bucket, and write it where it writes',
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Access',
    why: 'A bucket admits by its policy and those above it; the error names who asked, which is often not who was granted.',
    fix: {
      safety: 'review',
      does: 'Grant this one identity the least role on this one bucket; never on the project, never an admin role, never everybody.',
    },
    links: [
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/troubleshooting.md',
      'https://github.com/kubeflow/pipelines/issues/2773',
      'https://github.com/googleapis/java-storage/issues/204',
      'https://github.com/grafana/tempo/issues/2709',
    ],
  },
  only: { probe: googleReach, otherwise: 'the ServiceAccount is bound to no identity of Google' },
  needs: { googleReach },
  wants: {},
  after: ['gcp/service-account-admits-workload'],
  messages: {
    'account-lacks-permission': say('{account} lacks {permission} on bucket {bucket}; it holds {roles}'),
    'direct-identity-lacks-permission': say(
      'the request went out as {principal}, a direct identity without {permission} on bucket {bucket}',
    ),
    'granted-to-other-identity': say('bucket {bucket} grants {role} to {granted}; this workload acts as {actual}'),
    'bucket-metadata-missing': say(
      '{identity} lacks storage.buckets.get on bucket {bucket}: {role} reads objects, not the bucket itself; expected roles/storage.bucketViewer or roles/storage.legacyBucketReader besides',
    ),
  },
  remedies: {
    'account-lacks-permission': advise(
      'Grant the identity the least role that has {permission} on this one bucket: roles/storage.objectViewer to read, roles/storage.objectUser to write.',
      'gcloud storage buckets add-iam-policy-binding {location} --role={least} --member={grantee}',
    ),
    'direct-identity-lacks-permission': advise(
      'Grant the identity the least role that has {permission} on this one bucket: roles/storage.objectViewer to read, roles/storage.objectUser to write.',
      'gcloud storage buckets add-iam-policy-binding {location} --role={least} --member={grantee}',
    ),
    'granted-to-other-identity': advise(
      'Grant the identity the least role that has {permission} on this one bucket: roles/storage.objectViewer to read, roles/storage.objectUser to write.',
      'gcloud storage buckets add-iam-policy-binding {location} --role={least} --member={grantee}',
    ),
    'bucket-metadata-missing': advise(
      'Grant the identity roles/storage.bucketViewer on this one bucket, beside what it has.',
      'gcloud storage buckets add-iam-policy-binding {location} --role=roles/storage.bucketViewer --member={grantee}',
    ),
  },
  judge: ({ have }) => {
    if (have.googleReach.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount is bound to no identity of Google' }
    const { google, bucket, bucketPolicy, projectPolicies } = have.googleReach.value
    const { heard, email, workload, fact } = google
    const texts = heardFor(heard, 'gcp/identity-may-read-bucket')
    const ofBucket = bucketPolicy.state === 'known' ? grantsOf(bucketPolicy.value) : []
    const grants: readonly Grant[] = [
      ...ofBucket,
      ...projectPolicies.flatMap(grantsOf).filter(({ role }) => role.startsWith('roles/storage.')),
    ]
    const isOwn = ({ member }: Grant, account: string | undefined): boolean =>
      everybody.has(member) ||
      (account === undefined
        ? workload !== undefined && admits(member, workload) === true
        : member === `serviceAccount:${account}`)
    const evidence = [
      ...ofBucket.map(({ role, member }) => evidenceOf(bucketPolicy.from, `bindings[${role}].members`, member)),
      ...texts.map(ofHeard),
    ]
    const [text] = texts
    if (text !== undefined) {
      const direct = text.message === 'direct-identity-lacks-permission'
      const holders = [
        ...new Set(
          ofBucket
            .filter(({ member }) => member.startsWith('serviceAccount:') && !member.includes('['))
            .map(({ member }) => member.slice('serviceAccount:'.length)),
        ),
      ]
      const account = direct
        ? undefined
        : (text.values.account ?? email ?? (holders.length === 1 ? holders[0] : undefined))
      const own = grants.filter((grant) => isOwn(grant, account))
      const principal = text.values.principal === undefined ? 'a direct identity' : text.values.principal
      const permission =
        text.values.permission ??
        (text.message === 'bucket-metadata-missing' ? 'storage.buckets.get' : 'storage.objects.list')
      const writes = /\.(?:create|delete|update)$/.test(permission)
      const data = {
        account: account ?? 'the identity',
        principal,
        permission,
        bucket: bucket ?? 'of the request',
        location: bucket === undefined ? 'gs://BUCKET' : `gs://${bucket}`,
        roles: own.map(({ role }) => role).join(', ') || 'no role that was seen',
        least: writes ? 'roles/storage.objectUser' : 'roles/storage.objectViewer',
        grantee:
          account !== undefined
            ? `serviceAccount:${account}`
            : workload?.pool !== undefined
              ? principalOf(workload.number, workload.pool, `ns/${workload.namespace}/sa/${workload.name}`)
              : 'MEMBER',
      }
      if (text.message === 'bucket-metadata-missing') {
        const held = own.find(({ role }) => !seesBucket.has(role))
        return {
          status: 'fail',
          message: 'bucket-metadata-missing',
          data: { ...data, identity: data.account, role: held?.role ?? 'the role that it holds' },
          evidence,
        }
      }
      const foreign = ofBucket.filter(
        (grant) =>
          !isOwn(grant, account) &&
          grant.role.startsWith('roles/storage.') &&
          !/^project(?:Owner|Editor|Viewer):/.test(grant.member),
      )
      const [first] = foreign
      if (own.length === 0 && first !== undefined && bucketPolicy.state === 'known')
        return {
          status: 'fail',
          message: 'granted-to-other-identity',
          data: { ...data, role: first.role, granted: first.member, actual: account ?? principal },
          evidence,
        }
      if (direct) return { status: 'fail', message: 'direct-identity-lacks-permission', data, evidence }
      if (account !== undefined) return { status: 'fail', message: 'account-lacks-permission', data, evidence }
      return { status: 'undecided', lacks: `who was refused ${permission} is not said`, evidence }
    }
    if (bucket === undefined) return { status: 'not-applicable', reason: 'no bucket of the workload was seen' }
    if (bucketPolicy.state === 'unknown') return undecidedBy(bucketPolicy)
    if (workload === undefined || google.account === undefined) return undecidedBy(fact)
    const held = grants.find(
      (grant) =>
        reads.has(grant.role) &&
        grant.condition === undefined &&
        isOwn(grant, google.annotation === undefined ? undefined : email),
    )
    if (held !== undefined) return { status: 'pass', evidence }
    // Whether the workload uses this bucket at all, and what folders and the organisation grant, is not seen.
    return { status: 'not-applicable', reason: 'nothing shows that the workload uses the bucket' }
  },
})
