/** What the Key Vault provider of the secrets store is told: its classes, and the tokens that its driver gets. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon } from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import { azureAudience } from '../../domain/audiences.ts'
import { azure, kubernetes } from '../../domain/questions.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { issuer } from '../cluster/issuer.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { listed } from '../lists.ts'
import { readCredential } from './credentials.ts'
import { type ManagedIdentity, readManagedIdentity, same } from './identity.ts'

const ours = fragmentsOf('azure/secrets-store-names-identity')
export const driverName = 'secrets-store.csi.k8s.io'

export type StoreClass = {
  readonly namespace: string
  readonly name: string
  readonly clientId?: string
  /** It goes by another mechanism. */
  readonly other: boolean
}
export type SecretsStore = { readonly class?: StoreClass; readonly errors: readonly ObservedError[] }

export const readStoreClass = (json: Json): StoreClass | undefined => {
  const name = textAt(json, 'metadata', 'name')
  if (name === undefined || textAt(json, 'spec', 'provider') !== 'azure') return undefined
  const parameters = at(json, 'spec', 'parameters') ?? null
  const clientId = textAt(parameters, 'clientID')
  const is = (key: string): boolean => String(at(parameters, key)).toLowerCase() === 'true'
  return {
    namespace: textAt(json, 'metadata', 'namespace') ?? 'default',
    name,
    other: is('usePodIdentity') || is('useVMManagedIdentity'),
    ...(clientId === undefined ? {} : { clientId }),
  }
}

/** Absent for what is neither a class of this provider, nor the driver, nor a cluster in which it was seen to fail. */
export const secretsStore = defineProbe({
  id: 'azure/secrets-store',
  about: 'the secrets store',
  scope: 'object',
  needs: {},
  wants: { observedErrors },
  ask: (_have, { observedErrors }, { subject, ask }): Soon<Fact<SecretsStore>> => {
    const errors = (observedErrors.state === 'known' ? observedErrors.value : []).filter(({ fragment }) =>
      ours.has(fragment),
    )
    const question = kubernetes.get('secretproviderclasses', subject.namespace, subject.name)
    if (subject.kind === 'SecretProviderClass')
      return onward(ask(question), (fact): Fact<SecretsStore> => {
        const one = reading(fact, (json) => readStoreClass(json) ?? null)
        if (one.state !== 'known') return one
        return one.value === null ? absent(question) : known({ class: one.value, errors }, question)
      })
    const isDriver = subject.kind === 'CSIDriver' && subject.name === driverName
    return (subject.kind === 'Cluster' && errors.length > 0) || isDriver
      ? known({ errors }, observedErrors.from)
      : absent(question)
  },
})

/** The audiences for which the driver asks the kubelet; absent where there is no such driver. */
export const driverTokens = defineProbe({
  id: 'azure/driver-tokens',
  about: 'the audiences that the driver asks tokens for',
  scope: 'object',
  needs: { secretsStore },
  wants: {},
  ask: ({ secretsStore }, _want, { ask }): Soon<Fact<readonly string[]>> => {
    const question = kubernetes.get('csidrivers', undefined, driverName)
    if (secretsStore.state === 'absent') return secretsStore
    return onward(ask(question), (fact) =>
      reading(fact, (json) => listAt(json, 'spec', 'tokenRequests').map((one) => textAt(one, 'audience') ?? '')),
    )
  },
})

/** The one managed identity that trusts every ServiceAccount whose pods mount the class; asked only by whoever would name it. */
export const storeIdentity = defineProbe({
  id: 'azure/store-identity',
  about: 'the identity that trusts those who mount the class',
  scope: 'object',
  needs: { issuer },
  wants: {},
  ask: async ({ issuer }, _want, { subject, ask }): Promise<Fact<ManagedIdentity>> => {
    const question = azure.federatedIdentityCredentials()
    const users = (subject.of ?? []).flatMap(
      (key) => /^ServiceAccount ([^/]+)\/(.+)$/.exec(key)?.slice(1).join(':') ?? [],
    )
    if (issuer.state === 'absent' || users.length === 0) return absent(question)
    const [list, identities] = [
      await ask(question),
      listed(await ask(azure.managedIdentities()), readManagedIdentity, 'identities'),
    ]
    if (list.state !== 'known') return list
    if (identities.state !== 'known') return identities
    const credentials = listAt(list.value, 'credentials').flatMap((one) => readCredential(one) ?? [])
    const trusts = (id: string | undefined, user: string): boolean =>
      credentials.some(
        (one) =>
          same(one.identity, id) &&
          one.issuer === issuer.value.issuer &&
          one.subject === `system:serviceaccount:${user}` &&
          one.audiences[0] === azureAudience,
      )
    const [only, second] = identities.value.items.filter(({ id }) => users.every((user) => trusts(id, user)))
    return only === undefined || second !== undefined ? absent(question) : known(only, question)
  },
})
