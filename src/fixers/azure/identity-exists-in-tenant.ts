/** Names on the ServiceAccount the tenant in which its identity lives, or the client id of the identity that took the former one's place. */
import { check } from '../../checks/azure/identity-exists-in-tenant.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { tenantAnnotation } from '../../domain/azure-pods.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import { podsAndTemplates } from '../../probes/azure/pods.ts'
import { clientReference, isClientId, variableIn } from '../../probes/azure/reference.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const needs = { serviceAccount, clientReference }
const wants = { clock, podsAndTemplates }
type Brief = ProposalBrief<typeof needs, typeof wants, { readonly expected: string }>

function put({ have: { serviceAccount }, want, data: { expected } }: Brief, key: string): Proposal {
  if (serviceAccount.state === 'absent' || !isClientId(expected)) return byHand
  const { namespace, name, annotations } = serviceAccount.value
  const time = want.clock.state === 'known' ? new Date(want.clock.value).toISOString() : undefined
  const place = { resource: 'serviceaccounts', namespace, name }
  const summary = `Annotate ServiceAccount ${name} in namespace ${namespace} with ${key}=${expected}`
  return [{ summary, safety: 'review', ...annotate(place, key, annotations[key], expected, time) }]
}

const home = (brief: Brief): Proposal => put(brief, tenantAnnotation)
/** A variable of the pod goes before the annotation, and is for whoever wrote it. */
const homeUnlessPreset = (brief: ProposalBrief<typeof needs, typeof wants, { expected: string; where: string }>) => {
  const { podsAndTemplates } = brief.want
  const templates = podsAndTemplates.state === 'known' ? podsAndTemplates.value.templates : []
  const isWritten = variableIn(templates, 'AZURE_TENANT_ID') !== undefined
  return isWritten || brief.data.where.startsWith('AZURE_TENANT_ID') ? byHand : home(brief)
}
const heir = (brief: Brief): Proposal =>
  brief.have.clientReference.state === 'known' && brief.have.clientReference.value.via === 'annotation'
    ? put(brief, azureClientAnnotation)
    : byHand

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: { 'tenant-annotation-empty': home, 'tenant-differs': homeUnlessPreset, recreated: heir },
})
