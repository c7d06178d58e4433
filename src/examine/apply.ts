/** Carries a plan out on the live cluster and its clouds, telling a person each step; the one entry for every command that acts. */
import type { PlannedAction } from '../core/plan.ts'
import { clusterChoice, type KubeconfigValues } from '../flags/kubeconfig.ts'
import { wantsColor } from '../flags/output.ts'
import { consentOf } from './consent.ts'
import { tell } from './tell.ts'
import { asTrouble } from './trouble.ts'

export type ApplyFlags = KubeconfigValues & {
  readonly yes: boolean
  readonly 'dry-run'?: 'server' | undefined
  readonly 'no-color': boolean
}
type Setting = { readonly version: string; readonly process: NodeJS.Process; readonly signal: AbortSignal }

export type Applied = {
  /** Every action is done, or was so already. */
  readonly whole: boolean
  readonly done: number
  /** Nothing was written, and nobody else was seen to have written anything. */
  readonly untouched: boolean
  /** The id in the journal; undefined where nothing was written. */
  readonly run: string | undefined
}

const marks = {
  done: '✓ done',
  already: '✓ already so',
  declined: '- not done: no consent',
  waits: '- not done: it builds on what was declined',
  moved: '✗ not done: it has moved',
  refused: '✗ not done',
  left: '◦ not come to',
} as const

/** Asks for consent, journals, acts, and tells each outcome on stderr. Throws usage errors where there is no cluster to write to. */
export async function apply(
  actions: readonly PlannedAction[],
  flags: ApplyFlags,
  { version, process, signal }: Setting,
): Promise<Applied> {
  const [{ openWriters }, { carryOut }, { journalFolder, openJournal }, { withoutSecretsIn }] = await Promise.all([
    import('../apply/open.ts'),
    import('../apply/carry-out.ts'),
    import('../apply/journal.ts'),
    import('../sources/secrets.ts'),
  ])
  const dryRun = flags['dry-run'] !== undefined
  const writers = await openWriters({ flags: clusterChoice(flags), version }).catch((error: unknown) => {
    throw asTrouble(error)
  })
  const consent = consentOf(process, {
    yes: flags.yes,
    apart: actions.length > 1 || process.stdout.isTTY !== true,
    color: wantsColor(process.stderr, process.env, flags['no-color']),
    context: writers.place.context,
  })
  const ended = (): void => consent.close()
  signal.addEventListener('abort', ended, { once: true })
  const say = (line: string, mark = ''): void => tell(process.stderr, line, mark)
  const journal = dryRun
    ? undefined
    : openJournal(
        journalFolder(process.env),
        { at: new Date().toISOString(), version, ...writers.place, user: process.env.USER ?? '' },
        withoutSecretsIn,
      )
  try {
    const outcomes = await carryOut(
      actions,
      {
        writer: writers,
        journal,
        consent: consent.ask,
        told: ({ summary }, outcome) => {
          say(`${marks[outcome.state]}${dryRun ? ' (dry run)' : ''}: ${summary}`)
          if (outcome.state !== 'moved' && outcome.state !== 'refused') return
          say(`${outcome.why}${outcome.lift === undefined ? '' : `; ${outcome.lift}`}`, '    ')
        },
      },
      { dryRun, signal },
    )
    const done = outcomes.filter(({ state }) => state === 'done').length
    if (outcomes.some(({ state }) => state === 'declined') && !flags.yes && process.stdin.isTTY !== true)
      say('nobody could be asked: --yes consents to all of them')
    if (journal?.begun() === true) {
      say(`journal: ${journal.file}`)
      say(`to take it back: kubectl wi undo ${journal.run}`)
    }
    const whole = outcomes.every(({ state }) => state === 'done' || state === 'already')
    const untouched = outcomes.every(
      (outcome) =>
        ['declined', 'waits', 'left'].includes(outcome.state) || (outcome.state === 'refused' && outcome.open !== true),
    )
    return { whole, done, untouched, run: journal?.run }
  } finally {
    signal.removeEventListener('abort', ended)
    journal?.close()
    writers.close()
  }
}
