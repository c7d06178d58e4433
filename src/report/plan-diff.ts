/** What an action changes, as a diff of lines: only what differs, with what stands around it. */
import type { Json } from '../core/json.ts'
import type { Action, Effect, Owner, Path } from '../core/plan.ts'
import type { Paint } from './paint.ts'
import { escaped } from './text.ts'

export type DiffLine = { readonly sign: ' ' | '-' | '+' | '@'; readonly text: string }

const around = 2
/** Beyond this, what differs is shown whole. */
const mostCells = 4_000_000

const linesOf = (value: Json | undefined): readonly string[] =>
  value === undefined
    ? []
    : (typeof value === 'string' && value.includes('\n') ? value : JSON.stringify(value, null, 2)).split('\n')

export const pathWords = (path: Path): string =>
  path
    .map((step, index) =>
      typeof step === 'number'
        ? `[${step}]`
        : step === '-'
          ? '[]'
          : /^[A-Za-z_]\w*$/.test(step)
            ? `${index === 0 ? '' : '.'}${step}`
            : `[${JSON.stringify(step)}]`,
    )
    .join('')

/** The longest common subsequence, told as lines that stay, go and come. */
function compared(a: readonly string[], b: readonly string[]): readonly DiffLine[] {
  if (a.length * b.length > mostCells)
    return [...a.map((text) => ({ sign: '-', text }) as const), ...b.map((text) => ({ sign: '+', text }) as const)]
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const [from, to] = [a[i], b[j]]
    if (from !== undefined && from === to) {
      lines.push({ sign: ' ', text: from })
      i += 1
      j += 1
    } else if (from !== undefined && (to === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: '-', text: from })
      i += 1
    } else if (to !== undefined) {
      lines.push({ sign: '+', text: to })
      j += 1
    }
  }
  return lines
}

/** Where the change is: the object's own name, and the path in it. */
function headOf({ question, path }: Effect): string {
  const names = ['namespace', 'name', 'RoleName', 'OpenIDConnectProviderArn', 'principalArn']
  const name = names.flatMap((key) => (typeof question.input[key] === 'string' ? [question.input[key]] : [])).join('/')
  const kind = question.call.replace(/\/get$/, '')
  return [`${kind} ${name}`.trim(), pathWords(path)].filter((part) => part !== '').join(' ')
}

const isChange = ({ before, after }: Effect): boolean => before !== undefined || after !== undefined

/** The lines of one action; effects that only show elsewhere what the first one changes are left out. */
export function diffOf({ effects }: Pick<Action, 'effects'>): readonly DiffLine[] {
  const [first] = effects
  const own = effects.filter(
    (effect) =>
      isChange(effect) && effect.question.call === first.question.call && !effect.path.includes('managedFields'),
  )
  return own.flatMap((effect) => {
    const lines = compared(linesOf(effect.before), linesOf(effect.after))
    const near = (index: number): boolean =>
      lines.slice(Math.max(0, index - around), index + around + 1).some(({ sign }) => sign !== ' ')
    const shown = lines.flatMap((line, index): readonly DiffLine[] => {
      if (near(index)) return [line]
      return index > 0 && near(index - 1) ? [{ sign: ' ', text: '…' }] : []
    })
    const clean = shown.map(({ sign, text }): DiffLine => ({ sign, text: escaped(text) }))
    return [{ sign: '@', text: escaped(headOf(effect)) }, ...clean]
  })
}

/** As `diff -u` would print it. */
export const asText = (lines: readonly DiffLine[]): string =>
  lines.map(({ sign, text }) => (sign === '@' ? `@@ ${text} @@\n` : `${sign} ${text}\n`)).join('')

/** The same for a page: what goes and what comes in their colours. */
export function paintedDiff(action: Pick<Action, 'effects'>, paint: Paint): readonly string[] {
  const roles = { '-': paint.bad, '+': paint.good, '@': paint.quiet, ' ': (text: string) => text }
  return diffOf(action).map(({ sign, text }) => roles[sign](sign === '@' ? text : `${sign} ${text}`))
}

/** Why an action may not last, and where it would. */
export const ownerWarning = ({ tool, mark, where }: Owner): string =>
  `${tool} (${mark}) would put the old value back: make this change in ${where}`
