/** Plain data and the few ways to walk it without trusting its shape. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

/** What an object has from its prototype are functions, which JSON has none of, and the prototype itself. */
const member = (object: JsonObject, name: string): Json | undefined => {
  const found = object[name]
  return typeof found === 'function' || name === '__proto__' ? ownMember(object, name) : found
}
const ownMember = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined

function walk(value: Json | undefined, path: readonly (string | number)[]): Json | undefined {
  let here: Json | undefined = value
  for (let index = 0; index < path.length && here !== undefined; index += 1) {
    const step = path[index]
    if (typeof step === 'string') here = isObject(here) ? member(here, step) : undefined
    else here = step !== undefined && isList(here) ? here[step] : undefined
  }
  return here
}

/** The member of that name; undefined where there is none. For what is looked at in each of thousands of objects: no path is made. */
export const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  isObject(value) ? member(value, name) : undefined

/** The same, where it is a text. */
export function textOf(value: Json | undefined, name: string): string | undefined {
  const found = memberOf(value, name)
  return typeof found === 'string' ? found : undefined
}

const nothing: readonly Json[] = []
/** The same, where it is a list; empty where it is not. */
export function listOf(value: Json | undefined, name: string): readonly Json[] {
  const found = memberOf(value, name)
  return isList(found) ? found : nothing
}

/** The value at a path of keys and indexes; undefined where any step is missing. */
export const at = (value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined =>
  walk(value, path)

/** The text at a path; undefined where there is none or it is not a string. */
export function textAt(value: Json | undefined, ...path: readonly (string | number)[]): string | undefined {
  const found = walk(value, path)
  return typeof found === 'string' ? found : undefined
}

/** The list at a path; empty where there is none. */
export function listAt(value: Json | undefined, ...path: readonly (string | number)[]): readonly Json[] {
  const found = walk(value, path)
  return isList(found) ? found : []
}

/** The texts of a list at a path; a lone text counts as a list of one, other members are left out. */
export function textsAt(value: Json | undefined, ...path: readonly (string | number)[]): readonly string[] {
  const found = walk(value, path)
  if (typeof found === 'string') return [found]
  return isList(found) ? found.filter((one) => typeof one === 'string') : []
}

function areInOrder(keys: readonly string[]): boolean {
  for (let index = 1; index < keys.length; index += 1) if ((keys[index] ?? '') < (keys[index - 1] ?? '')) return false
  return true
}

/** The same JSON whatever order the keys came in: for cache keys and for byte-equal output. */
export function canonical(value: Json): string {
  if (isList(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const keys = Object.keys(value)
  // Most were written in order: sorting makes lists of its own.
  if (!areInOrder(keys)) keys.sort()
  let members = ''
  for (const key of keys) {
    if (members !== '') members += ','
    members += `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`
  }
  return `{${members}}`
}
