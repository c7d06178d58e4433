/** Writes the annotation on the ServiceAccount as the address that stands there already, or on its pods. */
import { check } from '../../checks/gcp/annotation-names-a-service-account.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { word } from '../../domain/gcp-words.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { emailForm, googleAccount } from '../../probes/gcp/account.ts'

const needs = { googleAccount }
const wants = { clock }
type Brief<D> = ProposalBrief<typeof needs, typeof wants, D>

function write({ have: { googleAccount }, want }: Brief<unknown>, email: string): Proposal {
  const account = googleAccount.state === 'absent' ? undefined : googleAccount.value.account
  if (account === undefined || googleAccount.state === 'absent' || !emailForm.test(email)) return byHand
  const { annotation } = googleAccount.value
  const { namespace, name } = account
  // Whoever runs as default shares it with everybody in the namespace.
  if (name === 'default') return byHand
  const time = want.clock.state === 'known' ? new Date(want.clock.value).toISOString() : undefined
  const place = { resource: 'serviceaccounts', namespace, name }
  const summary = `Name account ${email} on ServiceAccount ${name} in namespace ${namespace}`
  return [{ summary, safety: 'review', ...annotate(place, googleAnnotation, annotation, email, time) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'stray-characters': (brief: Brief<MessageData>) => write(brief, word(brief.data, 'expected')),
    'on-pod': (brief: Brief<MessageData>) => write(brief, word(brief.data, 'value')),
    'on-namesake': (brief: Brief<MessageData>) => write(brief, word(brief.data, 'value')),
  },
})
