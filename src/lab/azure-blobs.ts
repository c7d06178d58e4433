/** Blob Storage of the lab's storage accounts over REST and XML, for whoever comes with a token of Entra: what the case's role assignments give. */
import { randomUUID } from 'node:crypto'
import { textAt } from '../core/json.ts'
import { blobHosts } from '../domain/azure-clouds.ts'
import type { AzureWorld } from './azure-world.ts'
import type { Handler, Reply, Request } from './listener.ts'

/** Whom an access token of the lab is for, and what for. */
export type EntraBearer = { readonly appId: string; readonly audience: string; readonly until: number }
export type EntraBearers = Map<string, EntraBearer>

const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase()

/** Names of the storage accounts that the case speaks of. */
export const accountNames = ({ accounts, assignments }: AzureWorld): readonly string[] => [
  ...new Set([
    ...accounts.flatMap((one) => textAt(one, 'name') ?? []),
    ...assignments.flatMap((one) => /\/storageaccounts\/([a-z0-9]{3,24})/i.exec(textAt(one, 'scope') ?? '')?.[1] ?? []),
  ]),
]
export const blobHostsOf = (world: AzureWorld): readonly string[] =>
  accountNames(world).map((name) => `${name}.${blobHosts.AzurePublicCloud}`)

const reading = ['storage blob data reader', '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1']
const writing = [
  ...['storage blob data contributor', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'],
  ...['storage blob data owner', 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'],
]

/** https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2 */
function failure(status: number, code: string, message: string): Reply {
  const time = new Date().toISOString().replace('Z', '0000Z')
  return {
    status,
    headers: { 'content-type': 'application/xml', 'x-ms-error-code': code },
    body: `\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}\nRequestId:${randomUUID()}\nTime:${time}</Message></Error>`,
  }
}
const unauthenticated = (): Reply => ({
  ...failure(
    401,
    'InvalidAuthenticationInfo',
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  ),
})

/** The names of roles that the principal of an application holds somewhere above the container. */
function rolesOf(
  { principals, identities, assignments }: AzureWorld,
  appId: string,
  account: string,
  container: string,
) {
  const principal =
    textAt(identities.find((one) => same(textAt(one, 'clientId'), appId)) ?? null, 'principalId') ??
    textAt(principals.find((one) => same(textAt(one, 'appId'), appId)) ?? null, 'id')
  return assignments.flatMap((one) => {
    const scope = textAt(one, 'scope') ?? ''
    const [, own] = /\/storageaccounts\/([^/]+)/i.exec(scope) ?? []
    const [, inside] = /\/containers\/([^/]+)/i.exec(scope) ?? []
    const reaches = (own === undefined || same(own, account)) && (inside === undefined || inside === container)
    const role = textAt(one, 'roleDefinitionName') ?? textAt(one, 'roleDefinitionId')?.split('/').at(-1) ?? ''
    return principal !== undefined && same(textAt(one, 'principalId'), principal) && reaches ? [role.toLowerCase()] : []
  })
}

export function azureBlobs(world: AzureWorld, bearers: EntraBearers, now: () => number = Date.now): Handler {
  const held = new Map<string, string>()

  const refusal = (request: Request, account: string, container: string): Reply | undefined => {
    const bearer = bearers.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '')
    const audiences = ['https://storage.azure.com', `https://${account}.${blobHosts.AzurePublicCloud}`]
    const fits = bearer !== undefined && audiences.includes(bearer.audience.replace(/\/+$/, ''))
    if (!fits || bearer.until * 1000 < now() || request.headers['x-ms-version'] === undefined) return unauthenticated()
    const known = world.accounts.find((one) => same(textAt(one, 'name'), account))
    if (known !== undefined && textAt(known, 'defaultAction') === 'Deny')
      return failure(403, 'AuthorizationFailure', 'This request is not authorized to perform this operation.')
    const enough = request.method === 'GET' ? [...reading, ...writing] : writing
    return rolesOf(world, bearer.appId, account, container).some((role) => enough.includes(role))
      ? undefined
      : failure(
          403,
          'AuthorizationPermissionMismatch',
          'This request is not authorized to perform this operation using this permission.',
        )
  }

  return (request) => {
    const account = (request.headers.host ?? '').split('.')[0] ?? ''
    const [container = '', ...rest] = decodeURIComponent(request.path).split('/').slice(1)
    const no = refusal(request, account, container)
    if (no !== undefined) return no
    const shelf = `${account}/${container}/`
    const place = `${shelf}${rest.join('/')}`
    if (request.query.get('comp') === 'list') {
      const blobs = [...held].flatMap(([key, text]) =>
        key.startsWith(shelf)
          ? [
              `<Blob><Name>${key.slice(shelf.length)}</Name><Properties><Content-Length>${text.length}</Content-Length></Properties></Blob>`,
            ]
          : [],
      )
      return {
        status: 200,
        headers: { 'content-type': 'application/xml' },
        body: `\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>${blobs.join('')}</Blobs><NextMarker /></EnumerationResults>`,
      }
    }
    if (request.method === 'PUT') {
      if (request.headers['x-ms-blob-type'] !== 'BlockBlob')
        return failure(
          400,
          'MissingRequiredHeader',
          'An HTTP header that is mandatory for this request is not specified.',
        )
      held.set(place, request.body)
      return { status: 201, body: '' }
    }
    const text = held.get(place)
    if (text === undefined) return failure(404, 'BlobNotFound', 'The specified blob does not exist.')
    if (request.method === 'GET') return { status: 206, body: text.slice(0, 1) }
    held.delete(place)
    return { status: 202, body: '' }
  }
}
