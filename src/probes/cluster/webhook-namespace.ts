/** The labels of the pod's namespace, where a webhook selects by them. */
import { absent, defineProbe, type Fact, inquire, type Soon } from '../../core/fact.ts'
import { at, isObject } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { injectorsOf } from '../../domain/webhooks.ts'
import type { Texts } from '../../domain/workloads.ts'
import { mutatingWebhooks } from './webhooks.ts'

/** Absent where no injecting webhook selects by namespace, or the namespace is gone. */
export const selectedNamespace = defineProbe({
  id: 'cluster/selected-namespace',
  about: 'the labels of the namespace',
  scope: 'pod',
  needs: {},
  wants: { mutatingWebhooks },
  ask: (_have, { mutatingWebhooks }, inquiry): Soon<Fact<Texts>> => {
    const { namespace } = inquiry.subject
    const question = kubernetes.get('namespaces', undefined, namespace ?? '')
    const items = mutatingWebhooks.state === 'known' ? mutatingWebhooks.value.items : []
    const selects = items
      .flatMap(injectorsOf)
      .some(({ namespaceSelector: { labels, expressions } }) => Object.keys(labels).length + expressions.length > 0)
    if (namespace === undefined || !selects) return absent(question)
    return inquire(inquiry, question, (json) => {
      const labels = at(json, 'metadata', 'labels')
      // The API server sets this one itself: https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
      const found: { [key: string]: string } = { 'kubernetes.io/metadata.name': namespace }
      if (isObject(labels))
        for (const [key, value] of Object.entries(labels)) if (typeof value === 'string') found[key] = value
      return found
    })
  },
})
