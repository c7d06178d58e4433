/** Objects that several probes read into their type, each read once. */
import { isObject, type Json } from '../core/json.ts'
import * as objects from '../domain/workload-objects.ts'

const once = <T>(read: (json: Json) => T | undefined) => {
  // Kept no longer than the answer that the object came in.
  const held = new WeakMap<object, T>()
  return (json: Json): T | undefined => {
    if (!isObject(json)) return read(json)
    const before = held.get(json)
    if (before !== undefined) return before
    const value = read(json)
    if (value !== undefined) held.set(json, value)
    return value
  }
}

export const readPod = once(objects.readPod)
export const readServiceAccount = once(objects.readServiceAccount)
