/** The report as Markdown, for a pull request or a chat: the verdict, one cause one paragraph, what was not seen. */
import type { Evidence } from '../core/check.ts'
import type { Line, Renderer } from '../core/report.ts'
import { acceptedItems } from './accepted.ts'
import { type Cause, type Gap, type Part, tell } from './causes.ts'
import { closingSentence } from './closing.ts'
import { crowd, crowdWithNames, nameOf } from './names.ts'
import { markOf } from './paint.ts'
import { clean } from './text.ts'

/** Nothing from outside makes a heading, a link, a mention or a cell. */
export const md = (text: string): string =>
  clean(text)
    .replace(/[\\`*_{}[\]|~]/gu, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    // An empty comment keeps GitHub from taking a name for somebody to notify, and a number for an issue.
    .replace(/@(?=\w)|#(?=\d)/gu, '$&<!-- -->')
    .replace(/^(\s*)([#+-]|\d+[.)])(?=\s)/u, '$1\\$2')

/** A code span whose fence is longer than any run of backticks inside. */
export function code(text: string): string {
  const inside = clean(text)
  const longest = Math.max(0, ...[...inside.matchAll(/`+/gu)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return longest > 0 ? `${fence} ${inside} ${fence}` : `${fence}${inside}${fence}`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
const longest = 600
const shown = (value: Evidence['observed']): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === '' ? '(empty)' : code(text.length > longest ? `${text.slice(0, longest)}…` : text)
}

const evidenceItem = ({ path, observed, expected, words }: Evidence): string => {
  const where = path === '' ? '' : `${code(path)}: `
  const sides =
    expected === undefined
      ? `${md(words?.observed ?? 'found')} ${shown(observed)}`
      : `${md(words?.observed ?? 'found')} ${shown(observed)}, ${md(words?.expected ?? 'expected')} ${shown(expected)}`
  return `- ${where}${sides}`
}

/** The first line is for a person, the others are commands; a fence longer than what is inside. */
function remedyLines({ remedy, fix }: Line): readonly string[] {
  if (remedy === undefined) return fix === undefined ? [] : [`**Fix:** ${md(fix.does)}`, '']
  const [words = '', ...commands] = remedy.words.split('\n')
  if (commands.length === 0) return [`**Fix:** ${md(words)}`, '']
  const text = commands.map(clean).join('\n')
  const runs = [...text.matchAll(/`{3,}/gu)].map(([run]) => run.length)
  const fence = '`'.repeat(Math.max(2, ...runs) + 1)
  return [`**Fix:** ${md(words)}`, '', `${fence}sh`, text, fence, '']
}

function causeLines({ line, subjects, held, alike }: Cause): readonly string[] {
  const { sign, word } = markOf(line)
  const where = line.place === undefined ? [] : [`In ${code(`${line.place.file}:${line.place.line}`)}.`, '']
  return [
    `### ${sign} ${word}: ${md(line.title)}`,
    '',
    `${md(crowdWithNames(subjects, 3))}: ${md(line.message)}`,
    '',
    ...where,
    ...line.evidence.map(evidenceItem),
    ...(line.evidence.length === 0 ? [] : ['']),
    md(line.why),
    '',
    ...remedyLines(line),
    ...(held.length === 0 ? [] : [`Blocked by this: ${held.map(({ title }) => md(title)).join('; ')}.`, '']),
    ...(alike.length === 0
      ? []
      : [
          `The same, in other words: ${md(
            crowdWithNames(
              alike.flatMap((one) => one.subjects),
              10,
            ),
          )}.`,
          '',
        ]),
    `${code(line.check)} · <${line.links[0]}>`,
    '',
  ]
}

const gapItems = ({ lack, open, alike }: Gap): readonly string[] => [
  `- ${md(lack.detail)}${lack.lift === undefined ? '' : `; to see it: ${md(lack.lift)}`}${
    alike.length === 0 ? '' : ` (and ${alike.length} more of the kind)`
  }`,
  ...open.map(({ title, subjects }) => `  - open: ${md(title)} (${md(crowd(subjects))})`),
]

const passedRow = ({ passed }: Part): readonly string[] =>
  passed === undefined
    ? []
    : [`| ${code(passed.line.check)} | ${cell(md(passed.line.title))} | ${cell(md(crowd(passed.subjects)))} |`]

export const render: Renderer = (report) => {
  const { sections, gaps } = tell(report)
  const causes = sections.flatMap(({ parts }) => parts.flatMap((part) => part.causes))
  const passed = sections.flatMap(({ parts }) => parts.flatMap(passedRow))
  const accepted = acceptedItems(report)
  const asides = [...report.notRecognised.map((path) => `not recognised: ${path}`), ...report.notes]
  const lines = [
    `## Workload identity: ${report.verdict}`,
    '',
    `${md(closingSentence(report))}. From ${md(report.source)}.`,
    '',
    ...(report.identities.length === 0 || report.identities.length > 30
      ? []
      : [
          '| ServiceAccount | identity |',
          '| --- | --- |',
          ...report.identities.map(
            ({ subject, identity }) => `| ${cell(code(nameOf(subject)))} | ${cell(code(identity))} |`,
          ),
          '',
        ]),
    ...causes.flatMap(causeLines),
    ...(gaps.length === 0 ? [] : ['### ? Not seen', '', ...gaps.flatMap(gapItems), '']),
    ...(accepted.length === 0 ? [] : ['### Accepted', '', ...accepted.map((item) => `- ${md(item)}`), '']),
    ...(asides.length === 0 ? [] : ['### Notes', '', ...asides.map((aside) => `- ${md(aside)}`), '']),
    ...(passed.length === 0
      ? []
      : [
          '<details><summary>What passed</summary>',
          '',
          '| check | the good state | who |',
          '| --- | --- | --- |',
          ...passed,
          '',
          '</details>',
          '',
        ]),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}
