/** Grants to the member as its author can only have meant it; the malformed one means nobody and stays. */
import { check } from '../../checks/gcp/iam-members-are-well-formed.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { grantMember } from '../../domain/gcp-changes.ts'
import { mended } from '../../domain/gcp-member-repairs.ts'
import { grantsOf, type Policy } from '../../domain/gcp-policies.ts'
import { word } from '../../domain/gcp-words.ts'
import { googleMembers } from '../../probes/gcp/members.ts'

const needs = { googleMembers }
type Brief = ProposalBrief<typeof needs, Record<never, never>, MessageData>

/** The policy as it stands once the grant is in it, for the next one. */
const granted = (policy: Policy, role: string, member: string): Policy => ({
  ...policy,
  bindings: policy.bindings.some((one) => one.role === role && one.condition === undefined)
    ? policy.bindings.map((one) =>
        one.role === role && one.condition === undefined ? { ...one, members: [...one.members, member] } : one,
      )
    : [...policy.bindings, { role, members: [member] }],
})

function grant({ have: { googleMembers }, data }: Brief): Proposal {
  if (googleMembers.state === 'absent' || googleMembers.value.policy.state !== 'known') return byHand
  const { policy, lore, world } = googleMembers.value
  const malformed = word(data, 'member')
  const member = mended(malformed, lore)
  const grants = grantsOf(policy.value).filter((one) => one.member === malformed)
  // A condition is written for the one that it stands with.
  if (member === undefined || grants.length === 0 || grants.some(({ condition }) => condition !== undefined))
    return byHand
  const { resource } = policy.value
  const index = world.policies.findIndex((one) => one.resource === resource)
  let held = policy.value
  const actions = grants.flatMap(({ role }) => {
    const changed = grantMember(held, role, member, index)
    if (changed === undefined) return []
    held = granted(held, role, member)
    return [{ summary: `Grant ${role} on ${resource} to ${member}`, safety: 'review' as const, ...changed }]
  })
  return actions.length === grants.length ? actions : byHand
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'brackets-misplaced': grant,
    'number-for-project-id': grant,
    'id-for-project-number': grant,
    'many-for-one': grant,
    'prefix-misspelt': grant,
    'gke-subject-in-other-pool': grant,
    'other-subject-in-gke-pool': grant,
  },
})
