/** Allows the role of a node the one call that the Pod Identity agent makes with it. */
import { check } from '../../checks/aws/pod-identity-agent-reaches-eks-auth.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { eksAuthCallIn } from '../../domain/agent-answers.ts'
import { putRolePolicy } from '../../domain/aws-role-changes.ts'
import { eksAuthErrors } from '../../probes/aws/pod-identity-agent.ts'

const needs = { eksAuthErrors }

const name = 'eks-pod-identity-agent'
const policy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'eks-auth:AssumeRoleForPodIdentity', Resource: '*' }],
}

/** The account is that of the session that was refused; masked ones are nobody's. */
function allow({ have, data }: ProposalBrief<typeof needs, Record<never, never>, { readonly role: string }>): Proposal {
  const errors = have.eksAuthErrors.state === 'absent' ? [] : have.eksAuthErrors.value
  const accounts = errors.flatMap(({ text }) => {
    const call = eksAuthCallIn(text)
    if (call?.outcome !== 'not-allowed' || call.role !== data.role) return []
    return /arn:aws[a-z-]{0,20}:sts::(\d{12}):assumed-role\//.exec(text)?.[1] ?? []
  })
  const [account, ...others] = new Set(accounts)
  // A policy of this name that somebody has put there is theirs: then the write is refused.
  if (account === undefined || others.length > 0 || !/^[\w+=,.@-]{1,64}$/.test(data.role)) return byHand
  const summary = `Allow node role ${data.role} eks-auth:AssumeRoleForPodIdentity, by a policy of its own`
  return [{ summary, safety: 'review', ...putRolePolicy(account, data.role, name, undefined, policy) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'node-role-not-allowed': allow } })
