/** The subset of the resource manager that the doctor reads and the plans write, over the documents of the case. */
import { randomUUID } from 'node:crypto'
import { at, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import { mostCredentials } from '../domain/azure-credentials.ts'
import type { AzureWorld, HeldCredential } from './azure-world.ts'
import { json, type LabLogin } from './entra.ts'
import { type Handler, objectIn, type Reply, type Request } from './listener.ts'

const managed = 'Microsoft.ManagedIdentity/userAssignedIdentities'
const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase()
const trouble = (status: number, code: string, message: string): Reply => json(status, { error: { code, message } })
const notFound = (what: string): Reply => trouble(404, 'ResourceNotFound', `The Resource '${what}' was not found.`)
const list = (value: readonly Json[]): Reply => json(200, { value })

/** What ARM answers to a body that is not JSON. */
export const armTrouble = (message: string): Reply => trouble(500, 'InternalServerError', message)

/** While one write to an identity goes on, ARM refuses the next one to the same. */
const writing = 150

export function azureArm(azure: AzureWorld, login: LabLogin, refused: (action: string) => boolean): Handler {
  const busy = new Map<string, number>()
  const wrapped = (one: JsonObject, type: string): JsonObject => {
    const { id, name, location, type: own, ...properties } = one
    return {
      id: id ?? '',
      name: name ?? '',
      type: own ?? type,
      ...(location === undefined ? {} : { location }),
      properties,
    }
  }
  const credential = ({ id, name, issuer, subject, audiences, expression }: HeldCredential): JsonObject => ({
    id,
    name,
    type: `${managed}/federatedIdentityCredentials`,
    properties: {
      issuer,
      audiences,
      ...(subject === undefined ? {} : { subject }),
      ...(expression === undefined ? {} : { claimsMatchingExpression: { value: expression, languageVersion: 1 } }),
    },
  })

  const writeCredential = (identity: JsonObject, name: string, request: Request): Reply => {
    const id = textAt(identity, 'id') ?? ''
    const key = id.toLowerCase()
    if ((busy.get(key) ?? 0) > Date.now())
      return trouble(
        409,
        'ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity',
        'Too many Federated Identity Credentials are written concurrently for the managed identity. Concurrent Federated Identity Credentials writes under the same managed identity are not supported.',
      )
    busy.set(key, Date.now() + writing)
    const held = azure.credentials.get(key) ?? []
    const others = held.filter((one) => one.name !== name)
    if (request.method === 'DELETE') {
      azure.credentials.set(key, others)
      return others.length === held.length ? { status: 204, body: '' } : { status: 200, body: '' }
    }
    const properties = at(objectIn(request.body), 'properties') ?? null
    const [issuer, subject] = [textAt(properties, 'issuer'), textAt(properties, 'subject')]
    const audiences = textsAt(properties, 'audiences')
    if (!issuer || !subject || audiences.length === 0)
      return trouble(
        400,
        'BadRequest',
        "Federated Identity Credential must specify 'issuer', 'subject' and 'audience'.",
      )
    if (audiences.length > 1)
      return trouble(400, 'BadRequest', 'Federated identity credentials must have exactly one audience.')
    if (others.some((one) => one.issuer === issuer && one.subject === subject))
      return trouble(400, 'BadRequest', 'Issuer and subject combination already exists for this Managed Identity.')
    if (others.length === held.length && held.length >= mostCredentials)
      return trouble(
        400,
        'BadRequest',
        `The managed identity holds ${held.length} federated identity credentials, and no more are taken.`,
      )
    const next = { id: `${id}/federatedIdentityCredentials/${name}`, name, issuer, subject, audiences }
    azure.credentials.set(
      key,
      held.some((one) => one.name === name) ? held.map((one) => (one.name === name ? next : one)) : [...held, next],
    )
    return json(others.length === held.length ? 201 : 200, credential(next))
  }

  const assignments = (scope: string, name: string | undefined, request: Request): Reply => {
    if (name === undefined) {
      const principal = /assignedTo\('([^']+)'\)/.exec(request.query.get('$filter') ?? '')?.[1] ?? ''
      const own = azure.assignments.filter((one) => same(textAt(one, 'principalId'), principal))
      return list(own.map((one) => wrapped(one, 'Microsoft.Authorization/roleAssignments')))
    }
    const held = azure.assignments.find((one) => same(textAt(one, 'name'), name))
    if (request.method === 'GET')
      return held === undefined
        ? trouble(404, 'RoleAssignmentNotFound', `The role assignment '${name}' is not found.`)
        : json(200, wrapped(held, ''))
    if (request.method === 'DELETE') {
      if (held !== undefined) azure.assignments.splice(azure.assignments.indexOf(held), 1)
      return held === undefined ? { status: 204, body: '' } : json(200, wrapped(held, ''))
    }
    const properties = at(objectIn(request.body), 'properties') ?? null
    const [principalId, roleDefinitionId] = [textAt(properties, 'principalId'), textAt(properties, 'roleDefinitionId')]
    if (principalId === undefined || roleDefinitionId === undefined)
      return trouble(400, 'InvalidRequestContent', 'principalId and roleDefinitionId are wanted.')
    const isThere = azure.assignments.some(
      (one) =>
        same(textAt(one, 'principalId'), principalId) &&
        same(textAt(one, 'scope'), scope) &&
        same(textAt(one, 'roleDefinitionId')?.split('/').at(-1), roleDefinitionId.split('/').at(-1) ?? ''),
    )
    if (isThere) return trouble(409, 'RoleAssignmentExists', 'The role assignment already exists.')
    const made = {
      id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`,
      name,
      principalId,
      principalType: 'ServicePrincipal',
      roleDefinitionId,
      scope,
      createdOn: new Date().toISOString(),
    }
    azure.assignments.push(made)
    return json(201, wrapped(made, 'Microsoft.Authorization/roleAssignments'))
  }

  return (request: Request): Reply => {
    const path = decodeURIComponent(request.path).replace(/\/+$/, '')
    const verb = request.method === 'GET' ? 'read' : request.method === 'DELETE' ? 'delete' : 'write'
    if (!login.tokens.has((request.headers.authorization ?? '').replace(/^Bearer /, '')))
      return trouble(
        401,
        'AuthenticationFailed',
        "Authentication failed. The 'Authorization' header is missing or invalid.",
      )
    const denied = (action: string): Reply | undefined =>
      refused(action)
        ? trouble(
            403,
            'AuthorizationFailed',
            `The client '${login.clientId}' with object id '${randomUUID()}' does not have authorization to perform action '${action}' over scope '${path}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
          )
        : undefined
    if (path === '/subscriptions')
      return (
        denied('Microsoft.Resources/subscriptions/read') ??
        list(
          azure.subscriptions.map((subscriptionId) => ({
            id: `/subscriptions/${subscriptionId}`,
            subscriptionId,
            displayName: 'lab',
            state: 'Enabled',
            tenantId: azure.tenantId,
          })),
        )
      )
    const assigned =
      /^(\/subscriptions\/.+?)\/providers\/Microsoft\.Authorization\/roleAssignments(?:\/([^/]+))?$/i.exec(path)
    if (assigned !== null)
      return (
        denied(`Microsoft.Authorization/roleAssignments/${verb}`) ??
        assignments(assigned[1] ?? '', assigned[2], request)
      )
    const federated = /^(.+\/userAssignedIdentities\/[^/]+)\/federatedIdentityCredentials(?:\/([^/]+))?$/i.exec(path)
    if (federated !== null) {
      const [, id = '', name] = federated
      const identity = azure.identities.find((one) => same(textAt(one, 'id'), id))
      const no = denied(`${managed}/federatedIdentityCredentials/${verb}`)
      if (no !== undefined) return no
      if (identity === undefined) return notFound(id)
      if (name !== undefined && request.method !== 'GET') return writeCredential(identity, name, request)
      const held = azure.credentials.get(id.toLowerCase()) ?? []
      if (name === undefined) return list(held.map(credential))
      const one = held.find((two) => two.name === name)
      return one === undefined ? notFound(path) : json(200, credential(one))
    }
    const bound = /^(.+\/managedClusters\/[^/]+)\/identityBindings$/i.exec(path)
    if (bound !== null)
      return (
        denied('Microsoft.ContainerService/managedClusters/identityBindings/read') ??
        list(
          azure.bindings.map(({ name, ...managedIdentity }) => ({
            id: `${path}/${String(name)}`,
            name: name ?? '',
            type: 'Microsoft.ContainerService/managedClusters/identityBindings',
            properties: { managedIdentity },
          })),
        )
      )
    const inSubscription = /^\/subscriptions\/([^/]+)\/providers\/([^/]+\/[^/]+)$/i.exec(path)
    const shelves: { readonly [type: string]: readonly JsonObject[] } = {
      [managed.toLowerCase()]: azure.identities,
      'microsoft.containerservice/managedclusters': azure.clusters,
      'microsoft.storage/storageaccounts': azure.accounts,
    }
    const type = inSubscription?.[2] ?? ''
    const shelf = shelves[type.toLowerCase()]
    if (shelf !== undefined)
      return (
        denied(`${type}/read`) ??
        list(
          shelf
            .filter((one) =>
              (textAt(one, 'id') ?? '')
                .toLowerCase()
                .startsWith(`/subscriptions/${(inSubscription?.[1] ?? '').toLowerCase()}/`),
            )
            .map((one) => wrapped(one, type)),
        )
      )
    const identity = azure.identities.find((one) => same(textAt(one, 'id'), path))
    if (identity !== undefined) return denied(`${managed}/read`) ?? json(200, wrapped(identity, managed))
    return notFound(path)
  }
}
