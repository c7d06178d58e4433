/** Whether an identity of Azure is in use at all: the gate of every check of this folder. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { accountAsks, podAsks } from '../../domain/azure-pods.ts'
import { azure, kubernetes } from '../../domain/questions.ts'
import { injectorsOf } from '../../domain/webhooks.ts'
import type { Pod } from '../../domain/workloads.ts'
import { azureFragments } from '../../knowledge/error-texts.ts'
import { judgedAccounts } from '../cluster/judged-accounts.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { pods, podTemplates, type Shelf, type Shelves } from '../cluster/pods.ts'
import { mutatingWebhooks } from '../cluster/webhooks.ts'
import type { Listed } from '../lists.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { podsOfServiceAccount, templatesOfServiceAccount } from '../workload/pods.ts'
import { serviceAccount } from '../workload/service-account.ts'

export const isOfAzure = ({ fragment }: Pick<ObservedError, 'fragment'>): boolean => azureFragments.has(fragment)

const itemsOf = (fact: Fact<Listed<Pod>>): readonly Pod[] => (fact.state === 'known' ? fact.value.items : [])

/** Absent where nothing that was seen of the ServiceAccount and its pods is meant for Azure. */
export const azureUse = defineProbe({
  id: 'azure/use',
  about: 'what binds the ServiceAccount to Azure',
  scope: 'service-account',
  needs: {},
  wants: { serviceAccount, podsOfServiceAccount, templatesOfServiceAccount, errorsOfServiceAccount },
  ask: (
    _have,
    { serviceAccount, podsOfServiceAccount, templatesOfServiceAccount, errorsOfServiceAccount },
  ): Fact<true> => {
    const { from } = serviceAccount
    if (serviceAccount.state === 'known' && accountAsks(serviceAccount.value)) return known(true, from)
    if (itemsOf(podsOfServiceAccount).some(podAsks) || itemsOf(templatesOfServiceAccount).some(podAsks))
      return known(true, from)
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    return errors.some(isOfAzure) ? known(true, from) : absent(from)
  },
})

const shelvesIn = (fact: Fact<Shelves>, namespace: string): Shelf | undefined =>
  fact.state === 'known' ? fact.value.get(namespace) : undefined

/** The ServiceAccounts that are judged and bound to Azure, by `namespace/name`. */
export const azureAccounts = defineProbe({
  id: 'azure/accounts',
  about: 'who is bound to Azure',
  scope: 'cluster',
  needs: {},
  wants: { pods, podTemplates, judgedAccounts },
  ask: (_have, { pods, podTemplates, judgedAccounts }): Fact<ReadonlySet<string>> => {
    const found = new Set<string>()
    for (const { namespace, name, fact } of judgedAccounts.state === 'known' ? judgedAccounts.value : []) {
      const users = [
        ...(shelvesIn(pods, namespace)?.by.get(name) ?? []),
        ...(shelvesIn(podTemplates, namespace)?.by.get(name) ?? []),
      ]
      if (users.some(podAsks) || (fact.state === 'known' && accountAsks(fact.value))) found.add(`${namespace}/${name}`)
    }
    return found.size === 0
      ? absent(kubernetes.list('serviceaccounts'))
      : known(found, kubernetes.list('serviceaccounts'))
  },
})

/** Absent where nobody who is judged is bound to Azure, no text speaks of it, and the cluster is not one of Azure's. */
export const azureInUse = defineProbe({
  id: 'azure/in-use',
  about: 'whether anything here is bound to Azure',
  scope: 'cluster',
  needs: {},
  wants: { azureAccounts, observedErrors, mutatingWebhooks },
  ask: (_have, { azureAccounts, observedErrors, mutatingWebhooks }, inquiry): Soon<Fact<true>> => {
    const question = kubernetes.list('serviceaccounts')
    if (azureAccounts.state === 'known') return known(true, question)
    if (observedErrors.state === 'known' && observedErrors.value.some(isOfAzure)) return known(true, question)
    const hooks = mutatingWebhooks.state === 'known' ? mutatingWebhooks.value.items.flatMap(injectorsOf) : []
    const whole = inquiry.subjects.some((one) => one.kind === 'Cluster' && 'whole' in one)
    if (whole && hooks.some(({ injects }) => injects === 'Azure')) return known(true, question)
    // Of a cluster that was asked about as such, by its own document or by the name of its API server.
    if (!whole) return absent(question)
    return onward(inquiry.ask(azure.cluster()), (cluster): Soon<Fact<true>> => {
      if (cluster.state === 'known') return known(true, question)
      return onward(inquiry.ask(kubernetes.currentContext()), (context) =>
        context.state === 'known' && /\.azmk8s\.(?:io|us|cn)\b/.test(textAt(context.value, 'server') ?? '')
          ? known(true, question)
          : absent(question),
      )
    })
  },
})
