/** Picks that are taken once for all that are alike: thousands of pods differ in little. */
import { isObject, type Json, type JsonObject } from '../core/json.ts'

/** Objects and lists that were picked when they were read, of which there is one for all that are alike: to be kept as they are. */
const picked = new WeakSet<object>()

export const isPicked = (value: object): boolean => picked.has(value)

/** Says of a value that its picks have been taken already. */
export function keptAsItIs<T extends object>(value: T): T {
  picked.add(value)
  return value
}

/** The objects of a list, each picked; made by `map`, which leaves no room for more: a list that grows by one is given room for 17. */
export function each(list: readonly Json[], pick: (from: JsonObject) => JsonObject): readonly JsonObject[] {
  const objects = list.every(isObject) ? list : list.filter(isObject)
  return picked.has(objects) ? objects : objects.map((one) => (picked.has(one) ? one : pick(one)))
}

/** One object for all that are alike: thousands of pods tolerate the same taints and mount the same volumes. */
const sharedOnes = new Map<string, Json>()
const mostSharedOnes = 2000
const longestShared = 2000

export function shared(value: Json): Json {
  if (typeof value === 'object' && value !== null && picked.has(value)) return value
  const key = JSON.stringify(value)
  const held = sharedOnes.get(key)
  if (held !== undefined) return held
  if (sharedOnes.size < mostSharedOnes && key.length <= longestShared) sharedOnes.set(key, value)
  return value
}
