/** Where two values part, as a reader would point at it. */
import { clean } from './text.ts'

/** Two texts that fit the width, and the marker that goes beneath the second one. */
export type Difference = {
  readonly first: string
  readonly second: string
  /** Columns before the first caret, and how many carets. */
  readonly at: number
  readonly length: number
  readonly words: string
}

const boundary = /[:/.,;@?&=#"'\s[\]{}]/u

const bare = (text: string): string => text.replace(/\s+/gu, '')

function wordsFor(first: string, second: string): string {
  if (second === '') return 'empty'
  if (first.toLowerCase() === second.toLowerCase()) return 'differs in upper and lower case'
  if (bare(first) === bare(second)) return 'differs in white space'
  if (`${first}/` === second) return 'has one "/" too many at the end'
  if (first === `${second}/`) return 'lacks the "/" at the end'
  return 'differs'
}

/** A window of `width` columns that shows `from`, with an ellipsis on each side where something was cut. */
function windowOf(text: string, start: number, width: number): string {
  const end = start + width
  const middle = text.slice(start === 0 ? 0 : start + 1, end < text.length ? end - 1 : end)
  return `${start === 0 ? '' : '…'}${middle}${end < text.length ? '…' : ''}`
}

/** Compares two values that are not equal; `width` is what there is room for. */
export function differenceOf(rawFirst: string, rawSecond: string, width: number): Difference {
  const first = clean(rawFirst)
  const second = clean(rawSecond)
  let prefix = 0
  while (prefix < first.length && prefix < second.length && first[prefix] === second[prefix]) prefix += 1
  let tail = 0
  const most = Math.min(first.length, second.length) - prefix
  while (tail < most && first[first.length - 1 - tail] === second[second.length - 1 - tail]) tail += 1

  // The whole part between two boundaries is what a person would point at: the namespace, not the second half of its name.
  let from = prefix
  while (from > 0 && !boundary.test(second[from - 1] ?? ':')) from -= 1
  let to = Math.max(second.length - tail, from)
  while (to < second.length && to > 0 && !boundary.test(second[to] ?? ':')) to += 1

  // Without boundaries the part may be all of it; then the very place counts.
  if (to - from > width / 2) {
    from = prefix
    to = Math.max(second.length - tail, prefix + 1)
  }

  const longest = Math.max(first.length, second.length)
  const latest = Math.max(0, longest - width)
  const start = longest <= width ? 0 : Math.min(Math.max(0, from - Math.floor(width / 3)), latest)
  const at = Math.min(from - start, width - 1)
  return {
    first: windowOf(first, start, width),
    second: windowOf(second, start, width),
    at,
    length: Math.max(1, Math.min(to - from, width - at)),
    words: wordsFor(rawFirst, rawSecond),
  }
}
