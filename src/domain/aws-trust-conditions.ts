/** The Condition block of a statement, judged entry by entry against the keys of a call. */

import { judgeWay, type Operator, parseOperator, wantedBy } from './aws-trust-operators.ts'
import type { Resolution, Wanted } from './aws-trust-patterns.ts'
import { type Looked, lookUp, type Request } from './aws-trust-request.ts'
import { asList, isObject, type JsonObject, kindOf, member, scalarText, step } from './aws-trust-shapes.ts'
import { agreed } from './aws-trust-truth.ts'
import type { ConditionExplanation, Malformed, Miss, Presented, Truth } from './aws-trust-types.ts'

/** One key under one operator, judged. */
export type JudgedCondition = {
  readonly operator: Operator
  readonly key: string
  readonly path: string
  readonly raw: unknown
  readonly wanted: readonly Wanted[]
  readonly looked: Looked
  readonly truth: Truth
  readonly needs: readonly string[]
}

export type JudgedConditions = {
  readonly conditions: readonly JudgedCondition[]
  readonly malformed: readonly Malformed[]
}

/** What is the same for all conditions of a statement. */
export type Surroundings = {
  readonly request: Request
  /** The issuers of the statement's own principal. */
  readonly own: readonly string[]
  /** Policy variables are known since this one: 2012-10-17. */
  readonly version: string
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html */
export function judgeConditions(statement: JsonObject, path: string, around: Surroundings): JudgedConditions {
  const condition = member(statement, 'Condition')
  const at = step(path, 'Condition')
  const conditions: JudgedCondition[] = []
  const malformed: Malformed[] = []
  if (condition === undefined) return { conditions, malformed }
  const refuse = (refused: string, raw: unknown, operator: string): void => {
    malformed.push({ path: refused, why: `${kindOf(raw)}, not an object` })
    conditions.push(unreadable(operator, '', refused, raw))
  }
  if (!isObject(condition)) refuse(at, condition, '')
  else
    for (const [name, block] of Object.entries(condition)) {
      const inside = step(at, name)
      if (!isObject(block)) refuse(inside, block, name)
      else
        for (const [key, raw] of Object.entries(block)) {
          const judged = judgeOne(parseOperator(name), key, raw, step(inside, key), around)
          conditions.push(judged.condition)
          for (const one of judged.malformed) malformed.push(one)
        }
    }
  return { conditions, malformed }
}

function unreadable(operator: string, key: string, path: string, raw: unknown): JudgedCondition {
  const looked: Looked = {
    ways: [{ state: 'any', many: false }],
    why: 'the condition cannot be read',
    needs: [],
    origin: 'call',
  }
  return { operator: parseOperator(operator), key, path, raw, wanted: [], looked, truth: 'depends', needs: [path] }
}

function judgeOne(
  operator: Operator,
  key: string,
  raw: unknown,
  path: string,
  around: Surroundings,
): { readonly condition: JudgedCondition; readonly malformed: readonly Malformed[] } {
  const texts = asList(raw).map(scalarText)
  const malformed = texts.flatMap((text, index) =>
    text === undefined ? [{ path, why: `${kindOf(asList(raw)[index])} is no value` }] : [],
  )
  if (operator.test?.family === 'null' && texts.some((text) => text !== undefined && !/^(?:true|false)$/i.test(text))) {
    malformed.push({ path, why: 'Null wants "true" or "false"' })
  }
  const resolve = around.version === '2012-10-17' ? resolver(around) : undefined
  const wanted = texts.flatMap((text) => (text === undefined ? [] : [wantedBy(operator, text, resolve)]))
  const looked = lookUp(around.request, key, around.own)
  const base = { operator, key, path, raw, wanted, looked }
  // What an empty list means is not documented.
  if (operator.test !== undefined && (malformed.length > 0 || texts.length === 0)) {
    return { condition: { ...base, truth: 'depends', needs: [path] }, malformed }
  }
  const truths = looked.ways.map((way) => judgeWay(operator, wanted, way))
  const truth = agreed(truths)
  const open = [...looked.needs, ...wanted.flatMap(({ needs }) => needs)]
  return { condition: { ...base, truth, needs: truth !== 'depends' ? [] : open.length > 0 ? open : [path] }, malformed }
}

/** Looks policy variables up in the request; only keys with one value have a text. */
export function resolver({ request, own }: Surroundings): (name: string) => Resolution {
  return (name) => {
    const { ways, needs } = lookUp(request, name, own)
    const [way] = ways
    if (way === undefined || ways.length > 1 || way.state === 'any')
      return { state: 'unknown', needs: needs.length > 0 ? needs : [name] }
    const value = way.state === 'values' && !way.many ? way.values[0] : undefined
    return value === undefined ? { state: 'absent' } : { state: 'text', text: value }
  }
}

/** The values that the key has if it is in the request at all; none if some were not seen. */
export function presentedValues({ ways }: Looked): readonly string[] {
  if (ways.some((way) => way.state === 'any')) return []
  return ways.flatMap((way) => (way.state === 'values' ? way.values : []))
}

export function isAbsent(looked: Looked): boolean {
  return looked.ways.every((way) => way.state === 'absent')
}

/** The explanation of a judged condition. */
export function explainCondition(judged: JudgedCondition, miss: Miss | undefined): ConditionExplanation {
  const { operator, key, looked, truth } = judged
  const [way] = looked.ways
  const presented: Presented = isAbsent(looked)
    ? { state: 'absent', why: looked.why }
    : looked.ways.length === 1 && way?.state === 'values'
      ? { state: 'present', values: way.values }
      : { state: 'unknown', why: looked.why }
  return {
    operator: operator.written,
    base: operator.base,
    ...(operator.set === undefined ? {} : { set: operator.set }),
    ifExists: operator.ifExists,
    negated: operator.negated,
    key,
    presented,
    wanted: judged.wanted.map(({ shown }) => shown),
    matched: truth,
    why: because(judged, presented, miss),
    ...(miss === undefined ? {} : { miss }),
  }
}

const IN_WORDS: ReadonlyMap<string, string> = new Map([
  ['case-differs', 'differs in case'],
  ['white-space', 'differs in white space'],
  ['wildcard-under-string-equals', 'wildcards are ordinary characters under this operator'],
  ['list-without-set-operator', 'a list of values never matches without a set operator'],
  ['variable-taken-literally', 'in this Version a policy variable is literal text'],
  ['variable-unresolved', 'a policy variable without value matches nothing'],
])

function because({ operator, truth, looked }: JudgedCondition, presented: Presented, miss: Miss | undefined): string {
  if (operator.test === undefined) return `${operator.written} is no condition operator`
  if (truth === 'depends') return presented.state === 'present' ? 'what this means is not documented' : looked.why
  if (presented.state === 'absent' && operator.test.family !== 'null') {
    return `key absent (${looked.why}), and ${operator.written} on an absent key is ${truth}`
  }
  const told = miss === undefined ? undefined : IN_WORDS.get(miss.kind)
  if (told !== undefined) return told
  if (operator.test.family === 'null') return `the key is ${presented.state}`
  return truth === operator.negated ? 'no wanted value matches' : 'a wanted value matches'
}
