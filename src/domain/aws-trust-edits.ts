/** Changes to a policy, each as small as it can be; none adds a wildcard or takes a value away from what is trusted. */

import { hostPathOf, providerArn } from './aws-trust-provider.ts'
import { asList, isObject, type JsonObject, member, step, withMembers } from './aws-trust-shapes.ts'
import type { Edit } from './aws-trust-types.ts'

/** A statement in its place. */
export type Place = { readonly index: number; readonly path: string; readonly statement: JsonObject }

/** The value joins those that are listed already. */
export function addValue(place: Place, path: string, from: unknown, value: string): Edit {
  return { statement: place.index, path, from, to: [...asList(from), value] }
}

export function replaceValue(place: Place, path: string, from: unknown, to: unknown): Edit {
  return { statement: place.index, path, from, to }
}

/** Another key under the same operator; values that are listed there already stay. */
export function renameKey(place: Place, operator: string, from: string, to: string): Edit | undefined {
  const block = blockOf(place, operator)
  if (block === undefined || from === to) return undefined
  const path = step(step(place.path, 'Condition'), operator)
  return { statement: place.index, path, from: block, to: renamed(block, new Map([[from, to]])) }
}

/** What stands under two keys of one operator changes places. */
export function exchangeKeys(place: Place, operator: string, one: string, other: string): Edit | undefined {
  const block = blockOf(place, operator)
  if (block === undefined) return undefined
  const path = step(step(place.path, 'Condition'), operator)
  const swap = new Map([
    [one, member(block, other)],
    [other, member(block, one)],
  ])
  return { statement: place.index, path, from: block, to: withMembers(block, swap) }
}

/** One entry moves under another operator, all others stay where they are. */
export function moveToOperator(place: Place, from: string, to: string, key: string): Edit | undefined {
  const condition = member(place.statement, 'Condition')
  const block = blockOf(place, from)
  if (!isObject(condition) || block === undefined || from === to) return undefined
  const target = member(condition, to)
  const present = isObject(target) ? target : {}
  const there = Object.keys(present).find((name) => name.toLowerCase() === key.toLowerCase())
  const moved = there === undefined ? member(block, key) : joined(member(present, there), member(block, key))
  const left = withMembers(block, new Map([[key, undefined]]))
  const changes = new Map([
    [from, Object.keys(left).length === 0 ? undefined : left],
    [to, withMembers(present, new Map([[there ?? key, moved]]))],
  ])
  return {
    statement: place.index,
    path: step(place.path, 'Condition'),
    from: condition,
    to: withMembers(condition, changes),
  }
}

/** One provider in place of another, and with it the prefix of the condition keys that belong to the other. */
export function replaceProvider(
  place: Place,
  path: string,
  from: string,
  to: string,
  issuers: ReadonlyMap<string, string>,
): Edit {
  const condition = member(place.statement, 'Condition')
  const blocks = isObject(condition) ? Object.entries(condition) : []
  const rewritten = blocks.map(([name, block]): [string, unknown] => {
    if (!isObject(block)) return [name, block]
    const names = Object.keys(block).flatMap((key): [string, string][] => {
      const colon = key.lastIndexOf(':')
      const other = issuers.get(key.slice(0, Math.max(colon, 0)).toLowerCase())
      return other === undefined ? [] : [[key, other + key.slice(colon)]]
    })
    return [name, names.length === 0 ? block : renamed(block, new Map(names))]
  })
  if (rewritten.every(([, block], index) => block === blocks[index]?.[1])) return replaceValue(place, path, from, to)
  const principal = member(place.statement, 'Principal')
  const federated = isObject(principal) ? member(principal, 'Federated') : undefined
  const others = Array.isArray(federated) ? federated.map((value: unknown) => (value === from ? to : value)) : to
  const changes = new Map<string, unknown>([
    ['Principal', isObject(principal) ? withMembers(principal, new Map([['Federated', others]])) : principal],
    ['Condition', Object.fromEntries(rewritten)],
  ])
  return { statement: place.index, path: place.path, from: place.statement, to: withMembers(place.statement, changes) }
}

function blockOf(place: Place, operator: string): JsonObject | undefined {
  const condition = member(place.statement, 'Condition')
  const block = isObject(condition) ? member(condition, operator) : undefined
  return isObject(block) ? block : undefined
}

function renamed(block: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  const result = new Map<string, unknown>()
  for (const [key, value] of Object.entries(block)) {
    const name = names.get(key) ?? key
    result.set(name, result.has(name) ? joined(result.get(name), value) : value)
  }
  return Object.fromEntries(result)
}

function joined(a: unknown, b: unknown): unknown {
  return [...new Set([...asList(a), ...asList(b)])]
}

/** `Statement[0].Condition.StringEquals["HOST:sub"]` as its steps; undefined for a text that is no such path. */
export function stepsOf(path: string): readonly (string | number)[] | undefined {
  const steps: (string | number)[] = []
  let rest = path
  while (rest !== '') {
    const found = /^\.?([A-Za-z_][A-Za-z0-9_]*)|^\[(\d{1,4})\]|^\[("(?:[^"\\]|\\.)*")\]/.exec(rest)
    if (found === null) return undefined
    const [whole, name, index, quoted] = found
    const text: unknown = quoted === undefined ? name : JSON.parse(quoted)
    steps.push(index === undefined ? String(text) : Number(index))
    rest = rest.slice(whole.length)
  }
  return steps
}

export const webIdentity = 'sts:AssumeRoleWithWebIdentity'

export type Admitted = {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  /** Where the issuer is registered: the account of the role. */
  readonly accountId: string
  readonly partition: string
}

/** A statement that admits exactly this subject with exactly this audience, of this one provider. `more`: actions beside the exchange. */
export function admitting({ issuer, subject, audience, accountId, partition }: Admitted, ...more: readonly string[]) {
  const hostPath = hostPathOf(issuer)
  return {
    Effect: 'Allow',
    Principal: { Federated: providerArn({ partition, accountId, hostPath }) },
    Action: more.length === 0 ? webIdentity : [webIdentity, ...more],
    Condition: { StringEquals: { [`${hostPath}:sub`]: subject, [`${hostPath}:aud`]: audience } },
  }
}

/** The policy with one more statement after its own; undefined where it holds no statements to stand beside. */
export function withStatement(policy: unknown, statement: JsonObject): JsonObject | undefined {
  if (!isObject(policy)) return undefined
  const held = member(policy, 'Statement')
  if (!Array.isArray(held) && !isObject(held)) return undefined
  return withMembers(policy, new Map([['Statement', [...asList(held), statement]]]))
}
