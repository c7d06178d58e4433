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
  const record = choose(wanted, folder, journal)
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

/** Throws usage errors. */
function choose(wanted: string | undefined, folder: string, journal: Journal): Record {
  const all = journal.runs(folder)
  if (wanted === undefined) {
    for (const run of all) {
      const record = journal.readRun(folder, run)
      if (record !== undefined && isOpen(record, journal)) return record
    }
    throw usage(`there is no run to take back in ${folder}`)
  }
  const found = all.filter((run) => run.startsWith(wanted))
  const [only, ...others] = found
  const record = only === undefined || others.length > 0 ? undefined : journal.readRun(folder, only)
  if (record !== undefined) return record
  const many = found.length > 1 ? `${found.length} runs begin with` : 'no run in the journal is, or begins with,'
  throw usage(`${many} ${wanted}; kubectl wi undo --list lists them`)
}

function list(folder: string, journal: Journal, { stdout }: NodeJS.Process): number {
  let told = 0
  for (const run of journal.runs(folder)) {
    const record = journal.readRun(folder, run)
    if (record === undefined) continue
    told += 1
    tell(stdout, `${run}  ${record.head.context}`)
    for (const { state, summary } of journal.stepsOf(record)) tell(stdout, summary, `  ${state.padEnd(6)} `)
  }
  if (told === 0) tell(stdout, `there is no run in ${folder}`)
  return 0
}
