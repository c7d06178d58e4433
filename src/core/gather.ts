/** Gathers the facts of one run: each once, all that do not wait for one another at the same time. */
import {
  type Absent,
  absent,
  type Fact,
  type Inquiry,
  type Needs,
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
/** A subject of the run, its number among all and among those of its scope, and whom a probe of another scope is asked about on its behalf. */
export type Seat = {
  readonly subject: Subject
  readonly scope: Scope
  readonly number: number
  readonly place: number
  readonly above: { [S in Scope]?: Seat }
}
/** A probe in this run: its facts, what it is wired to, and what was found to hold for all subjects. */
type Line = {
  readonly probe: Probe<unknown>
  /** Of the subjects of its scope, and of others that stand for those; made when the first fact comes. */
  shelf?: Shelf
  others?: Shelf
  needs?: readonly Wire[]
  wants?: readonly Wire[]
  /** The fact without which this one is absent. */
  gate?: Wire | undefined
  /** Absent for everybody, since a fact of the whole cluster is. */
  nowhere?: Absent
  /** The fact of all for whom nothing was asked. */
  unasked?: Absent
  ask?: Inquiry['ask']
}
/** A name that a check or probe gives to a fact, and the probe behind it. */
export type Wire = { readonly name: string; readonly probe: Probe<unknown>; readonly line: Line }

/**
 * The facts of one run: each probe once per subject of its scope, all that do not wait for one another at the same time.
 * A probe that throws is a bug of ours; it yields unknown (malformed) so that no verdict rests on it.
 */
export function gatherer({ source, subjects, signal, observer }: Setting) {
  const byKey = new Map(subjects.map((subject) => [subjectKey(subject), subject]))
  const seats = new Map<Subject, Seat>()
  const room: { [S in Scope]?: number } = {}
  const seatOf = (subject: Subject): Seat => {
    let seat = seats.get(subject)
    if (seat === undefined) {
      const scope = scopeOf(subject)
      const place = room[scope] ?? 0
      seat = { subject, scope, number: seats.size, place, above: {} }
      room[scope] = place + 1
      seats.set(subject, seat)
    }
    return seat
  }
  const cluster = seatOf(subjects.find(({ kind }) => kind === 'Cluster') ?? clusterSubject)
  for (const subject of subjects) seatOf(subject)
  const lines = new Map<Probe<unknown>, Line>()
  const wired = new Map<Needs, readonly Wire[]>()

  const lineOf = (probe: Probe<unknown>): Line => {
    let line = lines.get(probe)
    if (line === undefined) {
      line = { probe }
      lines.set(probe, line)
    }
    return line
  }

  const wire = (needs: Needs): readonly Wire[] => {
    const before = wired.get(needs)
    if (before !== undefined) return before
    const wires = Object.entries(needs).map(([name, probe]) => ({ name, probe, line: lineOf(probe) }))
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

  // A weak set would be quicker to fill than to collect: it is walked with every collection of garbage.
  const asked = new Set<Question>()
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

  /** What does not matter for a subject is absent without being asked: one such fact serves all, for a large cluster has a hundred thousand. */
  const kept = (line: Line, fact: Fact<unknown>): Fact<unknown> => {
    if (fact.state !== 'absent' || asked.has(fact.from)) return fact
    const { system, call } = fact.from
    const { unasked } = line
    if (unasked !== undefined && unasked.from.call === call && unasked.from.system === system) return unasked
    line.unasked = absent({ system, call, input: {} })
    return line.unasked
  }

  // What waits for a promise is a function of its own here: one that holds a closure makes room for it with every call, and nearly
  // no call of the million waits for anything.

  /** The probe's own word, with the gate open. */
  const consult = (line: Line, seat: Seat): Soon<Fact<unknown>> => {
    line.needs ??= wire(line.probe.needs)
    const have = collect(line.needs, seat)
    return have instanceof Promise ? answeredLater(line, seat, have) : answered(line, seat, have)
  }
  const answeredLater = async (line: Line, seat: Seat, have: Promise<Told>): Promise<Fact<unknown>> =>
    answered(line, seat, await have)

  const answered = (line: Line, seat: Seat, have: Told): Soon<Fact<unknown>> => {
    const missing = firstUnknown(have)
    if (missing !== undefined) return missing
    line.wants ??= wire(line.probe.wants)
    const want = collect(line.wants, seat)
    return want instanceof Promise ? toldLater(line, seat, have, want) : told(line, seat, have, want)
  }
  const toldLater = async (line: Line, seat: Seat, have: Told, want: Promise<Told>): Promise<Fact<unknown>> =>
    told(line, seat, have, await want)

  const told = (line: Line, { subject }: Seat, have: Told, want: Told): Soon<Fact<unknown>> => {
    line.ask ??= asking(line.probe)
    return line.probe.ask(have, want, { subject, subjects, ask: line.ask })
  }

  /** Whom the gate shuts out is not looked at any further; a gate of the whole cluster is shut for all. */
  const run = (line: Line, seat: Seat): Soon<Fact<unknown>> => {
    const { only } = line.probe
    if (only === undefined) return consult(line, seat)
    line.gate ??= wire(line.probe.needs).find(({ name }) => name === only)
    const { gate } = line
    if (gate === undefined) return consult(line, seat)
    const concerned = gather(gate, seat)
    return concerned instanceof Promise
      ? admittedLater(line, seat, gate, concerned)
      : admitted(line, seat, gate, concerned)
  }
  const admittedLater = async (line: Line, seat: Seat, gate: Wire, concerned: Promise<Fact<unknown>>) =>
    admitted(line, seat, gate, await concerned)

  const admitted = (line: Line, seat: Seat, gate: Wire, concerned: Fact<unknown>): Soon<Fact<unknown>> => {
    if (concerned.state !== 'absent') return consult(line, seat)
    if (gate.line.nowhere !== undefined || gate.probe.scope === 'cluster') line.nowhere = concerned
    return concerned
  }

  const fetch = (line: Line, about: Seat): Soon<Fact<unknown>> => {
    let fact: Soon<Fact<unknown>>
    try {
      fact = run(line, about)
    } catch (error) {
      fact = stumbled(line.probe, error)
    }
    fact = fact instanceof Promise ? settledLater(line, about, fact) : kept(line, fact)
    put(line, about, fact)
    return fact
  }
  const settledLater = (line: Line, about: Seat, coming: Promise<Fact<unknown>>): Promise<Fact<unknown>> => {
    observer?.asking?.(line.probe, about.subject)
    const settle = (come: Fact<unknown>): Fact<unknown> => {
      const settled = kept(line, come)
      put(line, about, settled)
      observer?.told?.(line.probe, about.subject)
      return settled
    }
    return coming.then(settle, (error: unknown) => settle(stumbled(line.probe, error)))
  }

  const put = (line: Line, { scope, place, number }: Seat, fact: Soon<Fact<unknown>>): void => {
    // With all its room from the start: a list that is filled from its middle is kept as a table.
    if (scope === line.probe.scope) {
      line.shelf ??= new Array(room[scope] ?? 0)
      line.shelf[place] = fact
    } else {
      line.others ??= new Array(seats.size)
      line.others[number] = fact
    }
  }

  const gather = ({ line }: Wire, seat: Seat): Soon<Fact<unknown>> => {
    if (line.nowhere !== undefined) return line.nowhere
    const { scope } = line.probe
    const about = upTo(scope, seat)
    const held = about.scope === scope ? line.shelf?.[about.place] : line.others?.[about.number]
    return held ?? fetch(line, about)
  }

  /** Whether what has been gathered by now shows that the fact is absent for everybody. */
  const isShut = ({ line }: Wire): boolean => line.nowhere !== undefined

  /** The facts under their names: at once where all of them are here. `unseen` is told which of them are unknown. */
  const collect = (wires: readonly Wire[], seat: Seat, unseen?: Wire[]): Soon<Told> => {
    if (wires.length === 0) return nothing
    const told: { [name: string]: Fact<unknown> } = {}
    for (const one of wires) {
      const fact = gather(one, seat)
      if (fact instanceof Promise) return collectLater(wires, seat, unseen)
      told[one.name] = fact
    }
    if (unseen !== undefined) for (const one of wires) if (told[one.name]?.state === 'unknown') unseen.push(one)
    return told
  }
  /** Begins anew: what was gathered is held, and under the names in their order. */
  const collectLater = async (wires: readonly Wire[], seat: Seat, unseen?: Wire[]): Promise<Told> => {
    const facts = await Promise.all(wires.map((one) => gather(one, seat)))
    const told: { [name: string]: Fact<unknown> } = {}
    for (const [index, fact] of facts.entries()) {
      const one = wires[index]
      if (one === undefined) continue
      told[one.name] = fact
      if (fact.state === 'unknown') unseen?.push(one)
    }
    return told
  }

  /** Any probe's fact about a subject, gathered now where it has not been. */
  const fact = <T>(probe: Probe<T>, subject: Subject): Soon<Fact<T>> => {
    const [one] = wire({ fact: probe })
    // A wire carries its own probe's facts; the shelf alone does not know their type.
    return one === undefined
      ? unknown('malformed', `${probe.id} is not wired`, itself(probe))
      : (gather(one, seatOf(subject)) as Soon<Fact<T>>)
  }

  return { wire, seatOf, gather, isShut, collect, fact }
}

const nothing: Told = Object.freeze({})

const stumbled = (probe: Probe<unknown>, error: unknown): Unknown =>
  unknown('malformed', `${probe.id} stumbled: ${error instanceof Error ? error.message : String(error)}`, itself(probe))

const firstUnknown = (have: Told): Unknown | undefined => {
  for (const name in have) {
    const fact = have[name]
    if (fact?.state === 'unknown') return fact
  }
  return undefined
}
