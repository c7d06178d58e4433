/** Marks, their words and their colours; without colour the words are the same. */
import { Chalk } from 'chalk'
import type { Line } from '../core/report.ts'

export type Paint = {
  readonly [role in 'good' | 'bad' | 'careful' | 'open' | 'quiet' | 'strong']: (text: string) => string
}

const asIs = (text: string): string => text
const plain: Paint = { good: asIs, bad: asIs, careful: asIs, open: asIs, quiet: asIs, strong: asIs }

// The sixteen colours of every terminal, so that its owner's palette decides what is readable.
const chalk = new Chalk({ level: 1 })
const colored: Paint = {
  good: chalk.green,
  bad: chalk.red,
  careful: chalk.yellow,
  open: chalk.cyan,
  quiet: chalk.dim,
  strong: chalk.bold,
}

export const paintOf = (color: boolean): Paint => (color ? colored : plain)

export type Mark = { readonly sign: string; readonly word: string; readonly role: keyof Paint }

const failed = {
  error: { sign: '✗', word: 'error', role: 'bad' },
  warning: { sign: '!', word: 'warning', role: 'careful' },
  info: { sign: '!', word: 'note', role: 'careful' },
} as const satisfies { readonly [severity: string]: Mark }

const others = {
  pass: { sign: '✓', word: 'ok', role: 'good' },
  blocked: { sign: '◦', word: 'blocked', role: 'quiet' },
  unknown: { sign: '?', word: 'not seen', role: 'open' },
  crashed: { sign: '✗', word: 'bug', role: 'bad' },
  'not-applicable': { sign: '-', word: 'not applicable', role: 'quiet' },
} as const satisfies { readonly [status: string]: Mark }

/** A finding's mark, and the word that always stands beside it. */
export const markOf = (line: Pick<Line, 'status' | 'severity'>): Mark =>
  line.status === 'fail' ? failed[line.severity] : others[line.status]
