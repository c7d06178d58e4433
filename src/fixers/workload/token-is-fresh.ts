/** Has the one owner of a pod with a stale token make it anew: first aid, until the application reads the file again by itself. */
import { check } from '../../checks/workload/token-is-fresh.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { pod } from '../../probes/workload/pod.ts'
import { restarted } from '../restart.ts'

const needs = { pod }

function restart({ have: { pod } }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (pod.state === 'absent') return byHand
  const { name, namespace } = pod.value
  return restarted({ workload: workloadOf(pod.value), namespace }, [name], 'its pods begin with a fresh token')
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // A token handed over by value ends again: its variable has to go, and only a person knows what names the file instead.
  proposals: {
    'bound-object-gone': restart,
    'cached-by-app': restart,
    'not-rotated': restart,
    expired: restart,
    'beyond-the-warning': restart,
  },
})
