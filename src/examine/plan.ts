/** Makes a plan: what would put right what fails, round by round, each judged over the world as the round before would leave it. */
import type { Check, CheckId, Severity } from '../core/check.ts'
import { same } from '../core/edit.ts'
import { examine } from '../core/engine.ts'
import type { Source } from '../core/fact.ts'
import { type Finding, verdictOf } from '../core/finding.ts'
import { canonical, listAt } from '../core/json.ts'
import type { Action, Effect, Fixer, Plan, PlannedAction, Reason } from '../core/plan.ts'
import { type Subject, subjectKey } from '../core/subject.ts'
import { commandOf, documentOf } from '../domain/change-commands.ts'
import { ownerByTags, ownerOf } from '../domain/owner-marks.ts'
import { overlaid } from '../sources/overlaid.ts'
import { awaitsAct, onPaper, withoutExchange } from './on-paper.ts'
import { propose } from './propose.ts'

export type PlanOrder = {
  readonly checks: readonly Check[]
  readonly fixers: readonly Fixer[]
  /** Remembers its answers: it is asked anew in every round. */
  readonly source: Source
  /** Who is judged, in the world as this source shows it. */
  readonly subjectsIn: (source: Source) => Promise<readonly Subject[]>
  /** Whether this finding is to be put right; the others only have to stay as they are. */
  readonly wanted?: (finding: Finding) => boolean
  /** Actions that somebody intends anyway (`bind`): the first round, before any finding is put right. */
  readonly intended?: ((source: Source) => Promise<readonly Action[]>) | undefined
}

/** What a fix leads to may be the next thing that is wrong; more rounds than any chain of checks is long would be a fault of a fixer. */
const mostRounds = 8

const reasonOf = ({ check, subject, message, messageId = '', data }: Finding): Reason => ({
  check,
  subject,
  messageId,
  message,
  ...(data === undefined ? {} : { data }),
})
const keyOf = ({ check, subject }: Pick<Finding, 'check' | 'subject'>): string => `${check} ${subjectKey(subject)}`

/** Whether one path leads to, or through, what the other changes; two that join a list do not meet. */
function meet(a: Effect, b: Effect): boolean {
  if (!same(a.question, b.question)) return false
  if (a.path.at(-1) === '-' && b.path.at(-1) === '-' && same(a.path, b.path)) return false
  const shorter = Math.min(a.path.length, b.path.length)
  return same(a.path.slice(0, shorter), b.path.slice(0, shorter))
}

/** The plan for what fails, and what would be judged after it. */
export async function makePlan(order: PlanOrder): Promise<Plan> {
  const { checks, fixers, source, subjectsIn, wanted = () => true } = order
  const metas = new Map(checks.map(({ meta }) => [meta.id, meta]))
  const actions: PlannedAction[] = []
  const manual = new Map<string, Plan['manual'][number]>()
  const leaves = new Map<string, Plan['leaves'][number]>()
  const answered = new Set<string>()
  // What failed again in the same words was not put right by what was done about it, and would not be by doing more of it.
  const tried = new Set<string>()
  let first: readonly Finding[] | undefined
  let last: readonly Finding[] = []

  /** All actions of one proposal, or none: false where one of them touches what another of this round touches. */
  const join = async (proposal: readonly Action[], reasons: readonly Reason[], round: number): Promise<boolean> => {
    const now = actions.filter((one) => one.round === round)
    const isNew = (action: Action): boolean => !actions.some(({ change }) => same(change, action.change))
    const meets = (action: Action): boolean =>
      now.some(({ effects }) => effects.some((a) => action.effects.some((b) => meet(a, b))))
    // It was proposed for the world as it is; the next round proposes it for the world as the other leaves it.
    if (proposal.some((action) => isNew(action) && meets(action))) return false
    for (const action of proposal) {
      const index = actions.findIndex(({ change }) => same(change, action.change))
      const held = actions[index]
      if (held === undefined) {
        const owner = action.owner ?? (await ownerBehind(action, source))
        actions.push({ ...action, ...(owner === undefined ? {} : { owner }), for: reasons, round, ...inWords(action) })
      } else if (held.round === round) {
        const [own, ...others] = held.effects
        const more = action.effects.filter((effect) => !held.effects.some((one) => same(asJson(one), asJson(effect))))
        actions[index] = { ...held, effects: [own, ...others, ...more], for: [...held.for, ...reasons] }
      }
    }
    return true
  }

  for (let round = 1; round <= mostRounds; round += 1) {
    const effects = actions.flatMap((action) => action.effects)
    const world = effects.length === 0 ? source : onPaper(overlaid(source, effects))
    const subjects = await subjectsIn(world)
    const examination = await examine({ checks, subjects, source: world })
    last = examination.findings
    first ??= last
    if (round === mostRounds) break
    const before = actions.length
    if (round === 1 && order.intended !== undefined) {
      await join(await order.intended(source), [], round)
      if (actions.length > before) continue
    }
    manual.clear()
    leaves.clear()
    for (const finding of last) {
      if (finding.status !== 'fail' || !wanted(finding)) continue
      const reason = reasonOf(finding)
      const words = `${keyOf(finding)} ${finding.messageId}`
      if (tried.has(words)) continue
      const fixer = fixers.find(({ check }) => check === finding.check)
      const proposal = await propose(finding, fixer, metas.get(finding.check), examination.fact)
      if ('why' in proposal) leaves.set(keyOf(finding), { ...reason, why: proposal.why })
      else if ('manual' in proposal) manual.set(keyOf(finding), { ...reason, words: proposal.manual })
      else if (await join(proposal, [reason], round)) {
        answered.add(keyOf(finding))
        tried.add(words)
      }
    }
    if (actions.length === before) break
  }

  const isForgiven = (finding: Finding): boolean => finding.status !== 'fail' && !answered.has(keyOf(finding))
  const failed = new Map((first ?? []).filter(({ status }) => status === 'fail').map((one) => [keyOf(one), one]))
  let loud: readonly Finding[] = []
  if (actions.length > 0 && last.some((finding) => isForgiven(finding) && failed.has(keyOf(finding)))) {
    const world = withoutExchange(
      overlaid(
        source,
        actions.flatMap(({ effects }) => effects),
      ),
    )
    loud = (await examine({ checks, subjects: await subjectsIn(world), source: world })).findings
  }
  const stillFails = new Set(loud.filter(({ status }) => status === 'fail').map(keyOf))
  const settled =
    actions.length === 0
      ? last
      : last.flatMap((finding) => {
          // What failed for an error that was logged, and was not acted upon, does not pass for want of the log.
          const before = isForgiven(finding) ? failed.get(keyOf(finding)) : undefined
          if (before !== undefined && (finding.status === 'unknown' || stillFails.has(keyOf(finding)))) return [before]
          return awaitsAct(finding) ? [] : [finding]
        })
  return {
    actions,
    manual: [...manual.values()],
    leaves: [...leaves.values()],
    before: verdictOf(first ?? []),
    rehearsed: verdictOf(settled),
    remains: settled.filter(({ status }) => status === 'fail').map(reasonOf),
  }
}

const asJson = ({ question, path, before, after }: Effect) =>
  canonical([question, [...path], before ?? null, after ?? null])

function inWords({ change, undo }: Action): Pick<PlannedAction, 'command' | 'undoCommand' | 'document'> {
  const command = commandOf(change)
  const undoCommand = undo === null ? undefined : commandOf(undo)
  return {
    ...(command === undefined ? {} : { command }),
    ...(undoCommand === undefined ? {} : { undoCommand }),
    document: documentOf(change),
  }
}

/** By the marks on the object that the action changes; a restart is put back by nobody. */
async function ownerBehind({ change, effects }: Action, source: Source) {
  if (change.call.endsWith('/restart') || change.call.endsWith('/create')) return undefined
  const fact = await source.ask(effects[0].question)
  if (fact.state !== 'known') return undefined
  if (change.system === 'kubernetes') return ownerOf(fact.value)
  return ownerByTags([...listAt(fact.value, 'Role', 'Tags'), ...listAt(fact.value, 'Tags')])
}

/** Which findings a person wants put right: one check alone, or all that count as unhealthy. */
export const wantedBy =
  (only: CheckId | undefined, failOn: 'error' | 'warning' | 'never') =>
  ({ check, severity }: { readonly check: CheckId; readonly severity: Severity }): boolean =>
    only === undefined ? severity === 'error' || (failOn === 'warning' && severity === 'warning') : check === only
