/** Has the one owner of a pod that the webhook did not change make it anew. */
import { check } from '../../checks/azure/pod-injected.ts'
import { byHand, defineFixer, type Proposal } from '../../core/plan.ts'
import { restartWorkload, rolling } from '../../domain/kubernetes-changes.ts'

type Data = { readonly workload: string; readonly namespace: string; readonly pod: string }

/** What skips a container stands in the template, for whoever wrote it; a pod that nothing makes anew is never deleted. */
function restart({ data: { workload, namespace, pod } }: { readonly data: Data }): Proposal {
  const place = rolling(workload, namespace)
  if (place === undefined) return byHand
  const summary = `Restart ${workload} in namespace ${namespace}, so that its pods are made anew`
  return [{ summary, safety: 'review', ...restartWorkload(place, [pod]) }]
}

export const fixer = defineFixer(check, {
  needs: {},
  wants: {},
  proposals: { 'created-before-setup': restart, 'not-injected': restart },
})
