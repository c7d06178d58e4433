/** The identity may read its bucket, and write it where it writes. */
import { defineCheck, type Evidence, type Verdict } from '../../core/check.ts'
import type { Fact } from '../../core/fact.ts'
import { admits, memberFor, principalOf } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { openIn } from '../../probes/gcp/account.ts'
import { evidenceOf, type Heard, heardFor, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleReach, type Reach } from '../../probes/gcp/targets.ts'

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

const messages = {
  'account-lacks-permission': say('{account} lacks {permission} on bucket {bucket}; it holds {roles}'),
  'direct-identity-lacks-permission': say(
    'the request went out as {principal}, a direct identity without {permission} on bucket {bucket}',
  ),
  'granted-to-other-identity': say('bucket {bucket} grants {role} to {granted}; this workload acts as {actual}'),
  'bucket-metadata-missing': say(
    '{identity} lacks storage.buckets.get on bucket {bucket}: {role} reads objects, not the bucket itself; expected roles/storage.bucketViewer or roles/storage.legacyBucketReader besides',
  ),
}

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
  after: ['gcp/node-runs-metadata-server', 'gcp/service-account-admits-workload'],
  messages,
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
    const reach = have.googleReach.value
    const { google, bucket, bucketPolicy, email, workload, access, isMounted } = reach
    const texts = heardFor(google.heard, 'gcp/identity-may-read-bucket')
    const ofBucket = bucketPolicy.state === 'known' ? grantsOf(bucketPolicy.value) : []
    const evidence = [
      ...ofBucket.map(({ role, member }) => evidenceOf(bucketPolicy.from, `bindings[${role}].members`, member)),
      ...(access.state === 'known' ? [evidenceOf(access.from, 'permissions', [...access.value])] : []),
      ...texts.map(ofHeard),
    ]
    const told = refusalIn(reach, texts)
    // By its own answer it may do now what was refused once.
    const isSettled = access.state === 'known' && told !== undefined && access.value.includes(told.permission)
    if (told !== undefined && !isSettled) return denied(reach, told, evidence)
    if (bucket === undefined) return { status: 'not-applicable', reason: 'no bucket of the workload was seen' }
    if (access.state === 'known' && (isSettled || reading.every((one) => access.value.includes(one))))
      return { status: 'pass', evidence }
    if (access.state === 'absent' && access.from.call !== 'collected' && isMounted)
      return { status: 'undecided', lacks: `bucket ${bucket} was not found`, evidence }
    if (bucketPolicy.state === 'unknown') return undecidedBy(bucketPolicy)
    if (workload === undefined || google.account === undefined) return undecidedBy(google.fact)
    const account = google.annotation === undefined ? email : google.email
    const toRead = grantsIn(reach).filter(({ role }) => reads.has(role))
    const held = toRead.filter((grant) => isOwn(reach, grant, account) === true)
    if (held.some(({ condition }) => condition === undefined)) return { status: 'pass', evidence }
    const [conditional] = held
    if (conditional !== undefined)
      return {
        status: 'undecided',
        lacks: `${conditional.role} holds only while ${conditional.condition}, which is not evaluated here`,
        evidence,
      }
    if (toRead.some((grant) => isOwn(reach, grant, account) === undefined)) return undecidedBy(openOf(reach), evidence)
    // Whether the workload uses this bucket at all, and what folders and the organisation grant, is not seen.
    return { status: 'not-applicable', reason: 'nothing shows that the workload uses the bucket' }
  },
})

const reading = ['storage.objects.get', 'storage.objects.list'] as const

type Told = {
  readonly permission: string
  readonly isMetadata: boolean
  /** The account that the text names, or an account at all. */
  readonly account: string | undefined
  readonly principal: string
  readonly isDirect: boolean
}

const accountsIn = ({ bucketPolicy }: Reach): readonly string[] =>
  bucketPolicy.state === 'known'
    ? [
        ...new Set(
          grantsOf(bucketPolicy.value)
            .filter(({ member }) => member.startsWith('serviceAccount:') && !member.includes('['))
            .map(({ member }) => member.slice('serviceAccount:'.length)),
        ),
      ]
    : []

/** What was refused: by a text that somebody logged, or by the identity's own answer about a bucket that its pods mount. */
function refusalIn(reach: Reach, texts: readonly Heard[]): Told | undefined {
  const { email, access, isMounted } = reach
  const [text] = texts
  if (text !== undefined) {
    const isDirect = text.message === 'direct-identity-lacks-permission'
    const holders = accountsIn(reach)
    const isMetadata = text.message === 'bucket-metadata-missing'
    return {
      permission: text.values.permission ?? (isMetadata ? 'storage.buckets.get' : 'storage.objects.list'),
      isMetadata,
      isDirect,
      account: isDirect ? undefined : (text.values.account ?? email ?? (holders.length === 1 ? holders[0] : undefined)),
      principal: text.values.principal ?? 'a direct identity',
    }
  }
  const permission = access.state === 'known' ? reading.find((one) => !access.value.includes(one)) : undefined
  if (permission === undefined || !isMounted) return undefined
  return { permission, isMetadata: false, isDirect: email === undefined, account: email, principal: principalIn(reach) }
}

const principalIn = ({ workload }: Reach): string =>
  workload === undefined || (workload.pool === undefined && workload.mapped === undefined)
    ? 'a direct identity'
    : workload.mapped?.subject !== undefined
      ? memberFor(workload)
      : principalOf(workload.number, workload.pool ?? '', `ns/${workload.namespace}/sa/${workload.name}`)

const grantsIn = ({ bucketPolicy, projectPolicies }: Reach): readonly Grant[] => [
  ...(bucketPolicy.state === 'known' ? grantsOf(bucketPolicy.value) : []),
  ...projectPolicies.flatMap(grantsOf).filter(({ role }) => role.startsWith('roles/storage.')),
]

/** Undefined where something that was not seen decides. */
const isOwn = ({ workload }: Reach, { member }: Grant, account: string | undefined): boolean | undefined =>
  everybody.has(member) ||
  (account === undefined ? workload !== undefined && admits(member, workload) : member === `serviceAccount:${account}`)

/** What leaves open whose a grant is. */
const openOf = ({ google, federation }: Reach): Fact<unknown> =>
  federation?.evaluated.state === 'unknown' ? federation.evaluated : openIn(google.world)

function denied(reach: Reach, told: Told, evidence: readonly Evidence[]): Verdict<typeof messages> {
  const { bucket, bucketPolicy } = reach
  const { permission, account, principal, isDirect, isMetadata } = told
  const own = grantsIn(reach).filter((grant) => isOwn(reach, grant, account) === true)
  const writes = /\.(?:create|delete|update)$/.test(permission)
  const whole = principalIn(reach)
  const data = {
    account: account ?? 'the identity',
    principal,
    permission,
    bucket: bucket ?? 'of the request',
    location: bucket === undefined ? 'gs://BUCKET' : `gs://${bucket}`,
    roles: own.map(({ role }) => role).join(', ') || 'no role that was seen',
    least: writes ? 'roles/storage.objectUser' : 'roles/storage.objectViewer',
    grantee: account !== undefined ? `serviceAccount:${account}` : whole.startsWith('principal:') ? whole : 'MEMBER',
  }
  if (isMetadata) {
    const held = own.find(({ role }) => !seesBucket.has(role))
    const role = held?.role ?? 'the role that it holds'
    return {
      status: 'fail',
      message: 'bucket-metadata-missing',
      data: { ...data, identity: data.account, role },
      evidence,
    }
  }
  const first = grantsIn(reach).find(
    (grant) =>
      bucketPolicy.state === 'known' &&
      grant.resource === bucketPolicy.value.resource &&
      isOwn(reach, grant, account) === false &&
      grant.role.startsWith('roles/storage.') &&
      !/^project(?:Owner|Editor|Viewer):/.test(grant.member),
  )
  if (own.length === 0 && first !== undefined)
    return {
      status: 'fail',
      message: 'granted-to-other-identity',
      data: { ...data, role: first.role, granted: first.member, actual: account ?? principal },
      evidence,
    }
  if (isDirect) return { status: 'fail', message: 'direct-identity-lacks-permission', data, evidence }
  if (account !== undefined) return { status: 'fail', message: 'account-lacks-permission', data, evidence }
  return { status: 'undecided', lacks: `who was refused ${permission} is not said`, evidence }
}
