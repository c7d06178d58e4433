/** Which checks run, in which order, and what one failed check holds up. */
import type { Check, CheckId } from './check.ts'
import type { Finding } from './finding.ts'
import { type Subject, subjectKey } from './subject.ts'

/** A check in its turn, with the checks whose failure is the same as its own. */
export type Turn = { readonly check: Check; readonly coveredBy: readonly CheckId[] }

// A plan examines again and again with the same checks; their order does not depend on what they see.
const turns = new WeakMap<readonly Check[], readonly Turn[]>()

/** Blockers first, covering checks before the covered, then by id. */
export function inTurn(checks: readonly Check[]): readonly Turn[] {
  const before = turns.get(checks)
  if (before !== undefined) return before
  const ordered = inOrder(checks).map((check) => ({
    check,
    coveredBy: checks.filter(({ covers }) => covers.includes(check.meta.id)).map(({ meta }) => meta.id),
  }))
  turns.set(checks, ordered)
  return ordered
}

/** A cycle is a bug in the catalogue and is caught by a law. */
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

/** The chosen checks and all that have to come before them, in the order of `all`. */
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

/** One check's failures, shelved so that a subject finds those related to it without looking through all (see `related`). */
type Failures = { cluster: boolean; readonly own: Set<string>; readonly kinds: Map<string, Set<string>> }

/** Keeps what failed, and answers which of some checks failed for somebody related to a subject. */
export function holdUps() {
  const byCheck = new Map<CheckId, Failures>()

  const add = ({ check, subject }: Pick<Finding, 'check' | 'subject'>): void => {
    const failures: Failures = byCheck.get(check) ?? { cluster: false, own: new Set(), kinds: new Map() }
    byCheck.set(check, failures)
    if (subject.kind === 'Cluster') failures.cluster = true
    failures.own.add(subjectKey(subject))
    for (const key of subject.of ?? []) {
      const kinds = failures.kinds.get(key) ?? new Set()
      failures.kinds.set(key, kinds.add(subject.kind))
    }
  }

  const holds = (failures: Failures, subject: Subject): boolean => {
    if (failures.cluster || subject.kind === 'Cluster') return true
    const key = subjectKey(subject)
    if (failures.own.has(key) || failures.kinds.has(key)) return true
    return (subject.of ?? []).some((above) => {
      if (failures.own.has(above)) return true
      const kinds = failures.kinds.get(above)
      return kinds !== undefined && (kinds.size > 1 || !kinds.has(subject.kind))
    })
  }

  const none: readonly CheckId[] = []
  /** Those of these checks that failed for the subject itself, for one above or below it, or at the other end of its identity. */
  const of = (ids: readonly CheckId[], subject: Subject): readonly CheckId[] => {
    if (byCheck.size === 0 || ids.length === 0) return none
    return ids.filter((id) => {
      const failures = byCheck.get(id)
      return failures !== undefined && holds(failures, subject)
    })
  }
  return { add, of }
}
