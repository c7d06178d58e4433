/** Writes to Azure: federated credentials of managed identities and of applications, and role assignments. */
import { isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import { jsonOf } from '../sources/live/azure-answers.ts'
import type { AzureRest, NotSignedIn } from '../sources/live/azure-rest.ts'
import type { NoReply, Reply } from '../sources/live/wire.ts'

/** Neither there nor not there: why it cannot be told. */
export type Unseen = { readonly failed: Reply | NoReply | NotSignedIn }
/** One kind of write. What is compared has the form of `after`; undefined: not there. */
export type AzureCall = {
  readonly look: (input: JsonObject, rest: AzureRest) => Promise<{ readonly now: Json | undefined } | Unseen>
  readonly before: (input: JsonObject) => Json | undefined
  readonly after: (input: JsonObject) => Json | undefined
  readonly undo: (input: JsonObject) => Change
  readonly write: (input: JsonObject, rest: AzureRest) => Promise<Reply | NoReply | NotSignedIn>
}

const managed = 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials'
const application = 'graph applications/federatedIdentityCredentials'
const roles = 'Microsoft.Authorization/roleAssignments'
const change = (call: string, input: JsonObject): Change => ({ system: 'azure', call, input })
const text = (input: JsonObject, name: string): string => textAt(input, name) ?? ''
const valuesIn = (json: Json | undefined): JsonObject => ({
  issuer: textAt(json ?? null, 'issuer') ?? '',
  subject: textAt(json ?? null, 'subject') ?? '',
  audiences: textsAt(json ?? null, 'audiences'),
})
const from = (input: JsonObject): Json | undefined => (isObject(input.from) ? valuesIn(input.from) : undefined)
/** The way back of a write: what was there before, or away with it. */
const back =
  (kind: string) =>
  (input: JsonObject): Change => {
    const { from: before, issuer: _, subject: __, audiences: ___, ...place } = input
    return isObject(before)
      ? change(`${kind}/write`, { ...place, from: valuesIn(input), ...valuesIn(before) })
      : change(`${kind}/delete`, { ...place, ...valuesIn(input) })
  }
const again =
  (kind: string) =>
  (input: JsonObject): Change =>
    change(`${kind}/write`, input)
const isReply = (one: Reply | NoReply | NotSignedIn): one is Reply => 'status' in one

const credentialVersion = '?api-version=2023-01-31'
const pathOf = (input: JsonObject): string =>
  `${text(input, 'identity')}/federatedIdentityCredentials/${encodeURIComponent(text(input, 'name'))}${credentialVersion}`
const lookAtManaged: AzureCall['look'] = async (input, rest) => {
  const reply = await rest.send('arm', pathOf(input))
  if (!isReply(reply)) return { failed: reply }
  if (reply.status === 404) return { now: undefined }
  const properties = reply.status === 200 ? jsonOf(reply) : undefined
  const own = isObject(properties) ? properties.properties : undefined
  return own === undefined ? { failed: reply } : { now: valuesIn(own) }
}

const listOf = (input: JsonObject): string =>
  `/v1.0/applications(appId='${text(input, 'application')}')/federatedIdentityCredentials`
/** Graph changes and deletes by an id that only its list tells. */
async function heldByApplication(
  input: JsonObject,
  rest: AzureRest,
): Promise<{ readonly one: Json | undefined } | Unseen> {
  const reply = await rest.send('graph', listOf(input))
  if (!isReply(reply) || reply.status !== 200) return { failed: reply }
  const all = listAt(jsonOf(reply) ?? null, 'value')
  return { one: all.find((one) => textAt(one, 'name') === text(input, 'name')) }
}
const lookAtApplication: AzureCall['look'] = async (input, rest) => {
  const held = await heldByApplication(input, rest)
  return 'failed' in held ? held : { now: held.one === undefined ? undefined : valuesIn(held.one) }
}
const toApplication =
  (method: 'PATCH' | 'DELETE'): AzureCall['write'] =>
  async (input, rest) => {
    const held = await heldByApplication(input, rest)
    if ('failed' in held) return held.failed
    const id = textAt(held.one ?? null, 'id') ?? ''
    return rest.send('graph', `${listOf(input)}/${encodeURIComponent(id)}`, {
      method,
      ...(method === 'PATCH' ? { body: valuesIn(input) } : {}),
    })
  }

const assignmentPath = (input: JsonObject): string =>
  `${text(input, 'scope')}/providers/${roles}/${text(input, 'name')}?api-version=2022-04-01`
const assignment = ({ principalId = '', roleDefinitionId = '' }: JsonObject): Json => ({
  principalId,
  role: String(roleDefinitionId).split('/').at(-1)?.toLowerCase() ?? '',
})
const lookAtAssignment: AzureCall['look'] = async (input, rest) => {
  const reply = await rest.send('arm', assignmentPath(input))
  if (!isReply(reply)) return { failed: reply }
  if (reply.status === 404) return { now: undefined }
  const json = reply.status === 200 ? jsonOf(reply) : undefined
  const own = isObject(json) ? json.properties : undefined
  return isObject(own) ? { now: assignment(own) } : { failed: reply }
}

export const azureCalls: { readonly [call: string]: AzureCall } = {
  [`${managed}/write`]: {
    look: lookAtManaged,
    before: from,
    after: valuesIn,
    undo: back(managed),
    write: (input, rest) => rest.send('arm', pathOf(input), { method: 'PUT', body: { properties: valuesIn(input) } }),
  },
  [`${managed}/delete`]: {
    look: lookAtManaged,
    before: valuesIn,
    after: () => undefined,
    undo: again(managed),
    write: (input, rest) => rest.send('arm', pathOf(input), { method: 'DELETE' }),
  },
  [`${application}/write`]: {
    look: lookAtApplication,
    before: from,
    after: valuesIn,
    undo: back(application),
    write: (input, rest) =>
      isObject(input.from)
        ? toApplication('PATCH')(input, rest)
        : rest.send('graph', listOf(input), {
            method: 'POST',
            body: { name: text(input, 'name'), ...valuesIn(input) },
          }),
  },
  [`${application}/delete`]: {
    look: lookAtApplication,
    before: valuesIn,
    after: () => undefined,
    undo: again(application),
    write: toApplication('DELETE'),
  },
  [`${roles}/write`]: {
    look: lookAtAssignment,
    before: () => undefined,
    after: assignment,
    undo: (input) => change(`${roles}/delete`, input),
    write: (input, rest) => {
      const { principalId = '', roleDefinitionId = '' } = input
      // Named by its kind, or ARM looks a new identity up and does not find it yet.
      const properties = { principalId, roleDefinitionId, principalType: 'ServicePrincipal' }
      return rest.send('arm', assignmentPath(input), { method: 'PUT', body: { properties } })
    },
  },
  [`${roles}/delete`]: {
    look: lookAtAssignment,
    before: assignment,
    after: () => undefined,
    undo: again(roles),
    write: (input, rest) => rest.send('arm', assignmentPath(input), { method: 'DELETE' }),
  },
}
