/** The one identity whose credentials trust this very ServiceAccount of this very cluster; asked only by whoever would name it. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { listAt } from '../../core/json.ts'
import { azure } from '../../domain/questions.ts'
import { assertion } from './assertion.ts'
import { readCredential } from './credentials.ts'
import { type ManagedIdentity, managedIdentities, same } from './identity.ts'

/** Absent where several do, or none does. */
export const trustingIdentity = defineProbe({
  id: 'azure/trusting-identity',
  about: 'the identity that trusts the ServiceAccount',
  scope: 'service-account',
  needs: { assertion, managedIdentities },
  wants: {},
  ask: async ({ assertion, managedIdentities }, _want, { ask }): Promise<Fact<ManagedIdentity>> => {
    const question = azure.federatedIdentityCredentials()
    if (assertion.state === 'absent' || managedIdentities.state === 'absent') return absent(question)
    const { issuer, subject } = assertion.value
    const list = await ask(question)
    if (list.state !== 'known') return list
    const trusting = listAt(list.value, 'credentials').flatMap((json) => {
      const one = readCredential(json)
      return one !== undefined && one.issuer === issuer?.value && one.subject === subject?.value ? [one] : []
    })
    const owners = [...new Set(trusting.map(({ identity }) => identity?.toLowerCase()))]
    const [only, second] = owners
    const found = managedIdentities.value.items.find(({ id }) => same(id, only))
    return only === undefined || second !== undefined || owners.length > 1 || found === undefined
      ? absent(question)
      : known(found, question)
  },
})
