/** The part of CEL that match conditions of webhooks are mostly written in: comparisons of names and labels, joined by && and ||. */
import type { Pod, Texts } from './workloads.ts'

/** What an expression may speak of. */
export type Request = { readonly pod: Pod; readonly namespace: string }

const text = /^(?:"([^"\\]*)"|'([^'\\]*)')$/
const comparison = /^(\S[^=!<>]*?)\s*(==|!=)\s*(\S.*)$/
const membership = /^(\S+)\s+in\s+(\S.*)$/
const longest = 2000

/** Cut at an operator that stands outside brackets and quotes; undefined where brackets do not close. */
function cut(expression: string, operator: string): readonly string[] | undefined {
  const parts: string[] = []
  let depth = 0
  let quote = ''
  let from = 0
  for (let i = 0; i < expression.length; i++) {
    const c = expression.charAt(i)
    if (quote !== '') {
      if (c === quote) quote = ''
    } else if (c === '"' || c === "'") quote = c
    else if (c === '(' || c === '[') depth++
    else if (c === ')' || c === ']') depth--
    else if (depth === 0 && expression.startsWith(operator, i)) {
      parts.push(expression.slice(from, i))
      from = i + operator.length
    }
    if (depth < 0) return undefined
  }
  if (depth !== 0 || quote !== '') return undefined
  return [...parts, expression.slice(from)]
}

const literal = (word: string): string | undefined => {
  const found = text.exec(word.trim())
  return found === null ? undefined : (found[1] ?? found[2])
}

/** The map that a path names; undefined for another path. */
function mapAt(path: string, { pod }: Request): Texts | undefined {
  if (path === 'object.metadata.labels') return pod.labels
  return path === 'object.metadata.annotations' ? pod.annotations : undefined
}

function valueIn(word: string, request: Request): string | undefined {
  const plain = literal(word)
  if (plain !== undefined) return plain
  if (word === 'request.namespace' || word === 'object.metadata.namespace') return request.namespace
  if (word === 'request.operation') return 'CREATE'
  if (word === 'object.spec.serviceAccountName') return request.pod.serviceAccount
  const member = /^(object\.metadata\.(?:labels|annotations))\[(.{1,300})\]$/.exec(word)
  const key = literal(member?.[2] ?? '')
  const map = mapAt(member?.[1] ?? '', request)
  // A key that is not there is an error in CEL, and what follows of it is the failure policy's.
  return key === undefined || map === undefined || !Object.hasOwn(map, key) ? undefined : map[key]
}

function atom(expression: string, request: Request): boolean | undefined {
  if (expression === 'true' || expression === 'false') return expression === 'true'
  const has = /^has\((object\.metadata\.(?:labels|annotations))\)$/.exec(expression)
  if (has?.[1] !== undefined) return Object.keys(mapAt(has[1], request) ?? {}).length > 0
  const [, left = '', operator, right = ''] = comparison.exec(expression) ?? []
  if (operator !== undefined) {
    const a = valueIn(left.trim(), request)
    const b = valueIn(right.trim(), request)
    return a === undefined || b === undefined ? undefined : (a === b) === (operator === '==')
  }
  const [, item = '', place = ''] = membership.exec(expression) ?? []
  if (item === '') return undefined
  const map = mapAt(place, request)
  const key = literal(item)
  if (map !== undefined) return key === undefined ? undefined : Object.hasOwn(map, key)
  const among = /^\[(.{0,1000})\]$/.exec(place)?.[1]
  const value = valueIn(item, request)
  const values = among === undefined ? undefined : cut(among, ',')?.map(literal)
  return value === undefined || values === undefined || values.includes(undefined) ? undefined : values.includes(value)
}

/** Whether the condition holds when the pod is created; undefined for what cannot be evaluated here. Never throws. */
export function conditionHolds(expression: string, request: Request): boolean | undefined {
  const plain = expression.trim()
  if (plain.length > longest) return undefined
  const either = cut(plain, '||')
  if (either === undefined) return undefined
  if (either.length > 1) {
    const found = either.map((part) => conditionHolds(part, request))
    return found.includes(true) ? true : found.includes(undefined) ? undefined : false
  }
  const both = cut(plain, '&&') ?? []
  if (both.length > 1) {
    const found = both.map((part) => conditionHolds(part, request))
    return found.includes(false) ? false : found.includes(undefined) ? undefined : true
  }
  if (plain.startsWith('!(') || plain.startsWith('!has')) {
    const inner = conditionHolds(plain.slice(1), request)
    return inner === undefined ? undefined : !inner
  }
  const wrapped = plain.startsWith('(') && plain.endsWith(')') ? plain.slice(1, -1) : undefined
  return wrapped === undefined || cut(wrapped, '||') === undefined
    ? atom(plain, request)
    : conditionHolds(wrapped, request)
}
