/** What a pod with an identity binding needs besides its environment: the right to use the identity, and the binding itself. */
import { absent, defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { usesBinding } from '../../domain/azure-pods.ts'
import { azure, kubernetes } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
import { same } from './identity.ts'
import { podsAndTemplates } from './pods.ts'
import { clientReference } from './reference.ts'

/** The client id that pods of the ServiceAccount are bound by; absent where none of them asks for a binding. */
export const boundClientId = defineProbe({
  id: 'azure/bound-client-id',
  about: 'the client id of the identity binding',
  scope: 'service-account',
  needs: {},
  wants: { podsAndTemplates, clientReference },
  ask: (_have, { podsAndTemplates, clientReference }): Fact<string> => {
    const seen = podsAndTemplates.state === 'known' ? podsAndTemplates.value : undefined
    if (![...(seen?.pods ?? []), ...(seen?.templates ?? [])].some(usesBinding))
      return seen?.podsWhole === true || seen?.pods.length !== 0
        ? absent(podsAndTemplates.from)
        : unknown(
            'not-collected',
            'not all pods of the ServiceAccount were seen',
            podsAndTemplates.from,
            'kubectl get pods -A -o yaml',
          )
    return clientReference.state === 'known'
      ? known(clientReference.value.clientId, clientReference.from)
      : clientReference
  },
})

const ours = 'cid.wi.aks.azure.com'
const grants = (role: Json, clientId: string): boolean =>
  listAt(role, 'rules').some((rule) => {
    const has = (member: string, ...words: readonly string[]): boolean =>
      textsAt(rule, member).some((one) => one === '*' || words.includes(one))
    return has('apiGroups', ours) && has('verbs', 'use-managed-identity') && has('resources', clientId)
  })

/** Whether RBAC lets the ServiceAccount use the identity. */
export const useGranted = defineProbe({
  id: 'azure/use-granted',
  about: 'whether the ServiceAccount may use the identity',
  scope: 'service-account',
  needs: { boundClientId },
  wants: {},
  ask: async ({ boundClientId }, _want, { ask, subject }): Promise<Fact<boolean>> => {
    const question = kubernetes.list('clusterroles')
    if (boundClientId.state === 'absent' || subject.namespace === undefined) return absent(question)
    const clientId = boundClientId.value
    const roles = listed(await ask(question), (json) => ({
      name: textAt(json, 'metadata', 'name') ?? '',
      grants: grants(json, clientId),
    }))
    if (roles.state !== 'known') return roles
    const granting = new Set(roles.value.items.filter((one) => one.grants).map(({ name }) => name))
    const { namespace, name } = subject
    const groups = ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${namespace}`]
    const bindings = listed(await ask(kubernetes.list('clusterrolebindings')), (json) => ({
      role: textAt(json, 'roleRef', 'name') ?? '',
      fits: listAt(json, 'subjects').some(
        (one) =>
          (textAt(one, 'kind') === 'ServiceAccount' &&
            textAt(one, 'name') === name &&
            textAt(one, 'namespace') === namespace) ||
          (textAt(one, 'kind') === 'Group' && groups.includes(textAt(one, 'name') ?? '')) ||
          textAt(one, 'name') === `system:serviceaccount:${namespace}:${name}`,
      ),
    }))
    if (bindings.state !== 'known') return bindings
    if (bindings.value.items.some((one) => one.fits && granting.has(one.role))) return known(true, question)
    return roles.value.complete && bindings.value.complete
      ? known(false, question)
      : unknown(
          'not-collected',
          'not all ClusterRoles and their bindings were seen',
          question,
          'kubectl get clusterroles,clusterrolebindings -o yaml',
        )
  },
})

/** Whether the cluster has an identity binding for the identity. */
export const bindingExists = defineProbe({
  id: 'azure/binding-exists',
  about: 'the identity bindings of the cluster',
  scope: 'service-account',
  needs: { boundClientId },
  wants: {},
  ask: ({ boundClientId }, _want, { ask }): Soon<Fact<boolean>> => {
    const question = azure.identityBindings()
    if (boundClientId.state === 'absent') return absent(question)
    return onward(ask(question), (fact): Fact<boolean> => {
      const list = listed(fact, (json) => textAt(json, 'clientId') ?? '', 'bindings')
      if (list.state !== 'known') return list
      if (list.value.items.some((one) => same(one, boundClientId.value))) return known(true, question)
      return list.value.complete && list.value.items.every((one) => one !== '')
        ? known(false, question)
        : unknown(
            'not-collected',
            'not all identity bindings were seen',
            question,
            'az aks identity-binding list -g GROUP --cluster-name CLUSTER',
          )
    })
  },
})
