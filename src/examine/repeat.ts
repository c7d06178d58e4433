/** Examining more than once: until it is well enough, or for as long as somebody watches. */
import type { Report } from '../core/report.ts'
import { changeJson, changeLines } from '../report/changes.ts'
import { closingSentence } from '../report/closing.ts'
import type { Examined } from './examined.ts'

/** One examination; undefined where it was stopped. */
export type Look = () => Promise<Examined | undefined>

/** What somebody has changed is seen everywhere after some seconds, or some minutes. */
const shortest = 2000
const longest = 15_000

/** Waits; false where it was stopped meanwhile. */
export const pause = (milliseconds: number, stop: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    if (stop.aborted) return resolve(false)
    const end = (): void => {
      clearTimeout(timer)
      stop.removeEventListener('abort', end)
      resolve(!stop.aborted)
    }
    const timer = setTimeout(end, milliseconds)
    stop.addEventListener('abort', end)
  })

type Waiting = {
  /** Milliseconds. */
  readonly wait: number
  /** Whether a report needs no further look. */
  readonly isEnough: (report: Report) => boolean
  readonly stop: AbortSignal
  readonly say: (sentence: string) => void
}

/** Examines again until it is enough or the time is up; what was seen last counts. Says once why it goes on, in each state of things. */
export async function untilEnough(look: Look, { wait, isEnough, stop, say }: Waiting): Promise<Examined | undefined> {
  const until = Date.now() + wait
  let said = ''
  for (let rest = shortest; ; rest = Math.min(longest, rest * 1.5)) {
    const seen = await look()
    if (seen === undefined || isEnough(seen.report)) return seen
    const left = until - Date.now()
    if (left <= 0) return seen
    const sentence = closingSentence(seen.report)
    if (sentence !== said) say(`${sentence}; looking again for ${Math.ceil(left / 1000)} more seconds`)
    said = sentence
    if (!(await pause(Math.min(rest, left), stop))) return undefined
  }
}

type Watching = {
  /** Milliseconds between two examinations. */
  readonly interval: number
  readonly stop: AbortSignal
  readonly json: boolean
  readonly color: boolean
  /** False where nobody reads any more. */
  readonly write: (text: string) => Promise<boolean>
  readonly now: () => Date
}

/** Tells what changes until it is stopped; the first report has been told by somebody else, but for JSON. */
export async function watching(look: Look, first: Report, watch: Watching): Promise<void> {
  const { interval, stop, json, color, write, now } = watch
  const told = async (lines: readonly string[]): Promise<boolean> =>
    lines.length === 0 || write(`${lines.join('\n')}\n`)
  let before = first
  let heard = json ? await told(changeJson(undefined, first, now().toISOString())) : true
  while (heard && (await pause(interval, stop))) {
    const seen = await look()
    if (seen === undefined) return
    const time = now()
    const lines = json
      ? changeJson(before, seen.report, time.toISOString())
      : changeLines(before, seen.report, time.toTimeString().slice(0, 8), color)
    before = seen.report
    heard = await told(lines)
  }
}
