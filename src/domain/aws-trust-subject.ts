/** How a trusted subject misses the subject of a token. */

import { hasWildcard, like } from './aws-trust-patterns.ts'
import type { MissData } from './aws-trust-types.ts'

const PREFIX = 'system:serviceaccount:'

type SubjectKind =
  | 'wildcard-under-string-equals'
  | 'white-space'
  | 'case-differs'
  | 'subject-prefix-doubled'
  | 'subject-prefix-missing'
  | 'subject-cut-short'
  | 'namespace-differs'
  | 'service-account-differs'
  | 'subject-differs'

export type SubjectMiss = {
  readonly [K in SubjectKind]: { readonly kind: K; readonly value: string; readonly data: MissData[K] }
}[SubjectKind]

type Judge = (value: string, subject: string, matches: Matches) => SubjectMiss | undefined
type Matches = (value: string, ignoreCase?: boolean) => boolean

const JUDGES: readonly Judge[] = [
  (value, subject) =>
    hasWildcard(value) && like(value, subject)
      ? { kind: 'wildcard-under-string-equals', value, data: { value } }
      : undefined,
  (value, _subject, matches) => {
    const tight = value.replace(/\s/g, '')
    return tight !== value && matches(tight) ? { kind: 'white-space', value, data: { value } } : undefined
  },
  (value, subject, matches) =>
    matches(value, true) ? { kind: 'case-differs', value, data: { trusted: value, actual: subject } } : undefined,
  (value, _subject, matches) => {
    let rest = value
    while (rest.startsWith(PREFIX + PREFIX)) rest = rest.slice(PREFIX.length)
    return rest !== value && matches(rest) ? { kind: 'subject-prefix-doubled', value, data: { value } } : undefined
  },
  (value, _subject, matches) => {
    if (value.startsWith(PREFIX)) return undefined
    const attempts = [PREFIX + value, PREFIX + value.replace('/', ':'), `system:${value}`]
    return attempts.some((attempt) => matches(attempt))
      ? { kind: 'subject-prefix-missing', value, data: { value } }
      : undefined
  },
  (value, subject) =>
    value !== '' && value.split(':', 4).length < 4 && subject.startsWith(value)
      ? { kind: 'subject-cut-short', value, data: { value, actual: subject } }
      : undefined,
  (value, subject) => {
    const [trusted, actual] = [partsOf(value), partsOf(subject)]
    if (trusted === undefined || actual === undefined || like(trusted.namespace, actual.namespace)) return undefined
    if (!like(trusted.name, actual.name)) return undefined
    return { kind: 'namespace-differs', value, data: { trusted: trusted.namespace, actual: actual.namespace } }
  },
  (value, subject) => {
    const [trusted, actual] = [partsOf(value), partsOf(subject)]
    if (trusted === undefined || actual === undefined || !like(trusted.namespace, actual.namespace)) return undefined
    if (like(trusted.name, actual.name)) return undefined
    return { kind: 'service-account-differs', value, data: { trusted: trusted.name, actual: actual.name } }
  },
  (value, subject) => ({ kind: 'subject-differs', value, data: { trusted: value, actual: subject } }),
]

/**
 * The nearest miss over all trusted values: the first kind that holds for one of them, and within it the value with the
 * fewest edits. `matches` is the condition's own comparison with the subject.
 */
export function missOfSubject(
  values: readonly string[],
  subject: string,
  options: { readonly wildcards: boolean; readonly ignoreCase: boolean },
): SubjectMiss | undefined {
  const matches: Matches = (value, ignoreCase = options.ignoreCase) => {
    const [wanted, presented] = ignoreCase ? [value.toLowerCase(), subject.toLowerCase()] : [value, subject]
    return options.wildcards ? like(wanted, presented) : wanted === presented
  }
  for (const [index, judge] of JUDGES.entries()) {
    if (index === 0 && options.wildcards) continue
    const found = values.flatMap((value) => judge(value, subject, matches) ?? [])
    const [first, ...rest] = found
    if (first !== undefined) {
      return rest.reduce((best, next) => (edits(next.value, subject) < edits(best.value, subject) ? next : best), first)
    }
  }
  return undefined
}

// Namespace and name of a subject or a pattern for one; a name contains no colon, a pattern may run over one.
function partsOf(subject: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!subject.startsWith(PREFIX)) return undefined
  const rest = subject.slice(PREFIX.length)
  const colon = rest.indexOf(':')
  return colon < 0 ? undefined : { namespace: rest.slice(0, colon), name: rest.slice(colon + 1) }
}

/** Levenshtein distance; for long texts, which no subject has, a lower bound. */
function edits(a: string, b: string): number {
  if (a.length > 400 || b.length > 400) return Math.abs(a.length - b.length)
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const kept = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(kept, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
