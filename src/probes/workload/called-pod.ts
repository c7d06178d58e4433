/** The pod whose call was denied; absent where no denial was seen, so that nobody waits for it. */
import { absent, defineProbe, type Fact } from '../../core/fact.ts'
import { denialsIn } from '../../domain/aws-callers.ts'
import { googleCallersIn } from '../../domain/gcp-callers.ts'
import type { Pod } from '../../domain/workloads.ts'
import { errorsOfPod } from './observed-errors.ts'
import { pod } from './pod.ts'

export const calledPod = defineProbe({
  id: 'workload/called-pod',
  about: 'the pod whose call was denied',
  scope: 'pod',
  needs: {},
  wants: { errorsOfPod, pod },
  ask: (_have, { errorsOfPod, pod }): Fact<Pod> => {
    const errors = errorsOfPod.state === 'known' ? errorsOfPod.value : []
    const denied = errors.some(({ text }) => denialsIn(text).length > 0 || googleCallersIn(text).length > 0)
    return denied && pod.state === 'known' ? pod : absent(pod.from)
  },
})
