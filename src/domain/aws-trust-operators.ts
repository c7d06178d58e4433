/** Condition operators: their names, and what each says of a key that is absent, present or not seen. */

import {
  codePoints,
  covers,
  coversArn,
  coversEverything,
  type Resolution,
  readWanted,
  type Wanted,
} from './aws-trust-patterns.ts'
import type { Possibility } from './aws-trust-request.ts'
import { every, not, some } from './aws-trust-truth.ts'
import type { Truth } from './aws-trust-types.ts'
import { compareDecimals, decimal, inRange, instant, sameBytes } from './aws-trust-values.ts'

type Compare = (order: number) => boolean

type Test =
  | { readonly family: 'string'; readonly negated?: true; readonly wildcards?: true; readonly ignoreCase?: true }
  | { readonly family: 'arn'; readonly negated?: true }
  | { readonly family: 'numeric' | 'date'; readonly negated?: true; readonly compare: Compare }
  | { readonly family: 'bool' | 'binary' | 'ip'; readonly negated?: true }
  | { readonly family: 'null'; readonly negated?: true }

const equal: Compare = (order) => order === 0
const less: Compare = (order) => order < 0
const notMore: Compare = (order) => order <= 0
const more: Compare = (order) => order > 0
const notLess: Compare = (order) => order >= 0

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['StringEquals', { family: 'string' }],
  ['StringNotEquals', { family: 'string', negated: true }],
  ['StringEqualsIgnoreCase', { family: 'string', ignoreCase: true }],
  ['StringNotEqualsIgnoreCase', { family: 'string', ignoreCase: true, negated: true }],
  ['StringLike', { family: 'string', wildcards: true }],
  ['StringNotLike', { family: 'string', wildcards: true, negated: true }],
  ['ArnEquals', { family: 'arn' }],
  ['ArnLike', { family: 'arn' }],
  ['ArnNotEquals', { family: 'arn', negated: true }],
  ['ArnNotLike', { family: 'arn', negated: true }],
  ...(['Numeric', 'Date'] as const).flatMap((name): [string, Test][] => {
    const family = name === 'Date' ? 'date' : 'numeric'
    return [
      [`${name}Equals`, { family, compare: equal }],
      [`${name}NotEquals`, { family, compare: equal, negated: true }],
      [`${name}LessThan`, { family, compare: less }],
      [`${name}LessThanEquals`, { family, compare: notMore }],
      [`${name}GreaterThan`, { family, compare: more }],
      [`${name}GreaterThanEquals`, { family, compare: notLess }],
    ]
  }),
  ['Bool', { family: 'bool' }],
  ['BinaryEquals', { family: 'binary' }],
  ['IpAddress', { family: 'ip' }],
  ['NotIpAddress', { family: 'ip', negated: true }],
  ['Null', { family: 'null' }],
])

export type Operator = {
  readonly written: string
  readonly base: string
  readonly set?: 'ForAllValues' | 'ForAnyValue'
  readonly ifExists: boolean
  readonly negated: boolean
  /** Undefined if there is no such operator. */
  readonly test: Test | undefined
}

/** An operator's name taken apart: `ForAnyValue:StringLikeIfExists` is a set, a base and a suffix. */
export function parseOperator(written: string): Operator {
  const set = written.startsWith('ForAllValues:')
    ? 'ForAllValues'
    : written.startsWith('ForAnyValue:')
      ? 'ForAnyValue'
      : undefined
  const rest = set === undefined ? written : written.slice(set.length + 1)
  const ifExists = rest.endsWith('IfExists')
  const base = ifExists ? rest.slice(0, -'IfExists'.length) : rest
  const found = TESTS.get(base)
  const test = found?.family === 'null' && ifExists ? undefined : found
  return { written, base, ifExists, negated: test?.negated === true, test, ...(set === undefined ? {} : { set }) }
}

/** A wanted value as this operator reads it; only String and Arn operators know policy variables. */
export function wantedBy(operator: Operator, text: string, resolve?: (name: string) => Resolution): Wanted {
  const { test } = operator
  return readWanted(text, {
    wildcards: test?.family === 'arn' || (test?.family === 'string' && test.wildcards === true),
    ignoreCase: test?.family === 'string' && test.ignoreCase === true,
    ...(resolve !== undefined && (test?.family === 'string' || test?.family === 'arn') ? { resolve } : {}),
  })
}

/** Whether a wanted value matches a presented one, leaving aside negation. */
export function matchesOne(operator: Operator, wanted: Wanted, value: string): Truth {
  const { test } = operator
  if (test === undefined || test.family === 'null') return false
  // What a variable without value means under negation is not documented.
  if (wanted.state === 'unresolved') return operator.negated ? 'depends' : false
  const text = wanted.written
  switch (test.family) {
    case 'string': {
      const covered = covers(wanted.pattern, codePoints(test.ignoreCase ? value.toLowerCase() : value))
      // A variable that was not seen may also be absent, and that under negation is not documented either.
      return wanted.state === 'unknown' && (covered || operator.negated) ? 'depends' : covered
    }
    case 'arn':
      return wanted.state === 'unknown' ? 'depends' : coversArn(wanted.pattern, codePoints(value))
    case 'numeric': {
      const [left, right] = [decimal(value), decimal(text)]
      return left !== undefined && right !== undefined && test.compare(compareDecimals(left, right))
    }
    case 'date': {
      const [left, right] = [instant(value), instant(text)]
      return left !== undefined && right !== undefined && test.compare(left < right ? -1 : left > right ? 1 : 0)
    }
    case 'bool':
      return /^(?:true|false)$/i.test(text) && text.toLowerCase() === value.toLowerCase()
    case 'binary':
      return sameBytes(text, value)
    case 'ip':
      return inRange(value, text)
  }
}

/** What the condition says if the key is in the request in this way. */
export function judgeWay(operator: Operator, wanted: readonly Wanted[], way: Possibility): Truth {
  if (operator.test === undefined) return false
  if (operator.test.family === 'null') {
    return some(wanted.map(({ written }) => written.toLowerCase() === String(way.state === 'absent')))
  }
  if (way.state === 'absent') {
    if (operator.ifExists) return true
    return operator.set === undefined ? operator.negated : operator.set === 'ForAllValues'
  }
  if (operator.set === undefined && way.many) {
    // A plain operator never matches a list of values; what negating that means is not documented.
    return operator.negated ? 'depends' : false
  }
  if (way.state === 'any') return judgeAny(operator, wanted)
  const each = way.values.map((value) => judgeValue(operator, wanted, value))
  return operator.set === 'ForAnyValue' ? some(each) : every(each)
}

// Of a value that was not seen only this much is certain: "*" matches it.
function judgeAny(operator: Operator, wanted: readonly Wanted[]): Truth {
  const all = wanted.some(({ pattern, state }) => state === 'resolved' && coversEverything(pattern))
  return operator.test?.family === 'string' && operator.test.wildcards && all && operator.set === undefined
    ? !operator.negated
    : 'depends'
}

function judgeValue(operator: Operator, wanted: readonly Wanted[], value: string): Truth {
  const each = wanted.map((one) => matchesOne(operator, one, value))
  if (!operator.negated) return some(each)
  const none = not(some(each))
  if (operator.set === undefined) return none
  // Under a set operator it is not documented whether "not" means none of several wanted values, or not all of them.
  return none === not(every(each)) ? none : 'depends'
}
