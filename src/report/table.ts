/** The report for a person: by heading, one cause one paragraph, what was not seen, the verdict. */
import type { Identity, Renderer, Report } from '../core/report.ts'
import { scopeOf } from '../core/subject.ts'
import { acceptedItems } from './accepted.ts'
import { type Group, type Part, type Section, tell } from './causes.ts'
import { closingLines } from './closing.ts'
import { labelled } from './labelled.ts'
import { crowd, crowdWithNames, nameOf } from './names.ts'
import { paintOf } from './paint.ts'
import { causeLines, evidenceLines, gapLines, headline, type Sheet } from './paragraph.ts'
import { clean, wrap } from './text.ts'

const narrowest = 60
const widest = 120
const mostIdentities = 6

const whoOf = (identity: Identity): string => {
  const name = nameOf(identity.subject)
  return scopeOf(identity.subject) === 'service-account' ? name.slice(name.indexOf(' ') + 1) : name
}

function identityLines(sheet: Sheet, identity: Identity): readonly string[] {
  const { paint, width } = sheet
  const who = whoOf(identity)
  const what = clean(identity.identity)
  const place = clean(identity.place ?? '')
  const line = `${paint.strong(who)} → ${what}`
  const length = who.length + 3 + what.length
  const lines = length <= width ? [line] : [paint.strong(who), `  → ${what}`]
  const last = length <= width ? length : 4 + what.length
  if (place === '') return lines
  if (last + 3 + place.length > width) return [...lines, `  ${paint.quiet(place)}`]
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ''}${' '.repeat(width - last - place.length)}${paint.quiet(place)}`]
}

function headLines(report: Report, sheet: Sheet): readonly string[] {
  const { identities } = report
  const from = wrap(clean(`from ${report.source}`), sheet.width).map((line) => sheet.paint.quiet(line))
  if (sheet.verbose || identities.length <= mostIdentities)
    return [...identities.flatMap((identity) => identityLines(sheet, identity)), ...from]
  const all = crowdWithNames(
    identities.map(({ subject }) => subject),
    3,
  )
  return [...wrap(all, sheet.width).map((line) => sheet.paint.strong(line)), ...from]
}

/** What a pass has to show for itself at a glance: the one short value it rests on. */
function glance({ line, lines, subjects }: Group, sheet: Sheet): string {
  if (sheet.crowded) return crowd(subjects)
  const value = lines.length === 1 ? line.evidence[0]?.observed : undefined
  if (typeof value !== 'string' || !/[^\d]/u.test(value)) return ''
  const shown = clean(value)
  return sheet.column + shown.length <= sheet.width && 3 + line.title.length + 2 <= sheet.column ? shown : ''
}

const partLines = ({ causes, passed, idle }: Part, sheet: Sheet): readonly string[] => [
  ...causes.flatMap((cause, index) => causeLines(sheet, cause, causes[index - 1])),
  ...(passed === undefined ? [] : passedLines(passed, sheet)),
  ...(idle === undefined || !sheet.verbose ? [] : idleLines(idle, sheet)),
]

function passedLines(group: Group, sheet: Sheet): readonly string[] {
  if (!sheet.verbose) return headline(sheet, group.line, glance(group, sheet))
  return [
    ...headline(sheet, group.line, crowd(group.subjects)),
    ...group.line.evidence.flatMap((one) => evidenceLines(sheet, one, false)),
    ...labelled(sheet, 'check', group.line.check),
  ]
}

const idleLines = (group: Group, sheet: Sheet): readonly string[] => [
  ...headline(sheet, group.line, 'not applicable'),
  ...[...new Set(group.lines.map(({ message }) => message))]
    .slice(0, 3)
    .flatMap((message) => labelled(sheet, 'as', message)),
]

function sectionLines(section: Section, sheet: Sheet): readonly string[] {
  const lines = section.parts.flatMap((part) => partLines(part, sheet))
  return lines.length === 0 ? [] : ['', sheet.paint.strong(clean(section.name)), ...lines]
}

/** Just behind the longest sentence that leaves room for a note. */
const columnOf = (report: Report, width: number): number =>
  report.findings.reduce(
    (most, { title }) => (title.length + 5 > width - 18 ? most : Math.max(most, title.length + 5)),
    40,
  )

const bulletLines = (text: string, width: number): readonly string[] =>
  wrap(clean(text), width - 3).map((line, index) => `${index === 0 ? ' - ' : '   '}${line}`)

const mostUnrecognised = 10

/** Documents that no rule recognised; a folder of thousands is counted, not listed. */
function unrecognised({ notRecognised }: Report, verbose: boolean): readonly string[] {
  const shown = verbose ? notRecognised : notRecognised.slice(0, mostUnrecognised)
  const rest = notRecognised.length - shown.length
  const lines = shown.map((path) => `not recognised: ${path}`)
  return rest === 0 ? lines : [...lines, `not recognised either: ${rest} more (-v lists them)`]
}

const mostAccepted = 10

function acceptedLines(report: Report, { paint, width, verbose }: Sheet): readonly string[] {
  const items = acceptedItems(report)
  if (items.length === 0) return []
  const shown = verbose ? items : items.slice(0, mostAccepted)
  const rest = items.length - shown.length
  const told = rest === 0 ? shown : [...shown, `and ${rest} more (-v lists them)`]
  return ['', paint.strong('Accepted'), ...told.flatMap((item) => bulletLines(item, width))]
}

export const render: Renderer = (report, options) => {
  const width = Math.min(widest, Math.max(narrowest, options.width))
  const paint = paintOf(options.color)
  const workloads = report.findings.filter(({ subject }) => !['cluster', 'object'].includes(scopeOf(subject)))
  const crowded = report.identities.length > 1 || new Set(workloads.map(({ subject }) => subject.name)).size > 3
  const sheet: Sheet = {
    paint,
    width,
    verbose: options.verbose,
    crowded,
    brief: report.verdict === 'unhealthy',
    column: columnOf(report, width),
  }
  const { sections, gaps } = tell(report)
  const asides = [...unrecognised(report, options.verbose), ...report.notes]
  const lines = [
    ...headLines(report, sheet),
    ...sections.flatMap((section) => sectionLines(section, sheet)),
    ...(gaps.length === 0 ? [] : ['', paint.strong('Not seen'), ...gaps.flatMap((gap) => gapLines(sheet, gap))]),
    ...acceptedLines(report, sheet),
    ...(asides.length === 0
      ? []
      : ['', paint.strong('Notes'), ...asides.flatMap((aside) => bulletLines(aside, width))]),
    '',
    ...closingLines(report, paint, width, options.fix),
  ]
  return `${lines.join('\n')}\n`
}
