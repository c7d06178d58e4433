/** The ServiceAccounts that are judged, each asked for once for all who go through them. */
import { defineProbe, type Fact, known, onward, reading, type Soon } from '../../core/fact.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { ServiceAccount } from '../../domain/workloads.ts'
import { readServiceAccount } from '../read-once.ts'

export type JudgedAccount = {
  readonly namespace: string
  readonly name: string
  readonly fact: Fact<ServiceAccount>
}

/** Never unknown as a whole: each of them may be. */
export const judgedAccounts = defineProbe({
  id: 'cluster/judged-accounts',
  about: 'the ServiceAccounts',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { subjects, ask }): Soon<Fact<readonly JudgedAccount[]>> => {
    const coming = subjects.flatMap(({ kind, namespace, name }): readonly Soon<JudgedAccount>[] =>
      kind === 'ServiceAccount' && namespace !== undefined
        ? [
            onward(ask(kubernetes.get('serviceaccounts', namespace, name)), (fact) => ({
              ...{ namespace, name },
              fact: reading(fact, readServiceAccount),
            })),
          ]
        : [],
    )
    const finish = (all: readonly JudgedAccount[]): Fact<readonly JudgedAccount[]> =>
      known(all, kubernetes.list('serviceaccounts'))
    const here = coming.flatMap((one) => (one instanceof Promise ? [] : [one]))
    return here.length === coming.length ? finish(here) : Promise.all(coming).then(finish)
  },
})
