/** Every workload identity member follows the grammar of its kind. */
import { defineCheck } from '../../core/check.ts'
import type { Fact } from '../../core/fact.ts'
import { projectOf } from '../../domain/gcp-callers.ts'
import { faultIn, type Lore, mended } from '../../domain/gcp-member-repairs.ts'
import { grantsOf, nameOfResource, type Policy } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, ofHeard, quoted, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleMembers } from '../../probes/gcp/members.ts'

/** It means nobody, and whom it was meant for stands beside it with every role that it has. */
function hasTwin(policy: Fact<Policy>, member: string, lore: Lore): boolean {
  const twin = mended(member, lore)
  if (twin === undefined || policy.state !== 'known') return false
  const grants = grantsOf(policy.value)
  return grants
    .filter((one) => one.member === member)
    .every(({ role, condition }) =>
      grants.some((one) => one.member === twin && one.role === role && one.condition === condition),
    )
}

export const check = defineCheck({
  meta: {
    id: 'gcp/iam-members-are-well-formed',
    title: 'Every workload identity member follows the grammar of its kind',
    severity: 'error',
    scope: 'object',
    kinds: ['GoogleServiceAccount', 'GoogleProject', 'Bucket', 'Cluster'],
    cloud: 'gcp',
    section: 'Binding',
    why: 'IAM takes many a member that names nobody; a number in the place of an id, or one for many, admits no workload at all.',
    fix: {
      safety: 'review',
      does: 'Add the well-formed member where number, id, pool, namespace and name determine it; leave the malformed one until its removal is asked for, and never widen a set.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
      'https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes',
      'https://github.com/hashicorp/terraform-provider-google/issues/12672',
      'https://github.com/hashicorp/terraform-provider-google/issues/12446',
      'https://github.com/hashicorp/terraform-provider-google/issues/16555',
      'https://github.com/google-github-actions/auth/issues/425',
      'https://github.com/vmware-tanzu/velero-plugin-for-gcp/issues/194',
    ],
  },
  only: { probe: googleMembers, otherwise: 'it has no IAM policy' },
  needs: { googleMembers },
  wants: {},
  after: [],
  messages: {
    'brackets-misplaced': say(
      'member {member}: expected serviceAccount:PROJECT_ID.svc.id.goog[NAMESPACE/SERVICE_ACCOUNT]',
    ),
    'number-for-project-id': say(
      'member {member} has project number {observed} before .svc.id.goog; expected the project id {expected}',
    ),
    'id-for-project-number': say(
      'member {member} has {observed} after projects/; expected the project number {expected}',
    ),
    'pool-id-alone': say(
      'member {member} names pool {pool} alone; expected projects/NUMBER/locations/global/workloadIdentityPools/{pool}',
    ),
    'one-for-many': say(
      'member {member} is a principal:// with selector {selector}; a set of identities is principalSet://',
    ),
    'many-for-one': say(
      'member {member} is a principalSet:// with selector {selector}; a single subject is principal://',
    ),
    'prefix-misspelt': say('member {member} begins with {observed}; expected {expected}'),
    'gke-subject-in-other-pool': say(
      'member {member} has a GKE subject ns/NAMESPACE/sa/NAME, but {pool} is not a GKE pool; expected the subject that the provider maps, such as system:serviceaccount:NAMESPACE:NAME',
    ),
    'other-subject-in-gke-pool': say(
      'member {member} has subject {observed}; in a GKE pool it is ns/NAMESPACE/sa/NAME',
    ),
    'placeholder-left': say('member {member} still holds the placeholder {placeholder}'),
  },
  remedies: {
    'brackets-misplaced': advise(
      'Write the member as serviceAccount:PROJECT_ID.svc.id.goog[NAMESPACE/SERVICE_ACCOUNT], then grant it again in the place of this one.',
      'kubectl get serviceaccounts -A',
    ),
    'number-for-project-id': advise(
      'Write the project id in the place of the number and grant that member; the pool is what the cluster prints.',
      'gcloud projects describe {observed} --format=value(projectId)',
    ),
    'id-for-project-number': advise(
      'Write the project number after projects/ and grant that member.',
      'gcloud projects describe {observed} --format=value(projectNumber)',
    ),
    'pool-id-alone': advise(
      'Write the whole name of the pool after iam.googleapis.com and grant that member.',
      'gcloud iam workload-identity-pools list --location=global --format=value(name)',
    ),
    'one-for-many': advise(
      'Grant the same selector as principalSet:// if that set is meant, or name one subject by principal://.',
    ),
    'many-for-one': advise('Grant the same selector as principal://, which names the one subject.'),
    'prefix-misspelt': advise('Grant the same member with {expected} in front.'),
    'gke-subject-in-other-pool': advise(
      'Grant the subject that the provider of {pool} maps, such as system:serviceaccount:NAMESPACE:NAME.',
      'gcloud iam workload-identity-pools providers list --workload-identity-pool={pool} --location=global',
    ),
    'other-subject-in-gke-pool': advise(
      'Grant the subject as ns/NAMESPACE/sa/NAME, as GKE pools have it.',
      'kubectl get serviceaccounts -A',
    ),
    'placeholder-left': advise('Put in what {placeholder} stands for, and grant that member.'),
  },
  judge: ({ have }) => {
    if (have.googleMembers.state === 'absent') return { status: 'not-applicable', reason: 'it has no IAM policy' }
    const { policy, resource, heard, lore, open } = have.googleMembers.value
    const project = projectOf(nameOfResource(resource))
    const members =
      policy.state === 'known'
        ? policy.value.bindings.flatMap((binding) =>
            binding.members.map((member) => ({ member, path: `bindings[${binding.role}].members` })),
          )
        : heard.map(({ values, error }) => ({
            member: (values.member ?? '').replace(/^["'`\\]+|["'`\\,.;)]+$/g, ''),
            path: error.place,
          }))
    for (const { member, path } of members) {
      const fault = faultIn(member, lore)
      if (fault === undefined || hasTwin(policy, member, lore)) continue
      const expected =
        fault.message === 'number-for-project-id'
          ? (project ?? 'PROJECT_ID')
          : fault.message === 'id-for-project-number'
            ? fault.data.expected || lore.numberOf(project ?? '') || 'NUMBER'
            : fault.data.expected
      const text = heard.find(({ values }) => values.member?.includes(member))
      return {
        status: 'fail',
        message: fault.message,
        data: { ...fault.data, expected },
        evidence: [text === undefined ? evidenceOf(policy.from, path, member) : ofHeard(text)],
      }
    }
    const [first] = heard
    if (first !== undefined)
      return {
        status: 'undecided',
        lacks: `IAM does not know the type of a member, and the grammar finds nothing wrong with it: ${quoted(first)}`,
        evidence: [ofHeard(first)],
      }
    if (policy.state === 'unknown') return undecidedBy(policy)
    // Any number follows the grammar; only one of them is that of the pool.
    if (open !== undefined) return undecidedBy(open)
    return {
      status: 'pass',
      evidence: [evidenceOf(policy.from, 'bindings[].members', members.map(({ member }) => member).slice(0, 50))],
    }
  },
})
