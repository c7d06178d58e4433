/** The federated credentials of the identity that a workload asks for, and those that others hold. */
import { defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { isObject, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { type Credential, shortName } from '../../domain/azure-credentials.ts'
import { azure } from '../../domain/questions.ts'
import { type AzureIdentity, azureIdentity, managedIdentities, same } from './identity.ts'
import { clientReference, isClientId } from './reference.ts'
import { azureUse } from './use.ts'

export const readCredential = (json: Json): Credential | undefined => {
  const issuer = textAt(json, 'issuer')
  if (issuer === undefined || !isObject(json)) return undefined
  const [subject, expression, identity, created] = ['subject', 'expression', 'identity', 'created'].map((key) =>
    textAt(json, key),
  )
  return {
    name: textAt(json, 'name') ?? 'without a name',
    issuer,
    audiences: textsAt(json, 'audiences'),
    ...(subject === undefined ? {} : { subject }),
    ...(expression === undefined ? {} : { expression }),
    ...(identity === undefined ? {} : { identity }),
    ...(created === undefined ? {} : { created }),
  }
}

export type Credentials = {
  /** Of the identity that the workload asks for. */
  readonly own: readonly Credential[]
  readonly others: readonly Credential[]
  /** All credentials of that identity are here. */
  readonly complete: boolean
  /** As messages name the identity. */
  readonly identity: string
  /** The list does not say whose it is; it is taken for this identity's. */
  readonly assumed: boolean
  /** Where one more is written: the resource id of the managed identity, or the application's appId or object id; left out where that was not seen. */
  readonly holder?: string
  /** As the list names whose they are; empty where it does not say. */
  readonly owner: string
  /** Resource group and name, where the identity is a managed one. */
  readonly managed?: { readonly name: string; readonly group: string }
}

const groupIn = (id: string | undefined): string => /\/resourcegroups\/([^/]+)\//i.exec(id ?? '')?.[1] ?? 'GROUP'

/** Absent where the workload has nothing to do with Azure. */
export const credentials = defineProbe({
  id: 'azure/credentials',
  about: 'the federated credentials of the identity',
  scope: 'service-account',
  needs: { azureUse },
  wants: { clientReference, azureIdentity, managedIdentities },
  only: 'azureUse',
  ask: (_have, { clientReference, azureIdentity, managedIdentities }, { ask }): Soon<Fact<Credentials>> => {
    const clientId = clientReference.state === 'known' ? clientReference.value.clientId : undefined
    const question = azure.federatedIdentityCredentials(clientId)
    return onward(ask(question), (fact): Fact<Credentials> => {
      if (fact.state !== 'known') return fact
      const all = listAt(fact.value, 'credentials').flatMap((one, at) => {
        const read = readCredential(one)
        return read === undefined ? [] : { ...read, at }
      })
      const listed = textsAt(fact.value, 'listed')
      const identity = azureIdentity.state === 'known' ? azureIdentity.value : undefined
      const owners = [...new Set(all.map((one) => one.identity ?? ''))]
      const isOwn = (owner: string): boolean => isOwner(owner, identity, clientId)
      const isKnown = identity !== undefined || owners.some(isOwn) || listed.some(isOwn)
      // Whose a list is, its output may not say; another identity that is named by its client id is surely not it.
      const foreign = (owner: string): boolean =>
        managedIdentities.state === 'known' &&
        managedIdentities.value.items.some((one) => same(one.id, owner) && !same(one.clientId, clientId)) &&
        clientId !== undefined
      const [only, second] = owners.length > 0 ? owners : listed
      const assumed =
        !owners.some(isOwn) &&
        !listed.some(isOwn) &&
        only !== undefined &&
        second === undefined &&
        !foreign(only) &&
        (only === '' || !isKnown || identity?.id === undefined)
      const mine = (owner: string): boolean => (assumed ? owner === only : isOwn(owner))
      if (!isKnown && !assumed)
        return unknown(
          'not-collected',
          'the credentials that were seen are of several identities, and which of them the workload asks for was not seen',
          question,
          'az identity list > identities.json',
        )
      const own = all.filter((one) => mine(one.identity ?? ''))
      const resource = identity?.id ?? (assumed ? only : owners.find(isOwn))
      const isManaged = /\/userAssignedIdentities\//i.test(resource ?? '')
      const isApplication = identity?.kind === 'application' || (identity === undefined && isClientId(resource ?? ''))
      const holder = isManaged ? resource : isApplication ? (clientId ?? resource) : undefined
      const whole = fact.value !== null && isObject(fact.value) && fact.value.complete === true && listed.length === 0
      return known(
        {
          own,
          others: all.filter((one) => !mine(one.identity ?? '')),
          complete: whole || listed.some(mine),
          identity:
            identity?.name ??
            (only === undefined || only === '' ? (clientId ?? 'the identity') : shortName(resource ?? only)),
          assumed,
          owner: owners.find(mine) ?? listed.find(mine) ?? resource ?? '',
          ...(holder === undefined || holder === '' ? {} : { holder }),
          ...(isManaged ? { managed: { name: shortName(resource ?? ''), group: groupIn(resource) } } : {}),
        },
        question,
      )
    })
  },
})

const isOwner = (owner: string, identity: AzureIdentity | undefined, clientId: string | undefined): boolean =>
  owner !== '' && (same(owner, identity?.id) || same(owner, clientId))
