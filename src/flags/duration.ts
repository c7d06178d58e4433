/** Durations as kubectl writes them: 30s, 5m, 1h30m, or plain seconds. */
import { Errors, Flags } from '@oclif/core'

const units: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds; undefined where the text is no duration. */
export function millisecondsOf(text: string): number | undefined {
  if (/^\d{1,9}$/u.test(text)) return Number(text) * 1000
  if (!/^(\d{1,9}(ms|s|m|h)){1,4}$/u.test(text)) return undefined
  return [...text.matchAll(/(\d+)(ms|s|m|h)/gu)].reduce(
    (sum, [, number = '0', unit = 's']) => sum + Number(number) * (units[unit] ?? 0),
    0,
  )
}

export const durationFlag = Flags.custom<number>({
  helpValue: 'DURATION',
  parse: async (text) => {
    const found = millisecondsOf(text)
    if (found === undefined || found === 0) throw new Errors.CLIError(`"${text}" is no duration: write 30s, 5m or 1h`)
    return found
  },
})
