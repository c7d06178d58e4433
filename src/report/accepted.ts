/** What somebody lives with, in sentences: left out of the verdict, never out of the report. */
import type { Accepted } from '../core/finding.ts'
import type { Report } from '../core/report.ts'
import { nameOf } from './names.ts'

export const acceptedWords = ({ by, reason, until }: Accepted): string =>
  by === 'baseline' ? reason : `accepted until ${until ?? ''}: ${reason}`

/** One for each fault; what waits for it only goes with it. */
export const acceptedItems = ({ findings }: Report): readonly string[] =>
  findings.flatMap(({ accepted, status, check, subject, message }) =>
    accepted === undefined || status !== 'fail'
      ? []
      : [`${nameOf(subject)}: ${message} (${check}; ${acceptedWords(accepted)})`],
  )
