/** Has the federation webhook ask for an audience that the provider takes; the list of the provider stays as its owner wrote it. */
import { check } from '../../checks/gcp/provider-accepts-token-audience.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { word } from '../../domain/gcp-words.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { googleFederation, webhookAudience } from '../../probes/gcp/federation.ts'

const needs = { googleFederation }
const wants = { clock }
type Brief = ProposalBrief<typeof needs, typeof wants, MessageData>

function ask({ have: { googleFederation }, want, data }: Brief): Proposal {
  const first = word(data, 'first')
  const account = googleFederation.state === 'absent' ? undefined : googleFederation.value.google.account
  if (account === undefined || first === '') return byHand
  const { namespace, name, annotations } = account
  const time = want.clock.state === 'known' ? new Date(want.clock.value).toISOString() : undefined
  const place = { resource: 'serviceaccounts', namespace, name }
  const summary = `Ask for audience ${first} on ServiceAccount ${name} in namespace ${namespace}`
  return [{ summary, safety: 'review', ...annotate(place, webhookAudience, annotations[webhookAudience], first, time) }]
}

export const fixer = defineFixer(check, { needs, wants, proposals: { 'webhook-default-not-listed': ask } })
