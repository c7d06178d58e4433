/** Finds known error texts in what was logged: which fragment of a table fits where, the longest one deciding. */
import type { CheckId } from '../core/check.ts'

export type Lead = {
  readonly check: CheckId
  /** The message of that check that the text alone proves, where there is one. */
  readonly message?: string
  /** What else has to be so for this to be the cause: one sentence. */
  readonly when?: string
}

export type ErrorText = {
  /** Part of a text; `…` is any run of characters, `/…/` a regular expression (with bounded repetition only). */
  readonly fragment: string
  /** Where it leads, most likely cause first. */
  readonly leads: readonly [Lead, ...Lead[]]
  readonly means: string
  /** It sums up what several places were asked for and did not give: whatever else the same text says is nearer to the cause. */
  readonly sumsUp?: true
}

/** A check, and the texts that lead to it: each with the message that it proves, if it proves one. */
export type CheckTexts = readonly [
  check: CheckId,
  texts: readonly (readonly [fragment: string, message: string | undefined, means: string])[],
]

/** One known text in what was searched: lines are counted from 0, `start` and `end` are places in the normalised text. */
export type Sighting = {
  readonly known: ErrorText
  readonly start: number
  readonly end: number
  readonly firstLine: number
  readonly lastLine: number
}

const isSpace = (code: number): boolean => code <= 32 || code === 0xa0

/** What a text may hold that is not plain by itself: most fragments of the table are, and there are a thousand. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters count as white space
const unplain = /["\\\u0000-\u001f\u00a0]| {2}/

/** The text with escaped quotes plain, and each run of white space, and of the escapes `\n`, `\t` and `\r` of JSON logs, as one blank; and where lines end in it. */
function normalise(text: string): { readonly plain: string; readonly ends: readonly number[] } {
  if (!unplain.test(text)) return { plain: text, ends: [text.length + 1] }
  const pieces: string[] = []
  const ends: number[] = []
  let length = 0
  let from = 0
  let at = 0
  while (at < text.length) {
    const isEscape = text.charCodeAt(at) === 92 && /[ntr]/.test(text[at + 1] ?? '')
    const code = text.charCodeAt(at)
    if (code === 34 || code === 39) {
      // Loggers write \" and, twice wrapped, \\\" for the quote that the error has; Python writes \' in what it quotes.
      let before = at
      while (before > from && text.charCodeAt(before - 1) === 92) before -= 1
      pieces.push(text.slice(from, before))
      length += before - from
      from = at
      at += 1
      continue
    }
    if (!isEscape && !isSpace(text.charCodeAt(at))) {
      at += 1
      continue
    }
    if (at > from) {
      pieces.push(text.slice(from, at))
      length += at - from
    }
    let newLines = 0
    while (at < text.length) {
      if (text.charCodeAt(at) === 92 && /[ntr]/.test(text[at + 1] ?? '')) at += 2
      else if (isSpace(text.charCodeAt(at))) {
        if (text.charCodeAt(at) === 10) newLines += 1
        at += 1
      } else break
    }
    pieces.push(' ')
    length += 1
    for (let line = 0; line < newLines; line += 1) ends.push(length)
    from = at
  }
  pieces.push(text.slice(from))
  length += text.length - from
  ends.push(length + 1)
  return { plain: pieces.join(''), ends }
}

type Pattern = { readonly known: ErrorText; readonly parts: readonly string[]; readonly expression?: RegExp }

const isDigit = (letter: string | undefined): boolean => letter !== undefined && letter >= '0' && letter <= '9'

/** What normalising would change; nearly no fragment of a table has any of it. */
const uneven = /["\\]|[^\S ]| {2}/

function compile(known: ErrorText): Pattern {
  const { fragment } = known
  if (fragment.length > 2 && fragment.startsWith('/') && fragment.endsWith('/'))
    return { known, parts: [], expression: new RegExp(fragment.slice(1, -1), 'g') }
  return {
    known,
    parts: fragment
      .split('…')
      .map((part) => (uneven.test(part) ? normalise(part).plain : part))
      .filter((part) => part !== ''),
  }
}

/** The first line that ends behind this place. */
function lineAt(ends: readonly number[], place: number): number {
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ends[middle] ?? 0) > place) high = middle
    else low = middle + 1
  }
  return low
}

/** A code is a whole number: AADSTS70021 does not stand in AADSTS700211. */
const isWhole = (plain: string, start: number, end: number): boolean =>
  !(isDigit(plain[start]) && isDigit(plain[start - 1])) && !(isDigit(plain[end - 1]) && isDigit(plain[end]))

/**
 * A function that finds the texts of this table. `oneText`: the whole input is one error (its line ends mean nothing); else every
 * line is one, and a fragment's own blanks may run over a line's end, its `…` may not. In a text that several fragments fit, only the longest
 * is sighted, one that sums up only where there is no other. Time grows with the length of the input times the size of the table, whatever is in it.
 */
export function errorTextFinder(table: readonly ErrorText[]): (text: string, oneText?: boolean) => readonly Sighting[] {
  // Whoever never searches a text does not wait for the table.
  let compiled: readonly Pattern[] | undefined
  return (text, oneText = false) => {
    compiled ??= table.map(compile)
    const { plain, ends: lineEnds } = normalise(text)
    const ends = oneText ? [plain.length + 1] : lineEnds
    const all = compiled.flatMap((pattern) => sightings(pattern, plain, ends))
    return longestOfEach(all)
  }
}

function sightings({ known, parts, expression }: Pattern, plain: string, ends: readonly number[]): readonly Sighting[] {
  const found: Sighting[] = []
  const add = (start: number, end: number): void => {
    found.push({ known, start, end, firstLine: lineAt(ends, start), lastLine: lineAt(ends, end - 1) })
  }
  if (expression !== undefined) {
    for (const match of plain.matchAll(expression)) if (match[0] !== '') add(match.index, match.index + match[0].length)
    return found
  }
  const [first, ...rest] = parts
  if (first === undefined) return found
  let from = 0
  for (;;) {
    const start = plain.indexOf(first, from)
    if (start < 0) return found
    let end = start + first.length
    const limit = Math.min(ends[lineAt(ends, end - 1)] ?? plain.length, plain.length)
    const line = rest.length === 0 ? '' : plain.slice(end, limit)
    let reached = 0
    const fits = rest.every((part) => {
      const at = line.indexOf(part, reached)
      if (at < 0) return false
      reached = at + part.length
      return true
    })
    if (!fits) {
      // No later beginning in this line can do better: what is missing stands behind none of them.
      from = Math.max(start + 1, limit - first.length + 1)
      continue
    }
    end += reached
    if (isWhole(plain, start, end)) add(start, end)
    from = end
  }
}

const outranks = (one: ErrorText, other: ErrorText): boolean =>
  (one.sumsUp ?? false) === (other.sumsUp ?? false)
    ? one.fragment.length > other.fragment.length
    : other.sumsUp === true

/** Sightings that share a line are of one text. */
function longestOfEach(all: readonly Sighting[]): readonly Sighting[] {
  const inOrder = [...all].sort((a, b) => a.firstLine - b.firstLine || a.start - b.start)
  const kept: Sighting[] = []
  let best: Sighting | undefined
  let last = -1
  for (const one of inOrder) {
    if (best !== undefined && one.firstLine <= last) {
      last = Math.max(last, one.lastLine)
      if (outranks(one.known, best.known)) best = one
    } else {
      if (best !== undefined) kept.push(best)
      best = one
      last = one.lastLine
    }
  }
  if (best !== undefined) kept.push(best)
  return kept
}
