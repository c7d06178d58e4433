/** One check's word on one subject, with evidence. */
import type { CheckId, Evidence, MessageData, Remedy, Severity } from './check.ts'
import type { Why } from './fact.ts'
import type { Subject } from './subject.ts'

/** `pass`, `fail`, `not-applicable` come from a check; `blocked`, `unknown`, `crashed` only from the engine. */
export type Status = 'pass' | 'fail' | 'not-applicable' | 'blocked' | 'unknown' | 'crashed'

/** Something that was not seen: which fact, why, and what would let us see it. */
export type Lack = {
  readonly what: string
  readonly why: Why | 'undecided'
  readonly detail: string
  readonly lift?: string
}

/** Why a fault no longer counts: an annotation on the object, until a day, or the report of a former run. */
export type Accepted = {
  readonly by: 'annotation' | 'baseline'
  readonly reason: string
  /** The last day on which it counts for nothing, as YYYY-MM-DD. */
  readonly until?: string
}

export type Finding = {
  readonly check: CheckId
  readonly subject: Subject
  readonly status: Status
  readonly severity: Severity
  readonly message: string
  readonly messageId?: string
  readonly data?: MessageData
  readonly blockedBy?: readonly CheckId[]
  readonly lacks?: readonly Lack[]
  readonly evidence: readonly Evidence[]
  readonly remedy?: Remedy
  /** Who else the same is true of, where a sparing run keeps one finding for all: what passes, or was not seen, in a table of thousands. */
  readonly others?: readonly Subject[]
  /** It is listed and counted, and left out of the verdict. */
  readonly accepted?: Accepted
}

export type Result = 'healthy' | 'unhealthy' | 'inconclusive'

/** The one place that turns findings into a verdict. Where nothing was judged, for want of findings or of anything that they apply to, nobody is healthy. */
export function verdictOf(findings: readonly Finding[]): Result {
  let open = !findings.some(({ status }) => status === 'pass' || status === 'fail')
  for (const { severity, status, accepted } of findings) {
    if (accepted !== undefined) continue
    if (severity === 'error' && status === 'fail') return 'unhealthy'
    // An error that waits behind a mere warning was not seen either.
    if (status === 'crashed' || (severity === 'error' && (status === 'unknown' || status === 'blocked'))) open = true
  }
  return open ? 'inconclusive' : 'healthy'
}
