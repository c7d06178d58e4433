/** A plan for people: each action with what it changes, whom it is for and what takes it back; then what is left to do by hand. */
import type { Plan, PlannedAction, PlanReport, Reason } from '../core/plan.ts'
import { hung, labelled } from './labelled.ts'
import { type Paint, paintOf } from './paint.ts'
import type { PlanOptions } from './plan.ts'
import { ownerWarning, paintedDiff } from './plan-diff.ts'
import { clean, count, wrap } from './text.ts'

const whom = ({ subject: { kind, namespace, name } }: Reason): string =>
  kind === 'Cluster' ? 'the cluster' : `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`

type Layout = { readonly paint: Paint; readonly width: number }

/** A command stays on one line, so that it can be copied. */
const command = (label: string, text: string, { paint }: Layout): string =>
  `     ${paint.quiet(label.padEnd(7))} ${clean(text)}`

function actionLines(action: PlannedAction, number: number, layout: Layout): readonly string[] {
  const { paint } = layout
  const { summary, safety, owner, undo, command: typed, undoCommand } = action
  const head = hung('', `${summary} (${safety})`, layout.width - 4)
  return [
    ...head.map((line, index) => `${index === 0 ? `${String(number).padStart(2)}.` : '   '} ${paint.strong(line)}`),
    ...action.for
      .slice(0, 3)
      .flatMap((reason) => labelled(layout, 'for', `${whom(reason)}: ${reason.message} (${reason.check})`)),
    ...(action.for.length > 3 ? labelled(layout, '', `and ${action.for.length - 3} more`) : []),
    ...paintedDiff(action, paint).map((line) => `       ${line}`),
    ...(typed === undefined ? [] : [command('typed', typed, layout)]),
    ...(undoCommand === undefined
      ? labelled(layout, 'undo', undo === null ? 'nothing takes it back, or need' : 'kubectl wi undo')
      : [command('undo', undoCommand, layout)]),
    ...(owner === undefined ? [] : labelled(layout, 'owner', ownerWarning(owner))),
    '',
  ]
}

function wordsLines(reason: Reason, words: string, layout: Layout): readonly string[] {
  const [sentence = '', ...commands] = words.split('\n')
  return [
    ...wrap(clean(`${whom(reason)}: ${reason.message} (${reason.check})`), layout.width - 4).map(
      (line, index) => `  ${index === 0 ? '-' : ' '} ${line}`,
    ),
    ...labelled(layout, 'do', sentence),
    ...commands.map((one) => command('', one, layout)),
  ]
}

const endings = { healthy: 'good', unhealthy: 'bad', inconclusive: 'open' } as const

/** What is true of a world that nothing is to be changed in, and what a person does next. */
function unchanged({ before, rehearsed, remains, manual, leaves }: Plan, next: string): string {
  if (before === 'healthy') return 'healthy: there is nothing to put right'
  const open = manual.length + leaves.length
  if (open > 0)
    return `${before}: nothing here can be put right by a command; ${count(open, 'finding')} to be seen to by hand`
  const failing = [...new Set(remains.map(({ check }) => check))].join(', ')
  if (failing !== '' && rehearsed === 'unhealthy')
    return `${before}: what was asked for is as it should be, and needs no change; what fails is ${failing}. Next: ${next}`
  return `${before}: nothing fails that a plan could put right, as far as was seen. What was not: ${next}`
}

function closing(
  plan: Plan,
  layout: Layout,
  { acts, onPaper, next = 'kubectl wi doctor' }: PlanOptions,
): readonly string[] {
  const { paint, width } = layout
  const { actions, before, rehearsed, remains } = plan
  if (actions.length === 0) {
    const lines = wrap(clean(unchanged(plan, next)), width)
    return before === 'healthy' ? lines.map(paint.good) : lines
  }
  const verdict = paint[endings[rehearsed]](rehearsed)
  const rest =
    remains.length === 0 ? '' : `; still failing: ${[...new Set(remains.map(({ check }) => check))].join(', ')}`
  const end =
    acts === true
      ? ''
      : onPaper === true
        ? '; documents are not changed: -o shell prints what to type'
        : `; --apply carries ${actions.length === 1 ? 'it' : 'them'} out, and a real exchange then has the last word`
  const text = `after this plan: ${verdict} (rehearsed, nothing was changed${acts === true ? ' yet' : ''})${rest}. ${count(actions.length, 'action')}${end}.`
  return wrap(text, width)
}

export function render({ plan, source, notes }: PlanReport, options: PlanOptions): string {
  const layout: Layout = { paint: paintOf(options.color), width: Math.max(60, Math.min(120, options.width)) }
  const { paint } = layout
  const heading = (text: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : [paint.strong(text), ...lines, '']
  const lines = [
    ...wrap(clean(`plan for ${source}`), layout.width).map((line) => paint.quiet(line)),
    '',
    ...plan.actions.flatMap((action, index) => actionLines(action, index + 1, layout)),
    ...heading(
      'By hand',
      plan.manual.flatMap((one) => wordsLines(one, one.words, layout)),
    ),
    ...heading(
      'Not seen well enough to change',
      plan.leaves.flatMap((one) => wordsLines(one, one.why, layout)),
    ),
    ...notes.flatMap((note) => hung('note: ', note, layout.width)),
    ...closing(plan, layout, options),
  ]
  return `${lines.join('\n')}\n`
}
