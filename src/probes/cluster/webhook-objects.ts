/** Objects around the identity webhooks as they stand, for whoever changes one member of them. */
import { absent, defineProbe, type Fact, known, onward, reading } from '../../core/fact.ts'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { aws, kubernetes } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
import { webhookConfiguration } from './webhooks.ts'

const nameOf = (json: Json): string => textAt(json, 'metadata', 'name') ?? ''
const object = (json: Json): JsonObject | undefined => (isObject(json) ? json : undefined)

/** The webhooks of every mutating configuration, by its name. */
export const webhookObjects = defineProbe({
  id: 'cluster/webhook-objects',
  about: 'the mutating webhooks as they stand',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { ask }) =>
    onward(
      ask(kubernetes.list('mutatingwebhookconfigurations')),
      (fact): Fact<ReadonlyMap<string, readonly Json[]>> => {
        const list = listed(fact, object)
        if (list.state !== 'known') return list
        return known(new Map(list.value.items.map((one) => [nameOf(one), listAt(one, 'webhooks')])), list.from)
      },
    ),
})

/** The NetworkPolicies in the namespaces of the webhook's Services, by `namespace/name`. */
export const policiesOfWebhook = defineProbe({
  id: 'cluster/policies-of-webhook',
  about: 'the NetworkPolicies around the webhook as they stand',
  scope: 'object',
  needs: { webhookConfiguration },
  wants: {},
  only: 'webhookConfiguration',
  ask: async ({ webhookConfiguration }, _want, { ask }): Promise<Fact<ReadonlyMap<string, JsonObject>>> => {
    const namespaces = new Set(webhookConfiguration.value.webhooks.flatMap(({ service }) => service?.namespace ?? []))
    const found = new Map<string, JsonObject>()
    for (const namespace of namespaces) {
      const list = listed(await ask(kubernetes.list('networkpolicies', namespace)), object)
      if (list.state === 'unknown') return list
      if (list.state === 'known') for (const one of list.value.items) found.set(`${namespace}/${nameOf(one)}`, one)
    }
    return known(found, webhookConfiguration.from)
  },
})

/** The authority of the EKS cluster, PEM in base64; absent where it is not on EKS. */
export const eksAuthority = defineProbe({
  id: 'cluster/eks-authority',
  about: "the EKS cluster's certificate authority",
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { ask }) =>
    onward(ask(aws.cluster()), (fact): Fact<string> => {
      if (fact.state === 'known' && textAt(fact.value, 'cluster', 'certificateAuthority', 'data') === undefined)
        return absent(fact.from)
      return reading(fact, (json) => textAt(json, 'cluster', 'certificateAuthority', 'data'))
    }),
})
