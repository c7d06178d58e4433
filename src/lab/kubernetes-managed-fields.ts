/** Who set which field when: the managedFields entry that a write leaves behind. */
import { canonical, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'

export type Writer = { readonly manager: string; readonly operation: 'Update' | 'Apply'; readonly time: string }

/** What a server sets by itself belongs to nobody. */
const ownByServer = new Set([
  'apiVersion',
  'kind',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.creationTimestamp',
  'metadata.managedFields',
])

/** The fields in which `after` differs from `before`, in the form of fieldsV1; lists count as one field. */
function changed(before: Json | undefined, after: JsonObject, path: readonly string[]): JsonObject {
  const fields: { [key: string]: Json } = {}
  for (const [key, value] of Object.entries(after)) {
    const here = [...path, key]
    const held = isObject(before) ? before[key] : undefined
    if (ownByServer.has(here.join('.')) || (held !== undefined && canonical(held) === canonical(value))) continue
    if (!isObject(value)) {
      fields[`f:${key}`] = {}
      continue
    }
    const below = changed(held, value, here)
    if (held === undefined && path.length > 0) fields[`f:${key}`] = { '.': {}, ...below }
    else if (Object.keys(below).length > 0 || !isObject(held)) fields[`f:${key}`] = below
  }
  return fields
}

/** What is left of a writer's fields: those that are still there and that nobody else has taken over. */
const remaining = (fields: Json | undefined, after: Json | undefined, taken: JsonObject): JsonObject => {
  if (!isObject(fields)) return {}
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]): readonly (readonly [string, Json])[] => {
      if (!key.startsWith('f:')) return [[key, value]]
      const held = isObject(after) ? after[key.slice(2)] : undefined
      if (held === undefined) return []
      const other = taken[key]
      const isLeaf = isObject(value) && Object.keys(value).length === 0
      if (isLeaf) return other === undefined ? [[key, value]] : []
      const left = remaining(value, held, isObject(other) ? other : {})
      return Object.keys(left).some((name) => name !== '.') ? [[key, left]] : []
    }),
  )
}

const mergedFields = (a: Json | undefined, b: JsonObject): JsonObject => {
  const merged: { [key: string]: Json } = isObject(a) ? { ...a } : {}
  for (const [key, value] of Object.entries(b)) merged[key] = isObject(value) ? mergedFields(merged[key], value) : value
  return merged
}

/** The object with its managedFields brought up to date. */
export function ownedBy(writer: Writer, before: JsonObject | undefined, after: JsonObject): JsonObject {
  const fields = changed(before, after, [])
  const { manager, operation, time } = writer
  const isMine = (entry: Json): boolean =>
    textAt(entry, 'manager') === manager &&
    textAt(entry, 'operation') === operation &&
    textAt(entry, 'subresource') === undefined
  const held = listAt(before, 'metadata', 'managedFields').filter(isObject)
  const mine = held.find(isMine)
  const others = held
    .filter((entry) => entry !== mine)
    .map((entry) => ({ ...entry, fieldsV1: remaining(entry.fieldsV1, after, fields) }))
    .filter((entry) => Object.keys(entry.fieldsV1).length > 0)
  const own = mergedFields(remaining(mine?.fieldsV1, after, {}), fields)
  const apiVersion = textAt(after, 'apiVersion') ?? 'v1'
  const entry = { manager, operation, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: own }
  // A write that sets nothing new leaves its author's entry as old as it was.
  const latest = Object.keys(fields).length > 0 ? [entry] : mine === undefined ? [] : [{ ...mine, fieldsV1: own }]
  const metadata = isObject(after.metadata) ? after.metadata : {}
  return { ...after, metadata: { ...metadata, managedFields: [...others, ...latest] } }
}
