/** Findings that somebody lives with: listed and counted, but no longer part of the verdict. */
import type { CheckId } from './check.ts'
import { type Accepted, type Finding, verdictOf } from './finding.ts'
import type { Line, Report } from './report.ts'
import { related } from './subject.ts'

const isHeld = ({ status }: Finding): boolean => status === 'blocked'
const isCause = ({ status }: Finding): boolean => status === 'fail' || status === 'crashed'

/**
 * The report with these findings accepted, and with them what waits for nothing else. Only faults can be accepted: what was not seen stays
 * open, and a fault that another one hid is new when it comes to light.
 */
export function accepting(report: Report, why: (line: Line) => Accepted | undefined): Report {
  const taken = new Map<Line, Accepted>()
  for (const line of report.findings) {
    const accepted = line.status === 'fail' ? why(line) : undefined
    if (accepted !== undefined) taken.set(line, accepted)
  }
  if (taken.size === 0) return report
  followUp(report.findings, taken)
  const findings = report.findings.map((line) => {
    const accepted = taken.get(line)
    return accepted === undefined ? line : { ...line, accepted }
  })
  return { ...report, findings, verdict: verdictOf(findings) }
}

/** Adds what is blocked by accepted findings alone, round by round: one blocked finding may hold up the next. */
function followUp(findings: readonly Line[], taken: Map<Line, Accepted>): void {
  const byCheck = new Map<CheckId, Line[]>()
  for (const line of findings) {
    if (!isCause(line) && !isHeld(line)) continue
    const shelf = byCheck.get(line.check)
    if (shelf === undefined) byCheck.set(line.check, [line])
    else shelf.push(line)
  }
  const open = new Set(findings.filter(isHeld))
  for (let before = -1; before !== taken.size; ) {
    before = taken.size
    for (const line of open) {
      const holders = (line.blockedBy ?? [])
        .flatMap((id) => byCheck.get(id) ?? [])
        .filter(({ subject }) => related(subject, line.subject))
      const [first] = holders
      const accepted = first === undefined ? undefined : taken.get(first)
      if (accepted === undefined || !holders.every((one) => taken.has(one))) continue
      taken.set(line, accepted)
      open.delete(line)
    }
  }
}
