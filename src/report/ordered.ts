/** The report as plain data, its keys in the one order that every machine-readable format keeps. */
import type { Evidence } from '../core/check.ts'
import type { Json } from '../core/json.ts'
import type { Line, Report } from '../core/report.ts'
import type { Subject } from '../core/subject.ts'

type Members = readonly (readonly [key: string, value: Json | undefined])[]

export function record(members: Members): Json {
  const made: { [key: string]: Json } = {}
  for (const [key, value] of members) if (value !== undefined) made[key] = value
  return made
}

const sorted = (data: { readonly [key: string]: Json } | undefined): Json | undefined =>
  data === undefined
    ? undefined
    : Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))

export const subjectData = ({ kind, namespace, name, context }: Subject): Json =>
  record([
    ['kind', kind],
    ['namespace', namespace],
    ['name', name],
    ['context', context],
  ])

const evidenceData = ({ question, path, observed, expected, words }: Evidence): Json =>
  record([
    [
      'question',
      record([
        ['system', question.system],
        ['call', question.call],
        ['input', sorted(question.input)],
      ]),
    ],
    ['path', path],
    ['observed', observed],
    ['expected', expected],
    ['words', words === undefined ? undefined : { observed: words.observed, expected: words.expected }],
  ])

/** One finding of `reportData`. */
export const lineData = (line: Line): Json =>
  record([
    ['check', line.check],
    ['subject', subjectData(line.subject)],
    ['status', line.status],
    ['severity', line.severity],
    ['title', line.title],
    ['section', line.section],
    ['message', line.message],
    ['messageId', line.messageId],
    ['data', sorted(line.data)],
    ['blockedBy', line.blockedBy],
    [
      'lacks',
      line.lacks?.map(({ what, why, detail, lift }) =>
        record([
          ['what', what],
          ['why', why],
          ['detail', detail],
          ['lift', lift],
        ]),
      ),
    ],
    ['evidence', line.evidence.map(evidenceData)],
    ['why', line.why],
    [
      'fix',
      line.fix === undefined
        ? undefined
        : record([
            ['safety', line.fix.safety],
            ['does', line.fix.does],
          ]),
    ],
    [
      'remedy',
      line.remedy === undefined
        ? undefined
        : record([
            ['words', line.remedy.words],
            ['path', line.remedy.path],
            ['from', line.remedy.from],
            ['to', line.remedy.to],
          ]),
    ],
    ['links', line.links],
    [
      'accepted',
      line.accepted === undefined
        ? undefined
        : record([
            ['by', line.accepted.by],
            ['reason', line.accepted.reason],
            ['until', line.accepted.until],
          ]),
    ],
  ])

/** The contract of `-o json` and `-o yaml`: see schemas/report-v1.schema.json. */
export const reportData = (report: Report): Json =>
  record([
    ['schema', report.schema],
    ['tool', { name: report.tool.name, version: report.tool.version }],
    ['source', report.source],
    ['verdict', report.verdict],
    [
      'totals',
      record(
        (['pass', 'fail', 'not-applicable', 'blocked', 'unknown', 'crashed'] as const).map((status) => [
          status,
          report.totals[status],
        ]),
      ),
    ],
    [
      'identities',
      report.identities.map(({ subject, identity, place }) =>
        record([
          ['subject', subjectData(subject)],
          ['identity', identity],
          ['place', place],
        ]),
      ),
    ],
    ['findings', report.findings.map(lineData)],
    ['plan', report.plan],
    ['notRecognised', report.notRecognised],
    ['notes', report.notes],
  ])
