/** Wanted values of a condition: policy variables put in, wildcards matched without regular expressions. */

/** Code points; negative ones are wildcards. */
export type Pattern = readonly number[]

const ONE = -1
const RUN = -2

export function codePoints(text: string): Pattern {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0)
}

function wildcards(text: string): Pattern {
  return Array.from(text, (character) =>
    character === '*' ? RUN : character === '?' ? ONE : (character.codePointAt(0) ?? 0),
  )
}

/** Whether the pattern covers the whole value. Time is bounded by the product of the lengths, memory by their sum. */
export function covers(pattern: Pattern, value: Pattern): boolean {
  let fixed = 0
  for (const token of pattern) if (token !== RUN) fixed++
  if (fixed > value.length) return false
  let at = 0
  let seen = 0
  let run = -1
  let retry = 0
  while (seen < value.length) {
    const token = pattern[at]
    if (token === RUN) {
      run = at++
      retry = seen
    } else if (token !== undefined && (token === ONE || token === value[seen])) {
      at++
      seen++
    } else if (run >= 0) {
      at = run + 1
      seen = ++retry
    } else return false
  }
  while (pattern[at] === RUN) at++
  return at === pattern.length
}

/** StringLike: `*` any run, also empty, across `:` and `/`; `?` one character; all else literal. */
export function like(pattern: string, value: string): boolean {
  return covers(wildcards(pattern), codePoints(value))
}

export function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?')
}

export function coversEverything(pattern: Pattern): boolean {
  return pattern.length > 0 && pattern.every((token) => token === RUN)
}

/**
 * ArnLike: pattern and value are split at their first five colons, and each of the six parts is matched by itself.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function coversArn(pattern: Pattern, value: Pattern): boolean {
  const wanted = sixParts(pattern)
  const given = sixParts(value)
  if (wanted === undefined || given === undefined || String.fromCodePoint(...(given[0] ?? []).slice(0, 4)) !== 'arn')
    return false
  return wanted.every((part, index) => covers(part, given[index] ?? []))
}

function sixParts(tokens: Pattern): readonly Pattern[] | undefined {
  const parts: Pattern[] = []
  let from = 0
  while (parts.length < 5) {
    const colon = tokens.indexOf(58, from)
    if (colon < 0) return undefined
    parts.push(tokens.slice(from, colon))
    from = colon + 1
  }
  return [...parts, tokens.slice(from)]
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'character'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback?: string }

/**
 * A value taken apart at `${key}`, `${key, 'default'}`, `${*}`, `${?}` and `${$}`; an unclosed `${` is text.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
function partsOf(text: string): readonly Part[] {
  const parts: Part[] = []
  let from = 0
  for (;;) {
    const open = text.indexOf('${', from)
    const close = open < 0 ? -1 : text.indexOf('}', open)
    if (close < 0) return [...parts, { kind: 'text', text: text.slice(from) }]
    parts.push({ kind: 'text', text: text.slice(from, open) }, variable(text.slice(open + 2, close)))
    from = close + 1
  }
}

function variable(inside: string): Part {
  if (inside === '*' || inside === '?' || inside === '$') return { kind: 'character', text: inside }
  const comma = inside.indexOf(',')
  if (comma < 0) return { kind: 'variable', name: inside.trim() }
  const fallback = inside.slice(comma + 1).trim()
  const quoted = fallback.length > 1 && fallback.startsWith("'") && fallback.endsWith("'")
  return { kind: 'variable', name: inside.slice(0, comma).trim(), fallback: quoted ? fallback.slice(1, -1) : fallback }
}

export type Resolution =
  | { readonly state: 'text'; readonly text: string }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown'; readonly needs: readonly string[] }

export type Wanted = {
  readonly written: string
  /** With variables put in, as far as they have a value. */
  readonly shown: string
  readonly pattern: Pattern
  /** `unresolved`: a variable has no value, so this text matches nothing; `unknown`: it was not seen, and stands as `*`. */
  readonly state: 'resolved' | 'unresolved' | 'unknown'
  /** The first variable without a value, as written. */
  readonly unresolved?: string
  readonly needs: readonly string[]
}

export type Reading = {
  readonly wildcards: boolean
  readonly ignoreCase: boolean
  /** How variables are looked up; left out, `${…}` is literal text. */
  readonly resolve?: (name: string) => Resolution
}

/** A value as an operator reads it. */
export function readWanted(written: string, reading: Reading): Wanted {
  const { resolve } = reading
  const fold = (text: string): string => (reading.ignoreCase ? text.toLowerCase() : text)
  const parts: readonly Part[] = resolve === undefined ? [{ kind: 'text', text: written }] : partsOf(written)
  const pattern: number[] = []
  const needs: string[] = []
  let shown = ''
  let unresolved: string | undefined
  const push = (tokens: Pattern): void => {
    for (const token of tokens) pattern.push(token)
  }
  for (const part of parts) {
    if (part.kind !== 'variable') {
      shown += part.text
      push(part.kind === 'text' && reading.wildcards ? wildcards(fold(part.text)) : codePoints(fold(part.text)))
      continue
    }
    const found = resolve?.(part.name) ?? { state: 'absent' }
    const text = found.state === 'text' ? found.text : found.state === 'absent' ? part.fallback : undefined
    shown += text ?? `\${${part.name}}`
    push(text === undefined ? [RUN] : codePoints(fold(text)))
    if (found.state === 'unknown') needs.push(...found.needs)
    else if (text === undefined) unresolved ??= `\${${part.name}}`
  }
  const state = unresolved !== undefined ? 'unresolved' : needs.length > 0 ? 'unknown' : 'resolved'
  return { written, shown, pattern, state, needs, ...(unresolved === undefined ? {} : { unresolved }) }
}

export function hasVariable(text: string): boolean {
  return partsOf(text).some((part) => part.kind !== 'text')
}
