/** Attribute mappings and conditions of providers, evaluated in CEL with Google's extensions over a token's claims, term by term. */
import {
  CelScalar,
  celEnv,
  celMethod,
  isCelError,
  isCelList,
  isCelMap,
  isCelUint,
  listType,
  parse,
  plan,
  unparse,
} from '@bufbuild/cel'
import { isObject, type Json, type JsonObject } from '../core/json.ts'

type Expr = ReturnType<typeof parse>['expr']

export type Outcome =
  | { readonly state: 'value'; readonly type: string; readonly value: Json }
  /** A claim that the token lacks, as CEL writes it. */
  | { readonly state: 'missing'; readonly claim: string }
  /** What is no CEL: where (from 1) and why. */
  | { readonly state: 'unparsable'; readonly line: number; readonly column: number; readonly why: string }
  /** What this evaluator does not know, or Google refuses. */
  | { readonly state: 'unknown'; readonly why: string }

/** One part of a condition joined by && or ||, with what it gave and the claims that it read. */
export type Term = {
  readonly text: string
  readonly outcome: Outcome
  readonly reads: readonly { readonly path: string; readonly value: Json | null }[]
}

/** Google's own: https://cloud.google.com/iam/docs/conditions-attribute-reference#extract */
export function extract(text: string, template: string): string {
  const [, before = '', after = ''] = /^(.*?)\{[\w-]+\}(.*)$/s.exec(template) ?? []
  if (!/\{[\w-]+\}/.test(template)) return ''
  const start = text.indexOf(before)
  if (start < 0) return ''
  const from = start + before.length
  if (after === '') return text.slice(from)
  const end = text.indexOf(after, from)
  return end < 0 ? '' : text.slice(from, end)
}

const texts = listType(CelScalar.STRING)
const environment = celEnv({
  funcs: [
    celMethod('extract', CelScalar.STRING, [CelScalar.STRING], CelScalar.STRING, function (template) {
      return extract(this, template)
    }),
    celMethod('split', CelScalar.STRING, [CelScalar.STRING], texts, function (separator) {
      return this.split(separator)
    }),
    celMethod('join', texts, [CelScalar.STRING], CelScalar.STRING, function (separator) {
      return [...this].join(separator)
    }),
  ],
})

const typeOf = (value: unknown): string => {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint' || typeof value === 'number' || isCelUint(value)) return 'number'
  if (value === null) return 'null'
  if (isCelList(value)) return [...value].every((one) => typeof one === 'string') ? 'list of strings' : 'list'
  return isCelMap(value) ? 'map' : 'object'
}
const plainOf = (value: unknown): Json => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (isCelList(value)) return [...value].map(plainOf)
  return typeOf(value)
}

/** Google refuses to make a time of a number. */
const refused = /timestamp\s*\(\s*(?:int|uint|double)\s*\(/
const mostCharacters = 8192

function parsed(text: string): { readonly expr: Expr } | Extract<Outcome, { state: 'unparsable' }> {
  try {
    return { expr: parse(text).expr }
  } catch (error) {
    const location = typeof error === 'object' && error !== null && 'location' in error ? error.location : undefined
    const start = typeof location === 'object' && location !== null && 'start' in location ? location.start : undefined
    const place = (name: 'line' | 'column'): number => {
      if (typeof start !== 'object' || start === null || !(name in start)) return 1
      const found = Reflect.get(start, name)
      return typeof found === 'number' ? found : 1
    }
    const why = (error instanceof Error ? error.message : 'it is no CEL').replace(/^<input>:\d+:\d+:\s*/, '')
    return { state: 'unparsable', line: place('line'), column: place('column'), why: why.slice(0, 160) }
  }
}

/** Paths of claims that an expression reads, longest first: `assertion['kubernetes.io']['namespace']`. */
function readsOf(expr: Expr): readonly string[] {
  const found = new Set<string>()
  const walk = (one: Expr | undefined): void => {
    if (one === undefined) return
    const path = pathOf(one)
    if (path !== undefined && path.steps.length > 0) {
      found.add(unparse(one))
      return
    }
    const { exprKind: kind } = one
    if (kind.case === 'selectExpr') walk(kind.value.operand)
    if (kind.case === 'callExpr') {
      walk(kind.value.target)
      for (const argument of kind.value.args) walk(argument)
    }
    if (kind.case === 'listExpr') for (const element of kind.value.elements) walk(element)
    if (kind.case === 'structExpr') for (const entry of kind.value.entries) walk(entry.value)
    if (kind.case === 'comprehensionExpr') walk(kind.value.iterRange)
  }
  walk(expr)
  return [...found]
}

type Path = { readonly root: string; readonly steps: readonly string[]; readonly tested: boolean }
function pathOf(one: Expr | undefined): Path | undefined {
  const kind = one?.exprKind
  if (kind?.case === 'identExpr') return { root: kind.value.name, steps: [], tested: false }
  if (kind?.case === 'selectExpr') {
    const before = pathOf(kind.value.operand)
    return before && { root: before.root, steps: [...before.steps, kind.value.field], tested: kind.value.testOnly }
  }
  if (kind?.case === 'callExpr' && kind.value.function === '_[_]') {
    const [target, index] = kind.value.args
    const before = pathOf(target)
    const key = index?.exprKind
    const step =
      key?.case === 'constExpr' && key.value.constantKind.case === 'stringValue'
        ? key.value.constantKind.value
        : undefined
    return before && step !== undefined
      ? { root: before.root, steps: [...before.steps, step], tested: false }
      : undefined
  }
  return undefined
}

/** The value at a path of claims; undefined where a step is missing. */
function valueAt(context: JsonObject, path: Path): Json | undefined {
  let here: Json | undefined = context[path.root]
  for (const step of path.steps) here = isObject(here) && Object.hasOwn(here, step) ? here[step] : undefined
  return here
}

/** The first claim that is read plainly, without has(), and is not there. */
function missingIn(expr: Expr, context: JsonObject): string | undefined {
  const walk = (one: Expr | undefined): string | undefined => {
    if (one === undefined) return undefined
    const path = pathOf(one)
    if (path !== undefined && path.steps.length > 0)
      return !path.tested && valueAt(context, path) === undefined ? unparse(one).replaceAll('"', "'") : undefined
    const { exprKind: kind } = one
    if (kind.case === 'selectExpr') return walk(kind.value.operand)
    if (kind.case === 'callExpr') {
      for (const argument of [kind.value.target, ...kind.value.args]) {
        const found = walk(argument)
        if (found !== undefined) return found
      }
    }
    if (kind.case === 'listExpr')
      for (const element of kind.value.elements) {
        const found = walk(element)
        if (found !== undefined) return found
      }
    if (kind.case === 'structExpr')
      for (const entry of kind.value.entries) {
        const found = walk(entry.value)
        if (found !== undefined) return found
      }
    return undefined
  }
  return walk(expr)
}

function run(expr: Expr, context: JsonObject): Outcome {
  try {
    const result = plan(environment, expr)(context)
    if (!isCelError(result)) return { state: 'value', type: typeOf(result), value: plainOf(result) }
    const claim = /not found|no such|missing/i.test(result.message) ? missingIn(expr, context) : undefined
    return claim === undefined ? { state: 'unknown', why: result.message.slice(0, 160) } : { state: 'missing', claim }
  } catch (error) {
    return { state: 'unknown', why: error instanceof Error ? error.message.slice(0, 160) : 'it could not be evaluated' }
  }
}

/** One expression over `assertion`, and for conditions `google` and `attribute`. Never throws. */
export function evaluate(text: string, context: JsonObject): Outcome {
  if (text.length > mostCharacters) return { state: 'unknown', why: `it has ${text.length} characters` }
  if (refused.test(text)) return { state: 'unknown', why: 'Google makes no time of a number' }
  const one = parsed(text)
  return 'state' in one ? one : run(one.expr, context)
}

/** The parts of a condition that && and || join, each evaluated by itself. */
export function explain(text: string, context: JsonObject): readonly Term[] {
  if (text.length > mostCharacters) return []
  const one = parsed(text)
  if ('state' in one) return []
  const terms: Term[] = []
  const walk = (expr: Expr | undefined): void => {
    if (expr === undefined || terms.length >= 50) return
    const { exprKind: kind } = expr
    if (kind.case === 'callExpr' && (kind.value.function === '_&&_' || kind.value.function === '_||_')) {
      for (const argument of kind.value.args) walk(argument)
      return
    }
    const reads = readsOf(expr).map((path) => {
      const inner = parsed(path)
      const steps = 'state' in inner ? undefined : pathOf(inner.expr)
      return { path: path.replaceAll('"', "'"), value: steps === undefined ? null : (valueAt(context, steps) ?? null) }
    })
    terms.push({ text: unparse(expr).replaceAll('"', "'"), outcome: run(expr, context), reads })
  }
  walk(one.expr)
  return terms
}

export type Evaluated = {
  /** What a mapped key gives: `google.subject` → its outcome. */
  readonly mapped: { readonly [key: string]: Outcome }
  readonly condition?: Outcome
  readonly terms: readonly Term[]
}

/** A provider's mapping over a token's claims, then its condition over both. */
export function evaluateProvider(
  mapping: { readonly [key: string]: string },
  condition: string | undefined,
  claims: JsonObject,
): Evaluated {
  const mapped: { [key: string]: Outcome } = {}
  const google: { [name: string]: Json } = {}
  const attribute: { [name: string]: Json } = {}
  for (const [key, expression] of Object.entries(mapping)) {
    const outcome = evaluate(expression, { assertion: claims })
    mapped[key] = outcome
    if (outcome.state !== 'value') continue
    if (key.startsWith('google.')) google[key.slice('google.'.length)] = outcome.value
    if (key.startsWith('attribute.')) attribute[key.slice('attribute.'.length)] = outcome.value
  }
  if (condition === undefined) return { mapped, terms: [] }
  const context = { assertion: claims, google, attribute }
  return { mapped, condition: evaluate(condition, context), terms: explain(condition, context) }
}
