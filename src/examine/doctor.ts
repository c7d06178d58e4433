/** One run of the doctor: open the world, find out who is judged, judge, report; stoppable at any time. */
import type { Check, Cloud } from '../core/check.ts'
import { type Examination, examine } from '../core/engine.ts'
import { exitCodeOf, type FailOn, type Report, reportOf } from '../core/report.ts'
import type { Subject } from '../core/subject.ts'
import { columnsOf, wantsColor } from '../flags/output.ts'
import { identitiesOf } from '../probes/identities.ts'
import { errorShelves } from '../probes/workload/observed-errors.ts'
import { type Format, piecesOf } from '../report/index.ts'
import { clean } from '../report/text.ts'
import { acceptAnnotated, baselineFrom } from './accept.ts'
import { formatFor, placedFor } from './output.ts'
import { mustBeUnderstood, rosterOf } from './roster.ts'
import { selectChecks } from './select.ts'
import type { Ends } from './stoppable.ts'
import { viewOf } from './view.ts'
import { leftUndone, type Watch, watch } from './watch.ts'
import { openWorld, type World, type WorldFlags } from './world.ts'

export type DoctorFlags = WorldFlags & {
  readonly selector?: string | undefined
  readonly check?: readonly string[] | undefined
  readonly cloud?: Exclude<Cloud, 'any'> | undefined
  readonly 'fail-on': FailOn
  readonly 'show-permissions': boolean
  readonly baseline?: string | undefined
  readonly verbose: boolean
  readonly output: Format
  readonly 'no-color': boolean
}

type Setting = { readonly version: string; readonly process: NodeJS.Process }

const interrupted = 130
export type Examined = {
  readonly report: Report
  readonly problems: readonly string[]
  /** The format that was asked for, or the one that the cluster can take instead. */
  readonly format: Format
}
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
  const stop = new AbortController()
  const ends = { stop: stop.signal, late: AbortSignal.timeout(flags.timeout) }
  const following = watch()
  // What is undone is told as it stood then: what the stopped sources answer in haste is no examination.
  const { promise: stopped, resolve: stopWith } = Promise.withResolvers<Stopped>()
  const onInterrupt = (): void => {
    stopWith({ undone: leftUndone(following.snapshot()) })
    stop.abort()
  }
  process.once('SIGINT', onInterrupt)
  const people = flags.output === 'table' || flags.output === 'wide'
  const counter = flags['all-namespaces'] || targets.length > many
  const view = viewOf(following.snapshot, { stream: process.stderr, environment: process.env, people, counter })
  let outcome: Examined | Stopped
  try {
    outcome = await Promise.race([examined(targets, flags, version, following, ends), stopped])
  } finally {
    process.off('SIGINT', onInterrupt)
    await view.end()
  }
  if ('undone' in outcome) {
    process.stderr.write(`${outcome.undone}\n`)
    return interrupted
  }
  for (const problem of outcome.problems) process.stderr.write(`${clean(problem)}\n`)
  const { report } = outcome
  const color = wantsColor(process.stdout, process.env, flags['no-color'])
  const width = columnsOf(process.stdout, process.env)
  const options = { color, width, verbose: flags.verbose, failOn: flags['fail-on'] }
  for (const piece of await piecesOf(outcome.format, report, options))
    if (!process.stdout.write(piece) && !(await hasRoom(process.stdout))) break
  return exitCodeOf(report, flags['fail-on'])
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

/** Above this many subjects no single value of a pass is printed beside it. */
const mostWithEvidence = 200

/** Opens the world, examines it once, and closes it again. */
export async function examined(
  targets: readonly string[],
  flags: DoctorFlags,
  version: string,
  following: Watch,
  ends: Ends,
): Promise<Examined> {
  const { checks } = await import('../checks/index.ts')
  const chosen = selectChecks(checks, { globs: flags.check ?? [], cloud: flags.cloud })
  mustBeUnderstood(targets, flags)
  const compared = await baselineFrom(flags.baseline)
  following.phase('reading what there is')
  const world = await openWorld(flags, { version, ends })
  try {
    following.phase('looking for ServiceAccounts and pods')
    const roster = await rosterOf(targets, { ...flags, checks: chosen }, world, world.source)
    following.plan(chosen, roster.subjects)
    following.phase('examining')
    const examination = await examine({
      checks: chosen,
      subjects: roster.subjects,
      source: world.source,
      observer: following.observer,
      spare: flags.output === 'table' && !flags.verbose && roster.subjects.length > mostWithEvidence,
    })
    const judged = await reported(examination, roster.subjects, world, checks, roster.problems, version)
    const report = compared(await acceptAnnotated(judged, world.source))
    return {
      report: await placedFor(flags.output, report, flags, ends),
      problems: world.problems,
      format: await formatFor(flags.output, world),
    }
  } finally {
    world.close()
  }
}

async function reported(
  examination: Examination,
  subjects: readonly Subject[],
  world: World,
  checks: readonly Check[],
  problems: readonly string[],
  version: string,
): Promise<Report> {
  return reportOf({
    version,
    source: world.described,
    identities: await identitiesOf(examination, subjects),
    findings: examination.findings,
    omitted: examination.omitted,
    papers: new Map(checks.map(({ meta }) => [meta.id, meta])),
    notRecognised: world.notRecognised,
    notes: [...world.problems, ...problems, ...(await ownerless(examination, subjects))],
  })
}

/** Error texts that name nobody, where several might have said them: they are judged for none of those, and said to be. */
async function ownerless({ fact }: Examination, subjects: readonly Subject[]): Promise<readonly string[]> {
  const cluster = subjects.find(({ kind }) => kind === 'Cluster')
  const shelves = cluster === undefined ? undefined : await fact(errorShelves, cluster)
  if (shelves?.state !== 'known' || shelves.value.alone('service-account')) return []
  const { all, unnamed } = shelves.value
  return unnamed.flatMap((place) => {
    const error = all[place]
    return error === undefined
      ? []
      : `${error.place}: whose ${JSON.stringify(error.fragment)} is was not said; name the ServiceAccount: kubectl wi doctor sa/NAME -n NAMESPACE`
  })
}
