/** A plan for people: each action with what it changes, whom it is for and what takes it back; then what is left to do by hand. */
import type { Plan, PlannedAction, PlanReport, Reason } from '../core/plan.ts'
import type { RenderOptions } from '../core/report.ts'
import { type Paint, paintOf } from './paint.ts'
import { diffOf } from './plan-diff.ts'
import { clean, count, wrap } from './text.ts'

const whom = ({ subject: { kind, namespace, name } }: Reason): string =>
  kind === 'Cluster' ? 'the cluster' : `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`

type Layout = { readonly paint: Paint; readonly width: number }

/** A label in its column, and text beside it that is wrapped. */
function labelled(label: string, text: string, { paint, width }: Layout): readonly string[] {
  const indent = 13
  const lines = wrap(clean(text), width - indent)
  return lines.map((line, index) => `     ${paint.quiet((index === 0 ? label : '').padEnd(7))} ${line}`)
}

/** A command stays on one line, so that it can be copied. */
const command = (label: string, text: string, { paint }: Layout): string =>
  `     ${paint.quiet(label.padEnd(7))} ${clean(text)}`

function actionLines(action: PlannedAction, number: number, layout: Layout): readonly string[] {
  const { paint } = layout
  const { summary, safety, owner, undo, command: typed, undoCommand } = action
  const head = wrap(`${clean(summary)} (${safety})`, layout.width - 4)
  const roles = { '-': paint.bad, '+': paint.good, '@': paint.quiet, ' ': (text: string) => text }
  return [
    ...head.map((line, index) => `${index === 0 ? `${String(number).padStart(2)}.` : '   '} ${paint.strong(line)}`),
    ...action.for
      .slice(0, 3)
      .flatMap((reason) => labelled('for', `${whom(reason)}: ${reason.message} (${reason.check})`, layout)),
    ...(action.for.length > 3 ? labelled('', `and ${action.for.length - 3} more`, layout) : []),
    ...diffOf(action).map(({ sign, text }) => `       ${roles[sign](sign === '@' ? text : `${sign} ${text}`)}`),
    ...(typed === undefined ? [] : [command('typed', typed, layout)]),
    ...(undoCommand === undefined
      ? labelled('undo', undo === null ? 'nothing takes it back, or need' : 'kubectl wi undo', layout)
      : [command('undo', undoCommand, layout)]),
    ...(owner === undefined
      ? []
      : labelled(
          'owner',
          `${owner.tool} (${owner.mark}) would put the old value back: make this change in ${owner.where}`,
          layout,
        )),
    '',
  ]
}

function wordsLines(reason: Reason, words: string, layout: Layout): readonly string[] {
  const [sentence = '', ...commands] = words.split('\n')
  return [
    ...wrap(clean(`${whom(reason)}: ${reason.message} (${reason.check})`), layout.width - 4).map(
      (line, index) => `  ${index === 0 ? '-' : ' '} ${line}`,
    ),
    ...labelled('do', sentence, layout),
    ...commands.map((one) => command('', one, layout)),
  ]
}

const endings = { healthy: 'good', unhealthy: 'bad', inconclusive: 'open' } as const

function closing({ actions, before, rehearsed, remains, manual, leaves }: Plan, layout: Layout): readonly string[] {
  const { paint } = layout
  if (actions.length === 0) {
    if (before === 'healthy') return [paint.good('healthy: there is nothing to put right')]
    const open = manual.length + leaves.length
    return [
      open === 0
        ? `${before}: nothing failed that a plan could put right; kubectl wi doctor says what was not seen`
        : `${before}: nothing here can be put right by a command; ${count(open, 'finding')} to be seen to by hand`,
    ]
  }
  const verdict = paint[endings[rehearsed]](rehearsed)
  const rest =
    remains.length === 0 ? '' : `; still failing: ${[...new Set(remains.map(({ check }) => check))].join(', ')}`
  return wrap(
    `after this plan: ${verdict} (rehearsed, nothing was changed)${rest}. ${count(actions.length, 'action')}; --apply carries them out, and a real exchange then has the last word.`,
    layout.width,
  )
}

export function render({ plan, source, notes }: PlanReport, options: Omit<RenderOptions, 'verbose'>): string {
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
    ...notes.map((note) => `note: ${clean(note)}`),
    ...closing(plan, layout),
  ]
  return `${lines.join('\n')}\n`
}
