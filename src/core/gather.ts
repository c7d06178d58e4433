/** Gathers the facts of one run: each once, all that do not wait for one another at the same time. */
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
import type { Json } from './json.ts'
import { clusterSubject, type Scope, type Subject, scopeOf, subjectKey } from './subject.ts'

/** Hears which fact is being waited for and which has come. */
export type Listener = {
  readonly asking?: (probe: Probe<unknown>, subject: Subject) => void
  readonly told?: (probe: Probe<unknown>, subject: Subject) => void
}

export type Setting = {
  readonly source: Source
  readonly subjects: readonly Subject[]
  readonly signal?: AbortSignal
  readonly observer?: Listener
}

const itself = (probe: Probe<unknown>): Question => ({ system: 'probe', call: probe.id, input: {} })

export type Told = { readonly [name: string]: Fact<unknown> }
type Shelf = Map<Subject, Soon<Fact<unknown>>>
/** A name that a check or probe gives to a fact, the probe behind it, and the shelf on which its facts are kept. */
export type Wire = { readonly name: string; readonly probe: Probe<unknown>; readonly shelf: Shelf }

/**
 * The facts of one run: each probe once per subject of its scope, all that do not wait for one another at the same time.
 * A probe that throws is a bug of ours; it yields unknown (malformed) so that no verdict rests on it.
 */
export function gatherer({ source, subjects, signal, observer }: Setting) {
  const byKey = new Map(subjects.map((subject) => [subjectKey(subject), subject]))
  const cluster = subjects.find(({ kind }) => kind === 'Cluster') ?? clusterSubject
  const shelves = new Map<Probe<unknown>, Shelf>()
  const wired = new Map<Needs, readonly Wire[]>()

  const wire = (needs: Needs): readonly Wire[] => {
    const before = wired.get(needs)
    if (before !== undefined) return before
    const wires = Object.entries(needs).map(([name, probe]) => {
      const shelf: Shelf = shelves.get(probe) ?? new Map()
      shelves.set(probe, shelf)
      return { name, probe, shelf }
    })
    wired.set(needs, wires)
    return wires
  }

  /** The subject that a probe of this scope is asked about on behalf of another one. */
  const upTo = (scope: Scope, subject: Subject): Subject => {
    if (scope === 'cluster') return cluster
    if (scopeOf(subject) === scope || subject.of === undefined) return subject
    for (const key of subject.of) {
      const above = byKey.get(key)
      if (above !== undefined && scopeOf(above) === scope) return above
    }
    return subject
  }

  const inquire = (question: Question): Soon<Fact<Json>> =>
    signal?.aborted
      ? unknown('cancelled', 'the run was stopped before this was asked', question)
      : source.ask(question, signal)

  const run = (probe: Probe<unknown>, subject: Subject): Soon<Fact<unknown>> =>
    onward(collect(wire(probe.needs), subject), (have) => {
      const missing = firstUnknown(have)
      if (missing !== undefined) return missing
      return onward(collect(wire(probe.wants), subject), (want) =>
        probe.ask(have, want, { subject, subjects, ask: inquire }),
      )
    })

  const fetch = ({ probe, shelf }: Wire, about: Subject): Soon<Fact<unknown>> => {
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
        shelf.set(about, settled)
        observer?.told?.(probe, about)
        return settled
      })
    }
    shelf.set(about, fact)
    return fact
  }

  const gather = (one: Wire, subject: Subject): Soon<Fact<unknown>> => {
    const about = upTo(one.probe.scope, subject)
    return one.shelf.get(about) ?? fetch(one, about)
  }

  /** The facts under their names: at once where all of them are here. */
  const collect = (wires: readonly Wire[], subject: Subject): Soon<Told> => {
    if (wires.length === 0) return nothing
    const told: { [name: string]: Fact<unknown> } = {}
    let waits: Promise<void>[] | undefined
    for (const one of wires) {
      const fact = gather(one, subject)
      if (fact instanceof Promise) {
        // Keeps the order of the names, whichever comes first.
        told[one.name] = absent(itself(one.probe))
        waits ??= []
        waits.push(
          fact.then((settled) => {
            told[one.name] = settled
          }),
        )
      } else told[one.name] = fact
    }
    return waits === undefined ? told : Promise.all(waits).then(() => told)
  }

  /** Any probe's fact about a subject, gathered now where it has not been. */
  const fact = <T>(probe: Probe<T>, subject: Subject): Soon<Fact<T>> => {
    const [one] = wire({ fact: probe })
    // A wire carries its own probe's facts; the shelf alone does not know their type.
    return one === undefined
      ? unknown('malformed', `${probe.id} is not wired`, itself(probe))
      : (gather(one, subject) as Soon<Fact<T>>)
  }

  return { wire, gather, collect, fact }
}

const nothing: Told = Object.freeze({})

const firstUnknown = (have: Told): Unknown | undefined => {
  for (const name in have) {
    const fact = have[name]
    if (fact?.state === 'unknown') return fact
  }
  return undefined
}
