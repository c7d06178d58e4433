/** The template that the pod is made from, where one workload makes it anew when that changes. */
import { absent, defineProbe, type Fact, type Inquiry, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { at, isObject, type JsonObject, textAt } from '../../core/json.ts'
import { type ObjectPlace, rolling } from '../../domain/kubernetes-changes.ts'
import { kubernetes } from '../../domain/questions.ts'
import { sh } from '../../domain/shell-words.ts'
import type { Template } from '../../domain/template-changes.ts'
import type { Pod } from '../../domain/workloads.ts'
import { clock } from '../cluster/clock.ts'
import { listed } from '../lists.ts'
import { workloadOf } from './namesakes.ts'
import { pod } from './pod.ts'

/** The template of a workload out of the list of its kind, which others have asked for already. */
export function templateAt({ resource, namespace, name }: ObjectPlace, { ask }: Inquiry): Soon<Fact<JsonObject>> {
  const question = kubernetes.list(resource, namespace)
  return onward(ask(question), (fact): Fact<JsonObject> => {
    const list = listed(fact, (json) => (isObject(json) ? json : undefined))
    if (list.state !== 'known') return list
    const held = list.value.items.find(
      (one) => textAt(one, 'metadata', 'name') === name && textAt(one, 'metadata', 'namespace') === namespace,
    )
    const template = held === undefined ? undefined : at(held, 'spec', 'template')
    if (isObject(template)) return known(template, question)
    const lift = sh`kubectl get ${resource} ${name} -n ${namespace ?? 'default'} -o yaml`
    return list.value.complete
      ? absent(question)
      : unknown('not-collected', `the pod template of ${resource}/${name} was not seen`, question, lift)
  })
}

/** A token of an identity, not only the one that every pod gets for the API. */
const carriesIdentity = ({ volumes }: Pod): boolean =>
  volumes.some(({ name, tokens }) => tokens.length > 0 && !name.startsWith('kube-api-access'))

/** Absent for pods that nothing replaces: bare ones, those of Jobs, and those whose owner is not there. */
export const template = defineProbe({
  id: 'workload/template',
  about: 'the template that the pod is made from',
  scope: 'pod',
  needs: { pod },
  wants: { clock },
  only: 'pod',
  ask: ({ pod }, { clock }, inquiry): Soon<Fact<Template>> => {
    const { name, namespace } = pod.value
    const workload = workloadOf(pod.value)
    const place = rolling(workload, namespace)
    if (place === undefined) return absent(pod.from)
    const time = clock.state === 'known' ? { time: new Date(clock.value).toISOString() } : {}
    return onward(templateAt(place, inquiry), (fact): Soon<Fact<Template>> => {
      if (fact.state !== 'known') return fact
      const held: Template = { place, workload, pod: name, template: fact.value, ...time }
      if (!carriesIdentity(pod.value)) return known(held, fact.from)
      return onward(inquiry.ask(kubernetes.get('pods', namespace, name)), (made): Fact<Template> => {
        const seen = made.state === 'known' && isObject(made.value) ? { made: made.value } : {}
        return known({ ...held, ...seen }, fact.from)
      })
    })
  },
})
