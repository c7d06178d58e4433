/** The report as JUnit XML, as CI systems read test results: a suite for each subject, a test for each check. */
import type { Line, Renderer } from '../core/report.ts'
import { subjectKey } from '../core/subject.ts'
import { acceptedWords } from './accepted.ts'
import { nameOf } from './names.ts'
import { attribute, xml } from './xml.ts'

type Outcome = 'failure' | 'error' | 'skipped' | 'passed'

/** An error is a failed test; what was not seen is a test that could not run, for nobody must take it as passed. */
function outcomeOf(line: Line, open: boolean, strict: boolean): Outcome {
  const { status, severity, accepted } = line
  if (accepted !== undefined) return 'skipped'
  if (status === 'fail') return severity === 'error' || (strict && severity === 'warning') ? 'failure' : 'passed'
  if (status === 'crashed') return 'error'
  if (status === 'unknown') return severity === 'error' ? 'error' : 'skipped'
  if (status === 'blocked') return open && severity === 'error' ? 'error' : 'skipped'
  return status === 'pass' ? 'passed' : 'skipped'
}

const linesOf = (line: Line): string =>
  [
    line.message,
    ...line.evidence.map(({ path, observed, expected }) =>
      [
        path,
        `found ${JSON.stringify(observed)}`,
        ...(expected === undefined ? [] : [`expected ${JSON.stringify(expected)}`]),
      ].join(' '),
    ),
    ...(line.lacks ?? []).flatMap(({ lift }) => (lift === undefined ? [] : [`to see it: ${lift}`])),
    ...(line.remedy === undefined ? [] : [line.remedy.words]),
    ...line.links,
  ].join('\n')

function bodyOf(line: Line, outcome: Outcome): readonly string[] {
  const told = `message="${attribute(line.message)}"`
  if (outcome === 'failure')
    return [`<failure type="${attribute(line.messageId ?? line.severity)}" ${told}>${xml(linesOf(line))}</failure>`]
  if (outcome === 'error') return [`<error type="${line.status}" ${told}>${xml(linesOf(line))}</error>`]
  if (outcome === 'skipped')
    return [
      `<skipped>${xml(`${line.accepted === undefined ? line.status : acceptedWords(line.accepted)}: ${line.message}`)}</skipped>`,
    ]
  return line.status === 'fail' ? [`<system-out>${xml(`${line.severity}: ${linesOf(line)}`)}</system-out>`] : []
}

function testcase(line: Line, outcome: Outcome): string {
  const head = `    <testcase classname="kubectl-wi.${attribute(line.check.replaceAll('/', '.'))}" name="${attribute(line.title)}"`
  const body = bodyOf(line, outcome)
  return body.length === 0 ? `${head}/>` : `${head}>${body.join('')}</testcase>`
}

export const render: Renderer = (report, { failOn }) => {
  const open = report.verdict === 'inconclusive'
  const suites = new Map<
    string,
    { readonly name: string; readonly cases: string[]; readonly sums: Map<Outcome, number> }
  >()
  for (const line of report.findings) {
    const key = subjectKey(line.subject)
    const suite = suites.get(key) ?? { name: nameOf(line.subject), cases: [], sums: new Map<Outcome, number>() }
    suites.set(key, suite)
    const outcome = outcomeOf(line, open, failOn === 'warning')
    suite.cases.push(testcase(line, outcome))
    suite.sums.set(outcome, (suite.sums.get(outcome) ?? 0) + 1)
  }
  const total = (outcome: Outcome): number =>
    [...suites.values()].reduce((sum, { sums }) => sum + (sums.get(outcome) ?? 0), 0)
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="kubectl wi doctor" tests="${report.findings.length}" failures="${total('failure')}" errors="${total('error')}">`,
    ...[...suites.values()].flatMap(({ name, cases, sums }) => [
      `  <testsuite name="${attribute(name)}" tests="${cases.length}" failures="${sums.get('failure') ?? 0}" errors="${sums.get('error') ?? 0}" skipped="${sums.get('skipped') ?? 0}">`,
      '    <properties>',
      `      <property name="source" value="${attribute(report.source)}"/>`,
      `      <property name="verdict" value="${report.verdict}"/>`,
      '    </properties>',
      ...cases,
      '  </testsuite>',
    ]),
    // A run without a single test is green to most readers, which nothing examined must never be.
    ...(suites.size > 0
      ? []
      : [
          '  <testsuite name="kubectl wi doctor" tests="1" errors="1">',
          `    <testcase name="something was examined"><error message="nothing was examined">0 findings</error></testcase>`,
          '  </testsuite>',
        ]),
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}
