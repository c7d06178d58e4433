/** The roles of the identity, asked only where the identity was seen to be refused something. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { at, type Json, textAt } from '../../core/json.ts'
import { azure, seen } from '../../domain/questions.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { listed } from '../lists.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { azureIdentity, same } from './identity.ts'
import { clientReference } from './reference.ts'
import { exchange } from './refusals.ts'

export type Denied = {
  readonly error: ObservedError
  /** `other`: the data of a service that is no storage account. */
  readonly kind: 'data' | 'action' | 'other'
  readonly action?: string
  readonly scope?: string
  /** The storage account that the text names. */
  readonly account?: string
  readonly principal?: string
}

const ofData = /AuthorizationPermissionMismatch|not authorized to perform this operation using this permission/
/** Key Vault by roles and by access policies, registries by way of Flux, Cosmos DB, Service Bus and Event Hubs. */
const ofOther =
  /ForbiddenByRbac|Caller is not authorized to perform action on resource|does not have (?:secrets|keys|certificates) [a-z]{3,20} permission on key vault|does not have required RBAC permissions to perform action|claim\(s\) are required to perform this operation|error exchanging token: unexpected status code 401 from (?:ACR )?exchange request/
const ofAction = /AuthorizationFailed\b|does not have authorization to perform action/

/** Absent where nothing was refused. */
export const denied = defineProbe({
  id: 'azure/denied',
  about: 'what Azure refused to the identity',
  scope: 'service-account',
  needs: {},
  wants: { errorsOfServiceAccount },
  ask: (_have, { errorsOfServiceAccount }): Fact<Denied> => {
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    let bare: Denied | undefined
    for (const error of errors) {
      const text = error.text.replace(/\s+/g, ' ')
      // Who sets the credential up is somebody else than the workload.
      if (/federatedIdentityCredentials\/write/i.test(text)) continue
      const kind = ofData.test(text)
        ? 'data'
        : ofOther.test(text)
          ? 'other'
          : ofAction.test(text)
            ? 'action'
            : undefined
      if (kind === undefined) continue
      const action = /perform action '([^']{3,200})'/.exec(text)?.[1]
      const scope = /over scope '([^']{3,600})'/.exec(text)?.[1]
      const principal = /object id '([0-9a-f-]{36})'/i.exec(text)?.[1]
      const account = /\b([a-z0-9]{3,24})\.(?:blob|dfs|queue|table|file)\.core\./.exec(text)?.[1]
      const one: Denied = {
        error,
        kind,
        ...(action === undefined ? {} : { action }),
        ...(scope === undefined ? {} : { scope }),
        ...(principal === undefined ? {} : { principal }),
        ...(account === undefined ? {} : { account }),
      }
      if (kind !== 'action' || action !== undefined || scope !== undefined || principal !== undefined)
        return known(one, seen.errors())
      // The SDK for Go writes the code on a line of its own, above the one that says what was refused to whom.
      bare ??= one
    }
    return bare === undefined ? absent(seen.errors()) : known(bare, seen.errors())
  },
})

export type Assignment = {
  readonly principalId: string
  readonly role: string
  readonly scope: string
  readonly created?: string
}
export type Roles = {
  /** As messages name the identity. */
  readonly principalId: string
  readonly own: readonly Assignment[]
  /** Given to the client id, which is nobody's object id. */
  readonly misplaced: readonly Assignment[]
  readonly complete: boolean
  /** The list does not say whose roles they are; they are taken for this identity's. */
  readonly assumed: boolean
}

const readAssignment = (json: Json): Assignment | undefined => {
  const principalId = textAt(json, 'principalId')
  const scope = textAt(json, 'scope')
  const role = textAt(json, 'roleDefinitionName') ?? textAt(json, 'roleDefinitionId')?.split('/').at(-1)
  const created = textAt(json, 'createdOn') ?? textAt(at(json, 'properties'), 'createdOn')
  if (principalId === undefined || scope === undefined || role === undefined) return undefined
  return { principalId, scope, role, ...(created === undefined ? {} : { created }) }
}

export const roles = defineProbe({
  id: 'azure/roles',
  about: 'the roles of the identity',
  scope: 'service-account',
  needs: { denied },
  wants: { azureIdentity, clientReference, exchange },
  ask: ({ denied }, { azureIdentity, clientReference, exchange }, { ask }): Soon<Fact<Roles>> => {
    const identity = azureIdentity.state === 'known' ? azureIdentity.value : undefined
    const own =
      exchange.state === 'known' && exchange.value.outcome === 'exchanged' ? exchange.value.objectId : undefined
    const named = denied.state === 'known' ? (denied.value.principal ?? identity?.principalId ?? own) : undefined
    const question = azure.roleAssignments(named)
    if (denied.state === 'absent') return absent(question)
    return onward(ask(question), (fact): Soon<Fact<Roles>> => {
      const list = listed(fact, readAssignment, 'assignments')
      if (list.state !== 'known') return list
      const { items, complete } = list.value
      const principals = [...new Set(items.map((one) => one.principalId))]
      // A list of one principal's roles that was collected for this case is this identity's, where nothing says otherwise.
      const principalId = named ?? (principals.length === 1 ? principals[0] : undefined)
      const clientId = clientReference.state === 'known' ? clientReference.value.clientId : identity?.clientId
      const misplaced = items.filter((one) => same(one.principalId, clientId))
      const own = items.filter((one) => same(one.principalId, principalId) && !misplaced.includes(one))
      const found = (more: readonly Assignment[]): Fact<Roles> =>
        known(
          {
            principalId: principalId ?? 'the identity',
            own,
            misplaced: [...misplaced, ...more],
            assumed: named === undefined,
            complete: complete && principalId !== undefined,
          },
          question,
        )
      // Azure tells the roles of one principal at a time; what was given to the client id is told under that.
      if (named === undefined || clientId === undefined || same(named, clientId) || own.some(readsBlobs))
        return found([])
      return onward(ask(azure.roleAssignments(clientId)), (other): Fact<Roles> => {
        const others = listed(other, readAssignment, 'assignments')
        const all = others.state === 'known' ? others.value.items : []
        return found(all.filter((one) => same(one.principalId, clientId) && !misplaced.includes(one)))
      })
    })
  },
})

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage: the roles with dataActions on blobs, by name and by id. */
const dataRoles: ReadonlySet<string> = new Set([
  'storage blob data reader',
  '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
  'storage blob data contributor',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  'storage blob data owner',
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
])
const managing: ReadonlySet<string> = new Set([
  'owner',
  '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
  'contributor',
  'b24988ac-6180-42a0-ab88-20f7382dd24c',
  'reader',
  'acdd72a7-3385-48ef-bd42-f606fba81ae7',
  'storage account contributor',
  '17d1049b-9a84-46fb-8f53-869881c3d3ab',
  'storage blob delegator',
  'db58b8e5-c6ad-4a2a-8342-4190687cbf4a',
  'user access administrator',
  'reader and data access',
])
export const readsBlobs = ({ role }: Assignment): boolean => dataRoles.has(role.toLowerCase())
export const managesOnly = ({ role }: Assignment): boolean => managing.has(role.toLowerCase())
/** Whether the assignment reaches the storage account; one of which the account is not known may. */
export const reaches = ({ scope }: Assignment, account: string | undefined): boolean => {
  const own = /\/storageaccounts\/([^/]+)/i.exec(scope)?.[1]
  return own === undefined || account === undefined || same(own, account)
}

/** The resource id of the storage account that refused the identity; asked only by whoever would give a role there. */
export const deniedAccount = defineProbe({
  id: 'azure/denied-account',
  about: 'the storage account that refused the identity',
  scope: 'service-account',
  needs: { denied },
  wants: {},
  ask: ({ denied }, _want, { ask }): Soon<Fact<string>> => {
    const name = denied.state === 'known' ? denied.value.account : undefined
    const question = azure.storageAccount(name ?? '')
    if (name === undefined) return absent(question)
    return onward(ask(question), (fact): Fact<string> => {
      if (fact.state !== 'known') return fact
      const id = textAt(fact.value, 'id')
      return id === undefined ? absent(question) : known(id, question)
    })
  },
})
