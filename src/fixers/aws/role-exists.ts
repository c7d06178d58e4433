/** Names the role as IAM has it where only case or path differ; a role that is not there is never made. */
import { check } from '../../checks/aws/role-exists.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { bindingWants, bindTo } from '../role-binding.ts'

const needs = { roleReference }
type Data = { readonly arn: string; readonly namespace: string; readonly serviceAccount: string }

function rename({
  have: { roleReference },
  want,
  data,
}: ProposalBrief<typeof needs, typeof bindingWants, Data>): Proposal {
  if (roleReference.state === 'absent' || parseRoleArn(data.arn) === undefined) return byHand
  return bindTo(data.arn, data, roleReference, want)
}

export const fixer = defineFixer(check, {
  needs,
  wants: bindingWants,
  proposals: { 'name-case-differs': rename, 'path-differs': rename },
})
