/** Has what keeps a token that has ended make its pods anew: first aid, until the application reads the file again by itself. */
import { check } from '../../checks/azure/token-well-formed-and-current.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { podsAndTemplates } from '../../probes/azure/pods.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { restarted } from '../restart.ts'

const needs = { podsAndTemplates }

/** Which of several workloads sent it, the text does not say. */
function restart({ have: { podsAndTemplates } }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (podsAndTemplates.state === 'absent') return byHand
  const { pods } = podsAndTemplates.value
  const [first] = pods
  const [workload, second] = [...new Set(pods.map(workloadOf))]
  if (first === undefined || workload === undefined || second !== undefined) return byHand
  const names = pods.map(({ name }) => name)
  return restarted({ workload, namespace: first.namespace }, names, 'its pods begin with a fresh token')
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { expired: restart } })
