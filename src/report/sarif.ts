/** The report as SARIF 2.1.0, for code scanning: faults are results with their rule, what was not seen is a notification of the run. */
import type { Json } from '../core/json.ts'
import { exitCodes, type Line, type Place, type Renderer, type Report } from '../core/report.ts'
import { subjectKey } from '../core/subject.ts'
import { acceptedWords } from './accepted.ts'
import { closingSentence } from './closing.ts'
import { nameOf } from './names.ts'
import { record } from './ordered.ts'
import { clean, escaped } from './text.ts'

const levels = { error: 'error', warning: 'warning', info: 'note' } as const satisfies {
  readonly [S in Line['severity']]: string
}

/** `aws/role-exists` → `RoleExists`: SARIF wants a name that a programmer could write. */
const pascal = (check: string): string =>
  check
    .split(/[/-]/u)
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join('')

function ruleOf(line: Line): Json {
  const { title, why, fix, links } = line
  const puts = fix === undefined ? [] : [`What puts it right: ${fix.does} (${fix.safety}).`]
  const text = clean([`${title}.`, why, ...puts, `Read more: ${links.join(' ')}`].join(' '))
  const markdown = [
    `**${title}.**`,
    why,
    ...puts,
    links.map((link) => `- <${link}>`).join('\n'),
    `\`kubectl wi explain ${line.check}\` says more.`,
  ].join('\n\n')
  return record([
    ['id', line.check],
    ['name', pascal(line.check)],
    ['shortDescription', { text: clean(title) }],
    ['fullDescription', { text: clean(why) }],
    ['helpUri', links[0]],
    ['help', { text, markdown }],
    ['defaultConfiguration', { level: levels[line.severity] }],
    [
      'properties',
      { tags: ['workload-identity', line.check.slice(0, line.check.indexOf('/'))], section: line.section },
    ],
  ])
}

/** A path as people wrote it, as a URI: relative ones stay so, for whoever uploads it knows the root. */
export function uriOf(file: string): string {
  const encoded = file
    .replace(/^(?:\.\/)+/u, '')
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/')
  return file.startsWith('/') ? `file://${encoded}` : encoded
}

const physical = ({ file, line }: Place): Json => ({
  artifactLocation: { uri: uriOf(file) },
  region: { startLine: line },
})

/**
 * What stands in no file has a path of its own: of a run with one result that has none, GitHub's code scanning takes nothing at all.
 * https://docs.github.com/en/code-security/reference/code-scanning/sarif-support-for-code-scanning#location-object
 */
const inCluster = ({ context, namespace, kind, name }: Line['subject']): Json => ({
  artifactLocation: {
    uri: [context, namespace, kind, name].flatMap((part) => (part ? [encodeURIComponent(part)] : [])).join('/'),
    description: { text: 'an object of the cluster, and no file' },
  },
  region: { startLine: 1 },
})

const locationOf = ({ subject, place }: Line): Json =>
  record([
    ['physicalLocation', place === undefined ? inCluster(subject) : physical(place)],
    [
      'logicalLocations',
      [
        {
          name: subject.name,
          fullyQualifiedName: subjectKey(subject),
          kind: 'resource',
        },
      ],
    ],
  ])

/** What tells the same finding of two runs: no line number and no date is in it. */
const fingerprint = ({ check, subject, messageId }: Line): string =>
  `${check} ${messageId ?? ''} ${subjectKey(subject)}`

const remedyText = ({ remedy }: Line): string => (remedy === undefined ? '' : `\n${remedy.words}`)

const resultOf = (line: Line, ruleIndex: number): Json =>
  record([
    ['ruleId', line.check],
    ['ruleIndex', ruleIndex],
    ['kind', 'fail'],
    ['level', levels[line.severity]],
    ['message', { text: `${nameOf(line.subject)}: ${line.message}${remedyText(line)}` }],
    ['locations', [locationOf(line)]],
    [
      'suppressions',
      line.accepted === undefined
        ? undefined
        : [
            {
              kind: line.accepted.by === 'annotation' ? 'inSource' : 'external',
              status: 'accepted',
              justification: clean(acceptedWords(line.accepted)),
            },
          ],
    ],
    ['partialFingerprints', { 'kubectlWi/v1': fingerprint(line) }],
    [
      'properties',
      record([
        ['messageId', line.messageId],
        ['section', line.section],
      ]),
    ],
  ])

function notificationOf(line: Line, ruleIndex: number): Json {
  const lifts = (line.lacks ?? []).flatMap(({ lift }) => (lift === undefined ? [] : [lift]))
  const text = [`${nameOf(line.subject)}: ${line.message}`, ...lifts.map((lift) => `to see it: ${lift}`)].join('; ')
  return {
    descriptor: { id: line.status },
    associatedRule: { id: line.check, index: ruleIndex },
    level: line.status === 'crashed' ? 'error' : line.severity === 'error' ? 'warning' : 'note',
    message: { text },
    locations: [locationOf(line)],
  }
}

export function runOf(report: Report): Json {
  const rules = new Map<string, { readonly index: number; readonly rule: Json }>()
  for (const line of report.findings)
    if (!rules.has(line.check)) rules.set(line.check, { index: rules.size, rule: ruleOf(line) })
  const indexOf = (line: Line): number => rules.get(line.check)?.index ?? -1
  const unseen = report.findings.filter(
    ({ status, accepted }) => ['unknown', 'blocked', 'crashed'].includes(status) && accepted === undefined,
  )
  const asides = [...report.notRecognised.map((path) => `not recognised: ${path}`), ...report.notes]
  return {
    tool: {
      driver: {
        name: report.tool.name,
        version: report.tool.version,
        semanticVersion: report.tool.version,
        rules: [...rules.values()].map(({ rule }) => rule),
        notifications: ['unknown', 'blocked', 'crashed'].map((id) => ({ id })),
      },
    },
    invocations: [
      {
        // It ran to its end; whether that is good news is the verdict's to say.
        executionSuccessful: true,
        exitCode: exitCodes[report.verdict],
        exitCodeDescription: closingSentence(report),
        toolExecutionNotifications: [
          ...unseen.map((line) => notificationOf(line, indexOf(line))),
          ...asides.map((text): Json => ({ level: 'note', message: { text: clean(text) } })),
        ],
      },
    ],
    columnKind: 'utf16CodeUnits',
    results: report.findings.filter(({ status }) => status === 'fail').map((line) => resultOf(line, indexOf(line))),
    properties: { source: report.source, verdict: report.verdict },
  }
}

export const render: Renderer = (report) =>
  escaped(
    `${JSON.stringify(
      {
        $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
        version: '2.1.0',
        runs: [runOf(report)],
      },
      null,
      2,
    )}\n`,
  )
