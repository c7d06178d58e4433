/** How parts of an object are picked: by name and by reference, so that nothing that is dropped is walked. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import { each } from './kubernetes-alike.ts'

export type Draft = { [key: string]: Json }
export type Pick = (from: JsonObject, draft: Draft) => void

/** The members that are there, by reference. */
export function keep(from: JsonObject, names: readonly string[], to: Draft = {}): Draft {
  // By number: of a large cluster tens of thousands of objects go through here.
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? ''
    const value = from[name]
    if (value !== undefined) to[name] = value
  }
  return to
}

export const part = (from: Json | undefined, names: readonly string[]): JsonObject =>
  isObject(from) ? keep(from, names) : {}

export const parts = (from: Json | undefined, names: readonly string[]): readonly Json[] =>
  isList(from) ? each(from, (one) => keep(one, names)) : []

export const members =
  (...names: readonly string[]): Pick =>
  (from, draft) => {
    keep(from, names, draft)
  }

export const specOf =
  (...names: readonly string[]): Pick =>
  ({ spec }, draft) => {
    if (isObject(spec)) draft.spec = keep(spec, names)
  }
