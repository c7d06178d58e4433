/** How a command decides about colour and width, once for all of them. */
import { Flags } from '@oclif/core'

export const colorFlag = Flags.boolean({
  summary: 'Plain text; so does NO_COLOR, a pipe or a dumb terminal.',
})

type Environment = { readonly [name: string]: string | undefined }
type Stream = { readonly isTTY?: boolean; readonly columns?: number }

const set = (value: string | undefined): boolean => value !== undefined && value !== ''

/** Colour where a person looks at it and has not asked for none: https://no-color.org, https://force-color.org */
export function wantsColor(stream: Stream, environment: Environment, noColor: boolean): boolean {
  if (noColor || set(environment.NO_COLOR)) return false
  if (set(environment.FORCE_COLOR)) return environment.FORCE_COLOR !== '0'
  return stream.isTTY === true && environment.TERM !== 'dumb'
}

/** Columns to write for; a pipe has none of its own, so COLUMNS or 80. */
export function columnsOf(stream: Stream, environment: Environment): number {
  const told = Number.parseInt(environment.COLUMNS ?? '', 10)
  return stream.columns ?? (Number.isInteger(told) && told > 0 ? told : 80)
}
