/** The four ways to patch an object: merge, strategic merge, JSON patch; server-side apply merges like the second. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import { badRequest, StatusError } from './kubernetes-status.ts'

/** RFC 7386: null removes, objects merge, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const merged: { [key: string]: Json } = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else merged[key] = mergePatch(merged[key], value)
  }
  return merged
}

/** By which member the items of these lists are told apart; other lists are replaced as a whole. */
const mergeKeys: { readonly [list: string]: readonly string[] } = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  env: ['name'],
  ports: ['containerPort', 'port'],
  imagePullSecrets: ['name'],
  secrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey'],
  ownerReferences: ['uid'],
  conditions: ['type'],
  webhooks: ['name'],
}

/** https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md */
export function strategicPatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  if (patch.$patch === 'replace') return without(patch, '$patch')
  const merged: { [key: string]: Json } = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) {
      const primitive = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key)?.[1]
      const held = primitive === undefined ? undefined : merged[primitive]
      // $setElementOrder and $retainKeys only tidy up what the rest of the patch has said.
      if (primitive !== undefined && isList(held) && isList(value))
        merged[primitive] = held.filter((one) => !value.includes(one))
    } else if (value === null || (isObject(value) && value.$patch === 'delete')) delete merged[key]
    else if (key === 'finalizers' && isList(value)) merged[key] = [...new Set([...listOf(merged[key]), ...value])]
    else if (isList(value)) merged[key] = mergeLists(key, listOf(merged[key]), value)
    else merged[key] = strategicPatch(merged[key], value)
  }
  return merged
}

/**
 * What one patch had put there and the next does not, taken out again: what a controller that makes an object anew leaves behind. Items of lists go
 * by the member that tells them apart, so that what others have added to the same list stays.
 */
export function withoutDropped(held: Json, was: Json | undefined, now: Json | undefined): Json {
  if (!isObject(held) || !isObject(was)) return held
  const left: { [key: string]: Json } = { ...held }
  for (const [key, old] of Object.entries(was)) {
    const own = left[key]
    const next = isObject(now) ? now[key] : undefined
    const by = mergeKeys[key]?.find((name) => listOf(old).every((item) => isObject(item) && item[name] !== undefined))
    if (isList(own) && isList(old) && by !== undefined) {
      const among = (list: Json | undefined, item: Json): Json | undefined =>
        listOf(list).find((one) => isObject(one) && isObject(item) && one[by] === item[by])
      const kept = own.flatMap((item) => {
        const before = among(old, item)
        const after = among(next, item)
        return before === undefined ? [item] : after === undefined ? [] : [withoutDropped(item, before, after)]
      })
      if (kept.length > 0) left[key] = kept
      else delete left[key]
    } else if (own !== undefined && next === undefined) delete left[key]
    else if (own !== undefined) left[key] = withoutDropped(own, old, next)
  }
  return left
}

const listOf = (value: Json | undefined): readonly Json[] => (isList(value) ? value : [])
const without = (object: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))

function mergeLists(list: string, held: readonly Json[], patch: readonly Json[]): Json {
  const items = patch.filter(isObject)
  const key = mergeKeys[list]?.find((name) => items.every((item) => item[name] !== undefined))
  if (key === undefined || items.length !== patch.length) {
    return items.some((item) => item.$patch === 'replace') ? items.filter((item) => item.$patch === undefined) : patch
  }
  const merged = [...held]
  for (const item of items) {
    const index = merged.findIndex((one) => isObject(one) && one[key] === item[key])
    if (item.$patch === 'delete') {
      if (index >= 0) merged.splice(index, 1)
    } else if (index >= 0) merged[index] = strategicPatch(merged[index], item)
    else merged.push(strategicPatch(undefined, item))
  }
  return merged
}

const token = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')
const cannot = (operation: Json): StatusError =>
  new StatusError(
    422,
    'Invalid',
    `the server rejected our request due to an error in our request: ${JSON.stringify(operation)}`,
    {},
  )

/** RFC 6902; a `test` that does not hold refuses the whole patch with 422, as the API server does. */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!isList(patch)) throw badRequest('error decoding patch: a JSON patch is a list of operations')
  return patch.reduce<Json>((document, operation) => {
    if (!isObject(operation) || typeof operation.path !== 'string') throw cannot(operation)
    const path = parts(operation.path)
    const from = typeof operation.from === 'string' ? parts(operation.from) : undefined
    const value = operation.value ?? null
    switch (operation.op) {
      case 'test':
        if (!same(read(document, path), value)) throw cannot(operation)
        return document
      case 'add':
        return write(document, path, value, 'add', operation)
      case 'replace':
        return write(document, path, value, 'replace', operation)
      case 'remove':
        return write(document, path, undefined, 'remove', operation)
      case 'copy':
      case 'move': {
        const moved = from === undefined ? undefined : read(document, from)
        if (from === undefined || moved === undefined) throw cannot(operation)
        const left = operation.op === 'move' ? write(document, from, undefined, 'remove', operation) : document
        return write(left, path, moved, 'add', operation)
      }
      default:
        throw cannot(operation)
    }
  }, target)
}

const parts = (pointer: string): readonly string[] => pointer.split('/').slice(1).map(token)

function read(document: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((here, part) => {
    if (isList(here)) return here[Number(part)]
    return isObject(here) && Object.hasOwn(here, part) ? here[part] : undefined
  }, document)
}

function write(
  here: Json,
  path: readonly string[],
  value: Json | undefined,
  how: 'add' | 'replace' | 'remove',
  operation: Json,
): Json {
  const [part, ...rest] = path
  if (part === undefined) return value ?? null
  if (isList(here)) {
    const index = part === '-' ? here.length : Number(part)
    if (!Number.isInteger(index) || index < 0 || index > here.length) throw cannot(operation)
    if (rest.length === 0 && how === 'add') return here.toSpliced(index, 0, value ?? null)
    const held = here[index]
    if (held === undefined) throw cannot(operation)
    if (rest.length === 0) return how === 'remove' ? here.toSpliced(index, 1) : here.with(index, value ?? null)
    return here.with(index, write(held, rest, value, how, operation))
  }
  if (!isObject(here)) throw cannot(operation)
  const held = Object.hasOwn(here, part) ? here[part] : undefined
  if (held === undefined && (rest.length > 0 || how !== 'add')) throw cannot(operation)
  if (rest.length === 0) return how === 'remove' ? without(here, part) : { ...here, [part]: value ?? null }
  return { ...here, [part]: write(held ?? null, rest, value, how, operation) }
}

function same(a: Json | undefined, b: Json): boolean {
  if (isList(a) || isList(b))
    return isList(a) && isList(b) && a.length === b.length && a.every((one, i) => same(one, b[i] ?? null))
  if (!isObject(a) || !isObject(b)) return a === b
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key] ?? null))
  )
}
