/** Has the one owner of a pod that lacks its identity make it anew, so that the webhook sees it again. */
import { check } from '../../checks/aws/pod-is-injected.ts'
import { byHand, defineFixer, type Proposal } from '../../core/plan.ts'
import { unnamed } from '../../domain/advice.ts'
import { restartWorkload, rolling } from '../../domain/kubernetes-changes.ts'

type Data = { readonly workload: string; readonly namespace: string; readonly pod: string }

/** What keeps the webhook away stands in the template, and is for whoever wrote that; what nothing makes anew is never deleted. */
function restart({ data: { workload, namespace, pod } }: { readonly data: Data }): Proposal {
  const place = workload === unnamed.workload ? undefined : rolling(workload, namespace)
  if (place === undefined) return byHand
  const summary = `Restart ${workload} in namespace ${namespace}, so that its pods are made anew`
  return [{ summary, safety: 'review', ...restartWorkload(place, [pod]) }]
}

export const fixer = defineFixer(check, {
  needs: {},
  wants: {},
  proposals: {
    'role-differs': restart,
    'created-before-annotation': restart,
    'created-before-association': restart,
    'created-before-webhook': restart,
    'created-with-service-account': restart,
    'not-injected': restart,
  },
})
