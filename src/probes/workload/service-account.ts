/** The ServiceAccount itself. */
import { defineProbe, inquire, unknown } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { ServiceAccount } from '../../domain/workloads.ts'
import { readServiceAccount } from '../read-once.ts'

export const serviceAccount = defineProbe<ServiceAccount>({
  id: 'workload/service-account',
  about: 'the ServiceAccount',
  scope: 'service-account',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) => {
    const { kind, namespace, name } = inquiry.subject
    const question = kubernetes.get('serviceaccounts', namespace, name)
    if (kind !== 'ServiceAccount')
      return unknown('not-collected', 'no ServiceAccount was seen', question, 'kubectl get serviceaccounts -A -o yaml')
    return inquire(inquiry, question, readServiceAccount)
  },
})
