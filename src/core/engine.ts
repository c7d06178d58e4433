/** Asks what the checks need, judges in order, tells the observer as it goes. */
import type { Check, CheckId, Evidence, Verdict } from './check.ts'
import {
  absent,
  type Fact,
  type Needs,
  onward,
  type Probe,
  type Question,
  type Soon,
  type Source,
  type Unknown,
  unknown,
} from './fact.ts'
import type { Finding, Lack } from './finding.ts'
import type { Json } from './json.ts'
import {
  bySubject,
  clusterSubject,
  isJudgedAs,
  related,
  type Scope,
  type Subject,
  scopeOf,
  subjectKey,
} from './subject.ts'

export type Observer = {
  /** A probe's fact is being waited for, and has come. */
  readonly asking?: (probe: Probe<unknown>, subject: Subject) => void
  readonly told?: (probe: Probe<unknown>, subject: Subject) => void
  /** In the order of the report. */
  readonly found?: (finding: Finding) => void
}

export type Order = {
  readonly checks: readonly Check[]
  readonly subjects: readonly Subject[]
  readonly source: Source
  readonly signal?: AbortSignal
  readonly observer?: Observer
}

export type Examination = {
  readonly findings: readonly Finding[]
  /** Any probe's fact about a subject, from what the run has gathered already where it has. */
  readonly fact: <T>(probe: Probe<T>, subject: Subject) => Soon<Fact<T>>
}

const noEvidence: readonly Evidence[] = []
const itself = (probe: Probe<unknown>): Question => ({ system: 'probe', call: probe.id, input: {} })

/** What is behind one finding's names, fetched or on its way; `pending` counts those on their way. */
type Wires = readonly (readonly [name: string, probe: Probe<unknown>])[]
const wiresOf = (needs: Needs): Wires => Object.entries(needs)

/**
 * The facts of one run: each probe once per subject of its scope, all that do not wait for one another at the same time.
 * A probe that throws is a bug of ours; it yields unknown (malformed) so that no verdict rests on it.
 */
export function gatherer({ source, subjects, signal, observer }: Omit<Order, 'checks'>) {
  const bySubjectKey = new Map(subjects.map((subject) => [subjectKey(subject), subject]))
  const facts = new Map<Probe<unknown>, Map<Subject, Soon<Fact<unknown>>>>()
  const wires = new Map<Probe<unknown>, { readonly needs: Wires; readonly wants: Wires }>()

  /** The subject that a probe of this scope is asked about on behalf of another one. */
  const upTo = (scope: Scope, subject: Subject): Subject => {
    if (scope === 'cluster') return bySubjectKey.get('Cluster cluster') ?? clusterSubject
    if (scopeOf(subject) === scope) return subject
    for (const key of subject.of ?? []) {
      const above = bySubjectKey.get(key)
      if (above !== undefined && scopeOf(above) === scope) return above
    }
    return subject
  }

  const inquire = (question: Question): Soon<Fact<Json>> =>
    signal?.aborted
      ? unknown('cancelled', 'the run was stopped before this was asked', question)
      : source.ask(question, signal)

  const run = (probe: Probe<unknown>, subject: Subject): Soon<Fact<unknown>> => {
    let wire = wires.get(probe)
    if (wire === undefined) {
      wire = { needs: wiresOf(probe.needs), wants: wiresOf(probe.wants) }
      wires.set(probe, wire)
    }
    const { needs, wants } = wire
    const answer = onward(collect(needs, subject), (have) => {
      const missing = firstUnknown(have)
      if (missing !== undefined) return missing
      return onward(collect(wants, subject), (want) => probe.ask(have, want, { subject, subjects, ask: inquire }))
    })
    return answer
  }

  const gather = (probe: Probe<unknown>, subject: Subject): Soon<Fact<unknown>> => {
    const about = upTo(probe.scope, subject)
    let shelf = facts.get(probe)
    if (shelf === undefined) {
      shelf = new Map()
      facts.set(probe, shelf)
    }
    const held = shelf.get(about)
    if (held !== undefined) return held
    const keep = shelf
    const broken = (error: unknown): Unknown =>
      unknown(
        'malformed',
        `${probe.id} stumbled: ${error instanceof Error ? error.message : String(error)}`,
        itself(probe),
      )
    let fact: Soon<Fact<unknown>>
    try {
      fact = run(probe, about)
    } catch (error) {
      fact = broken(error)
    }
    if (fact instanceof Promise) {
      observer?.asking?.(probe, about)
      fact = fact.catch(broken).then((settled) => {
        keep.set(about, settled)
        observer?.told?.(probe, about)
        return settled
      })
    }
    shelf.set(about, fact)
    return fact
  }

  const collect = (wire: Wires, subject: Subject): Soon<{ readonly [name: string]: Fact<unknown> }> => {
    const have: { [name: string]: Fact<unknown> } = {}
    let waits: Promise<void>[] | undefined
    for (const [name, probe] of wire) {
      const fact = gather(probe, subject)
      if (fact instanceof Promise) {
        // Keeps the order of the names, whichever comes first.
        have[name] = absent(itself(probe))
        waits ??= []
        waits.push(
          fact.then((settled) => {
            have[name] = settled
          }),
        )
      } else have[name] = fact
    }
    return waits === undefined ? have : Promise.all(waits).then(() => have)
  }

  return { gather, collect }
}

const firstUnknown = (have: { readonly [name: string]: Fact<unknown> }): Unknown | undefined => {
  for (const name in have) {
    const fact = have[name]
    if (fact?.state === 'unknown') return fact
  }
  return undefined
}

/** Judges every check on every subject of its scope. Deterministic: blockers first, then id; the cluster first, then by name. */
export async function examine(order: Order): Promise<Examination> {
  const { observer } = order
  const subjects = [...order.subjects].sort(bySubject)
  const { gather, collect } = gatherer({ ...order, subjects })
  const bad = new Map<CheckId, Finding[]>()
  const findings: Finding[] = []
  const stations = inOrder(order.checks).map((check) => ({
    check,
    needs: wiresOf(check.needs),
    wants: wiresOf(check.wants),
    over: subjects.filter((subject) => isJudgedAs(subject, check.meta.scope)),
    coveredBy: order.checks.filter((other) => other.covers.includes(check.meta.id)).map((other) => other.meta.id),
  }))

  // All facts set out together; judging then waits for each in its turn.
  for (const { needs, wants, over } of stations)
    for (const subject of over) {
      collect(needs, subject)
      collect(wants, subject)
    }

  for (const { check, needs, wants, over, coveredBy } of stations)
    for (const subject of over) {
      let have = collect(needs, subject)
      if (have instanceof Promise) have = await have
      let want = collect(wants, subject)
      if (want instanceof Promise) want = await want
      const finding = settle(check, subject, have, want, needs, wants, coveredBy)
      findings.push(finding)
      if (finding.status === 'fail' || finding.status === 'blocked' || finding.status === 'crashed') {
        const shelf = bad.get(check.meta.id)
        if (shelf === undefined) bad.set(check.meta.id, [finding])
        else shelf.push(finding)
      }
      observer?.found?.(finding)
    }
  return { findings, fact: gather as Examination['fact'] }

  function blockers(ids: readonly CheckId[], subject: Subject, failedOnly: boolean): readonly CheckId[] {
    if (bad.size === 0) return []
    return ids.filter((id) =>
      bad.get(id)?.some((finding) => (!failedOnly || finding.status === 'fail') && related(finding.subject, subject)),
    )
  }

  function settle(
    check: Check,
    subject: Subject,
    have: { readonly [name: string]: Fact<unknown> },
    want: { readonly [name: string]: Fact<unknown> },
    needs: Wires,
    wants: Wires,
    coveredBy: readonly CheckId[],
  ): Finding {
    const { id, severity, title } = check.meta
    const blockedBy = blockers(check.after, subject, false)
    if (blockedBy.length > 0)
      return {
        check: id,
        subject,
        severity,
        status: 'blocked',
        message: `waits for ${blockedBy.join(', ')}`,
        blockedBy,
        evidence: noEvidence,
      }
    const missing = lacksOf(have, needs)
    if (missing !== undefined)
      return {
        check: id,
        subject,
        severity,
        status: 'unknown',
        message: notSeen(missing),
        lacks: missing,
        evidence: noEvidence,
      }
    let verdict: Verdict
    try {
      verdict = check.judge({ have, want, subject })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return {
        check: id,
        subject,
        severity,
        status: 'crashed',
        message: `this is a bug in kubectl wi: ${message}`,
        evidence: noEvidence,
      }
    }
    if (verdict.status === 'pass') {
      const open = lacksOf(want, wants)
      return open === undefined
        ? { check: id, subject, severity, status: 'pass', message: title, evidence: verdict.evidence }
        : {
            check: id,
            subject,
            severity,
            status: 'unknown',
            message: notSeen(open),
            lacks: open,
            evidence: verdict.evidence,
          }
    }
    if (verdict.status === 'not-applicable')
      return { check: id, subject, severity, status: 'not-applicable', message: verdict.reason, evidence: noEvidence }
    if (verdict.status === 'undecided') {
      const told = lacksOf(want, wants) ?? []
      const own: Lack = {
        what: id,
        why: 'undecided',
        detail: verdict.lacks,
        ...(verdict.lift === undefined ? {} : { lift: verdict.lift }),
      }
      return {
        check: id,
        subject,
        severity,
        status: 'unknown',
        message: verdict.lacks,
        lacks: [own, ...told],
        evidence: verdict.evidence ?? noEvidence,
      }
    }
    const folded = blockers(coveredBy, subject, true)
    if (folded.length > 0)
      return {
        check: id,
        subject,
        severity,
        status: 'blocked',
        message: `the same cause as ${folded.join(', ')}`,
        blockedBy: folded,
        evidence: noEvidence,
      }
    const word = check.messages[verdict.message]
    if (word === undefined)
      return {
        check: id,
        subject,
        severity,
        status: 'crashed',
        message: `this is a bug in kubectl wi: no message ${verdict.message}`,
        evidence: noEvidence,
      }
    return {
      check: id,
      subject,
      severity,
      status: 'fail',
      message: word(verdict.data),
      messageId: verdict.message,
      data: verdict.data,
      evidence: verdict.evidence,
    }
  }
}

const notSeen = (lacks: readonly Lack[]): string => `not seen: ${lacks[0]?.detail ?? ''}`

/** What of these facts could not be seen, each once; undefined where everything was. */
function lacksOf(facts: { readonly [name: string]: Fact<unknown> }, wires: Wires): readonly Lack[] | undefined {
  let lacks: Lack[] | undefined
  for (const [name, probe] of wires) {
    const fact = facts[name]
    if (fact?.state !== 'unknown') continue
    lacks ??= []
    if (lacks.some((lack) => lack.detail === fact.detail && lack.lift === fact.lift)) continue
    lacks.push({
      what: probe.about,
      why: fact.why,
      detail: fact.detail,
      ...(fact.lift === undefined ? {} : { lift: fact.lift }),
    })
  }
  return lacks
}

/** Blockers first, covering checks before the covered, then by id. A cycle is a bug in the catalogue and is caught by a law. */
export function inOrder(checks: readonly Check[]): readonly Check[] {
  const byId = new Map(checks.map((check) => [check.meta.id, check]))
  const ordered = new Set<Check>()
  const open = new Set<Check>()
  const visit = (check: Check): void => {
    if (ordered.has(check) || open.has(check)) return
    open.add(check)
    for (const id of [...check.after].sort()) {
      const blocker = byId.get(id)
      if (blocker) visit(blocker)
    }
    for (const other of checks) if (other.covers.includes(check.meta.id)) visit(other)
    open.delete(check)
    ordered.add(check)
  }
  for (const check of [...checks].sort((a, b) => (a.meta.id < b.meta.id ? -1 : 1))) visit(check)
  return [...ordered]
}

/** The chosen checks and all that have to come before them. */
export function withBlockers(chosen: readonly Check[], all: readonly Check[]): readonly Check[] {
  const byId = new Map(all.map((check) => [check.meta.id, check]))
  const taken = new Set<Check>()
  const take = (check: Check): void => {
    if (taken.has(check)) return
    taken.add(check)
    for (const id of check.after) {
      const blocker = byId.get(id)
      if (blocker) take(blocker)
    }
  }
  for (const check of chosen) take(check)
  return all.filter((check) => taken.has(check))
}
