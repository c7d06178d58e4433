/** Has the role of an association admit EKS Pod Identity: the one action that it lacks, or one statement beside the others. */
import { check } from '../../checks/aws/trust-policy-admits-pod-identity.ts'
import { edited, same } from '../../core/edit.ts'
import { at, type JsonObject } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { stepsOf, withStatement } from '../../domain/aws-trust-edits.ts'
import { podIdentityService } from '../../domain/aws-trust-service.ts'
import { associatedRole, podIdentityBinding, podIdentityTrust } from '../../probes/aws/pod-identity-trust.ts'
import { plain, trustChange } from '../trust-change.ts'

const needs = { podIdentityBinding, associatedRole, podIdentityTrust }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>

/** https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html */
const statement: JsonObject = {
  Effect: 'Allow',
  Principal: { Service: podIdentityService },
  Action: ['sts:AssumeRole', 'sts:TagSession'],
}

function factsOf({ have: { podIdentityBinding, associatedRole, podIdentityTrust } }: Brief) {
  if (podIdentityBinding.state === 'absent' || associatedRole.state === 'absent' || podIdentityTrust.state === 'absent')
    return undefined
  const account = parseRoleArn(podIdentityBinding.value.roleArn ?? '')?.account
  const { name, policy, duplicates } = associatedRole.value
  if (account === undefined || duplicates.length > 0) return undefined
  return { account, name, policy, cause: podIdentityTrust.value.decision.cause }
}

function beside(brief: Brief): Proposal {
  const facts = factsOf(brief)
  if (facts === undefined) return byHand
  const next = withStatement(facts.policy, statement)
  const summary = `Add a statement for ${podIdentityService} to the trust policy of role ${facts.name}`
  return trustChange(facts, facts.policy, next === undefined ? undefined : plain(next), summary)
}

const allow =
  (action: string) =>
  (brief: Brief): Proposal => {
    const facts = factsOf(brief)
    const edit = facts?.cause?.edit
    const steps = edit === undefined ? undefined : stepsOf(edit.path)
    if (facts === undefined || edit === undefined || steps === undefined) return byHand
    if (!same(at(facts.policy, ...steps), plain(edit.from))) return byHand
    const summary = `Add ${action} to the statement for ${podIdentityService} in the trust policy of role ${facts.name}`
    return trustChange(facts, facts.policy, edited(facts.policy, steps, plain(edit.to)), summary)
  }

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // A Deny and a condition protect somebody: whether this workload is meant too is for their author to say.
  proposals: {
    'principal-missing': beside,
    'assume-role-missing': allow('sts:AssumeRole'),
    'tag-session-missing': allow('sts:TagSession'),
  },
})
