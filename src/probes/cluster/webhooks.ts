/** The mutating webhooks of the cluster. */
import { absent, defineProbe, type Fact, known, onward } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { type Configuration, readConfiguration } from '../../domain/webhooks.ts'
import { type Listed, listed } from '../lists.ts'

export const mutatingWebhooks = defineProbe<Listed<Configuration>>({
  id: 'cluster/mutating-webhooks',
  about: 'the mutating webhooks',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) =>
    onward(inquiry.ask(kubernetes.list('mutatingwebhookconfigurations')), (fact) => listed(fact, readConfiguration)),
})

/** The configuration that is judged; absent for any other subject, and where it is gone. */
export const webhookConfiguration = defineProbe({
  id: 'cluster/webhook-configuration',
  about: 'the webhook configuration',
  scope: 'object',
  needs: { mutatingWebhooks },
  wants: {},
  ask: ({ mutatingWebhooks }, _want, { subject }): Fact<Configuration> => {
    const found =
      subject.kind === 'MutatingWebhookConfiguration' && mutatingWebhooks.state === 'known'
        ? mutatingWebhooks.value.items.find(({ name }) => name === subject.name)
        : undefined
    return found === undefined ? absent(mutatingWebhooks.from) : known(found, mutatingWebhooks.from)
  },
})
