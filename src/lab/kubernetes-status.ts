/** How the API server says no: Status objects in its own words. */
import type { Json, JsonObject } from '../core/json.ts'
import type { Resource } from './kubernetes-resources.ts'
import type { Reply } from './listener.ts'

/** A refusal by the API server. */
export class StatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: JsonObject | undefined
  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }
}

type Kind = Pick<Resource, 'group' | 'plural'>
const qualified = ({ group, plural }: Kind): string => (group === '' ? plural : `${plural}.${group}`)
const detailsOf = ({ group, plural }: Kind, name?: string, causes?: readonly JsonObject[]): JsonObject => ({
  ...(name === undefined ? {} : { name }),
  ...(group === '' ? {} : { group }),
  kind: plural,
  ...(causes === undefined ? {} : { causes }),
})

export const notFound = (kind: Kind, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualified(kind)} "${name}" not found`, detailsOf(kind, name))

export const noSuchResource = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})

export const alreadyExists = (kind: Kind, name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, detailsOf(kind, name))

export const conflict = (kind: Kind, name: string, why: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`,
    detailsOf(kind, name),
  )

export const staleWrite = 'the object has been modified; please apply your changes to the latest version and try again'

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message)

export const methodNotAllowed = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

export const notAcceptable = (): StatusError => new StatusError(406, 'NotAcceptable', '406: Not Acceptable', {})

export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized')

/** 422: a field that the server does not take. */
export const invalid = (
  kind: Pick<Resource, 'group' | 'kind'>,
  name: string,
  field: string,
  cause: string,
): StatusError => {
  const title = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  const details = {
    ...(name === '' ? {} : { name }),
    group: kind.group,
    kind: kind.kind,
    causes: [{ reason: 'FieldValueInvalid', message: cause, field }],
  }
  return new StatusError(422, 'Invalid', `${title} "${name}" is invalid: ${field}: ${cause}`, details)
}

/** 403 by RBAC: who may not do what, where. */
export function forbidden(
  user: string,
  verb: string,
  kind: Kind,
  place: { readonly namespace?: string; readonly name?: string; readonly subresource?: string },
): StatusError {
  const resource = place.subresource === undefined ? kind.plural : `${kind.plural}/${place.subresource}`
  const named = place.name === undefined ? '' : ` "${place.name}"`
  const where = place.namespace === undefined ? 'at the cluster scope' : `in the namespace "${place.namespace}"`
  return new StatusError(
    403,
    'Forbidden',
    `${qualified(kind)}${named} is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group "${kind.group}" ${where}`,
    detailsOf(kind, place.name),
  )
}

export const forbiddenPath = (user: string, verb: string, path: string): StatusError =>
  new StatusError(403, 'Forbidden', `forbidden: User "${user}" cannot ${verb} path "${path}"`, {})

export const jsonReply = (status: number, body: Json, headers: { readonly [name: string]: string } = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

export const statusReply = ({ code, reason, message, details }: StatusError): Reply =>
  jsonReply(code, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  })

/** The answer to a request that the lab itself stumbled over. */
export const statusTrouble = (message: string): Reply =>
  statusReply(new StatusError(500, 'InternalError', `Internal error occurred: lab: ${message}`, {}))
