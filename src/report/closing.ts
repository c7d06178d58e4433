/** The last lines of a report: the verdict, how much of what, what was not seen and the next step. */
import type { Line, Report } from '../core/report.ts'
import type { Paint } from './paint.ts'
import { clean, count, wrap } from './text.ts'

const role = { healthy: 'good', unhealthy: 'bad', inconclusive: 'open' } as const satisfies {
  readonly [R in Report['verdict']]: keyof Paint
}

const failedAs = (findings: readonly Line[], severity: Line['severity']): number =>
  findings.filter((line) => line.status === 'fail' && line.severity === severity && line.accepted === undefined).length

/** Everything that would let us see more, each once, in the order of the findings. */
export function liftsOf(findings: readonly Line[]): readonly string[] {
  const lifts = new Set<string>()
  for (const { lacks } of findings) if (lacks) for (const { lift } of lacks) if (lift !== undefined) lifts.add(lift)
  return [...lifts]
}

/** `unhealthy: 1 error, 1 warning, 1 blocked; 14 passed; 2 not seen`. */
export function closingSentence({ findings, totals, verdict }: Report): string {
  const { 'not-applicable': idle, ...rest } = totals
  if (findings.length === 0 && idle === 0) return `${verdict}: nothing was examined`
  if (Object.values(rest).every((number) => number === 0))
    return `${verdict}: nothing was judged, for ${idle === 1 ? 'the one check' : `none of the ${idle} checks`} that was asked for ${idle === 1 ? 'does not apply' : 'applies'} here (-v says why)`
  const accepted = findings.filter((line) => line.accepted !== undefined)
  const isLivedWith = (status: Line['status']): number => accepted.filter((line) => line.status === status).length
  const bad = [
    [failedAs(findings, 'error'), 'error'],
    [failedAs(findings, 'warning'), 'warning'],
    [failedAs(findings, 'info'), 'note'],
    [totals.crashed, 'bug in kubectl wi', 'bugs in kubectl wi'],
    [totals.blocked - isLivedWith('blocked'), 'blocked', 'blocked'],
  ] as const
  const worst = bad.filter(([number]) => number > 0).map(([number, one, many]) => count(number, one, many))
  const parts = [
    ...(worst.length === 0 ? [] : [worst.join(', ')]),
    `${totals.pass} passed`,
    ...(accepted.length === 0 ? [] : [`${isLivedWith('fail')} accepted`]),
    ...(totals.unknown === 0 ? [] : [`${totals.unknown} not seen`]),
  ]
  return `${verdict}: ${parts.join('; ')}`
}

const isForAPlan = ({ status, accepted, fix }: Line): boolean =>
  status === 'fail' && accepted === undefined && fix !== undefined && fix.safety !== 'manual'

/** The sentence, wrapped, its verdict in colour; then the next steps. `fix`: the command that plans what puts it right, where there is one. */
export function closingLines(report: Report, paint: Paint, width: number, fix?: string): readonly string[] {
  const [first = '', ...rest] = wrap(clean(closingSentence(report)), width)
  const word = `${report.verdict}:`
  const lifts = liftsOf(report.findings)
  const others = lifts.length > 1 ? ` (and ${lifts.length - 1} more, above)` : ''
  const inFull = clean(`to see more: ${lifts[0]}${others}`)
  const inShort = `to see more: ${lifts.length === 1 ? 'the step' : `the ${lifts.length} steps`} under "Not seen"`
  const next = lifts.length === 0 ? [] : [inFull.length <= width ? inFull : inShort]
  return [
    `${paint[role[report.verdict]](word)}${first.slice(word.length)}`,
    ...rest.map((line) => `  ${line}`),
    ...(fix !== undefined && report.findings.some(isForAPlan) ? [`to put it right: ${clean(fix)}`] : []),
    ...next,
  ]
}
