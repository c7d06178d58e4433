/** Sets the lifetime that the webhook is asked for to the nearest that it takes, where the ServiceAccount asks for it. */
import { check } from '../../checks/azure/pod-admitted.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { expirationAnnotation } from '../../domain/azure-pods.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const needs = { serviceAccount }
type Data = { readonly object: string; readonly observed: string }
type Brief = ProposalBrief<typeof needs, Record<never, never>, Data>

/** What is no number is a word of somebody's, not a lifetime; a template is for whoever wrote it. */
function nearest({ have: { serviceAccount }, data: { object, observed } }: Brief): Proposal {
  if (serviceAccount.state === 'absent' || !/^[+-]?\d{1,15}$/.test(observed)) return byHand
  const { namespace, name, annotations } = serviceAccount.value
  if (object !== `ServiceAccount ${namespace}/${name}` || annotations[expirationAnnotation] !== observed) return byHand
  const seconds = String(Math.min(86_400, Math.max(3600, Number(observed))))
  const place = { resource: 'serviceaccounts', namespace, name }
  const summary = `Annotate ServiceAccount ${name} in namespace ${namespace} with ${expirationAnnotation}=${seconds}`
  return [{ summary, safety: 'safe', ...annotate(place, expirationAnnotation, observed, seconds) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'token-expiration-invalid': nearest } })
