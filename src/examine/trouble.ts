/** The trouble that ends a command: one sentence for the person, and exit code 2. */
import { Errors } from '@oclif/core'

export const usage = (sentence: string): Errors.CLIError => new Errors.CLIError(sentence, { exit: 2 })

/** A source that could not be opened has said why in a sentence already; anything else is a bug and stays one. */
export function asTrouble(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'LiveTrouble') return error
  const told = 'happened' in error && 'means' in error && 'next' in error
  return usage(told ? `${error.happened}; ${error.means}; ${error.next}` : error.message)
}
