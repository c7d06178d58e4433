/** Changes to Azure as a fixer proposes them: a federated credential more, one rewritten, a role given; each names what was seen. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Question } from '../core/fact.ts'
import type { JsonObject } from '../core/json.ts'
import type { Change, Effect } from '../core/plan.ts'
import { type Credential, isSubject } from './azure-credentials.ts'
import type { Changed } from './kubernetes-changes.ts'

/** What Entra compares with a token. */
export type Trusted = { readonly issuer: string; readonly subject: string; readonly audience: string }

/** The list in which the credentials were seen, and whose they are. */
export type CredentialList = {
  readonly question: Question
  /** Resource id of a managed identity, or appId of an application. */
  readonly holder: string
  /** As the list names it; empty where it does not. */
  readonly owner: string
}

const managed = 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials'
const ofApplication = 'graph applications/federatedIdentityCredentials'

export const isManagedId = (holder: string): boolean =>
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ManagedIdentity\/userAssignedIdentities\/[^/]+$/i.test(
    holder,
  )

const call = (holder: string, verb: 'write' | 'delete', input: JsonObject): Change =>
  isManagedId(holder)
    ? { system: 'azure', call: `${managed}/${verb}`, input: { identity: holder, ...input } }
    : { system: 'azure', call: `${ofApplication}/${verb}`, input: { application: holder, ...input } }

const valuesOf = ({ issuer, subject, audience }: Trusted): JsonObject => ({ issuer, subject, audiences: [audience] })

/** A token's values may be trusted only as they stand: an https issuer, one ServiceAccount, one audience of Entra's. */
export const mayTrust = ({ issuer, subject, audience }: Trusted): boolean =>
  /^https:\/\/[^\s*]{1,590}$/.test(issuer) &&
  isSubject(subject) &&
  /^api:\/\/AzureADTokenExchange(?:USGov|China|USNat|USSec)?$/.test(audience)

/** A name that none of them has; 3 to 120 letters, digits, `-` and `_`, and never changed afterwards. */
export function freeName(subject: string, taken: readonly string[]): string {
  const [, , namespace = '', name = ''] = subject.split(':')
  const base = `${namespace}-${name}`.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 110)
  const held = new Set(taken.map((one) => one.toLowerCase()))
  for (let count = 1; ; count += 1) {
    const made = count === 1 ? base : `${base}-${count}`
    if (!held.has(made.toLowerCase())) return made
  }
}

/** One credential more beside those that are there; refused where one of this name is there already. */
export function addCredential({ question, holder, owner }: CredentialList, name: string, trusted: Trusted): Changed {
  const values = valuesOf(trusted)
  const entry = { name, ...values, ...(owner === '' ? {} : { identity: owner }) }
  return {
    change: call(holder, 'write', { name, ...values }),
    effects: [{ question, path: ['credentials', '-'], after: entry }],
    undo: call(holder, 'delete', { name, ...values }),
  }
}

/** Of one credential what differs from the token; a subject and an issuer that others go by stay where they are. */
export function rewriteCredential(
  { question, holder }: CredentialList,
  before: Credential & { readonly subject: string; readonly at: number },
  trusted: Trusted,
): Changed {
  const { name, issuer, subject, audiences, at } = before
  const from: JsonObject = { issuer, subject, audiences }
  const values = valuesOf(trusted)
  const put = (was: JsonObject, then: JsonObject): Change => call(holder, 'write', { name, from: was, ...then })
  const effects = (['issuer', 'subject', 'audiences'] as const).flatMap((key): readonly Effect[] =>
    JSON.stringify(from[key]) === JSON.stringify(values[key])
      ? []
      : [{ question, path: ['credentials', at, key], before: from[key] ?? null, after: values[key] ?? null }],
  )
  const [first = { question, path: ['credentials', at] }, ...others] = effects
  return { change: put(from, values), effects: [first, ...others], undo: put(values, from) }
}

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage */
const roleIds: { readonly [role: string]: string } = {
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
}
export const dataRoles = Object.keys(roleIds)
const isGuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

/** Name and id of a data role, whichever of the two it is called by; undefined for any other role. */
export function dataRole(called: string): { readonly name: string; readonly id: string } | undefined {
  const found = Object.entries(roleIds).find(
    ([name, id]) => name.toLowerCase() === called.toLowerCase() || id === called.toLowerCase(),
  )
  return found === undefined ? undefined : { name: found[0], id: found[1] }
}

/** A storage account or something in it: nothing above may be given away by a plan. */
export const isStorageScope = (scope: string): boolean =>
  /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[^/]+\/providers\/Microsoft\.Storage\/storageAccounts\/[a-z0-9]{3,24}(?:\/blobServices\/default\/containers\/[a-z0-9$-]+)?$/i.test(
    scope,
  )

/** The same three always make the same name, so that nothing is given twice. */
function assignmentName(...parts: readonly string[]): string {
  const digest = sha256(new TextEncoder().encode(parts.join('\n').toLowerCase()))
  const hex = [...digest.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** One role for one principal at one place. `roleId`: the role's own GUID. */
export function assignRole(
  question: Question,
  principalId: string,
  { name: role, id: roleId }: { readonly name: string; readonly id: string },
  scope: string,
): Changed {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? ''
  const roleDefinitionId = `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${roleId}`
  const input = { scope, name: assignmentName(scope, principalId, roleId), principalId, role, roleDefinitionId }
  const entry = { principalId, principalType: 'ServicePrincipal', roleDefinitionName: role, roleDefinitionId, scope }
  return {
    change: { system: 'azure', call: 'Microsoft.Authorization/roleAssignments/write', input },
    effects: [{ question, path: ['assignments', '-'], after: entry }],
    undo: { system: 'azure', call: 'Microsoft.Authorization/roleAssignments/delete', input },
  }
}

export const isPrincipalId = isGuid
