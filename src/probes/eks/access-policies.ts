/** The access policies that are associated with each access entry of the EKS cluster. */
import { defineProbe, type Fact, known, unknown } from '../../core/fact.ts'
import { at, isList, listAt, textAt, textsAt } from '../../core/json.ts'
import type { AccessPolicy } from '../../domain/aws-entry-changes.ts'
import { aws } from '../../domain/questions.ts'
import { shownEntries } from './access-entries.ts'

export type PoliciesOf = ReadonlyMap<string, Fact<readonly AccessPolicy[]>>

/** By principal, each as far as it was seen; asked for standard entries alone, for others take none. */
export const accessPolicies = defineProbe({
  id: 'eks/access-policies',
  about: 'the access policies of the access entries',
  scope: 'cluster',
  needs: { shownEntries },
  wants: {},
  ask: async ({ shownEntries }, _want, { ask }): Promise<Fact<PoliciesOf>> => {
    if (shownEntries.state === 'absent') return shownEntries
    const standard = shownEntries.value.entries.filter(({ described }) => described?.type === 'STANDARD')
    const all = await Promise.all(
      standard.map(async ({ principal }): Promise<readonly [string, Fact<readonly AccessPolicy[]>]> => {
        const answer = await ask(aws.accessPolicies(principal))
        if (answer.state !== 'known') return [principal, answer]
        const { value, from } = answer
        if (!isList(at(value, 'associatedAccessPolicies')) || at(value, 'complete') === false)
          return [principal, unknown('malformed', 'the list of access policies is not whole', from)]
        const policies = listAt(value, 'associatedAccessPolicies').map((one): AccessPolicy => {
          const namespaces = textsAt(one, 'accessScope', 'namespaces')
          const type = textAt(one, 'accessScope', 'type') ?? 'cluster'
          const accessScope = namespaces.length === 0 ? { type } : { type, namespaces }
          return { policyArn: textAt(one, 'policyArn') ?? '', accessScope }
        })
        return [principal, known(policies, from)]
      }),
    )
    return known(new Map(all), shownEntries.from)
  },
})
