/** Grants the one identity the least role on the one bucket; never on the project, never an admin role. */
import { check } from '../../checks/gcp/identity-may-read-bucket.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { grantMember } from '../../domain/gcp-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { googleReach } from '../../probes/gcp/targets.ts'

const needs = { googleReach }
type Data = MessageData

function grant(
  { have: { googleReach }, data }: ProposalBrief<typeof needs, Record<never, never>, Data>,
  role: string,
): Proposal {
  const grantee = word(data, 'grantee')
  if (googleReach.state === 'absent' || googleReach.value.bucketPolicy.state !== 'known') return byHand
  const { bucketPolicy, google } = googleReach.value
  const index = google.world.policies.findIndex(({ resource }) => resource === bucketPolicy.value.resource)
  const changed = grantMember(bucketPolicy.value, role, grantee, index)
  const summary = `Grant ${role} on ${bucketPolicy.value.resource} to ${grantee}`
  return changed === undefined ? byHand : [{ summary, safety: 'review', ...changed }]
}

type Brief = ProposalBrief<typeof needs, Record<never, never>, Data>
const least = (brief: Brief): Proposal => grant(brief, word(brief.data, 'least'))

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'account-lacks-permission': least,
    'direct-identity-lacks-permission': least,
    'granted-to-other-identity': least,
    'bucket-metadata-missing': (brief: Brief) => grant(brief, 'roles/storage.bucketViewer'),
  },
})
