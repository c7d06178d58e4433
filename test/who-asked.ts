/** Which checks could judge otherwise if one answer were another: those whose probes asked for it, and whomever they hold up. */
import { checks } from '../src/checks/index.ts'
import type { Check } from '../src/core/check.ts'
import { keyOf, type Probe, type Question } from '../src/core/fact.ts'

/** An object may be answered for by the list of its kind: whoever asks for one or the other depends on both. */
const subjectMatter = (question: Question): string => {
  const { system, call } = question
  return system === 'kubernetes' && /\/(get|list)$/.test(call) ? call.replace(/\/(get|list)$/, '') : keyOf(question)
}

/** The ids of all probes behind a check. */
const behind = new Map(checks.map((check) => [check, probesOf(check)]))
function probesOf({ needs, wants, only }: Check): ReadonlySet<string> {
  const ids = new Set<string>()
  const take = (probe: Probe<unknown>): void => {
    if (ids.has(probe.id)) return
    ids.add(probe.id)
    for (const one of [...Object.values(probe.needs), ...Object.values(probe.wants)]) take(one)
  }
  for (const one of [...Object.values(needs), ...Object.values(wants), ...(only === undefined ? [] : [only.probe])])
    take(one)
  return ids
}

/** The checks with whom a failure of one may be the same, or whose failure holds it up, and the other way round. */
function grown(start: ReadonlySet<Check>, next: (one: Check, other: Check) => boolean): ReadonlySet<Check> {
  const all = new Set(start)
  for (const one of all) for (const other of checks) if (next(one, other)) all.add(other)
  return all
}
const holds = (one: Check, other: Check): boolean =>
  other.after.includes(one.meta.id) || one.covers.includes(other.meta.id)

const memo = new Map<string, readonly Check[]>()

/** Hears every question of one examination; then tells whom an answer concerns. */
export function whoAsked() {
  const askers = new Map<string, Set<string>>()
  return {
    heard: (probe: Pick<Probe<unknown>, 'id'>, question: Question): void => {
      const matter = subjectMatter(question)
      askers.set(matter, (askers.get(matter) ?? new Set()).add(probe.id))
    },
    /** Those who may judge otherwise, with all that comes before them; in the order of the list of all. */
    concernedBy: (question: Question): readonly Check[] => {
      const probes = [...(askers.get(subjectMatter(question)) ?? [])].sort()
      const key = probes.join()
      const before = memo.get(key)
      if (before !== undefined) return before
      const own = checks.filter((check) => probes.some((id) => behind.get(check)?.has(id)))
      const behindThem = grown(new Set(own), holds)
      const taken = grown(behindThem, (one, other) => holds(other, one))
      const chosen = checks.filter((check) => taken.has(check))
      memo.set(key, chosen)
      return chosen
    },
  }
}
