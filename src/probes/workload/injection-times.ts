/** What was there when the pod was created: asked only for a pod that lacks what its ServiceAccount binds. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { bindingOf, injectedValue } from '../../domain/injected-identity.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { listed } from '../lists.ts'
import { pod } from './pod.ts'
import { podsOfServiceAccount } from './pods.ts'
import { serviceAccount } from './service-account.ts'

const isOurs = (webhooks: readonly string[]) => (json: Json) =>
  listAt(json, 'webhooks').some((one) => webhooks.includes(textAt(one, 'name') ?? ''))

export type WebhookAge = { readonly configuration: string; readonly created?: string }

/** The webhook that should have acted; absent where the pod is injected, or all webhooks were seen and it is not among them. */
export const actingWebhook = defineProbe({
  id: 'workload/acting-webhook',
  about: 'the webhook that injects the identity',
  scope: 'pod',
  needs: { pod, serviceAccount },
  wants: {},
  ask: ({ pod, serviceAccount }, _want, inquiry): Soon<Fact<WebhookAge>> => {
    const question = kubernetes.list('mutatingwebhookconfigurations')
    if (pod.state === 'absent' || serviceAccount.state === 'absent' || pod.value.uid === undefined)
      return absent(question)
    const binding = bindingOf(pod.value, serviceAccount.value)
    if (binding === undefined || injectedValue(pod.value, binding.variable).state !== 'none') return absent(question)
    return onward(inquiry.ask(question), (fact): Fact<WebhookAge> => {
      const configurations = listed(fact, (json) => (isObject(json) ? json : undefined))
      if (configurations.state !== 'known') return configurations
      const found = configurations.value.items.find(isOurs(binding.webhooks))
      if (found === undefined) return absent(question)
      const created = textAt(found, 'metadata', 'creationTimestamp')
      return known(
        {
          configuration: textAt(found, 'metadata', 'name') ?? 'webhook',
          ...(created === undefined ? {} : { created }),
        },
        question,
      )
    })
  },
})

const ownerOf = ({ owner }: Pod): string => (owner === undefined ? '' : `${owner.kind}/${owner.name}`)

/** Whether later pods of the same owner were injected; never unknown. */
export const siblingsInjected = defineProbe({
  id: 'workload/siblings-injected',
  about: 'whether later pods of the same owner have the identity',
  scope: 'pod',
  needs: { pod, serviceAccount },
  wants: { podsOfServiceAccount },
  ask: ({ pod, serviceAccount }, { podsOfServiceAccount }): Fact<boolean> => {
    if (pod.state === 'absent' || serviceAccount.state === 'absent') return absent(pod.from)
    const self = pod.value
    const binding = bindingOf(self, serviceAccount.value)
    const others = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    return known(
      binding !== undefined &&
        others.some(
          (one) =>
            one.name !== self.name &&
            ownerOf(one) === ownerOf(self) &&
            (one.created ?? '') >= (self.created ?? '') &&
            injectedValue(one, binding.variable).state !== 'none',
        ),
      podsOfServiceAccount.from,
    )
  },
})
