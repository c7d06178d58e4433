/** Writes the issuer of a provider as the token has it, where the two differ in the slash at the end and nobody else is behind it. */
import { check } from '../../checks/gcp/provider-issuer-matches-token.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeProvider } from '../../domain/gcp-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'

const needs = { googleFederation }

function spell({
  have: { googleFederation },
  data,
}: ProposalBrief<typeof needs, Record<never, never>, MessageData>): Proposal {
  const tokenIssuer = word(data, 'tokenIssuer')
  const seen = googleFederation.state === 'absent' ? undefined : googleFederation.value.provider
  if (seen?.state !== 'known' || !tokenIssuer.startsWith('https://')) return byHand
  const { name, id, pool, issuer } = seen.value
  // Only the slash: another issuer is another cluster, which may have this one.
  if (issuer === undefined || issuer.replace(/\/$/, '') !== tokenIssuer.replace(/\/$/, '')) return byHand
  const summary = `Write the issuer of provider ${id} in pool ${pool} as ${tokenIssuer}`
  return [{ summary, safety: 'review', ...changeProvider(name, ['oidc', 'issuerUri'], issuer, tokenIssuer) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'trailing-slash-differs': spell } })
