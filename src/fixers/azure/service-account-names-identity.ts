/** Names on the ServiceAccount the client id of its identity, where only one can be meant. */
import { check } from '../../checks/azure/service-account-names-identity.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import { isClientId } from '../../probes/azure/reference.ts'
import { trustingIdentity } from '../../probes/azure/trusting.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const needs = { serviceAccount }
const wants = { trustingIdentity, clock }
type Brief = ProposalBrief<typeof needs, typeof wants, { readonly clientId: string }>

function name({ have: { serviceAccount }, want }: Pick<Brief, 'have' | 'want'>, clientId: string): Proposal {
  if (serviceAccount.state === 'absent' || !isClientId(clientId)) return byHand
  const { namespace, name, annotations } = serviceAccount.value
  // Whatever runs as it has no name of its own, and would share the identity with everything.
  if (name === 'default') return byHand
  const time = want.clock.state === 'known' ? new Date(want.clock.value).toISOString() : undefined
  const place = { resource: 'serviceaccounts', namespace, name }
  const changed = annotate(place, azureClientAnnotation, annotations[azureClientAnnotation], clientId, time)
  const summary = `Annotate ServiceAccount ${name} in namespace ${namespace} with ${azureClientAnnotation}=${clientId}`
  return [{ summary, safety: 'safe', ...changed }]
}

/** The finding itself knows it: from a resource id, a principal id or a key beside the right one. */
const asFound = (brief: Brief): Proposal => name(brief, brief.data.clientId)
/** The identity that trusts this very issuer and subject, and no other does. */
const asTrusted = (brief: Pick<Brief, 'have' | 'want'>): Proposal =>
  brief.want.trustingIdentity.state === 'known' ? name(brief, brief.want.trustingIdentity.value.clientId) : byHand
/** What stands elsewhere counts only where the identity says the same. */
const asBothSay = (brief: Brief): Proposal =>
  brief.want.trustingIdentity.state === 'known' &&
  brief.want.trustingIdentity.value.clientId.toLowerCase() === brief.data.clientId.toLowerCase()
    ? name(brief, brief.data.clientId)
    : byHand

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'key-misspelt': asFound,
    'resource-id': asFound,
    'principal-id': asFound,
    'annotated-elsewhere': asBothSay,
    'client-id-missing': asTrusted,
    placeholder: asTrusted,
    'not-a-guid': asTrusted,
  },
})
