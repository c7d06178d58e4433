/** What `doctor` does with its examinations: one, several clusters, again until healthy, on and on; stoppable at any time. */
import { exitCodeOf, type Report } from '../core/report.ts'
import { columnsOf, wantsColor } from '../flags/output.ts'
import { type Format, piecesOf } from '../report/index.ts'
import { clean } from '../report/text.ts'
import { baselineFrom } from './accept.ts'
import { alsoIn, writeAlso } from './also.ts'
import { type Examined, type ExamineFlags, examined } from './examined.ts'
import { contextsOf, fleetExamined, type Order, together } from './fleet.ts'
import { type Look, untilEnough, watching } from './repeat.ts'
import { usage } from './trouble.ts'
import { viewOf } from './view.ts'
import { leftUndone, type Watch, watch } from './watch.ts'
import { commandAbout } from './whom.ts'

export type DoctorFlags = ExamineFlags & {
  readonly baseline?: string | undefined
  /** Milliseconds for examining again until it is healthy. */
  readonly wait?: number | undefined
  readonly watch: boolean
  /** Milliseconds between two looks of --watch. */
  readonly interval: number
}

type Setting = { readonly version: string; readonly process: NodeJS.Process }

const interrupted = 130
type Stopped = { readonly undone: string }

/** From here on, redrawing a live view costs more than it tells. */
const many = 50

/** Examines, writes the report to stdout, and returns the exit code. Throws usage errors. */
export async function doctor(
  targets: readonly string[],
  flags: DoctorFlags,
  { version, process }: Setting,
): Promise<number> {
  if (flags['show-permissions']) {
    const { permissions } = await import('./permissions.ts')
    process.stdout.write(await permissions(targets, flags))
    return 0
  }
  if (flags.watch && !['table', 'wide', 'json'].includes(flags.output))
    throw usage(`--watch prints changes, one a line; -o ${flags.output} is a form for one whole report`)
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  process.on('SIGINT', interrupt)
  try {
    return await looked(targets, flags, { version, process }, stop.signal)
  } finally {
    process.off('SIGINT', interrupt)
  }
}

async function looked(
  targets: readonly string[],
  flags: DoctorFlags,
  { version, process }: Setting,
  stop: AbortSignal,
): Promise<number> {
  const compared = await baselineFrom(flags.baseline)
  const contexts = await contextsOf(flags)
  let undone = ''
  let again = false
  const look: Look = async () => {
    const outcome = await oneLook(contexts, { targets, flags, version, again }, process, stop)
    again = true
    if ('undone' in outcome) undone = outcome.undone
    return 'undone' in outcome ? undefined : { ...outcome, report: compared(outcome.report) }
  }
  const say = (sentence: string): void => {
    process.stderr.write(`${clean(sentence)}\n`)
  }
  const { wait } = flags
  const isEnough = (report: Report): boolean => exitCodeOf(report, flags['fail-on']) === 0
  const seen = wait === undefined ? await look() : await untilEnough(look, { wait, isEnough, stop, say })
  if (seen === undefined) {
    say(undone || 'stopped while waiting to look again.')
    return interrupted
  }
  for (const problem of seen.problems) say(problem)
  const { report, formats } = seen
  const inForm = (format: Format): Format => formats.get(format) ?? format
  const { stdout } = process
  const write = async (text: string): Promise<boolean> => stdout.write(text) || hasRoom(stdout)
  const color = wantsColor(stdout, process.env, flags['no-color'])
  const options = {
    color,
    width: columnsOf(stdout, process.env),
    verbose: flags.verbose,
    failOn: flags['fail-on'],
    // Nothing is changed in several clusters at once.
    ...(contexts === undefined ? { fix: commandAbout('kubectl wi fix', targets, flags) } : {}),
  }
  await writeAlso(
    report,
    alsoIn(flags.also).map((one) => ({ ...one, format: inForm(one.format) })),
    { ...options, color: false },
  )
  if (!flags.watch || flags.output !== 'json')
    for (const piece of await piecesOf(inForm(flags.output), report, options)) if (!(await write(piece))) break
  if (!flags.watch) return exitCodeOf(report, flags['fail-on'])
  const json = flags.output === 'json'
  await watching(look, report, { interval: flags.interval, stop, json, color, write, now: () => new Date() })
  return interrupted
}

/** One examination with its live view, until the time is up or it is stopped. */
async function oneLook(
  contexts: readonly string[] | undefined,
  { targets, flags, version, again }: Omit<Order, 'ends'>,
  process: NodeJS.Process,
  stop: AbortSignal,
): Promise<Examined | Stopped> {
  const following = watch()
  const watches: Watch[] = []
  const snapshot = contexts === undefined ? following.snapshot : together(watches, contexts.length)
  // What is undone is told as it stood then: what the stopped sources answer in haste is no examination.
  const { promise: stopped, resolve: stopWith } = Promise.withResolvers<Stopped>()
  const onStop = (): void => stopWith({ undone: leftUndone(snapshot()) })
  stop.addEventListener('abort', onStop)
  const people = flags.output === 'table' || flags.output === 'wide'
  const counter = flags['all-namespaces'] || targets.length > many
  const plain = flags['no-color']
  const view = viewOf(snapshot, { stream: process.stderr, environment: process.env, plain, people, counter })
  const ends = { stop, late: AbortSignal.timeout(flags.timeout) }
  try {
    const outcome =
      contexts === undefined
        ? examined(targets, flags, version, following, ends, { again })
        : fleetExamined(contexts, { targets, flags, version, ends, again }, watches)
    return await Promise.race([outcome, stopped])
  } finally {
    stop.removeEventListener('abort', onStop)
    await view.end()
  }
}

/** Waits until a slow reader has caught up; false where it has gone away. */
const hasRoom = (stream: NodeJS.WriteStream): Promise<boolean> =>
  new Promise((resolve) => {
    const settle = (room: boolean) => (): void => {
      stream.off('drain', drained)
      stream.off('close', closed)
      resolve(room)
    }
    const drained = settle(true)
    const closed = settle(false)
    stream.once('drain', drained)
    stream.once('close', closed)
  })
