/** Adds the other form of a bucket's ARN to the statement of a role's own policy that names only one. */
import { check } from '../../checks/aws/role-may-use-bucket.ts'
import { edited } from '../../core/edit.ts'
import { at, textsAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { bucketShapes } from '../../domain/aws-bucket-shapes.ts'
import { putRolePolicy } from '../../domain/aws-role-changes.ts'
import { stepsOf } from '../../domain/aws-trust-edits.ts'
import { aws } from '../../domain/questions.ts'
import { rolePolicies } from '../../probes/aws/role-policies.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'

const needs = { rolePolicies, roleReference }
type Data = { readonly policy: string; readonly resource: string; readonly expected: string }

function beside({ have, data, finding }: ProposalBrief<typeof needs, Record<never, never>, Data>): Proposal {
  if (have.rolePolicies.state === 'absent' || have.roleReference.state === 'absent') return byHand
  const { arn } = have.roleReference.value
  const item = have.rolePolicies.value.items.find(({ name }) => name === data.policy)
  // A managed policy is that of all who have it.
  if (arn === undefined || item?.from.call !== aws.rolePolicy('', '', '').call) return byHand
  const fault = bucketShapes([item]).faults.find(
    (one) => one.message === finding.messageId && 'resource' in one && one.resource === data.resource,
  )
  const steps = stepsOf(fault?.path ?? '')
  if (fault === undefined || !('actions' in fault) || steps === undefined || steps.length === 0) return byHand
  // What else a wildcard allows would be allowed on the other form, too.
  if (
    textsAt(item.policy, ...steps, 'Action').some((one) => /[*?]/.test(one)) ||
    at(item.policy, ...steps, 'NotAction') !== undefined
  )
    return byHand
  const resources = textsAt(item.policy, ...steps, 'Resource')
  const next = edited(item.policy, [...steps, 'Resource'], [...resources, data.expected])
  if (next === undefined || resources.length === 0) return byHand
  const summary = `Add ${data.expected} beside ${data.resource} in policy ${data.policy} of role ${arn.name}`
  return [{ summary, safety: 'review', ...putRolePolicy(arn.account, arn.name, data.policy, item.policy, next) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'object-actions-on-bucket-arn': beside, 'bucket-actions-on-object-arn': beside },
})
