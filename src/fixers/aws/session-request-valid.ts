/** Lets sessions of a role last as long as IAM allows, where a workload was refused for asking for more than the role gives. */
import { check } from '../../checks/aws/session-request-valid.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeSessionLimit } from '../../domain/aws-role-changes.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { sessionLimit } from '../../probes/aws/session-limit.ts'

const needs = { roleReference, sessionLimit }

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html; how much was asked for, AWS does not say. */
const longest = 43_200

function raise({ have }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (have.roleReference.state === 'absent' || have.sessionLimit.state === 'absent') return byHand
  const { arn } = have.roleReference.value
  const now = have.sessionLimit.value
  if (arn === undefined || now >= longest) return byHand
  const summary = `Let sessions of role ${arn.name} last up to ${longest} s instead of ${now} s`
  return [{ summary, safety: 'review', ...changeSessionLimit(arn.account, arn.name, now, longest) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'duration-above-role-maximum': raise } })
