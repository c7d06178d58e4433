/** The words of one finding: a check's own verdict, or why there is none. */
import type { Check, CheckId, Evidence, Verdict } from './check.ts'
import type { Probe, Unknown } from './fact.ts'
import type { Finding, Lack } from './finding.ts'
import type { Told, Wire } from './line.ts'
import type { Subject } from './subject.ts'

const noEvidence: readonly Evidence[] = []

export const blocked = (
  { meta }: Check,
  subject: Subject,
  message: string,
  blockedBy: readonly CheckId[],
): Finding => ({
  check: meta.id,
  subject,
  status: 'blocked',
  severity: meta.severity,
  message,
  blockedBy,
  evidence: noEvidence,
})

export const notApplicable = ({ meta }: Check, subject: Subject, message: string): Finding => ({
  check: meta.id,
  subject,
  status: 'not-applicable',
  severity: meta.severity,
  message,
  evidence: noEvidence,
})

const unseen = (
  { meta }: Check,
  subject: Subject,
  message: string,
  lacks: readonly Lack[],
  evidence = noEvidence,
): Finding => ({
  check: meta.id,
  subject,
  status: 'unknown',
  severity: meta.severity,
  message,
  lacks,
  evidence,
})

const crashed = ({ meta }: Check, subject: Subject, what: string): Finding => ({
  check: meta.id,
  subject,
  status: 'crashed',
  severity: meta.severity,
  message: `this is a bug in kubectl wi: ${what}`,
  evidence: noEvidence,
})

/** What was gathered for a judgement, and which of it is unknown. */
type Gathered = {
  readonly have: Told
  readonly want: Told
  readonly missing: readonly Wire[]
  readonly open: readonly Wire[]
}

/** A check's own word on a subject, as far as its facts allow one. */
export function settle(
  check: Check,
  subject: Subject,
  { have, want, missing, open }: Gathered,
  spare: boolean,
): Finding {
  const { id, severity, title } = check.meta
  const needed = lacksOf(have, missing)
  if (needed !== undefined) return unseen(check, subject, notSeen(needed), needed)
  let verdict: Verdict
  try {
    verdict = check.judge({ have, want, subject })
  } catch (error) {
    return crashed(check, subject, error instanceof Error ? error.message : String(error))
  }
  switch (verdict.status) {
    case 'pass': {
      const evidence = spare ? noEvidence : verdict.evidence
      const wanted = lacksOf(want, open)
      if (wanted !== undefined) return unseen(check, subject, notSeen(wanted), wanted, evidence)
      return { check: id, subject, status: 'pass', severity, message: title, evidence }
    }
    case 'not-applicable':
      return notApplicable(check, subject, verdict.reason)
    case 'undecided': {
      const { lacks, lift, evidence } = verdict
      const own: Lack = { what: title, why: 'undecided', detail: lacks, ...(lift === undefined ? {} : { lift }) }
      return unseen(check, subject, lacks, [own, ...(lacksOf(want, open) ?? [])], evidence)
    }
    case 'fail': {
      const { message: messageId, data, evidence } = verdict
      const word = check.messages[messageId]
      if (word === undefined) return crashed(check, subject, `${id} has no message ${messageId}`)
      const finding: Finding = {
        check: id,
        subject,
        status: 'fail',
        severity,
        message: word(data),
        messageId,
        data,
        evidence,
      }
      const words = check.remedies[messageId]?.(data)
      const remedy = verdict.remedy ?? (words === undefined ? undefined : { words })
      return remedy === undefined ? finding : { ...finding, remedy }
    }
  }
}

const notSeen = (lacks: readonly Lack[]): string => `not seen: ${lacks[0]?.detail ?? ''}`

/** Whoever waits for the same fact shares the word on it. */
const lackWords = new WeakMap<Unknown, Lack>()
function lackOf(fact: Unknown, probe: Probe<unknown>): Lack {
  const before = lackWords.get(fact)
  if (before !== undefined) return before
  const { why, detail, lift } = fact
  const lack: Lack = { what: probe.about, why, detail, ...(lift === undefined ? {} : { lift }) }
  lackWords.set(fact, lack)
  return lack
}

/** What of these facts could not be seen, each once; undefined where everything was. */
function lacksOf(facts: Told, wires: readonly Wire[]): readonly Lack[] | undefined {
  if (wires.length === 0) return undefined
  const [only] = wires
  if (wires.length === 1 && only !== undefined) {
    const fact = facts[only.name]
    return fact?.state === 'unknown' ? [lackOf(fact, only.probe)] : undefined
  }
  let lacks: Lack[] | undefined
  for (const { name, probe } of wires) {
    const fact = facts[name]
    if (fact?.state !== 'unknown') continue
    const { detail, lift } = fact
    lacks ??= []
    if (lacks.some((lack) => lack.detail === detail && lack.lift === lift)) continue
    lacks.push(lackOf(fact, probe))
  }
  return lacks
}
