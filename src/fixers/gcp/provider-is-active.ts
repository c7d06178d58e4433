/** Enables the one pool or provider that was disabled; none is made, and no organisation policy is touched. */
import { check } from '../../checks/gcp/provider-is-active.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeProvider, enablePool } from '../../domain/gcp-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'

const needs = { googleFederation }

function enable({
  have: { googleFederation },
  data,
}: ProposalBrief<typeof needs, Record<never, never>, MessageData>): Proposal {
  const resource = word(data, 'resource')
  if (googleFederation.state === 'absent') return byHand
  const { pool, provider } = googleFederation.value
  if (resource.startsWith('pool '))
    return pool.state === 'known' && pool.value.disabled
      ? [{ summary: `Enable ${resource}`, safety: 'review', ...enablePool(pool.value.name) }]
      : byHand
  if (provider.state !== 'known' || !provider.value.disabled) return byHand
  const { name, issuer = 'an issuer that was not seen', condition } = provider.value
  const summary = `Enable ${resource}, which trusts ${issuer} ${condition === undefined ? 'without a condition' : `while ${condition}`}`
  return [{ summary, safety: 'review', ...changeProvider(name, ['disabled'], true, false) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { disabled: enable } })
