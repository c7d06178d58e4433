/** The trouble that stops a run before it begins, and text from elsewhere made fit to be shown. */
import { redactedMark, withoutSecrets } from '../secrets.ts'

/** Commands print it as it is and exit 2: what happened, what it means, what to do next. */
export class LiveTrouble extends Error {
  override readonly name = 'LiveTrouble'
  readonly happened: string
  readonly means: string
  readonly next: string

  constructor(happened: string, means: string, next: string) {
    super([happened, means, next].map(sentence).join(' '))
    this.happened = happened
    this.means = means
    this.next = next
  }
}

const sentence = (text: string): string => {
  const trimmed = text.trim()
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

/** Foreign text in one line, without terminal controls and without anything that looks like a token or key; at most 300 characters. */
export function plain(text: string): string {
  let line = text
    .slice(0, 4000)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
    .replace(/\u001b\[[0-9;]*[A-Za-z]|[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
  line = withoutSecrets(line)
    .replace(/\bk8s-aws-v1\.[\w-]+/g, redactedMark)
    .replace(/ {2,}/g, ' ')
    .trim()
  return line.length > 300 ? `${line.slice(0, 299)}…` : line
}

/** The words of an error, made plain; never its stack. */
export const wordsOf = (error: unknown): string => plain(error instanceof Error ? error.message : String(error))

/** The code of a system error: ENOENT, ECONNREFUSED, …; empty where there is none. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
