/** Has the one owner of a pod that still names a former identity make it anew. */
import { check } from '../../checks/azure/pod-environment-agrees.ts'
import { byHand, defineFixer, type Proposal } from '../../core/plan.ts'
import { restartWorkload, rolling } from '../../domain/kubernetes-changes.ts'

type Data = { readonly workload: string; readonly namespace: string; readonly pod: string }

function restart({ data: { workload, namespace, pod } }: { readonly data: Data }): Proposal {
  const place = rolling(workload, namespace)
  if (place === undefined) return byHand
  const summary = `Restart ${workload} in namespace ${namespace}, so that its pods are made anew`
  return [{ summary, safety: 'review', ...restartWorkload(place, [pod]) }]
}

// Variables and secrets that somebody wrote into a template are for whoever wrote them.
export const fixer = defineFixer(check, { needs: {}, wants: {}, proposals: { stale: restart } })
