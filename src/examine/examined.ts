/** One examination: open the world, find out who is judged, judge, report. */
import type { Check, Cloud } from '../core/check.ts'
import { type Examination, examine } from '../core/engine.ts'
import { type FailOn, type Report, reportOf } from '../core/report.ts'
import type { Subject } from '../core/subject.ts'
import { identitiesOf } from '../probes/identities.ts'
import { errorShelves } from '../probes/workload/observed-errors.ts'
import type { Format } from '../report/index.ts'
import { acceptAnnotated } from './accept.ts'
import { alsoIn } from './also.ts'
import { formatFor, placedFor } from './output.ts'
import { asCollected } from './replay.ts'
import { mustBeThere, mustBeUnderstood, rosterOf } from './roster.ts'
import { selectChecks } from './select.ts'
import type { Ends } from './stoppable.ts'
import type { Watch } from './watch.ts'
import { openWorld, type World, type WorldFlags } from './world.ts'

export type ExamineFlags = WorldFlags & {
  readonly contexts?: string | undefined
  readonly 'all-contexts'?: boolean | undefined
  readonly selector?: string | undefined
  readonly check?: readonly string[] | undefined
  readonly cloud?: Exclude<Cloud, 'any'> | undefined
  readonly 'fail-on': FailOn
  readonly 'show-permissions': boolean
  readonly verbose: boolean
  readonly output: Format
  /** Further formats, each with its file: FORMAT=FILE. */
  readonly also?: readonly string[] | undefined
  readonly 'no-color': boolean
}

export type Examined = {
  readonly report: Report
  readonly problems: readonly string[]
  /** By each format that was asked for: that, or the one that the cluster can take instead. */
  readonly formats: ReadonlyMap<Format, Format>
}
/** Above this many subjects no single value of a pass is printed beside it. */
const mostWithEvidence = 200

/** What stands between the world and the run: `collect` writes down what it answers. */
export type Through = (world: World) => World

type Manner = {
  readonly through?: Through
  /** It was examined before: who is gone since then was no slip of the pen. */
  readonly again?: boolean
}

/** Opens the world, examines it once, and closes it again. Throws usage errors. */
export async function examined(
  targets: readonly string[],
  flags: ExamineFlags,
  version: string,
  following: Watch,
  ends: Ends,
  { through = (world) => world, again = false }: Manner = {},
): Promise<Examined> {
  const { checks } = await import('../checks/index.ts')
  selectChecks(checks, { globs: flags.check ?? [], cloud: flags.cloud })
  mustBeUnderstood(targets, flags)
  const wanted = [flags.output, ...alsoIn(flags.also).map(({ format }) => format)]
  following.phase('reading what there is')
  const world = through(await openWorld(flags, { version, ends }))
  try {
    const asked = asCollected(world.run, targets, flags)
    const chosen = selectChecks(checks, { globs: asked.check ?? [], cloud: asked.cloud })
    following.phase('looking for ServiceAccounts and pods')
    const roster = await rosterOf(asked.targets, { ...asked, checks: chosen }, world, following.heard(world.source))
    if (!again) await mustBeThere(asked.targets, asked, world, roster)
    following.plan(chosen, roster.subjects)
    following.phase('examining')
    const examination = await examine({
      checks: chosen,
      subjects: roster.subjects,
      source: world.source,
      observer: following.observer,
      spare:
        wanted.every((format) => format === 'table') && !flags.verbose && roster.subjects.length > mostWithEvidence,
    })
    const judged = await reported(examination, roster.subjects, world, checks, roster.problems, version)
    const report = await acceptAnnotated(judged, world.source)
    return {
      report: await placedFor(wanted, report, flags, ends),
      problems: world.problems,
      formats: new Map(await Promise.all(wanted.map(async (one) => [one, await formatFor(one, world)] as const))),
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
