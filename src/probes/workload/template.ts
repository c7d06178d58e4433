/** The template that the pod is made from, where one workload makes it anew when that changes. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { at, isObject } from '../../core/json.ts'
import { rolling } from '../../domain/kubernetes-changes.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Template } from '../../domain/template-changes.ts'
import { workloadOf } from './namesakes.ts'
import { pod } from './pod.ts'

/** Absent for pods that nothing replaces: bare ones, those of Jobs, and those whose owner is not there. */
export const template = defineProbe({
  id: 'workload/template',
  about: 'the template that the pod is made from',
  scope: 'pod',
  needs: { pod },
  wants: {},
  ask: ({ pod }, _want, { ask }): Soon<Fact<Template>> => {
    if (pod.state === 'absent') return absent(pod.from)
    const { name, namespace } = pod.value
    const workload = workloadOf(pod.value)
    const place = rolling(workload, namespace)
    if (place === undefined) return absent(pod.from)
    return onward(ask(kubernetes.get(place.resource, namespace, place.name)), (answer) =>
      reading(answer, (json) => {
        const held = at(json, 'spec', 'template')
        return isObject(held) ? { place, workload, pod: name, template: held } : undefined
      }),
    )
  },
})
