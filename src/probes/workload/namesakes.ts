/** What is known about a ServiceAccount that does not exist: who names it, and where one of that name does exist. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readServiceAccount } from '../../domain/workload-objects.ts'
import { type Meta, nameOf } from '../../domain/workloads.ts'
import { listed } from '../lists.ts'
import { podsOfServiceAccount, templatesOfServiceAccount } from './pods.ts'
import { serviceAccount } from './service-account.ts'

/** The controller that a person would name for a pod or template: `deployment/cart` for a pod of its ReplicaSet. */
export function workloadOf(one: Meta): string {
  const { owner } = one
  if (owner === undefined) return nameOf(one)
  const base = owner.name.replace(/-[^-]+$/, '')
  if (owner.kind === 'ReplicaSet' && base !== owner.name) return `deployment/${base}`
  return `${owner.kind.toLowerCase()}/${owner.name}`
}

/** Empty where the account exists or nobody was seen to name it; never unknown. */
export const namedBy = defineProbe({
  id: 'workload/named-by',
  about: 'who names a ServiceAccount that does not exist',
  scope: 'service-account',
  needs: {},
  wants: { serviceAccount, podsOfServiceAccount, templatesOfServiceAccount },
  ask: (_have, { serviceAccount, podsOfServiceAccount, templatesOfServiceAccount }): Fact<readonly string[]> => {
    if (serviceAccount.state === 'known') return known([], serviceAccount.from)
    const users = [templatesOfServiceAccount, podsOfServiceAccount].flatMap((fact) =>
      fact.state === 'known' ? fact.value.items : [],
    )
    return known([...new Set(users.map(workloadOf))].sort(), podsOfServiceAccount.from)
  },
})

/** Other namespaces that have a ServiceAccount of this name; asked only where it is not in its own. */
export const namesakes = defineProbe({
  id: 'workload/namesakes',
  about: 'ServiceAccounts of the same name in other namespaces',
  scope: 'service-account',
  needs: {},
  wants: { serviceAccount },
  ask: (_have, { serviceAccount }, { subject, ask }): Soon<Fact<readonly string[]>> => {
    const question = kubernetes.list('serviceaccounts')
    // Every namespace has a `default`.
    if (serviceAccount.state === 'known' || subject.kind !== 'ServiceAccount' || subject.name === 'default')
      return absent(question)
    return onward(ask(question), (fact): Fact<readonly string[]> => {
      const accounts = listed(fact, readServiceAccount)
      if (accounts.state !== 'known') return accounts
      const found = accounts.value.items.filter(
        ({ name, namespace }) => name === subject.name && namespace !== subject.namespace,
      )
      return known(found.map(({ namespace }) => namespace).sort(), accounts.from)
    })
  },
})
