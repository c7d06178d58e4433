/** Approves the one request of a virtual node for its serving certificate. */
import { check } from '../../checks/interlink/serving-certificate-is-approved.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { approveRequest } from '../../domain/kubernetes-changes.ts'
import { nodesKubelet, ownVirtualNode, servingRequests } from '../../probes/interlink/virtual.ts'

const needs = { ownVirtualNode, servingRequests }
const wants = { nodesKubelet }
type Brief = ProposalBrief<typeof needs, typeof wants, { readonly request: string; readonly node: string }>

function approve({ data: { request, node }, have: { servingRequests }, want: { nodesKubelet } }: Brief): Proposal {
  const held =
    servingRequests.state === 'absent' ? undefined : servingRequests.value.find(({ name }) => name === request)
  const kubelet = nodesKubelet.state === 'known' ? nodesKubelet.value : undefined
  const own = kubelet === undefined ? [] : [`system:serviceaccount:${kubelet.namespace}:${kubelet.serviceAccount}`]
  // Whoever else asks for a certificate of this node would be taken for it.
  if (held === undefined || ![`system:node:${node}`, ...own].includes(held.requestor)) return byHand
  const summary = `Approve CertificateSigningRequest ${request}, by which ${held.requestor} asks for its serving certificate`
  return [{ summary, safety: 'review', ...approveRequest(request) }]
}

export const fixer = defineFixer(check, { needs, wants, proposals: { 'request-pending': approve } })
