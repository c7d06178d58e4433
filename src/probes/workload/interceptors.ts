/** Old tools that answer for the metadata address on the nodes; looked for only where something is bound that they could disturb. */
import { absent, defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { interceptorMark, interceptorOf } from '../../domain/bindings.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readWorkload } from '../../domain/workload-objects.ts'
import { listed } from '../lists.ts'
import { podsOfServiceAccount } from './pods.ts'
import { serviceAccount } from './service-account.ts'

export type Interceptor = { readonly name: string; readonly daemonSet: string; readonly namespace: string }

export const interceptors = defineProbe({
  id: 'workload/interceptors',
  about: 'DaemonSets that answer for the metadata address',
  scope: 'service-account',
  needs: { serviceAccount },
  wants: { podsOfServiceAccount },
  ask: ({ serviceAccount }, { podsOfServiceAccount }, { ask }): Soon<Fact<Interceptor>> => {
    const question = kubernetes.list('daemonsets')
    if (serviceAccount.state === 'absent') return absent(question)
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const { annotations } = serviceAccount.value
    if (annotations[azureClientAnnotation] === undefined && interceptorMark(pods) === undefined) return absent(question)
    return onward(ask(question), (fact): Fact<Interceptor> => {
      const list = listed(fact, readWorkload)
      if (list.state !== 'known') return list
      for (const one of list.value.items) {
        const name = interceptorOf(one)
        if (name !== undefined) return known({ name, daemonSet: one.name, namespace: one.namespace }, question)
      }
      return list.value.complete
        ? absent(question)
        : unknown('not-collected', 'not all DaemonSets were seen', question, 'kubectl get daemonsets -A -o yaml')
    })
  },
})
