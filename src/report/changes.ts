/** What has changed from one report to the next: for the eye a line each, for a program a line of JSON each. */
import type { Json } from '../core/json.ts'
import type { Line, Report } from '../core/report.ts'
import { subjectKey } from '../core/subject.ts'
import { closingSentence } from './closing.ts'
import { nameOf } from './names.ts'
import { record, subjectData } from './ordered.ts'
import { markOf, paintOf } from './paint.ts'
import { clean, escaped } from './text.ts'

/** `before` or `after` is left out where nobody was judged then. */
export type Change = { readonly before?: Line; readonly after?: Line }

const keyOf = ({ check, subject }: Line): string => `${check} ${subjectKey(subject)}`

const stateOf = ({ status, messageId, accepted }: Line): string =>
  `${status} ${messageId ?? ''} ${accepted === undefined ? '' : 'accepted'}`

/** Nobody has to be told that somebody came who is well, or went who was. */
const matters = ({ before, after }: Change): boolean =>
  [before, after].some((line) => line !== undefined && ['fail', 'crashed', 'unknown'].includes(line.status))

/** What is new, what is other than before, what is gone; in the order of the later report, those that are gone last; without whoever is well, and was before or was not there. */
export function changesBetween(earlier: Report, later: Report): readonly Change[] {
  const were = new Map(earlier.findings.map((line) => [keyOf(line), line]))
  const are = new Set(later.findings.map(keyOf))
  const changes: Change[] = later.findings.flatMap((after): readonly Change[] => {
    const before = were.get(keyOf(after))
    if (before === undefined) return [{ after }]
    return stateOf(before) === stateOf(after) ? [] : [{ before, after }]
  })
  const gone = earlier.findings.filter((line) => !are.has(keyOf(line))).map((before): Change => ({ before }))
  return [...changes, ...gone].filter(matters)
}

const wordOf = (line: Line | undefined): string =>
  line === undefined ? 'gone' : line.accepted === undefined ? markOf(line).word : 'accepted'

/** `time` stands before each line as it is given. */
export function changeLines(earlier: Report, later: Report, time: string, color: boolean): readonly string[] {
  const paint = paintOf(color)
  const changes = changesBetween(earlier, later)
  const lines = changes.map(({ before, after }) => {
    const line = after ?? before
    if (line === undefined) return ''
    const { sign, role } = after === undefined ? ({ sign: '-', role: 'quiet' } as const) : markOf(after)
    const from = before === undefined ? '' : `${wordOf(before)} → `
    const told = after === undefined ? line.title : after.status === 'pass' ? after.title : after.message
    return `${time} ${paint[role](`${sign} ${from}${wordOf(after)}`)}  ${nameOf(line.subject)}: ${clean(told)} (${line.check})`
  })
  const moved = earlier.verdict !== later.verdict
  return moved || lines.length > 0 ? [...lines, `${time} ${paint.strong(clean(closingSentence(later)))}`] : []
}

const stateData = (line: Line | undefined): Json | undefined =>
  line === undefined
    ? undefined
    : record([
        ['status', line.status],
        ['message', line.message],
        ['messageId', line.messageId],
        ['accepted', line.accepted === undefined ? undefined : true],
      ])

/** One line of JSON for each change, and one for the verdict; see schemas/change-v1.schema.json. */
export function changeJson(earlier: Report | undefined, later: Report, time: string): readonly string[] {
  const head = [
    ['schema', 'kubectl-wi/change/v1'],
    ['time', time],
  ] as const
  const changes =
    earlier === undefined
      ? later.findings.map((after): Change => ({ after })).filter(matters)
      : changesBetween(earlier, later)
  const told = changes.flatMap(({ before, after }) => {
    const line = after ?? before
    return line === undefined
      ? []
      : [
          record([
            ...head,
            ['check', line.check],
            ['subject', subjectData(line.subject)],
            ['severity', line.severity],
            ['before', stateData(before)],
            ['after', stateData(after)],
          ]),
        ]
  })
  const verdict =
    earlier?.verdict === later.verdict
      ? []
      : [record([...head, ['verdict', later.verdict], ['before', earlier?.verdict]])]
  return [...told, ...verdict].map((one) => escaped(JSON.stringify(one)))
}
