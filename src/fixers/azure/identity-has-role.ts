/** Gives the identity one data role at the storage account or container that refused it. */
import { check } from '../../checks/azure/identity-has-role.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { assignRole, dataRole, isPrincipalId, isStorageScope } from '../../domain/azure-changes.ts'
import { deniedAccount, roles } from '../../probes/azure/roles.ts'

const needs = { roles }
const wants = { deniedAccount }
type Data = { readonly principalId: string; readonly scope: string }
type Brief<D = unknown> = ProposalBrief<typeof needs, typeof wants, Data & D>

function assign({ have: { roles }, want: { deniedAccount } }: Brief, principalId: string, called: string, at: string) {
  const role = dataRole(called)
  // Where only the name of the account is known, its own id is asked for; never anything above it.
  const scope = isStorageScope(at) ? at : deniedAccount.state === 'known' ? deniedAccount.value : ''
  if (roles.state === 'absent' || role === undefined || !isPrincipalId(principalId) || !isStorageScope(scope))
    return byHand
  const summary = `Give principal ${principalId} role ${role.name} at ${scope}`
  return [{ summary, safety: 'review', ...assignRole(roles.from, principalId, role, scope) }] as const
}

/** Reading is the least; whoever has to write is told so by the next refusal. */
const reader = (brief: Brief): Proposal =>
  assign(brief, brief.data.principalId, 'Storage Blob Data Reader', brief.data.scope)
const sameForPrincipal = (brief: Brief<{ readonly role: string; readonly expected: string }>): Proposal =>
  assign(brief, brief.data.expected, brief.data.role, brief.data.scope)

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'assigned-to-client-id': sameForPrincipal,
    'control-plane-only': reader,
    'data-role-missing': reader,
  },
})
