/** How many replicas stand behind the webhooks of a configuration. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, isObject, type JsonObject, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { injectorsOf, readSelector, unmet } from '../../domain/webhooks.ts'
import { readWorkload } from '../../domain/workload-objects.ts'
import { listed } from '../lists.ts'
import { webhookConfiguration } from './webhooks.ts'

type Behind = { readonly name: string; readonly object: JsonObject }

/** By the name of the webhook; absent where none fails closed and runs in the cluster. */
export const webhookDeployments = defineProbe({
  id: 'cluster/webhook-replicas',
  about: 'the Deployment behind the webhook',
  scope: 'object',
  needs: { webhookConfiguration },
  wants: {},
  only: 'webhookConfiguration',
  ask: async ({ webhookConfiguration }, _want, { ask }): Promise<Fact<ReadonlyMap<string, Behind>>> => {
    const found = new Map<string, Behind>()
    const closed = injectorsOf(webhookConfiguration.value).filter(({ service, failsOpen }) => service && !failsOpen)
    for (const { name, service } of closed) {
      if (service === undefined) continue
      const behind = await ask(kubernetes.get('services', service.namespace, service.name))
      if (behind.state === 'unknown') return behind
      if (behind.state === 'absent') continue
      const selector = readSelector({ matchLabels: at(behind.value, 'spec', 'selector') ?? {} })
      if (Object.keys(selector.labels).length === 0) continue
      const deployments = listed(await ask(kubernetes.list('deployments', service.namespace)), (json) =>
        isObject(json) ? json : undefined,
      )
      if (deployments.state === 'unknown') return deployments
      const items = deployments.state === 'known' ? deployments.value.items : []
      const one = items.find((json) => {
        const template = readWorkload(json)
        return template !== undefined && unmet(selector, template.labels) === undefined
      })
      const called = textAt(one, 'metadata', 'name')
      if (one !== undefined && called !== undefined) found.set(name, { name: called, object: one })
    }
    return closed.length === 0 ? absent(webhookConfiguration.from) : known(found, webhookConfiguration.from)
  },
})

/** How many there are, where that was seen. */
export const webhookReplicas = defineProbe({
  id: 'cluster/webhook-replica-counts',
  about: 'the replicas of the webhook',
  scope: 'object',
  needs: { webhookDeployments },
  wants: {},
  only: 'webhookDeployments',
  ask: ({ webhookDeployments }): Fact<ReadonlyMap<string, number>> => {
    const found = new Map<string, number>()
    for (const [name, { object }] of webhookDeployments.value) {
      const replicas = at(object, 'spec', 'replicas')
      // The API server writes the default of one into what it returns.
      if (typeof replicas === 'number') found.set(name, replicas)
      else if (textAt(object, 'metadata', 'uid') !== undefined) found.set(name, 1)
    }
    return known(found, webhookDeployments.from)
  },
})
