/** Hands remote pods the CA that has signed the certificate of the Ingress: public material, out of the Secret beside it. */
import { check } from '../../checks/interlink/api-certificate-is-trusted.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { held, publishedCa } from '../../probes/interlink/held.ts'
import { setMember } from '../interlink-change.ts'

const needs = { held, publishedCa }

function hand({ have: { held, publishedCa } }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (held.state === 'absent' || publishedCa.state === 'absent') return byHand
  const summary = "Hand out the CA of the Ingress's certificate as KubernetesApiCaCrt"
  return setMember(held, { member: 'KubernetesApiCaCrt', value: publishedCa.value, summary })
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // A certificate that names another address, or an authority that has ended, is made anew by its owner.
  proposals: { 'ca-missing': hand, 'ca-not-a-certificate': hand, 'ca-does-not-sign': hand },
})
