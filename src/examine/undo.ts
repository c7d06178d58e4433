/** One run of undo: finds the run in the journal, and takes its steps back. */
import type { Record } from '../apply/journal.ts'
import { clusterChoice, type KubeconfigValues } from '../flags/kubeconfig.ts'
import { tell } from './tell.ts'
import { asTrouble, usage } from './trouble.ts'

export type UndoFlags = KubeconfigValues & {
  readonly 'dry-run'?: 'server' | undefined
  readonly list: boolean
}
type Setting = { readonly version: string; readonly process: NodeJS.Process }
type Journal = typeof import('../apply/journal.ts')

const marks = {
  undone: '✓ taken back',
  already: '✓ nothing to take back',
  nothing: '- stays: nothing takes it back, or need',
  moved: '✗ not taken back: it has moved since',
  refused: '✗ not taken back',
  left: '◦ not come to',
} as const

/** Takes back the run of this id or beginning, or the latest that is not taken back yet; returns the exit code. Throws usage errors. */
export async function undoRun(wanted: string | undefined, flags: UndoFlags, setting: Setting): Promise<number> {
  const { process, version } = setting
  const journal = await import('../apply/journal.ts')
  const folder = journal.journalFolder(process.env)
  if (flags.list) return list(folder, journal, process)
  // Whoever named one, or has none at all, is told before a cluster is asked for.
  const named = wanted === undefined ? anyOpen(folder, journal) : choose(wanted, folder, journal)
  const [{ openWriters }, { undo }, { withoutSecretsIn }] = await Promise.all([
    import('../apply/open.ts'),
    import('../apply/undo.ts'),
    import('../sources/secrets.ts'),
  ])
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const dryRun = flags['dry-run'] !== undefined
  const writers = await openWriters({ flags: clusterChoice(flags), version }).catch((error: unknown) => {
    throw asTrouble(error)
  })
  try {
    const record = wanted === undefined ? (latestOn(writers.place.server, folder, journal) ?? named) : named
    const { server, context, run } = record.head
    if (writers.place.server !== server)
      throw usage(
        `run ${run} was on ${server}, and this is ${writers.place.server}; give its context: kubectl wi undo ${run} --context ${context}`,
      )
    const say = (line: string, mark = ''): void => tell(process.stdout, line, mark)
    say(`run ${run} of ${record.head.at}${dryRun ? ' (dry run)' : ''}`)
    const going = dryRun ? undefined : goingOn(journal, record, withoutSecretsIn)
    const outcomes = await undo(
      journal.stepsOf(record),
      {
        writer: writers,
        journal: going,
        told: ({ summary }, outcome) => {
          say(`${marks[outcome.state]}: ${summary}`)
          if (outcome.state !== 'moved' && outcome.state !== 'refused') return
          say(`${outcome.why}${outcome.lift === undefined ? '' : `; ${outcome.lift}`}`, '    ')
        },
      },
      { dryRun, signal: stop.signal },
    )
    going?.close()
    return outcomes.every(({ state }) => state !== 'moved' && state !== 'refused' && state !== 'left') ? 0 : 1
  } finally {
    writers.close()
  }
}

/** Throws a usage error. */
function goingOn(journal: Journal, record: Record, clean: Parameters<Journal['continueJournal']>[1]) {
  try {
    return journal.continueJournal(record, clean)
  } catch (error) {
    throw usage(`${journal.unwritten(error)}; nothing was taken back`)
  }
}

const isOpen = (record: Record, { stepsOf }: Journal): boolean =>
  stepsOf(record).some(({ state, undo }) => undo !== null && (state === 'done' || state === 'open'))

const recordsIn = (folder: string, journal: Journal): readonly Record[] =>
  journal.runs(folder).flatMap((run) => journal.readRun(folder, run) ?? [])

/** The latest of this cluster that is not taken back yet: a later run elsewhere stands in nobody's way. */
const latestOn = (server: string, folder: string, journal: Journal): Record | undefined =>
  recordsIn(folder, journal).find((record) => record.head.server === server && isOpen(record, journal))

/** Throws a usage error where there is none. */
function anyOpen(folder: string, journal: Journal): Record {
  const found = recordsIn(folder, journal).find((record) => isOpen(record, journal))
  if (found === undefined) throw usage(`there is no run to take back in ${folder}`)
  return found
}

/** Throws usage errors. */
function choose(wanted: string, folder: string, journal: Journal): Record {
  const found = journal.runs(folder).filter((run) => run.startsWith(wanted))
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) {
    const record = journal.readRun(folder, only)
    if (record !== undefined) return record
    throw usage(`the journal of run ${only} cannot be read, so nothing was taken back; it is in ${folder}`)
  }
  const many = found.length > 1 ? `${found.length} runs begin with` : 'no run in the journal is, or begins with,'
  throw usage(`${many} ${wanted}; kubectl wi undo --list lists them`)
}

function list(folder: string, journal: Journal, { stdout }: NodeJS.Process): number {
  let told = 0
  for (const run of journal.runs(folder)) {
    const record = journal.readRun(folder, run)
    told += 1
    if (record === undefined) {
      tell(stdout, `${run} cannot be read`)
      continue
    }
    tell(stdout, `${run} on ${record.head.context}`)
    for (const { state, summary } of journal.stepsOf(record)) tell(stdout, summary, `  ${state.padEnd(6)} `)
  }
  if (told === 0) tell(stdout, `there is no run in ${folder}`)
  return 0
}
