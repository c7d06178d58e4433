/** The cluster's objects in memory: what the case holds, completed by what an API server fills in. */
import { createHash, randomUUID } from 'node:crypto'
import { edited } from '../core/edit.ts'
import { at, isObject, type Json, type JsonObject, textAt } from '../core/json.ts'
import { labelSelector } from '../domain/label-selector.ts'
import { ownedBy, type Writer } from './kubernetes-managed-fields.ts'
import { apiVersionOf, type Resource } from './kubernetes-resources.ts'
import { alreadyExists, badRequest, conflict, invalid, notFound, StatusError, staleWrite } from './kubernetes-status.ts'

export type Place = { readonly namespace?: string; readonly name: string }
export type ListOrder = {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit: number
  readonly token?: string
}
export type Change = { readonly writer: Writer; readonly dryRun: boolean }

export type Store = {
  readonly get: (resource: Resource, place: Place) => JsonObject
  readonly find: (resource: Resource, place: Place) => JsonObject | undefined
  /** Whether there is none, in this namespace or at all. */
  readonly isEmpty: (resource: Resource, namespace?: string) => boolean
  readonly list: (resource: Resource, order: ListOrder) => JsonObject
  readonly create: (resource: Resource, namespace: string | undefined, object: JsonObject, change: Change) => JsonObject
  /** Puts `next` in the place of the object; 409 where `next` names a version that is not the present one. */
  readonly replace: (resource: Resource, place: Place, next: JsonObject, change: Change) => JsonObject
  readonly remove: (resource: Resource, place: Place, conditions: Json | undefined, dryRun: boolean) => JsonObject
}

const hour = 3600 * 1000
/** Made before the workloads, so that an age that the case does not show is evidence of nothing. */
const foundation = new Set(['Namespace', 'ServiceAccount', 'MutatingWebhookConfiguration', 'Node'])

const madeUpUid = (name: string): string => {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** `2026-01-01T00:00:00Z`: the API server writes whole seconds. */
export const timestamp = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`

const metadataOf = (object: JsonObject): JsonObject => (isObject(object.metadata) ? object.metadata : {})
const keyOf = ({ namespace, name }: Place): string => `${namespace ?? ''}/${name}`
const shelfOf = ({ group, plural }: Resource): string => `${group}/${plural}`

/** Maps that an API server does not keep once nothing is left in them. */
const maps = ['metadata', 'spec.template.metadata'].flatMap((place) =>
  ['labels', 'annotations'].map((map) => [...place.split('.'), map]),
)
const withoutEmptyMaps = (object: JsonObject): JsonObject =>
  [...maps, ['data']].reduce<JsonObject>((left, path) => {
    const held = at(left, ...path)
    const next = isObject(held) && Object.keys(held).length === 0 ? edited(left, path, undefined) : left
    return isObject(next) ? next : left
  }, object)

/** Fills a store with the objects of a case; `started` is the time from which missing ages count back. */
export function makeStore(resources: readonly Resource[], objects: readonly JsonObject[], started: number): Store {
  const shelves = new Map<string, Map<string, JsonObject>>()
  let version = 1000
  const shelf = (resource: Resource): Map<string, JsonObject> => {
    const held = shelves.get(shelfOf(resource))
    if (held !== undefined) return held
    const made = new Map<string, JsonObject>()
    shelves.set(shelfOf(resource), made)
    return made
  }
  const placeOf = (resource: Resource, namespace: string | undefined, name: string): Place =>
    resource.namespaced ? { namespace: namespace ?? 'default', name } : { name }

  const load = (object: JsonObject): void => {
    const [group = '', kind] = [textAt(object, 'apiVersion')?.split('/').slice(0, -1).join(''), textAt(object, 'kind')]
    const resource = resources.find((one) => one.group === group && one.kind === kind)
    const name = textAt(object, 'metadata', 'name')
    if (resource === undefined || resource.review || name === undefined) return
    const place = placeOf(resource, textAt(object, 'metadata', 'namespace'), name)
    const age = foundation.has(resource.kind) ? 2 * hour : hour
    // A pod without uid is a manifest that no admission webhook has seen yet; as a made pod it would lack what they add.
    const isManifest = resource.kind === 'Pod' && textAt(object, 'metadata', 'uid') === undefined
    const made = { uid: madeUpUid(`${resource.kind} ${keyOf(place)}`), creationTimestamp: timestamp(started - age) }
    const resourceVersion = String(++version)
    const metadata = { ...(isManifest ? {} : made), resourceVersion, ...metadataOf(object), ...place }
    shelf(resource).set(keyOf(place), withoutEmptyMaps({ ...object, metadata }))
  }
  for (const object of objects) load(object)
  // What stands in a namespace is proof of the namespace.
  for (const namespace of new Set([
    'default',
    'kube-system',
    ...objects.flatMap((one) => textAt(one, 'metadata', 'namespace') ?? []),
  ])) {
    if (resources.some(({ kind }) => kind === 'Namespace') && !shelves.get('/namespaces')?.has(`/${namespace}`)) {
      const labels = { 'kubernetes.io/metadata.name': namespace }
      load({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels }, status: { phase: 'Active' } })
    }
  }

  const find: Store['find'] = (resource, place) =>
    shelf(resource).get(keyOf(placeOf(resource, place.namespace, place.name)))
  const get: Store['get'] = (resource, place) => {
    const object = find(resource, place)
    if (object === undefined) throw notFound(resource, place.name)
    return object
  }

  const keep = (
    resource: Resource,
    place: Place,
    next: JsonObject,
    before: JsonObject | undefined,
    { writer, dryRun }: Change,
  ): JsonObject => {
    const owned = ownedBy(writer, before, withoutEmptyMaps(next))
    const resourceVersion = dryRun ? (textAt(before, 'metadata', 'resourceVersion') ?? '') : String(++version)
    const stored = {
      ...owned,
      metadata: { ...metadataOf(owned), ...(resourceVersion === '' ? {} : { resourceVersion }) },
    }
    if (!dryRun) shelf(resource).set(keyOf(place), stored)
    return stored
  }

  const create: Store['create'] = (resource, namespace, object, change) => {
    const given = metadataOf(object)
    const prefix = textAt(object, 'metadata', 'generateName')
    const name = textAt(object, 'metadata', 'name') ?? (prefix === undefined ? '' : prefix + randomUUID().slice(0, 5))
    if (name === '') throw invalid(resource, '', 'metadata.name', 'Required value: name or generateName is required')
    const place = placeOf(resource, namespace, name)
    checkIdentity(resource, place, object)
    if (find(resource, place) !== undefined) throw alreadyExists(resource, name)
    const { managedFields: _, resourceVersion: __, ...rest } = given
    const metadata = { ...rest, ...place, uid: randomUUID(), creationTimestamp: change.writer.time }
    const typed = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object, metadata }
    return keep(resource, place, typed, undefined, change)
  }

  const replace: Store['replace'] = (resource, place, next, change) => {
    const before = get(resource, place)
    const at = placeOf(resource, place.namespace, place.name)
    checkIdentity(resource, at, next)
    const presented = textAt(next, 'metadata', 'resourceVersion')
    const held = metadataOf(before)
    if (presented !== undefined && presented !== '' && presented !== held.resourceVersion)
      throw conflict(resource, place.name, staleWrite)
    const uid = textAt(next, 'metadata', 'uid')
    if (uid !== undefined && uid !== held.uid)
      throw conflict(
        resource,
        place.name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${String(held.uid)}`,
      )
    const { uid: own, creationTimestamp, resourceVersion } = held
    const kept = Object.fromEntries(
      Object.entries({ uid: own, creationTimestamp, resourceVersion }).filter(([, value]) => value !== undefined),
    )
    return keep(resource, at, { ...next, metadata: { ...metadataOf(next), ...at, ...kept } }, before, change)
  }

  const remove: Store['remove'] = (resource, place, conditions, dryRun) => {
    const object = get(resource, place)
    const uid = textAt(conditions, 'preconditions', 'uid')
    if (uid !== undefined && uid !== textAt(object, 'metadata', 'uid'))
      throw conflict(
        resource,
        place.name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${textAt(object, 'metadata', 'uid')}`,
      )
    const version = textAt(conditions, 'preconditions', 'resourceVersion')
    if (version !== undefined && version !== textAt(object, 'metadata', 'resourceVersion'))
      throw conflict(resource, place.name, staleWrite)
    if (!dryRun) shelf(resource).delete(keyOf(placeOf(resource, place.namespace, place.name)))
    return object
  }

  const list: Store['list'] = (resource, order) => {
    const selects = selectorOf(order)
    const from = order.token === undefined ? '' : continued(order.token)
    const matching = [...shelf(resource)]
      .filter(
        ([key, object]) =>
          key > from && (order.namespace === undefined || key.startsWith(`${order.namespace}/`)) && selects(object),
      )
      .sort(([a], [b]) => (a < b ? -1 : 1))
    const page = order.limit > 0 ? matching.slice(0, order.limit) : matching
    const last = page.at(-1)
    const remainingItemCount = matching.length - page.length
    const more = remainingItemCount > 0 && last !== undefined
    const token = more ? Buffer.from(JSON.stringify({ start: last[0] })).toString('base64url') : undefined
    return {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata: {
        resourceVersion: String(version),
        ...(token === undefined ? {} : { continue: token, remainingItemCount }),
      },
      items: page.map(([, object]) => object),
    }
  }
  const isEmpty: Store['isEmpty'] = (resource, namespace) =>
    [...shelf(resource).keys()].every((key) => namespace !== undefined && !key.startsWith(`${namespace}/`))
  return { get, find, isEmpty, list, create, replace, remove }
}

function checkIdentity(resource: Resource, place: Place, object: JsonObject): void {
  const kind = textAt(object, 'kind')
  if (kind !== undefined && kind !== resource.kind)
    throw badRequest(`${kind} in the body does not match ${resource.kind} in the URL`)
  const { name, namespace } = metadataOf(object)
  if (name !== undefined && name !== place.name)
    throw badRequest(`the name of the object (${String(name)}) does not match the name on the URL (${place.name})`)
  if (namespace !== undefined && place.namespace !== undefined && namespace !== place.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

function continued(token: string): string {
  try {
    const value: Json = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    const start = textAt(value, 'start')
    if (start !== undefined) return start
  } catch {
    // Answered below like any other token that is not ours.
  }
  throw new StatusError(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result.',
  )
}

function selectorOf({ labelSelector: labels, fieldSelector: fields }: ListOrder): (object: JsonObject) => boolean {
  const parsed = labelSelector(labels ?? '')
  const byLabel = labels === undefined || labels === '' ? undefined : parsed
  if (byLabel !== undefined && 'malformed' in byLabel)
    throw badRequest(`unable to parse requirement: ${byLabel.malformed}`)
  const wanted = (fields ?? '').split(',').filter((part) => part !== '')
  const byField = wanted.map((part) => {
    const found = /^([\w.[\]]+?)\s*(!=|==?)\s*(.*)$/.exec(part)
    if (found === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`)
    const [, path = '', operator, value] = found
    return (object: JsonObject) => ((textAt(object, ...path.split('.')) ?? '') === value) === (operator !== '!=')
  })
  return (object) => {
    const held = metadataOf(object).labels
    const own = isObject(held)
      ? Object.fromEntries(Object.entries(held).map(([key, value]) => [key, String(value)]))
      : {}
    return (byLabel === undefined || byLabel.matches(own)) && byField.every((matches) => matches(object))
  }
}
