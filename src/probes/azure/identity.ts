/** The identity behind a client id: a managed identity, else an application, each with what is known of it. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon, unknown } from '../../core/fact.ts'
import { at, type Json, textAt, textsAt } from '../../core/json.ts'
import { azure } from '../../domain/questions.ts'
import { type Listed, listed } from '../lists.ts'
import { clientReference, isClientId } from './reference.ts'
import { azureAccounts, azureInUse } from './use.ts'

export type ManagedIdentity = {
  readonly name: string
  readonly clientId: string
  readonly principalId: string
  readonly id?: string
  readonly tenantId?: string
  readonly location?: string
}

export const readManagedIdentity = (json: Json): ManagedIdentity | undefined => {
  const name = textAt(json, 'name')
  const clientId = textAt(json, 'clientId')
  const principalId = textAt(json, 'principalId')
  if (name === undefined || clientId === undefined || principalId === undefined) return undefined
  const [id, tenantId, location] = ['id', 'tenantId', 'location'].map((key) => textAt(json, key))
  return {
    name,
    clientId,
    principalId,
    ...(id === undefined ? {} : { id }),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(location === undefined ? {} : { location }),
  }
}

/** Absent where nobody who is judged is bound to Azure. */
export const managedIdentities = defineProbe({
  id: 'azure/managed-identities',
  about: 'the managed identities',
  scope: 'cluster',
  needs: { azureInUse },
  wants: { azureAccounts },
  ask: ({ azureInUse }, _want, { ask }): Soon<Fact<Listed<ManagedIdentity>>> => {
    const question = azure.managedIdentities()
    if (azureInUse.state === 'absent') return absent(question)
    return onward(ask(question), (fact) => listed(fact, readManagedIdentity, 'identities'))
  },
})

export type AzureIdentity = {
  readonly kind: 'managed' | 'application' | 'system-assigned'
  /** As messages name it. */
  readonly name: string
  readonly clientId: string
  /** Object id of its service principal, to which roles are given. */
  readonly principalId?: string
  readonly tenantId?: string
  readonly location?: string
  /** Resource id, or object id of the application. */
  readonly id?: string
  readonly enabled?: boolean
}

export const same = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase()

/** Absent where managed identities and applications were both looked at, and neither has this client id. */
export const azureIdentity = defineProbe({
  id: 'azure/identity',
  about: 'the identity that the workload asks for',
  scope: 'service-account',
  needs: { clientReference },
  wants: { managedIdentities },
  ask: async ({ clientReference }, { managedIdentities }, { ask }): Promise<Fact<AzureIdentity>> => {
    const { from } = managedIdentities
    if (clientReference.state === 'absent' || !isClientId(clientReference.value.clientId))
      return absent(clientReference.from)
    const { clientId } = clientReference.value
    const items = managedIdentities.state === 'known' ? managedIdentities.value.items : []
    const managed = items.find((one) => same(one.clientId, clientId))
    const principal = azure.servicePrincipal(clientId)
    if (managed !== undefined) return known({ kind: 'managed', ...managed }, from)
    const service = await ask(principal)
    const application = await ask(azure.application(clientId))
    const about = service.state === 'known' ? principalIn(service.value) : {}
    if (application.state === 'known') {
      const id = textAt(application.value, 'id')
      return known(
        {
          kind: 'application',
          name: textAt(application.value, 'displayName') ?? clientId,
          clientId,
          ...about,
          ...(id === undefined ? {} : { id }),
        },
        application.from,
      )
    }
    if (service.state === 'known') {
      const kind = kindOf(service.value)
      return known({ kind, name: nameOf(service.value, clientId), clientId, ...about }, principal)
    }
    if (application.state === 'absent' && managedIdentities.state === 'known' && managedIdentities.value.complete)
      return absent(from)
    const unseen = [managedIdentities, application].find((one) => one.state === 'unknown')
    return unseen?.state === 'unknown'
      ? unseen
      : unknown('not-collected', 'not all managed identities were seen', from, 'az identity list > identities.json')
  },
})

/** System-assigned identities name the resource that they are of; user-assigned ones name themselves. */
const kindOf = (json: Json): AzureIdentity['kind'] => {
  if (textAt(json, 'servicePrincipalType') !== 'ManagedIdentity') return 'application'
  const names = textsAt(json, 'alternativeNames')
  return names.some((name) => /\/userAssignedIdentities\//i.test(name)) || names.every((name) => !name.startsWith('/'))
    ? 'managed'
    : 'system-assigned'
}
const nameOf = (json: Json, clientId: string): string =>
  textsAt(json, 'alternativeNames').find((name) => name.startsWith('/')) ?? textAt(json, 'displayName') ?? clientId

const principalIn = (json: Json): Pick<AzureIdentity, 'principalId' | 'tenantId' | 'enabled'> => {
  const principalId = textAt(json, 'id')
  const tenantId = textAt(json, 'tenantId')
  const enabled = at(json, 'accountEnabled')
  return {
    ...(principalId === undefined ? {} : { principalId }),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(typeof enabled === 'boolean' ? { enabled } : {}),
  }
}

/** Whether the service principal of the identity is enabled; absent where there is none, or the identity is a managed one that was seen. */
export const servicePrincipal = defineProbe({
  id: 'azure/service-principal',
  about: 'the service principal of the identity',
  scope: 'service-account',
  needs: { clientReference },
  wants: {},
  ask: (
    { clientReference },
    _want,
    { ask },
  ): Soon<Fact<{ readonly enabled: boolean; readonly kind: AzureIdentity['kind']; readonly name: string }>> => {
    if (clientReference.state === 'absent' || !isClientId(clientReference.value.clientId))
      return absent(clientReference.from)
    const { clientId } = clientReference.value
    return onward(ask(azure.servicePrincipal(clientId)), (fact) =>
      reading(fact, (json) => {
        const enabled = at(json, 'accountEnabled')
        return { enabled: enabled !== false, kind: kindOf(json), name: nameOf(json, clientId) }
      }),
    )
  },
})
