/** Names the role by the ARN under which IAM has it, where the account has a role of the name that is written. */
import { check } from '../../checks/aws/role-arn-valid.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { meantRole } from '../../probes/aws/meant-role.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { bindingWants, bindTo } from '../role-binding.ts'

const needs = { roleReference, meantRole }
type Data = { readonly namespace: string; readonly serviceAccount: string }

function rename({ have, want, data }: ProposalBrief<typeof needs, typeof bindingWants, Data>): Proposal {
  if (have.roleReference.state === 'absent' || have.meantRole.state === 'absent') return byHand
  return bindTo(have.meantRole.value, data, have.roleReference, want)
}

export const fixer = defineFixer(check, {
  needs,
  wants: bindingWants,
  // A placeholder, the profile of a node and another partition mean no role that could be looked up.
  proposals: {
    'stray-character': rename,
    'name-only': rename,
    'session-arn': rename,
    'account-malformed': rename,
    malformed: rename,
  },
})
