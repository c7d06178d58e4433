/** Tells the client its project in the pod template, or lets the account sign for itself; which role a target needs is its owner's to say. */
import { check } from '../../checks/gcp/identity-may-call-target-api.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { projectOf } from '../../domain/gcp-callers.ts'
import { grantMember } from '../../domain/gcp-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { withVariable } from '../../domain/template-additions.ts'
import { changeTemplate, containersIn, named, type Template } from '../../domain/template-changes.ts'
import { googleImpersonation } from '../../probes/gcp/policies.ts'
import { googleReach } from '../../probes/gcp/targets.ts'
import { googleTemplates } from '../../probes/gcp/templates.ts'

const needs = { googleReach }
const wants = { googleTemplates, googleImpersonation }
type Brief = ProposalBrief<typeof needs, typeof wants, MessageData>

const variable = 'GOOGLE_CLOUD_PROJECT'

function told(held: Template, project: string) {
  const own = containersIn(held).filter(({ path }) => path[1] === 'containers')
  const [first, ...rest] = own.flatMap((one) => withVariable(one, variable, project) ?? [])
  const summary = `Set ${variable}=${project} in the pod template of ${named(held)}`
  return first === undefined ? [] : [{ summary, safety: 'review' as const, ...changeTemplate(held, [first, ...rest]) }]
}

function tell({ have: { googleReach }, want: { googleTemplates } }: Brief): Proposal {
  if (googleReach.state === 'absent' || googleTemplates.state !== 'known') return byHand
  const { email, world } = googleReach.value.google
  const ofCluster = world.cluster.state === 'known' ? world.cluster.value.project : undefined
  const project = (email === undefined ? undefined : projectOf(email)) ?? ofCluster
  // An account of another project than the cluster may mean either.
  if (project === undefined || (ofCluster !== undefined && ofCluster !== project)) return byHand
  const actions = googleTemplates.value.flatMap((one) => told(one, project))
  return actions.length === 0 ? byHand : actions
}

const signer = 'roles/iam.serviceAccountTokenCreator'

function sign({ want: { googleImpersonation }, data }: Brief): Proposal {
  const seen = googleImpersonation.state === 'known' ? googleImpersonation.value : undefined
  if (seen?.policy.state !== 'known' || seen.email === '' || seen.email !== word(data, 'account')) return byHand
  const { policy, email, google } = seen
  const index = google.world.policies.findIndex(({ resource }) => resource === policy.value.resource)
  const changed = grantMember(policy.value, signer, `serviceAccount:${email}`, index)
  const summary = `Let ${email} sign for itself (${signer} on itself)`
  return changed === undefined ? byHand : [{ summary, safety: 'review', ...changed }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: { 'project-not-readable': tell, 'account-may-not-sign': sign },
})
