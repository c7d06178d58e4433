/** The API server: authenticates, authorises, routes, and answers in the forms that kubectl and the client libraries expect. */
import { parse as parseYaml } from 'yaml'
import { isObject, type Json, type JsonObject, textAt } from '../core/json.ts'
import { strategicPatch } from '../domain/strategic-merge.ts'
import type { LabCase } from './case.ts'
import { discoveryReply, keysReply } from './issuer.ts'
import { discoveryAt } from './kubernetes-discovery.ts'
import { jsonPatch, mergePatch } from './kubernetes-patches.ts'
import { isProtobuf, objectInProtobuf } from './kubernetes-protobuf.ts'
import { resourcesFor, type Target, targetOf } from './kubernetes-resources.ts'
import { grantToken, review, tokenKinds, type User, userOf } from './kubernetes-reviews.ts'
import { makeSight } from './kubernetes-sight.ts'
import {
  badRequest,
  forbidden,
  forbiddenPath,
  jsonReply,
  methodNotAllowed,
  noSuchResource,
  notAcceptable,
  StatusError,
  statusReply,
  unauthorized,
} from './kubernetes-status.ts'
import { type Change, makeStore, type Place, timestamp } from './kubernetes-store.ts'
import type { Handler, Reply, Request } from './listener.ts'
import { podLog } from './pod-logs.ts'
import { rollOut } from './rollouts.ts'
import type { Signer } from './signer.ts'

export type ApiOrder = {
  readonly lab: LabCase
  readonly signer: Signer
  readonly discovery: JsonObject
  /** The bearer token of the kubeconfig that the lab writes. */
  readonly token: string
  /** Tells by verb and resource (`get pods`, `create serviceaccounts/token`, `get /version`) what RBAC refuses. */
  readonly refused: (verb: string, what: string) => boolean
  readonly port: () => number
  /** Milliseconds. */
  readonly podsTake: number
}

const administrator: User = { username: 'lab-admin', groups: ['system:masters', 'system:authenticated'] }
const open = new Set(['/healthz', '/livez', '/readyz'])
const defaultVersion = 'v1.32.0'

/** Handles requests for the objects of a case. */
export function kubernetesApi(order: ApiOrder): Handler {
  const { lab, signer, discovery, refused } = order
  const { issuer } = lab
  const resources = resourcesFor(lab.objects)
  const kinds = tokenKinds(resources)
  const store = makeStore(resources, lab.objects, Date.now())

  const sight = makeSight(lab, store)

  const userBehind = async ({ headers }: Request): Promise<User> => {
    const token = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
    if (token === undefined) throw unauthorized()
    if (token === order.token) {
      const name = headers['impersonate-user']
      const group = headers['impersonate-group']
      const groups = typeof group === 'string' ? group.split(', ') : (group ?? [])
      return typeof name === 'string' ? { username: name, groups: [...groups, 'system:authenticated'] } : administrator
    }
    const seen = await userOf(token, [issuer], { signer, issuer })
    if ('error' in seen) throw unauthorized()
    return seen.user
  }

  const about = async (request: Request, user: User): Promise<Reply> => {
    const { method, path } = request
    const target = /^\/apis?\//.test(path) ? targetOf(path, resources) : undefined
    if (target === undefined) return nonResource(request, user)
    const { resource, namespace, name, subresource } = target
    const verb = verbOf(method, target)
    const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`
    if (refused(verb, what)) throw forbidden(user.username, verb, resource, target)
    if (sight.hides(verb, target)) {
      const { message, code, reason, details } = forbidden(user.username, verb, resource, target)
      const why = `the case shows no ${resource.plural}, which is not to say that there are none`
      throw new StatusError(code, reason, `${message}: ${why}`, details)
    }
    if (resource.review) {
      if (method !== 'POST') throw methodNotAllowed()
      const may = (asked: string, thing: string): boolean => !refused(asked, thing)
      return jsonReply(201, await review(resource.kind, bodyOf(request), { user, may, signer, issuer }))
    }
    if (subresource === 'token' && resource === kinds.accounts) {
      if (method !== 'POST' || namespace === undefined || name === undefined) throw methodNotAllowed()
      const { granted, warning } = await grantToken(
        { namespace, name, body: bodyOf(request) },
        { store, signer, kinds, issuer },
      )
      return jsonReply(201, granted, warning === undefined ? {} : { warning: `299 - "${warning}"` })
    }
    if (subresource === 'log' && resource.kind === 'Pod' && method === 'GET' && name !== undefined) {
      const pod = store.get(resource, namespace === undefined ? { name } : { namespace, name })
      return podLog(pod, nodeOf(pod), request)
    }
    const known = [
      'status',
      'ephemeralcontainers',
      ...(resource.plural === 'certificatesigningrequests' ? ['approval'] : []),
    ]
    if (subresource !== undefined && !known.includes(subresource)) throw noSuchResource()
    return object(request, target)
  }

  const nodeOf = (pod: JsonObject): JsonObject | undefined => {
    const nodes = resources.find(({ kind }) => kind === 'Node')
    const name = textAt(pod, 'spec', 'nodeName')
    return nodes === undefined || name === undefined ? undefined : store.find(nodes, { name })
  }

  const nonResource = ({ method, path, headers }: Request, user: User): Reply => {
    if (method !== 'GET' && method !== 'HEAD') throw noSuchResource()
    const bare = path.length > 1 ? path.replace(/\/$/, '') : path
    if (refused('get', bare)) throw forbiddenPath(user.username, 'get', path)
    if (bare === '/.well-known/openid-configuration') return discoveryReply(discovery)
    // Refused to whoever takes JSON alone: the keys have a media type of their own.
    if (bare === '/openid/v1/jwks' && !/\*\/\*|jwk-set/.test(headers.accept ?? '*/*')) throw notAcceptable()
    if (bare === '/openid/v1/jwks') return keysReply(signer.served)
    const document = discoveryAt(path, resources, lab.version ?? defaultVersion, order.port())
    if (document === undefined) throw noSuchResource()
    return jsonReply(200, document)
  }

  const replaced = ({ resource }: Target, place: Place, next: JsonObject, change: Change): JsonObject => {
    const before = store.get(resource, place)
    const after = store.replace(resource, place, next, change)
    rollOut(store, resources, { before, after }, { change, podsTake: order.podsTake })
    return after
  }

  const object = (request: Request, target: Target): Reply => {
    const { resource, namespace, name } = target
    const { method, query } = request
    const change: Change = {
      writer: {
        manager: query.get('fieldManager') ?? request.headers['user-agent']?.split('/')[0] ?? 'unknown',
        operation: contentType(request) === 'application/apply-patch+yaml' ? 'Apply' : 'Update',
        time: timestamp(Date.now()),
      },
      dryRun: query.getAll('dryRun').includes('All'),
    }
    if (name === undefined) {
      if (method === 'POST') {
        if (resource.namespaced && namespace === undefined) throw methodNotAllowed()
        return jsonReply(201, store.create(resource, namespace, bodyOf(request), change))
      }
      if (method !== 'GET') throw methodNotAllowed()
      if (['true', '1'].includes(query.get('watch') ?? '')) throw badRequest('the lab does not serve watches')
      const [labels, fields, token] = [query.get('labelSelector'), query.get('fieldSelector'), query.get('continue')]
      return jsonReply(
        200,
        store.list(resource, {
          ...(namespace === undefined ? {} : { namespace }),
          ...(labels === null ? {} : { labelSelector: labels }),
          ...(fields === null ? {} : { fieldSelector: fields }),
          ...(token === null || token === '' ? {} : { token }),
          limit: Number(query.get('limit') ?? 0),
        }),
      )
    }
    const place = namespace === undefined ? { name } : { namespace, name }
    switch (method) {
      case 'GET':
      case 'HEAD':
        return jsonReply(200, store.get(resource, place))
      case 'PUT':
        return jsonReply(200, replaced(target, place, bodyOf(request), change))
      case 'DELETE':
        return jsonReply(
          200,
          store.remove(resource, place, request.body === '' ? undefined : bodyOf(request), change.dryRun),
        )
      case 'PATCH': {
        const before = store.find(resource, place)
        if (before === undefined && change.writer.operation === 'Apply')
          return jsonReply(201, store.create(resource, namespace, bodyOf(request), change))
        return jsonReply(200, replaced(target, place, patched(store.get(resource, place), request), change))
      }
      default:
        throw methodNotAllowed()
    }
  }

  return async (request) => {
    try {
      if (open.has(request.path))
        return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'ok' }
      return await about(request, await userBehind(request))
    } catch (error) {
      if (error instanceof StatusError) return statusReply(error)
      throw error
    }
  }
}

const contentType = ({ headers }: Request): string => headers['content-type']?.split(';')[0]?.trim() ?? ''

const verbs: { readonly [method: string]: string } = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
const verbOf = (method: string, { name }: Target): string => verbs[method] ?? (name === undefined ? 'list' : 'get')

/** The body as an object, JSON, YAML or protobuf; 400 or 415 for anything else. */
function bodyOf({ body, bytes }: Request): JsonObject {
  const inProtobuf = isProtobuf(bytes)
  const value = inProtobuf ? objectInProtobuf(bytes) : parsed(body)
  if (inProtobuf && value === undefined) throw unsupported('application/json, application/yaml')
  if (!isObject(value)) throw badRequest('the body of the request is not an object')
  return value
}

const unsupported = (accepted: string): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  )

function parsed(text: string): Json {
  try {
    return text.trimStart().startsWith('{') || text.trimStart().startsWith('[')
      ? JSON.parse(text)
      : parseYaml(text, { maxAliasCount: 100 })
  } catch {
    throw badRequest('error decoding the body: it is neither JSON nor YAML')
  }
}

function patched(before: JsonObject, request: Request): JsonObject {
  const patch = parsed(request.body)
  // A patch that names no version is meant for whatever is there now.
  const { resourceVersion: _, ...unversioned } = isObject(before.metadata) ? before.metadata : {}
  const target = { ...before, metadata: unversioned }
  const next = ((): Json => {
    switch (contentType(request)) {
      case 'application/json-patch+json':
        return jsonPatch(before, patch)
      case 'application/merge-patch+json':
        return mergePatch(target, patch)
      case 'application/strategic-merge-patch+json':
      case 'application/apply-patch+yaml':
        return strategicPatch(target, patch)
      default:
        throw unsupported('application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml')
    }
  })()
  if (!isObject(next) || textAt(next, 'kind') === undefined) throw badRequest('the patch leaves no object behind')
  return next
}
