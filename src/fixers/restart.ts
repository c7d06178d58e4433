/** A restart as a proposal: of a workload that makes its pods anew, and never of what nothing does. */
import { byHand, type Proposal } from '../core/plan.ts'
import { unnamed } from '../domain/advice.ts'
import { restartWorkload, rolling } from '../domain/kubernetes-changes.ts'

type Owner = { readonly workload: string; readonly namespace: string }

/** `workload`: such as `deployment/cart`. `pods`: the names of those that go. `aim`: what it is for, as the summary says it. */
export function restarted({ workload, namespace }: Owner, pods: readonly string[], aim: string): Proposal {
  const place = workload === unnamed.workload ? undefined : rolling(workload, namespace)
  if (place === undefined) return byHand
  const summary = `Restart ${workload} in namespace ${namespace}, so that ${aim}`
  return [{ summary, safety: 'review', ...restartWorkload(place, pods) }]
}

type Data = Owner & { readonly pod: string }

/** For a finding that names a pod and its owner: what keeps that pod from its identity is gone, and one made anew has it. */
export const restartOwner = ({ data }: { readonly data: Data }): Proposal =>
  restarted(data, [data.pod], 'its pods are made anew')
