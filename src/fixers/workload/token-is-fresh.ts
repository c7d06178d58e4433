/** Has the one owner of a pod with a stale token make it anew: first aid, until the application reads the file again by itself. */
import { check } from '../../checks/workload/token-is-fresh.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { restartWorkload, rolling } from '../../domain/kubernetes-changes.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { pod } from '../../probes/workload/pod.ts'

const needs = { pod }

/** What nothing makes anew is never deleted. */
function restart({ have: { pod } }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (pod.state === 'absent') return byHand
  const { name, namespace } = pod.value
  const workload = workloadOf(pod.value)
  const place = rolling(workload, namespace)
  if (place === undefined) return byHand
  const summary = `Restart ${workload} in namespace ${namespace}, so that its pods begin with a fresh token`
  return [{ summary, safety: 'review', ...restartWorkload(place, [name]) }]
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
