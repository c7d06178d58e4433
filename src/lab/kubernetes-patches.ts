/** Two ways to patch an object: merge and JSON patch. */
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

const without = (object: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))

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
