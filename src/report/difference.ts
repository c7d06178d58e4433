/** Where two values part, as a reader would point at it. */
import { clean } from './text.ts'

/** Two texts that fit the width, and the marker that goes beneath the second one. */
export type Difference = {
  readonly expected: string
  readonly observed: string
  /** Columns before the first caret, and how many carets. */
  readonly at: number
  readonly length: number
  readonly words: string
}

const boundary = /[:/.,;@?&=#"'\s[\]{}]/u

const bare = (text: string): string => text.replace(/\s+/gu, '')

function wordsFor(expected: string, observed: string): string {
  if (observed === '') return 'empty'
  if (expected.toLowerCase() === observed.toLowerCase()) return 'differs in upper and lower case'
  if (bare(expected) === bare(observed)) return 'differs in white space'
  if (`${expected}/` === observed) return 'has a "/" too many at the end'
  if (expected === `${observed}/`) return 'lacks the "/" at the end'
  return 'differs'
}

/** A window of `width` columns that shows `from`, with an ellipsis on each side where something was cut. */
function windowOf(text: string, start: number, width: number): string {
  const end = start + width
  const middle = text.slice(start === 0 ? 0 : start + 1, end < text.length ? end - 1 : end)
  return `${start === 0 ? '' : '…'}${middle}${end < text.length ? '…' : ''}`
}

/** Compares two values that are not equal; `width` is what there is room for. */
export function differenceOf(rawExpected: string, rawObserved: string, width: number): Difference {
  const expected = clean(rawExpected)
  const observed = clean(rawObserved)
  let prefix = 0
  while (prefix < expected.length && prefix < observed.length && expected[prefix] === observed[prefix]) prefix += 1
  let tail = 0
  const most = Math.min(expected.length, observed.length) - prefix
  while (tail < most && expected[expected.length - 1 - tail] === observed[observed.length - 1 - tail]) tail += 1

  // The whole part between two boundaries is what a person would point at: the namespace, not the second half of its name.
  let from = prefix
  while (from > 0 && !boundary.test(observed[from - 1] ?? ':')) from -= 1
  let to = Math.max(observed.length - tail, from)
  while (to < observed.length && to > 0 && !boundary.test(observed[to] ?? ':')) to += 1

  // Without boundaries the part may be all of it; then the very place counts.
  if (to - from > width / 2) {
    from = prefix
    to = Math.max(observed.length - tail, prefix + 1)
  }

  const longest = Math.max(expected.length, observed.length)
  const latest = Math.max(0, longest - width)
  const start = longest <= width ? 0 : Math.min(Math.max(0, from - Math.floor(width / 3)), latest)
  const at = Math.min(from - start, width - 1)
  return {
    expected: windowOf(expected, start, width),
    observed: windowOf(observed, start, width),
    at,
    length: Math.max(1, Math.min(to - from, width - at)),
    words: wordsFor(rawExpected, rawObserved),
  }
}
