/** What of a ServiceAccount without a client id shows where that went: other objects that carry it, and other ServiceAccounts that do. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { useLabel } from '../../domain/azure-pods.ts'
import { kubernetes } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
import { readServiceAccount } from '../read-once.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { podsAndTemplates } from './pods.ts'

export type Misplaced = { readonly kind: string; readonly name: string; readonly value: string }

/** Another object of the namespace that carries the annotation; looked for only where the ServiceAccount has none and its pods ask. */
export const misplacedClientId = defineProbe({
  id: 'azure/misplaced-client-id',
  about: 'what else carries the client id',
  scope: 'service-account',
  needs: {},
  wants: { serviceAccount, podsAndTemplates },
  ask: (_have, { serviceAccount, podsAndTemplates }, { ask }): Soon<Fact<Misplaced>> => {
    const question = kubernetes.list(
      'services',
      serviceAccount.state === 'known' ? serviceAccount.value.namespace : undefined,
    )
    if (serviceAccount.state !== 'known' || podsAndTemplates.state !== 'known') return absent(question)
    if (serviceAccount.value.annotations[azureClientAnnotation]) return absent(question)
    const all = [...podsAndTemplates.value.templates, ...podsAndTemplates.value.pods]
    for (const one of all) {
      const value = one.outer?.annotations[azureClientAnnotation] ?? one.annotations[azureClientAnnotation]
      if (value) return known({ kind: one.kind, name: one.name, value }, podsAndTemplates.from)
    }
    if (!all.some(({ labels }) => labels[useLabel] === 'true')) return absent(question)
    return onward(ask(question), (fact): Fact<Misplaced> => {
      const services = listed(fact, (json) => ({
        kind: 'Service',
        name: textAt(json, 'metadata', 'name') ?? '',
        value: textAt(json, 'metadata', 'annotations', azureClientAnnotation) ?? '',
      }))
      if (services.state !== 'known') return services
      const found = services.value.items.find(({ value }) => value !== '')
      return found === undefined ? absent(question) : known(found, question)
    })
  },
})

/** Other ServiceAccounts of the namespace that name an identity; asked only where pods of this one ask and it names none. */
export const candidates = defineProbe({
  id: 'azure/candidates',
  about: 'ServiceAccounts of the namespace that name an identity',
  scope: 'service-account',
  needs: {},
  wants: { serviceAccount, podsAndTemplates },
  ask: (_have, { serviceAccount, podsAndTemplates }, { ask, subject }): Soon<Fact<readonly string[]>> => {
    const question = kubernetes.list('serviceaccounts', subject.namespace)
    if (serviceAccount.state === 'known' && serviceAccount.value.annotations[azureClientAnnotation])
      return absent(question)
    if (podsAndTemplates.state !== 'known' || subject.kind !== 'ServiceAccount') return absent(question)
    const { pods, templates } = podsAndTemplates.value
    if (![...pods, ...templates].some(({ labels }) => labels[useLabel] === 'true')) return absent(question)
    return onward(ask(question), (fact): Fact<readonly string[]> => {
      const accounts = listed(fact, readServiceAccount)
      if (accounts.state !== 'known') return accounts
      const found = accounts.value.items
        .filter(({ name, annotations }) => name !== subject.name && Boolean(annotations[azureClientAnnotation]))
        .map(({ name }) => name)
        .sort()
      return found.length > 0 || accounts.value.complete ? known(found, question) : absent(question)
    })
  },
})
