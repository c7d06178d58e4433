/** The shapes that a policy document may take, read from any JSON value without trusting it. */

import type { Malformed } from './aws-trust-types.ts'

export type JsonObject = { readonly [name: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** The object's own member, so that names such as "constructor" mean nothing special. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** The object with some members replaced, in place; new ones come last, `undefined` removes. */
export function withMembers(object: JsonObject, changes: ReadonlyMap<string, unknown>): JsonObject {
  const entries = new Map(Object.entries(object))
  for (const [name, value] of changes) {
    if (value === undefined) entries.delete(name)
    else entries.set(name, value)
  }
  return Object.fromEntries(entries)
}

/** A scalar means a list of one. */
export function asList(value: unknown): readonly unknown[] {
  return isList(value) ? value : [value]
}

/** JSON booleans and numbers mean their text; anything else is no scalar. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : undefined
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'missing'
  return isList(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** A step down a JSON path: `.Name`, `["any other name"]` or `[0]`. */
export function step(path: string, name: string | number): string {
  if (typeof name === 'number') return `${path}[${name}]`
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

export type Entry = { readonly path: string; readonly raw: unknown }

/** The values of a member that may be a scalar or a list, each with its own path. */
export function entries(value: unknown, path: string): readonly Entry[] {
  return isList(value) ? value.map((raw, index) => ({ path: step(path, index), raw })) : [{ path, raw: value }]
}

/** The statements of a policy, or why there are none to read. */
export function statementsOf(policy: unknown): {
  readonly found: readonly Entry[]
  readonly malformed: readonly Malformed[]
} {
  if (!isObject(policy))
    return { found: [], malformed: [{ path: '', why: `the policy is ${kindOf(policy)}, not an object` }] }
  const statement = member(policy, 'Statement')
  if (isList(statement) || isObject(statement)) return { found: entries(statement, 'Statement'), malformed: [] }
  return {
    found: [],
    malformed: [{ path: 'Statement', why: `Statement is ${kindOf(statement)}, not an object or a list` }],
  }
}

/** Absent means 2008-10-17: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html */
export function versionOf(policy: unknown): string {
  const version = isObject(policy) ? member(policy, 'Version') : undefined
  return scalarText(version) ?? '2008-10-17'
}
