/** Grants the one workload the role to act as the one account; other members stay, and nothing is granted on the project or to a set. */
import { check } from '../../checks/gcp/service-account-admits-workload.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { grantMember } from '../../domain/gcp-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { googleImpersonation } from '../../probes/gcp/policies.ts'

const needs = { googleImpersonation }
const role = 'roles/iam.workloadIdentityUser'

function grant({
  have: { googleImpersonation },
  data,
}: ProposalBrief<typeof needs, Record<never, never>, MessageData>): Proposal {
  const expected = word(data, 'expected')
  if (googleImpersonation.state === 'absent') return byHand
  const { policy, email, google } = googleImpersonation.value
  // An account that was only heard of is not named for certain.
  if (policy.state !== 'known' || email === '') return byHand
  const changed = grantMember(
    policy.value,
    role,
    expected,
    google.world.policies.findIndex(({ resource }) => resource === policy.value.resource),
  )
  return changed === undefined
    ? byHand
    : [{ summary: `Let ${expected} act as ${email} (${role})`, safety: 'review', ...changed }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'no-binding': grant,
    'namespace-differs': grant,
    'name-differs': grant,
    'case-differs': grant,
    'pool-differs': grant,
    'subject-differs': grant,
    'role-lacks-permission': grant,
    'granted-to-itself': grant,
  },
})
