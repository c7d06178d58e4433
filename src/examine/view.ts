/** Chooses how a run shows that it is alive: the live view, a counter line, or not at all. */
import type { Snapshot, View } from '../core/progress.ts'

/** A run that is over by then shows nothing: most runs over documents are. */
const patience = 400
/** What is narrower gets the report alone: a line that does not fit would be drawn below itself again and again. */
const narrowest = 80
const slowMs = 2000
const everyMs = 250

type Setting = {
  readonly stream: NodeJS.WriteStream
  readonly environment: NodeJS.ProcessEnv
  /** The flag for plain text was given. */
  readonly plain?: boolean | undefined
  /** The result is for a person. */
  readonly people: boolean
  /** So many subjects that redrawing them costs more than it tells. */
  readonly counter: boolean
}

const told = (value: string | undefined): boolean => (value ?? '') !== ''

/** Whether a page can be redrawn here: a terminal that can, wide enough, with a person before it. */
export const redraws = (stream: NodeJS.WriteStream, { TERM, CI }: NodeJS.ProcessEnv): boolean =>
  stream.isTTY && TERM !== 'dumb' && !told(CI) && stream.columns >= narrowest

const nothing: View = { end: async () => {} }

function counterLine(snapshot: () => Snapshot, stream: NodeJS.WriteStream): View {
  const timer = setInterval(() => {
    const { phase, sections, waiting } = snapshot()
    const total = sections.reduce((sum, section) => sum + section.total, 0)
    const judged = sections.reduce((sum, section) => sum + section.judged, 0)
    const [oldest] = waiting
    const seconds = oldest === undefined ? 0 : Math.floor((performance.now() - oldest.since) / 1000)
    const onTheWay =
      oldest === undefined || seconds * 1000 < slowMs
        ? `, ${waiting.length} facts on their way`
        : `; waiting for ${oldest.about}, ${seconds} s`
    const text = total === 0 ? phase : `${judged} of ${total} judgements${onTheWay}`
    stream.write(`\r${text.slice(0, stream.columns - 1)}\u001b[K`)
  }, everyMs)
  return {
    end: async () => {
      clearInterval(timer)
      stream.write('\r\u001b[K')
    },
  }
}

/** Starts showing after a moment's patience; `end` leaves the terminal as it was. */
export function viewOf(snapshot: () => Snapshot, setting: Setting): View {
  const { stream, environment, people, counter } = setting
  const plain = setting.plain === true || told(environment.NO_COLOR)
  if (!people || plain || !redraws(stream, environment)) return nothing
  let over = false
  let shown: Promise<View> | undefined
  const begin = async (): Promise<View> => {
    if (counter) return counterLine(snapshot, stream)
    const { show } = await import('../ui/progress.tsx')
    return over ? nothing : show(snapshot, stream)
  }
  const timer = setTimeout(() => {
    shown = begin().catch(() => nothing)
  }, patience)
  return {
    end: async () => {
      over = true
      clearTimeout(timer)
      await (await shown)?.end()
    },
  }
}
