/** One run of fix: plan, rehearse, show; and, where it was asked for, carry out, examine again, and let that verdict decide. */
import type { CheckId } from '../core/check.ts'
import type { Plan, PlanReport } from '../core/plan.ts'
import { exitCodeOf, exitCodes } from '../core/report.ts'
import { columnsOf, wantsColor } from '../flags/output.ts'
import { type PlanFormat, planRenderers } from '../report/plan.ts'
import { again } from './again.ts'
import { apply } from './apply.ts'
import type { ExamineFlags } from './examined.ts'
import { nearest } from './near.ts'
import { makePlan, type PlanOrder, wantedBy } from './plan.ts'
import { mustBeThere, mustBeUnderstood, rosterOf } from './roster.ts'
import { selectChecks } from './select.ts'
import type { Ends } from './stoppable.ts'
import { tell } from './tell.ts'
import { usage } from './trouble.ts'
import { commandAbout } from './whom.ts'
import { openWorld } from './world.ts'

export type FixFlags = Omit<ExamineFlags, 'output' | 'show-permissions' | 'baseline'> & {
  readonly apply: boolean
  readonly yes: boolean
  readonly only?: string | undefined
  readonly 'dry-run'?: 'server' | undefined
  /** Milliseconds. */
  readonly wait: number
  readonly output: PlanFormat
}

type Setting = { readonly version: string; readonly process: NodeJS.Process }

const interrupted = 130

/** Prints the plan, acts on it where that is asked for, and returns the exit code. Throws usage errors. */
export async function fix(targets: readonly string[], flags: FixFlags, setting: Setting): Promise<number> {
  const only = await checkNamed(flags.only)
  return planAndAct(targets, flags, setting, { wanted: wantedBy(only, flags['fail-on']) })
}

/** `next`: the command that goes on where nothing of this aim is left to do. */
export type Aim = Pick<PlanOrder, 'wanted' | 'intended'> & { readonly next?: string }

/** The whole way of every command that changes something: plan for an aim, rehearse, show; carry out, examine again, exit with that verdict. */
export async function planAndAct(
  targets: readonly string[],
  flags: FixFlags,
  { version, process }: Setting,
  aim: Aim,
): Promise<number> {
  const acts = flags.apply || flags['dry-run'] !== undefined
  if (acts && (flags.file ?? []).length > 0)
    throw usage('-f was given: documents are not changed; leave it out, or take the plan with -o shell')
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const ends = (): Ends => ({ stop: stop.signal, late: AbortSignal.timeout(flags.timeout) })

  let report: PlanReport | undefined
  try {
    report = await planned(targets, flags, aim, version, ends())
  } catch (error) {
    // What a stopped source does not answer is no trouble of its own.
    if (!stop.signal.aborted) throw error
  }
  if (stop.signal.aborted || report === undefined) {
    process.stderr.write('stopped while planning; nothing was changed.\n')
    return interrupted
  }
  const { plan } = report
  const look = {
    color: wantsColor(process.stdout, process.env, flags['no-color']),
    width: columnsOf(process.stdout, process.env),
  }
  const render = await planRenderers[flags.output]()
  process.stdout.write(
    render(report, {
      ...look,
      acts,
      onPaper: (flags.file ?? []).length > 0,
      next: commandAbout(aim.next ?? 'kubectl wi doctor', targets, flags),
    }),
  )
  if (!acts || plan.actions.length === 0) return asItIs(plan, flags['fail-on'])

  const applied = await apply(plan.actions, flags, { version, process, signal: stop.signal })
  if (flags['dry-run'] !== undefined) return applied.whole ? exitCodes[plan.rehearsed] : exitCodes.unhealthy
  if (stop.signal.aborted) return interrupted
  const say = (sentence: string): void => tell(process.stderr, sentence)
  if (applied.untouched) {
    say(`nothing was changed: ${plan.before} as before`)
    return asItIs(plan, flags['fail-on'])
  }
  const after = await again({ targets, flags, version, ends, say }, plan, applied)
  if (after === undefined) return interrupted
  const { render: table } = await import('../report/table.ts')
  const text = table(after, { ...look, verbose: flags.verbose })
  if (flags.output === 'table') process.stdout.write(`\n${text}`)
  else process.stderr.write(text)
  return exitCodeOf(after, flags['fail-on'])
}

/** Nothing was changed: what fails and is wanted stands in the plan, in one of its parts. */
function asItIs(plan: Plan, failOn: FixFlags['fail-on']): number {
  if (failOn === 'never') return exitCodes.healthy
  const failing = [...plan.actions.flatMap(({ for: reasons }) => reasons), ...plan.manual, ...plan.leaves]
  return failOn === 'warning' && failing.length > 0 ? exitCodes.unhealthy : exitCodes[plan.before]
}

async function checkNamed(only: string | undefined): Promise<CheckId | undefined> {
  if (only === undefined) return undefined
  const { checks } = await import('../checks/index.ts')
  const found = checks.find(({ meta }) => meta.id === only)
  if (found !== undefined) return found.meta.id
  const near = nearest(
    only,
    checks.map(({ meta }) => meta.id),
  )
  const hint = near.length === 0 ? '`kubectl wi checks` lists them' : `did you mean ${near.join(' or ')}?`
  throw usage(`--only ${only}: no check has this id; ${hint}`)
}

async function planned(
  targets: readonly string[],
  flags: FixFlags,
  { next: _, ...order }: Aim,
  version: string,
  ends: Ends,
): Promise<PlanReport> {
  const [{ checks }, { fixers }] = await Promise.all([import('../checks/index.ts'), import('../fixers/index.ts')])
  const chosen = selectChecks(checks, { globs: flags.check ?? [], cloud: flags.cloud })
  mustBeUnderstood(targets, flags)
  const world = await openWorld(flags, { version, ends })
  try {
    const problems = new Set<string>(world.problems)
    const plan: Plan = await makePlan({
      checks: chosen,
      fixers,
      source: world.source,
      subjectsIn: async (source) => {
        const roster = await rosterOf(targets, { ...flags, checks: chosen }, world, source)
        // A pod that the plan has made anew is not a pod that nobody has heard of.
        if (source === world.source) {
          await mustBeThere(targets, flags, world, roster)
          for (const problem of roster.problems) problems.add(problem)
        }
        return roster.subjects
      },
      ...order,
    })
    const notes = [...problems, ...world.notRecognised.map((path) => `not recognised: ${path}`)]
    return {
      schema: 'kubectl-wi/plan/v1',
      tool: { name: 'kubectl-wi', version },
      source: world.described,
      plan,
      notes,
    }
  } finally {
    world.close()
  }
}
