/** The trouble that ends a command: one sentence for the person, and exit code 2. */
import { Errors } from '@oclif/core'
import { clean } from '../report/text.ts'

/** What is quoted in it may come from a file's name or content, and must not write on the terminal by itself. */
export const usage = (sentence: string): Errors.CLIError =>
  new Errors.CLIError(sentence.split('\n').map(clean).join('\n'), { exit: 2 })

/** A source that could not be opened has said why in a sentence already; anything else is a bug and stays one. */
export function asTrouble(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'LiveTrouble') return error
  const told = 'happened' in error && 'means' in error && 'next' in error
  return usage(told ? `${error.happened}; ${error.means}; ${error.next}` : error.message)
}
