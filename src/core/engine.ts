/** Asks what the checks need, judges in order, tells the observer as it goes. */
import type { Check, CheckId, Evidence, Verdict } from './check.ts'
import type { Fact, Probe, Soon, Unknown } from './fact.ts'
import type { Finding, Lack } from './finding.ts'
import { gatherer, type Listener, type Seat, type Setting, type Told, type Wire } from './gather.ts'
import { holdUps, inOrder } from './order.ts'
import { bySubject, isJudgedAs, type Subject, scopeOf } from './subject.ts'

export type Observer = Listener & {
  /** In the order of the report. */
  readonly found?: (finding: Finding) => void
}

export type Order = Setting & {
  readonly checks: readonly Check[]
  readonly observer?: Observer
  /** Leaves out the evidence of what passes, and counts what is not applicable: a table of thousands prints neither. */
  readonly spare?: boolean
}

export type Examination = {
  readonly findings: readonly Finding[]
  /** How many findings were not applicable and are only counted. */
  readonly omitted: number
  /** Any probe's fact about a subject, from what the run has gathered already where it has. */
  readonly fact: <T>(probe: Probe<T>, subject: Subject) => Soon<Fact<T>>
}

/** A check with everything about it that does not depend on the subject. */
type Station = {
  readonly check: Check
  readonly needs: readonly Wire[]
  readonly wants: readonly Wire[]
  readonly over: readonly Seat[]
  readonly coveredBy: readonly CheckId[]
}

/** Judges every check on every subject of its scope. Deterministic: blockers first, then id; the cluster first, then by name. */
export async function examine(order: Order): Promise<Examination> {
  const subjects = [...order.subjects].sort(bySubject)
  const { wire, seatOf, gather, collect, fact } = gatherer({ ...order, subjects })
  const seats = subjects.map(seatOf)
  const held = holdUps()
  const failed = holdUps()
  const findings: Finding[] = []
  let omitted = 0
  const stations: readonly Station[] = inOrder(order.checks).map((check) => ({
    check,
    needs: wire(check.needs),
    wants: wire(check.wants),
    over: seats.filter(({ subject }) => isJudgedAs(subject, check.meta.scope)),
    coveredBy: order.checks.filter((other) => other.covers.includes(check.meta.id)).map((other) => other.meta.id),
  }))

  await setOut(stations, seats, gather)

  const missing: Wire[] = []
  const open: Wire[] = []
  for (const station of stations) {
    const { needs, wants, over } = station
    for (const seat of over) {
      const { subject } = seat
      // Emptied rather than made anew: hardly ever is anything in them, and a large cluster has a million judgements.
      if (missing.length > 0) missing.length = 0
      if (open.length > 0) open.length = 0
      let have = collect(needs, seat, missing)
      if (have instanceof Promise) have = await have
      let want = collect(wants, seat, open)
      if (want instanceof Promise) want = await want
      const blockedBy = held.of(station.check.after, subject)
      const finding =
        blockedBy.length > 0
          ? blocked(station.check, subject, `waits for ${blockedBy.join(', ')}`, blockedBy)
          : settle(station.check, subject, { have, want, missing, open }, order.spare === true)
      const folded = finding.status === 'fail' ? failed.of(station.coveredBy, subject) : []
      const settled =
        folded.length > 0 ? blocked(station.check, subject, `the same cause as ${folded.join(', ')}`, folded) : finding
      if (order.spare && settled.status === 'not-applicable') omitted += 1
      else findings.push(settled)
      if (settled.status === 'fail') failed.add(settled)
      if (settled.status === 'fail' || settled.status === 'blocked' || settled.status === 'crashed') held.add(settled)
      order.observer?.found?.(settled)
    }
  }
  return { findings, omitted, fact }
}

/** Enough subjects to keep every source busy; the facts of all at once would be a hundred thousand promises in a large cluster. */
const abreast = 250

/** All facts set out together, each only once; judging then waits for each in its turn. */
async function setOut(
  stations: readonly Station[],
  seats: readonly Seat[],
  gather: ReturnType<typeof gatherer>['gather'],
): Promise<void> {
  const byScope = new Map<string, ReadonlyMap<Probe<unknown>, Wire>>()
  const wiresFor = (subject: Subject): ReadonlyMap<Probe<unknown>, Wire> => {
    const key = [scopeOf(subject), ...(subject.standsFor ?? [])].join()
    let wires = byScope.get(key)
    if (wires === undefined) {
      const own = stations.filter(({ check }) => isJudgedAs(subject, check.meta.scope))
      wires = new Map(own.flatMap(({ needs, wants }) => [...needs, ...wants].map((one) => [one.probe, one] as const)))
      byScope.set(key, wires)
    }
    return wires
  }
  let underWay = 0
  let goOn: (() => void) | undefined
  const come = (): void => {
    underWay -= 1
    goOn?.()
  }
  for (const seat of seats) {
    const coming: Promise<unknown>[] = []
    for (const one of wiresFor(seat.subject).values()) {
      const fact = gather(one, seat)
      if (fact instanceof Promise) coming.push(fact)
    }
    if (coming.length === 0) continue
    underWay += 1
    Promise.all(coming).then(come)
    while (underWay >= abreast)
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
  }
}

const noEvidence: readonly Evidence[] = []

const blocked = ({ meta }: Check, subject: Subject, message: string, blockedBy: readonly CheckId[]): Finding => ({
  check: meta.id,
  subject,
  status: 'blocked',
  severity: meta.severity,
  message,
  blockedBy,
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
function settle(check: Check, subject: Subject, { have, want, missing, open }: Gathered, spare: boolean): Finding {
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
      return { check: id, subject, status: 'not-applicable', severity, message: verdict.reason, evidence: noEvidence }
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
