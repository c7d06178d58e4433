/** Carries a plan out: each action asked about where it has to be, looked at again, journalled, done; the first that cannot be ends the run. */
import type { PlannedAction } from '../core/plan.ts'
import { type Journal, unwritten } from './journal.ts'
import type { Manner, Writer } from './writer.ts'

export type Outcome =
  | { readonly state: 'done' | 'already' }
  /** The person said no; what builds on it is left out as well. */
  | { readonly state: 'declined' | 'waits' }
  /** `open`: nobody answered, so that it may have been done all the same. */
  | { readonly state: 'moved' | 'refused'; readonly why: string; readonly lift?: string; readonly open?: boolean }
  /** Not come to: the run ended before. */
  | { readonly state: 'left' }

export type Ports = {
  readonly writer: Writer
  /** Undefined where nothing is written: a dry run. */
  readonly journal: Journal | undefined
  readonly consent: (action: PlannedAction) => Promise<boolean>
  /** Told after each action, in order. */
  readonly told?: (action: PlannedAction, outcome: Outcome) => void
  readonly now?: () => Date
}

/** The outcome of each action, in the order of the plan. Never throws for what the world answers. */
export async function carryOut(
  actions: readonly PlannedAction[],
  { writer, journal, consent, told, now = () => new Date() }: Ports,
  manner: Manner,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  let ended = false
  let declinedIn: number | undefined
  for (const [index, action] of actions.entries()) {
    let outcome: Outcome
    if (ended || manner.signal?.aborted === true) outcome = { state: 'left' }
    else if (declinedIn !== undefined && action.round > declinedIn) outcome = { state: 'waits' }
    else if (action.safety === 'review' && !manner.dryRun && !(await consent(action))) {
      declinedIn ??= action.round
      outcome = { state: 'declined' }
    } else outcome = await act(action, index + 1, { writer, journal, now, manner })
    if (outcome.state === 'moved' || outcome.state === 'refused') ended = true
    outcomes.push(outcome)
    told?.(action, outcome)
  }
  return outcomes
}

type Means = {
  readonly writer: Writer
  readonly journal: Journal | undefined
  readonly now: () => Date
  readonly manner: Manner
}

async function act(action: PlannedAction, step: number, { writer, journal, now, manner }: Means): Promise<Outcome> {
  const { change, summary } = action
  const at = (): string => now().toISOString()
  const prepared = await writer.prepare(change, manner)
  if (prepared.state === 'already') return { state: 'already' }
  if (prepared.state === 'moved') return { state: 'moved', why: prepared.what }
  if (prepared.state === 'refused') return prepared
  try {
    journal?.write({ step, state: 'begun', at: at(), summary, change, undo: prepared.undo })
  } catch (error) {
    return { state: 'refused', why: unwritten(error) }
  }
  const written = await prepared.write()
  if (written.state === 'done') {
    try {
      journal?.write({ step, state: 'done', at: at(), undo: written.undo })
    } catch (error) {
      return { state: 'refused', why: `it was done, but ${unwritten(error)}`, open: true }
    }
    return { state: 'done' }
  }
  const why = written.state === 'moved' ? written.what : written.why
  // Whether a write was done that nobody has answered is for the world to say: such a step stays open.
  if (written.state === 'moved' || written.open !== true) journal?.write({ step, state: 'failed', at: at(), why })
  return written.state === 'moved' ? { state: 'moved', why } : written
}
