/** A ServiceAccount of the same name in another namespace that has the annotation, and that nobody runs as. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { gcp, kubernetes } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
import { readPod, readServiceAccount } from '../read-once.ts'
import { googleAccount, openIn } from './account.ts'

export type Namesake = { readonly name: string; readonly value: string }

/** Asked only where the ServiceAccount itself has no annotation and no grant, and something runs as it; else absent. */
export const googleNamesake = defineProbe({
  id: 'gcp/namesake',
  about: 'an annotated ServiceAccount of the same name in another namespace',
  scope: 'service-account',
  needs: { googleAccount },
  wants: {},
  only: 'googleAccount',
  ask: async ({ googleAccount }, _want, { subject, ask }): Promise<Fact<Namesake>> => {
    const none = absent(gcp.collected())
    const { world, annotation, account, pods, grants, openGrants } = googleAccount.value
    if (
      annotation !== undefined ||
      account === undefined ||
      pods.length === 0 ||
      grants.length > 0 ||
      subject.name === 'default'
    )
      return none
    if (openGrants.length > 0) return openIn(world)
    const all = listed(await ask(kubernetes.list('serviceaccounts')), readServiceAccount)
    if (all.state !== 'known') return all
    const found = all.value.items.find(
      ({ name, namespace, annotations }) =>
        name === subject.name && namespace !== subject.namespace && annotations[googleAnnotation] !== undefined,
    )
    if (found === undefined) return none
    const users = listed(await ask(kubernetes.list('pods', found.namespace)), readPod)
    if (users.state !== 'known') return users
    if (users.value.items.some(({ serviceAccount }) => serviceAccount === found.name)) return none
    return known(
      { name: `${found.namespace}/${found.name}`, value: found.annotations[googleAnnotation] ?? '' },
      all.from,
    )
  },
})
