/** Gives the cluster its workload pool; its node pools are a step of their own. */
import { check } from '../../checks/gcp/workload-pool-exists.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { enableWorkloadPool, located } from '../../domain/gcp-changes.ts'
import { googleWorld } from '../../probes/gcp/world.ts'

const needs = { googleWorld }

function enable({ have: { googleWorld } }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  const seen = googleWorld.state === 'absent' ? undefined : googleWorld.value.cluster
  const place = seen?.state === 'known' ? located(seen.value) : undefined
  if (place === undefined) return byHand
  const summary = `Enable workload pool ${place.project}.svc.id.goog on cluster ${place.name} in ${place.location}`
  return [{ summary, safety: 'review', ...enableWorkloadPool(place) }]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'workload-identity-off': enable } })
