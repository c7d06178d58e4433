/** Gathers the facts of one run: each once, all that do not wait for one another at the same time. */
import {
  type Absent,
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
  /** Each question as a probe puts it, whether or not it has been answered before. */
  readonly asked?: (probe: Probe<unknown>, question: Question) => void
}

export type Setting = {
  readonly source: Source
  readonly subjects: readonly Subject[]
  readonly signal?: AbortSignal
  readonly observer?: Listener
}

const itself = (probe: Probe<unknown>): Question => ({ system: 'probe', call: probe.id, input: {} })

export type Told = { readonly [name: string]: Fact<unknown> }
/** One place a subject, so that a fact is found by a number: a large cluster has millions of look-ups. */
type Shelf = (Soon<Fact<unknown>> | undefined)[]
/** A subject of the run with its number, and whom a probe of another scope is asked about on its behalf. */
export type Seat = {
  readonly subject: Subject
  readonly scope: Scope
  readonly number: number
  readonly above: { [S in Scope]?: Seat }
}
/** A name that a check or probe gives to a fact, the probe behind it, and the shelf on which its facts are kept. */
export type Wire = { readonly name: string; readonly probe: Probe<unknown>; readonly shelf: Shelf }

/**
 * The facts of one run: each probe once per subject of its scope, all that do not wait for one another at the same time.
 * A probe that throws is a bug of ours; it yields unknown (malformed) so that no verdict rests on it.
 */
export function gatherer({ source, subjects, signal, observer }: Setting) {
  const byKey = new Map(subjects.map((subject) => [subjectKey(subject), subject]))
  const seats = new Map<Subject, Seat>()
  const seatOf = (subject: Subject): Seat => {
    let seat = seats.get(subject)
    if (seat === undefined) {
      seat = { subject, scope: scopeOf(subject), number: seats.size, above: {} }
      seats.set(subject, seat)
    }
    return seat
  }
  const cluster = seatOf(subjects.find(({ kind }) => kind === 'Cluster') ?? clusterSubject)
  const room: { [S in Scope]?: number } = {}
  for (const subject of subjects) {
    const { scope, number } = seatOf(subject)
    room[scope] = Math.max(room[scope] ?? 0, number + 1)
  }
  const shelves = new Map<Probe<unknown>, Shelf>()
  const wired = new Map<Needs, readonly Wire[]>()

  const wire = (needs: Needs): readonly Wire[] => {
    const before = wired.get(needs)
    if (before !== undefined) return before
    const wires = Object.entries(needs).map(([name, probe]) => {
      const shelf: Shelf = shelves.get(probe) ?? new Array(room[probe.scope] ?? 0)
      shelves.set(probe, shelf)
      return { name, probe, shelf }
    })
    wired.set(needs, wires)
    return wires
  }

  const lookUp = (scope: Scope, seat: Seat): Seat => {
    for (const key of seat.subject.of ?? []) {
      const above = byKey.get(key)
      if (above !== undefined && scopeOf(above) === scope) return seatOf(above)
    }
    return seat
  }

  /** The subject that a probe of this scope is asked about on behalf of another one. */
  const upTo = (scope: Scope, seat: Seat): Seat => {
    if (scope === 'cluster') return cluster
    if (seat.scope === scope) return seat
    seat.above[scope] ??= lookUp(scope, seat)
    return seat.above[scope]
  }

  const asked = new WeakSet<Question>()
  const inquire = (question: Question): Soon<Fact<Json>> => {
    if (signal?.aborted) return unknown('cancelled', 'the run was stopped before this was asked', question)
    asked.add(question)
    return source.ask(question, signal)
  }

  const heard = observer?.asked
  const asking = (probe: Probe<unknown>): typeof inquire =>
    heard === undefined
      ? inquire
      : (question) => {
          heard(probe, question)
          return inquire(question)
        }

  const unasked = new Map<string, Absent>()
  /** What does not matter for a subject is absent without being asked: one such fact serves all, for a large cluster has a hundred thousand. */
  const kept = (probe: Probe<unknown>, fact: Fact<unknown>): Fact<unknown> => {
    if (fact.state !== 'absent' || asked.has(fact.from)) return fact
    const { system, call } = fact.from
    const key = `${probe.id} ${call}`
    let one = unasked.get(key)
    if (one === undefined) {
      one = absent({ system, call, input: {} })
      unasked.set(key, one)
    }
    return one
  }

  const run = (probe: Probe<unknown>, seat: Seat): Soon<Fact<unknown>> =>
    onward(collect(wire(probe.needs), seat), (have) => {
      const missing = firstUnknown(have)
      if (missing !== undefined) return missing
      return onward(collect(wire(probe.wants), seat), (want) =>
        probe.ask(have, want, { subject: seat.subject, subjects, ask: asking(probe) }),
      )
    })

  const fetch = ({ probe, shelf }: Wire, about: Seat): Soon<Fact<unknown>> => {
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
      observer?.asking?.(probe, about.subject)
      fact = fact.catch(broken).then((come) => {
        const settled = kept(probe, come)
        shelf[about.number] = settled
        observer?.told?.(probe, about.subject)
        return settled
      })
    } else fact = kept(probe, fact)
    shelf[about.number] = fact
    return fact
  }

  const gather = (one: Wire, seat: Seat): Soon<Fact<unknown>> => {
    const about = upTo(one.probe.scope, seat)
    return one.shelf[about.number] ?? fetch(one, about)
  }

  /** The facts under their names: at once where all of them are here. `unseen` is told which of them are unknown. */
  const collect = (wires: readonly Wire[], seat: Seat, unseen?: Wire[]): Soon<Told> => {
    if (wires.length === 0) return nothing
    const told: { [name: string]: Fact<unknown> } = {}
    let waits: Promise<void>[] | undefined
    for (const one of wires) {
      const fact = gather(one, seat)
      if (fact instanceof Promise) {
        // Keeps the order of the names, whichever comes first.
        told[one.name] = absent(itself(one.probe))
        waits ??= []
        waits.push(
          fact.then((settled) => {
            told[one.name] = settled
            if (settled.state === 'unknown') unseen?.push(one)
          }),
        )
      } else {
        told[one.name] = fact
        if (fact.state === 'unknown') unseen?.push(one)
      }
    }
    if (waits === undefined) return told
    return Promise.all(waits).then(() => {
      // In the order of the wires, too.
      unseen?.sort((a, b) => wires.indexOf(a) - wires.indexOf(b))
      return told
    })
  }

  /** Any probe's fact about a subject, gathered now where it has not been. */
  const fact = <T>(probe: Probe<T>, subject: Subject): Soon<Fact<T>> => {
    const [one] = wire({ fact: probe })
    // A wire carries its own probe's facts; the shelf alone does not know their type.
    return one === undefined
      ? unknown('malformed', `${probe.id} is not wired`, itself(probe))
      : (gather(one, seatOf(subject)) as Soon<Fact<T>>)
  }

  return { wire, seatOf, gather, collect, fact }
}

const nothing: Told = Object.freeze({})

const firstUnknown = (have: Told): Unknown | undefined => {
  for (const name in have) {
    const fact = have[name]
    if (fact?.state === 'unknown') return fact
  }
  return undefined
}
