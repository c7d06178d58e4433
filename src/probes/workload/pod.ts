/** The pod itself. */
import { defineProbe, inquire, onward, unknown } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { sh } from '../../domain/shell-words.ts'
import type { Pod } from '../../domain/workloads.ts'
import { readPod } from '../read-once.ts'

export const pod = defineProbe<Pod>({
  id: 'workload/pod',
  about: 'the pod',
  scope: 'pod',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) => {
    const { kind, namespace, name } = inquiry.subject
    if (kind === 'Pod') return inquire(inquiry, kubernetes.get('pods', namespace, name), readPod)
    const of = kind === 'ServiceAccount' ? ` of ServiceAccount ${namespace}/${name}` : ''
    const where = namespace === undefined ? '-A' : sh`-n ${namespace}`
    const question = kubernetes.list('pods', namespace)
    const unseen = unknown('not-collected', `no pod${of} was seen`, question, `kubectl get pods ${where} -o yaml`)
    // A list that was refused says itself what would lift it.
    return onward(inquiry.ask(question), (list) =>
      list.state === 'unknown' && list.why !== 'not-collected' ? list : unseen,
    )
  },
})
