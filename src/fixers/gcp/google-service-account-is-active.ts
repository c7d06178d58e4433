/** Grants the account of today what the deleted one of its name had; no account is made or enabled. */
import { check } from '../../checks/gcp/google-service-account-is-active.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { grantMember } from '../../domain/gcp-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { googleWorld } from '../../probes/gcp/world.ts'

const needs = { googleWorld }
type Data = MessageData

function grant({ have: { googleWorld }, data }: ProposalBrief<typeof needs, Record<never, never>, Data>): Proposal {
  const email = word(data, 'email')
  const resource = word(data, 'resource')
  const role = word(data, 'role')
  const policies = googleWorld.state === 'absent' ? [] : googleWorld.value.policies
  const index = policies.findIndex((one) => one.resource === resource)
  const policy = policies[index]
  const changed = policy === undefined ? undefined : grantMember(policy, role, `serviceAccount:${email}`, index)
  const summary = `Grant ${role} on ${resource} to the account that is named ${email} today`
  return changed === undefined ? byHand : [{ summary, safety: 'review', ...changed }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { recreated: grant } })
