/** The egress rules, as they stand, of the first policy that restricts the pod. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { at, isList, type Json, listAt, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { networkPolicies } from './network-policies.ts'

export type EgressRules = { readonly namespace: string; readonly name: string; readonly egress?: readonly Json[] }

/** Absent where no policy restricts it. */
export const egressRules = defineProbe({
  id: 'workload/egress-rules',
  about: 'the egress rules of the policy that restricts the pod',
  scope: 'pod',
  needs: { networkPolicies },
  wants: {},
  ask: ({ networkPolicies }, _want, { ask }): Soon<Fact<EgressRules>> => {
    const [policy] = networkPolicies.state === 'known' ? networkPolicies.value.restricting : []
    if (policy === undefined) return absent(networkPolicies.from)
    const { namespace, name } = policy
    return onward(ask(kubernetes.list('networkpolicies', namespace)), (fact) =>
      reading(fact, (json) => {
        const held = listAt(json, 'items').find(
          (one) => textAt(one, 'metadata', 'name') === name && textAt(one, 'metadata', 'namespace') === namespace,
        )
        if (held === undefined) return undefined
        const egress = at(held, 'spec', 'egress')
        return { namespace, name, ...(isList(egress) ? { egress } : {}) }
      }),
    )
  },
})
