/** Has the one owner of a pod make it anew, so that the webhook sees it with its binding. */
import { check } from '../../checks/workload/pod-is-newer-than-its-binding.ts'
import { byHand, defineFixer, type Proposal } from '../../core/plan.ts'
import { restartWorkload, rolling } from '../../domain/kubernetes-changes.ts'

type Data = { readonly workload: string; readonly namespace: string; readonly pod: string }

/** What nothing makes anew is never deleted: its words say so. */
function restart({ data }: { readonly data: Data }): Proposal {
  const place = rolling(data.workload, data.namespace)
  if (place === undefined) return byHand
  const summary = `Restart ${data.workload} in namespace ${data.namespace}, so that its pods are made anew`
  return [{ summary, safety: 'review', ...restartWorkload(place, [data.pod]) }]
}

export const fixer = defineFixer(check, {
  needs: {},
  wants: {},
  proposals: {
    'older-than-annotation': restart,
    'older-than-webhook': restart,
    'raced-the-account': restart,
    'changed-since': restart,
  },
})
