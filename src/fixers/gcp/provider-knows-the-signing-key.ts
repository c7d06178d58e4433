/** Uploads the key set that this cluster itself serves, in the place of the uploaded one that lacks the key; keys come from nowhere else. */
import { check } from '../../checks/gcp/provider-knows-the-signing-key.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeProvider } from '../../domain/gcp-changes.ts'
import { kidOf, unsupportedType, uploadable } from '../../domain/gcp-provider.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'
import { googleKeys } from '../../probes/gcp/keys.ts'

const needs = { googleFederation, googleKeys }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>

function upload({ have: { googleFederation, googleKeys } }: Brief): Proposal {
  const federation = googleFederation.state === 'absent' ? undefined : googleFederation.value
  const served = googleKeys.state === 'absent' ? undefined : googleKeys.value.served
  if (federation?.provider.state !== 'known' || served === undefined) return byHand
  const { name, id, pool, uploaded, issuer } = federation.provider.value
  const { token } = federation
  const keys = served.filter((key) => unsupportedType(key) === undefined && kidOf(key) !== '')
  // Tokens of another issuer are another cluster's, whose keys are not to be lost here.
  const isOwn =
    token.state === 'known' && token.value.issuer === issuer && keys.some((key) => kidOf(key) === token.value.keyId)
  if (!isOwn || uploaded === undefined) return byHand
  const summary = `Upload the keys that this cluster serves (${keys.map(kidOf).join(', ')}) to provider ${id} in pool ${pool}`
  return [{ summary, safety: 'review', ...changeProvider(name, ['oidc', 'jwksJson'], uploaded, uploadable(keys)) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: { 'key-not-uploaded': upload, 'same-id-other-key': upload, 'uploaded-keys-malformed': upload },
})
