/** The subset of Microsoft Graph that the doctor reads and the plans write: applications, service principals, federated credentials. */
import { randomUUID } from 'node:crypto'
import { type JsonObject, textAt, textsAt } from '../core/json.ts'
import { mostCredentials } from '../domain/azure-credentials.ts'
import type { AzureWorld, HeldCredential } from './azure-world.ts'
import { json, type LabLogin } from './entra.ts'
import { type Handler, objectIn, type Reply, type Request } from './listener.ts'

const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase()
const trouble = (status: number, code: string, message: string): Reply => json(status, { error: { code, message } })
export const graphTrouble = (message: string): Reply => trouble(500, 'UnknownError', message)

export function azureGraph(azure: AzureWorld, login: LabLogin, refused: (action: string) => boolean): Handler {
  const missing = (what: string): Reply =>
    azure.isTold
      ? trouble(
          404,
          'Request_ResourceNotFound',
          `Resource '${what}' does not exist or one of its queried reference-property objects are not present.`,
        )
      : trouble(501, 'LabCannotTell', `The case does not say whether ${what} exists.`)
  const principalOf = (appId: string): JsonObject | undefined => {
    const told = azure.principals.find((one) => same(textAt(one, 'appId'), appId))
    if (told !== undefined) {
      const { tenantId, ...rest } = told
      return { ...rest, ...(tenantId === undefined ? {} : { appOwnerOrganizationId: tenantId }) }
    }
    const identity = azure.identities.find((one) => same(textAt(one, 'clientId'), appId))
    const application = azure.applications.find((one) => same(textAt(one, 'appId'), appId))
    if (identity !== undefined)
      return {
        appId,
        id: identity.principalId ?? '',
        displayName: identity.name ?? '',
        accountEnabled: true,
        servicePrincipalType: 'ManagedIdentity',
        alternativeNames: ['isExplicit=True', identity.id ?? ''],
      }
    if (application === undefined) return undefined
    const owner = { appOwnerOrganizationId: azure.tenantId }
    return {
      appId,
      id: randomUUID(),
      displayName: application.displayName ?? '',
      accountEnabled: true,
      servicePrincipalType: 'Application',
      ...owner,
    }
  }
  const shown = ({ id, name, issuer, subject, audiences }: HeldCredential): JsonObject => ({
    id,
    name,
    issuer,
    subject: subject ?? null,
    audiences,
  })

  const credentials = (appId: string, id: string | undefined, request: Request): Reply => {
    const key = appId.toLowerCase()
    const held = azure.credentials.get(key) ?? []
    if (id === undefined && request.method === 'GET')
      return json(200, {
        '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#applications('${appId}')/federatedIdentityCredentials`,
        value: held.map(shown),
      })
    if (id === undefined) {
      const body = objectIn(request.body)
      const [name, issuer, subject] = [textAt(body, 'name'), textAt(body, 'issuer'), textAt(body, 'subject')]
      const audiences = textsAt(body, 'audiences')
      if (!name || !issuer || !subject || audiences.length !== 1)
        return trouble(400, 'Request_BadRequest', 'A required property is missing.')
      if (held.some((one) => one.name === name || (one.issuer === issuer && one.subject === subject)))
        return trouble(
          409,
          'Request_MultipleObjectsWithSameKeyValue',
          `FederatedIdentityCredential with name ${name} already exists.`,
        )
      if (held.length >= mostCredentials)
        return trouble(
          400,
          'Request_BadRequest',
          `No more than ${mostCredentials} federated identity credentials are taken.`,
        )
      const made = { id: randomUUID(), name, issuer, subject, audiences }
      azure.credentials.set(key, [...held, made])
      return json(201, shown(made))
    }
    const one = held.find((two) => two.id === id || two.name === id)
    if (one === undefined) return missing(id)
    if (request.method === 'GET') return json(200, shown(one))
    if (request.method === 'DELETE')
      azure.credentials.set(
        key,
        held.filter((two) => two !== one),
      )
    else {
      const body = objectIn(request.body)
      const next = {
        ...one,
        issuer: textAt(body, 'issuer') ?? one.issuer,
        subject: textAt(body, 'subject') ?? one.subject ?? '',
        audiences: body.audiences === undefined ? one.audiences : textsAt(body, 'audiences'),
      }
      azure.credentials.set(
        key,
        held.map((two) => (two === one ? next : two)),
      )
    }
    return { status: 204, body: '' }
  }

  return (request: Request): Reply => {
    const path = decodeURIComponent(request.path)
    if (!login.tokens.has((request.headers.authorization ?? '').replace(/^Bearer /, '')))
      return trouble(401, 'InvalidAuthenticationToken', 'Access token is empty.')
    const write = request.method === 'GET' ? 'read' : 'write'
    const found =
      /^\/(?:v1\.0|beta)\/(applications|servicePrincipals)\(appId='([0-9a-f-]{36})'\)(\/federatedIdentityCredentials(?:\/([^/]+))?)?$/i.exec(
        path,
      )
    if (found === null) return trouble(400, 'BadRequest', `Resource not found for the segment '${path}'.`)
    const [, kind = '', appId = '', federated, id] = found
    if (refused(`graph ${kind}/${write}`))
      return trouble(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')
    if (kind === 'servicePrincipals') {
      const principal = principalOf(appId)
      return principal === undefined ? missing(appId) : json(200, principal)
    }
    const application = azure.applications.find((one) => same(textAt(one, 'appId'), appId))
    if (application === undefined) return missing(appId)
    return federated === undefined ? json(200, application) : credentials(appId, id, request)
  }
}
