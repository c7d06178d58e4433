/** One cause as a paragraph: what is wrong, where it shows, why it matters, what puts it right, what waits for it. */
import type { Evidence } from '../core/check.ts'
import { isList, type Json } from '../core/json.ts'
import type { Line } from '../core/report.ts'
import type { Cause, Gap, Held } from './causes.ts'
import { differenceOf } from './difference.ts'
import { labelled, labels, margin } from './labelled.ts'
import { crowd, crowdWithNames } from './names.ts'
import { markOf, type Paint } from './paint.ts'
import { clean, count, shorten, wrap } from './text.ts'

export type Sheet = {
  readonly paint: Paint
  readonly width: number
  readonly verbose: boolean
  /** Whether lines must say whom they are about. */
  readonly crowded: boolean
  /** Something worse stands above what was not seen, which is then only counted. */
  readonly brief: boolean
  /** Where the notes beside the sentences begin. */
  readonly column: number
}

const pad = (columns: number): string => ' '.repeat(Math.max(0, columns))

const wrapped = (sheet: Sheet, text: string, indent = margin): readonly string[] =>
  wrap(clean(text), sheet.width - indent).map((line) => `${pad(indent)}${line}`)

/** A mark and its sentence, with a note at the right edge of the sentences, or beneath where there is no room. */
export function headline(
  sheet: Sheet,
  line: Pick<Line, 'status' | 'severity' | 'title'>,
  note: string,
): readonly string[] {
  const { paint, width, column } = sheet
  const { sign, role } = markOf(line)
  const [first = '', ...more] = wrap(clean(line.title), width - 3)
  const rest = more.map((text) => `   ${text}`)
  const head = (text: string): string => ` ${paint[role](sign)} ${line.status === 'fail' ? paint.strong(text) : text}`
  if (note === '') return [head(first), ...rest]
  const last = more.length === 0 ? first : (more.at(-1) ?? '')
  const used = 3 + last.length
  const gap = used + 2 <= column && column + note.length <= width ? column - used : 2
  if (used + gap + note.length > width) return [head(first), ...rest, `${pad(margin)}${paint.quiet(note)}`]
  const tail = `${pad(gap)}${paint.quiet(note)}`
  if (more.length === 0) return [`${head(first)}${tail}`]
  return [head(first), ...rest.slice(0, -1), `   ${last}${tail}`]
}

const textOf = (value: Json): string =>
  typeof value === 'string'
    ? value
    : value === null || (isList(value) && value.length === 0)
      ? 'none'
      : JSON.stringify(value)

const asked = ({ question }: Evidence): string => {
  const input = Object.entries(question.input)
    .map(([key, value]) => `${key}=${textOf(value)}`)
    .join(' ')
  return clean(`${question.system} ${question.call}${input === '' ? '' : ` ${input}`}`)
}

/** What was seen and what should have been, one above the other, with a caret under the first difference. */
export function evidenceLines(sheet: Sheet, evidence: Evidence, failed: boolean): readonly string[] {
  const { paint, width, verbose } = sheet
  const lines = evidence.path === '' ? [] : [...wrapped(sheet, evidence.path)]
  if (verbose) lines.push(...labelled(sheet, 'asked', asked(evidence)))
  const inner = margin + 2
  const observed = textOf(evidence.observed)
  if (evidence.expected === undefined) {
    const column = Math.max((evidence.words?.observed ?? 'found').length + 2, labels)
    const room = width - inner - column
    return [
      ...lines,
      ...labelled(sheet, evidence.words?.observed ?? 'found', shorten(observed, (verbose ? 20 : 2) * room), {
        indent: inner,
      }),
    ]
  }
  // Where a check names the two sides, they read in its order: the policy wants, the token presents.
  const expected = textOf(evidence.expected)
  const [first, second] =
    evidence.words === undefined
      ? ([
          ['expected', expected],
          ['observed', observed],
        ] as const)
      : ([
          [evidence.words.observed, observed],
          [evidence.words.expected, expected],
        ] as const)
  const column = Math.max(first[0].length, second[0].length) + 2
  const room = width - inner - column
  const row = (word: string, value: string): string =>
    `${pad(inner)}${paint.quiet(clean(word).padEnd(column))}${value === '' ? '(empty)' : value}`
  if (observed === expected) return [...lines, row(first[0], shorten(clean(observed), room))]
  const seen = differenceOf(first[1], second[1], room)
  const sides = [row(first[0], seen.first), row(second[0], seen.second)]
  // A description of what is good ("https://HOST on the internet") has no first letter that differs.
  const described = /\s/u.test(expected) && !/\s/u.test(observed.trim())
  const throughout = seen.at === 0 && seen.length >= seen.second.length
  if (!failed || described || throughout) return [...lines, ...sides]
  const caret = '^'.repeat(seen.length)
  const said = seen.words.length + 1 <= room - seen.at - seen.length ? `${caret} ${seen.words}` : caret
  return [
    ...lines,
    ...sides,
    `${pad(inner + column + seen.at)}${paint.bad(said)}`,
    ...(said === caret ? [`${pad(inner + column)}${paint.bad(seen.words)}`] : []),
  ]
}

const mostEvidence = 3
const mostHeld = 4

/** `whom`: the subjects that are named above already. */
function heldLines(sheet: Sheet, words: string, held: readonly Held[], whom: string): readonly string[] {
  if (held.length === 0) return []
  const { paint, verbose } = sheet
  const shown = verbose || held.length <= mostHeld + 1 ? held : held.slice(0, mostHeld)
  const rest = held.length - shown.length
  return [
    `${pad(margin)}${paint.quiet(words)}`,
    ...shown.flatMap(({ title, subjects }) => {
      const those = sheet.crowded ? crowd(subjects) : whom
      return wrapped(sheet, those === whom ? title : `${title} (${those})`, margin + 2)
    }),
    ...(rest === 0 ? [] : [`${pad(margin + 2)}and ${count(rest, 'other check')} (-v lists them)`]),
  ]
}

const merged = (causes: readonly Cause[]): readonly Held[] => {
  const byTitle = new Map<string, Held>()
  for (const { title, subjects } of causes.flatMap((one) => one.held)) {
    const before = byTitle.get(title)
    byTitle.set(title, { title, subjects: [...(before?.subjects ?? []), ...subjects] })
  }
  return [...byTitle.values()]
}

const mostMore = 3

/** An element of a document with a label: as it is where there is room, else as JSON over many lines. */
function elementLines(sheet: Sheet, label: string, text: string, indent: number): readonly string[] {
  if (!/^[[{]/u.test(text) || text.length <= sheet.width - indent - labels)
    return labelled(sheet, label, text, { indent })
  let json: Json
  try {
    json = JSON.parse(text)
  } catch {
    return labelled(sheet, label, text, { indent })
  }
  return [
    `${pad(indent)}${sheet.paint.quiet(label)}`,
    ...JSON.stringify(json, null, 2)
      .split('\n')
      .map((line) => `${pad(indent)}${clean(line)}`),
  ]
}

const commandsOf = ({ remedy }: Line): readonly string[] => remedy?.words.split('\n').slice(1) ?? []

/** What puts it right: this one case where that is known, else what the check says in general. */
function fixLines(sheet: Sheet, { line, lines, alike }: Cause): readonly string[] {
  const { remedy, fix } = line
  if (remedy === undefined) return fix === undefined ? [] : labelled(sheet, 'fix', fix.does)
  const { words, path, from, to } = remedy
  const [sentence = ''] = words.split('\n')
  const inner = margin + labels
  const own = commandsOf(line)
  const all = new Set([...lines, ...alike.flatMap((one) => one.lines)].flatMap(commandsOf))
  const others = [...all].filter((command) => !own.includes(command))
  const shown = sheet.verbose || others.length <= mostMore + 1 ? others : others.slice(0, mostMore)
  const rest = others.length - shown.length
  // Who sees where an element stands can read there what it is; only a short one is worth repeating.
  const repeats = from !== undefined && (sheet.verbose || !/^[[{]/u.test(from))
  return [
    ...labelled(sheet, 'fix', sentence),
    ...(path === undefined ? [] : wrapped(sheet, path, inner)),
    ...(repeats ? elementLines(sheet, 'from', from, inner) : []),
    ...(to === undefined ? [] : elementLines(sheet, 'to', to, inner)),
    // A command stays on one line, however long, so that it can be copied.
    ...[...own, ...shown].map((command) => `${pad(inner)}${clean(command)}`),
    ...(rest === 0 ? [] : [`${pad(inner)}and ${count(rest, 'other command')} (-v lists them)`]),
  ]
}

/** What a check's papers say to what it found; a check that stumbled has found nothing. */
const counsel = (sheet: Sheet, cause: Cause, above: Cause | undefined): readonly string[] => {
  const { line } = cause
  if (above === undefined)
    return [
      ...labelled(sheet, 'why', line.why),
      ...fixLines(sheet, cause),
      ...(sheet.verbose ? line.links : line.links.slice(0, 1)).flatMap((link) => labelled(sheet, 'see', link)),
    ]
  return line.remedy === undefined || line.remedy.words === above.line.remedy?.words ? [] : fixLines(sheet, cause)
}

/** The paragraph of one cause. `above`: one of the same check that stands right above, with what its papers say. */
export function causeLines(sheet: Sheet, cause: Cause, above: Cause | undefined): readonly string[] {
  const { line, subjects, alike } = cause
  const evidence = sheet.verbose ? line.evidence : line.evidence.slice(0, mostEvidence)
  const others = alike.flatMap((one) => one.subjects)
  const { verbose } = sheet
  return [
    ...headline(sheet, line, markOf(line).word),
    ...wrapped(sheet, line.message),
    ...evidence.flatMap((one) => evidenceLines(sheet, one, line.status === 'fail')),
    ...(sheet.crowded ? labelled(sheet, 'hits', crowdWithNames(subjects, verbose ? 1000 : 3)) : []),
    ...(others.length === 0 ? [] : labelled(sheet, 'also', crowdWithNames(others, verbose ? 1000 : 3))),
    ...(line.status === 'crashed' ? [] : counsel(sheet, cause, above)),
    ...(verbose || line.status === 'crashed' ? labelled(sheet, 'check', line.check) : []),
    ...heldLines(sheet, '◦ blocked by this:', merged([cause, ...alike]), crowd([...subjects, ...others])),
  ]
}

/** A command stays on one line, however long, so that it can be copied. */
const isCommand = (lift: string): boolean => / > \S+$/u.test(lift)

/** What was not seen and why, what would let us see it, and the checks that it leaves open. */
export function gapLines(sheet: Sheet, { lack, open, alike }: Gap): readonly string[] {
  const { paint, width, verbose, brief } = sheet
  const { sign, role } = markOf({ status: 'unknown', severity: 'error' })
  const { what, why, detail, lift } = lack
  const [first = '', ...rest] = wrap(clean(why === 'undecided' ? detail : `${what}: ${detail}`), width - 3)
  const others = alike.flatMap((one) => one.open.flatMap((held) => held.subjects))
  return [
    ` ${paint[role](sign)} ${first}`,
    ...rest.map((line) => `   ${line}`),
    ...(lift === undefined
      ? []
      : isCommand(lift)
        ? [`${pad(margin)}${paint.quiet('to see'.padEnd(labels))}${clean(lift)}`]
        : labelled(sheet, 'to see', lift)),
    ...(brief && !verbose
      ? [`${pad(margin)}${paint.quiet(`leaves ${count(open.length, 'check')} open`)}`]
      : heldLines(sheet, 'leaves open:', open, '')),
    ...(others.length === 0 ? [] : labelled(sheet, 'also', crowdWithNames(others, verbose ? 1000 : 3))),
  ]
}
