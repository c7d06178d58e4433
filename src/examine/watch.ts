/** Follows a run: what has been judged, what is being waited for; for the live view and for Ctrl-C. */
import type { Check, CheckId } from '../core/check.ts'
import type { Observer } from '../core/engine.ts'
import { keyOf as keyOfQuestion, type Question, type Source } from '../core/fact.ts'
import { inOrder } from '../core/order.ts'
import type { Snapshot } from '../core/progress.ts'
import { isJudgedBy, rangeOf, type Subject, subjectKey } from '../core/subject.ts'
import { clean } from '../report/text.ts'

type Tally = { judged: number; total: number; failed: number; unseen: number }

export type Watch = {
  readonly observer: Observer
  readonly phase: (words: string) => void
  /** The same source, with what it is asked before there are probes among what is waited for. */
  readonly heard: (source: Source) => Source
  /** Called once it is known who is judged by what. */
  readonly plan: (checks: readonly Check[], subjects: readonly Subject[]) => void
  readonly snapshot: () => Snapshot
}

/** `pods/list` → `the list of pods`. */
function wordsOf({ system, call }: Question): string {
  const cut = call.lastIndexOf('/')
  if (system !== 'kubernetes' || cut < 1) return `${system} ${call}`
  const what = call.slice(0, cut).replace('nonresource ', '')
  return call.slice(cut + 1) === 'list' ? `the list of ${what}` : what
}

/** Begins with nothing; the run tells the observer, and whoever draws takes snapshots. */
export function watch(): Watch {
  let phase = 'starting'
  const sections = new Map<string, Tally>()
  const sectionOf = new Map<CheckId, Tally>()
  const waiting = new Map<string, { readonly about: string; readonly since: number }>()
  const keyOf = (probe: { readonly id: string }, subject: Subject): string => `${probe.id} ${subjectKey(subject)}`
  return {
    observer: {
      asking: (probe, subject) => {
        const whom = subject.kind === 'Cluster' ? '' : ` (${subject.name})`
        waiting.set(keyOf(probe, subject), { about: `${probe.about}${whom}`, since: performance.now() })
      },
      told: (probe, subject) => {
        waiting.delete(keyOf(probe, subject))
      },
      found: ({ check, status }, times = 1) => {
        const tally = sectionOf.get(check)
        if (tally === undefined) return
        tally.judged += times
        if (status === 'fail' || status === 'crashed') tally.failed += times
        if (status === 'unknown') tally.unseen += times
      },
    },
    heard: (source) => ({
      name: source.name,
      ask: (question, signal) => {
        const fact = source.ask(question, signal)
        if (!(fact instanceof Promise)) return fact
        const key = `asked ${keyOfQuestion(question)}`
        waiting.set(key, { about: wordsOf(question), since: performance.now() })
        return fact.finally(() => waiting.delete(key))
      },
    }),
    phase: (words) => {
      phase = words
    },
    plan: (checks, subjects) => {
      const counts = new Map<string, number>()
      for (const { meta } of inOrder(checks)) {
        const tally = sections.get(meta.section) ?? { judged: 0, total: 0, failed: 0, unseen: 0 }
        const key = rangeOf(meta)
        const count = counts.get(key) ?? subjects.filter((subject) => isJudgedBy(meta, subject)).length
        counts.set(key, count)
        tally.total += count
        sections.set(meta.section, tally)
        sectionOf.set(meta.id, tally)
      }
    },
    snapshot: () => ({
      phase,
      sections: [...sections].map(([name, tally]) => ({ name, ...tally })).filter(({ total }) => total > 0),
      // The name in it may come from a document, and is drawn on a terminal.
      waiting: [...waiting.values()].map(({ about, since }) => ({ about: clean(about), since })),
    }),
  }
}

/** What a stopped run has left undone, in one or two sentences. */
export function leftUndone({ sections, waiting, phase }: Snapshot): string {
  const total = sections.reduce((sum, section) => sum + section.total, 0)
  const judged = sections.reduce((sum, section) => sum + section.judged, 0)
  const open = sections.filter((section) => section.judged < section.total).map(({ name }) => name)
  const first =
    total === 0 ? `stopped while ${phase}; nothing was examined` : `stopped after ${judged} of ${total} judgements`
  const rest = open.length === 0 ? '' : `; not examined to the end: ${open.join(', ')}`
  const slowest = waiting[0] === undefined ? '' : `; it was waiting for ${waiting[0].about}`
  return `${first}${rest}${slowest}.`
}
