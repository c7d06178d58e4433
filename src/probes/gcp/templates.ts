/** The templates that the pods of a ServiceAccount are made from, where each of them has one. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { rolling } from '../../domain/kubernetes-changes.ts'
import { gcp } from '../../domain/questions.ts'
import type { Template } from '../../domain/template-changes.ts'
import { workloadOf } from '../workload/namesakes.ts'
import { templateAt } from '../workload/template.ts'
import { googleAccount } from './account.ts'

/** More are for a person. */
const most = 5

/** Absent where there is no pod, or one that nothing makes anew. */
export const googleTemplates = defineProbe({
  id: 'gcp/templates',
  about: 'the templates that the pods are made from',
  scope: 'service-account',
  needs: { googleAccount },
  wants: {},
  ask: async ({ googleAccount }, _want, inquiry): Promise<Fact<readonly Template[]>> => {
    const none = absent(gcp.collected())
    if (googleAccount.state === 'absent') return none
    const { pods } = googleAccount.value
    const found: Template[] = []
    for (const [workload, own] of Map.groupBy(pods, workloadOf)) {
      const [pod] = own
      const place = pod === undefined ? undefined : rolling(workload, pod.namespace)
      if (pod === undefined || place === undefined || found.length >= most) return none
      const fact = await templateAt(place, inquiry)
      if (fact.state !== 'known') return fact
      found.push({ place, workload, pod: pod.name, template: fact.value })
    }
    return found.length === 0 ? none : known(found, googleAccount.from)
  },
})
