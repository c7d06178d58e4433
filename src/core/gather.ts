/** Gathers the facts of one run: each once, all that do not wait for one another at the same time. */
import {
  absent,
  type Fact,
  type Needs,
  type Probe,
  type Question,
  type Soon,
  type Source,
  type Unknown,
  unknown,
} from './fact.ts'
import type { Json } from './json.ts'
import { type Line, ofCluster, ranks, type Seat, type Told, type Tray, type Wire } from './line.ts'
import { clusterSubject, type Subject, scopeOf, subjectKey } from './subject.ts'
import { firstUnknown, isEverybodys, newTray, nothing, settleShared, take } from './tray.ts'

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

/**
 * The facts of one run: each probe once per subject of its scope, all that do not wait for one another at the same time.
 * A probe that throws is a bug of ours; it yields unknown (malformed) so that no verdict rests on it.
 */
export function gatherer({ source, subjects, signal, observer }: Setting) {
  const byKey = new Map(subjects.map((subject) => [subjectKey(subject), subject]))
  const seats = new Map<Subject, Seat>()
  const room = Object.values(ranks).map(() => 0)
  const seatOf = (subject: Subject): Seat => {
    let seat = seats.get(subject)
    if (seat === undefined) {
      const rank = ranks[scopeOf(subject)]
      const place = room[rank] ?? 0
      seat = { subject, rank, number: seats.size, place, above: room.map(() => undefined) }
      room[rank] = place + 1
      seats.set(subject, seat)
    }
    return seat
  }
  const cluster = seatOf(subjects.find(({ kind }) => kind === 'Cluster') ?? clusterSubject)
  for (const subject of subjects) seatOf(subject)
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

  const lines = new Map<Probe<unknown>, Line>()
  const wired = new Map<Needs, readonly Wire[]>()

  const lineOf = (probe: Probe<unknown>): Line => {
    let line = lines.get(probe)
    if (line === undefined) {
      const { needs, wants, only, scope } = probe
      const needed = wire(needs)
      line = {
        ...{ probe, rank: ranks[scope], shelf: undefined, others: undefined },
        ...{ needs: newTray(needed), wants: newTray(wire(wants)) },
        gate: needed.find(({ name }) => name === only),
        ...{ nowhere: undefined, unasked: undefined, ask: asking(probe) },
      }
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

  const lookUp = (rank: number, seat: Seat): Seat => {
    for (const key of seat.subject.of ?? []) {
      const above = byKey.get(key)
      if (above !== undefined && ranks[scopeOf(above)] === rank) return seatOf(above)
    }
    return seat
  }

  /** The subject that a probe of this scope is asked about on behalf of another one. */
  const upTo = (rank: number, seat: Seat): Seat => {
    if (rank === ofCluster) return cluster
    if (seat.rank === rank) return seat
    const held = seat.above[rank]
    if (held !== undefined) return held
    const above = lookUp(rank, seat)
    seat.above[rank] = above
    return above
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
    const have = collect(line.needs, seat)
    return have instanceof Promise ? answeredLater(line, seat, have) : answered(line, seat, have)
  }
  const answeredLater = async (line: Line, seat: Seat, have: Promise<Told>): Promise<Fact<unknown>> =>
    answered(line, seat, await have)

  const answered = (line: Line, seat: Seat, have: Told): Soon<Fact<unknown>> => {
    const { needs, wants } = line
    const missing = firstUnknown(needs.wires, have)
    if (missing !== undefined) return missing
    const want = collect(wants, seat)
    if (want instanceof Promise) return toldLater(line, seat, own(needs, have), want)
    const fact = told(line, seat, have, want)
    if (fact instanceof Promise) {
      // It may look at them at any time until it has come.
      own(needs, have)
      own(wants, want)
    }
    return fact
  }
  /** What is on the tray is taken from it; anything else was nobody's. */
  const own = (tray: Tray, told: Told): Told => (tray.told === told ? take(tray) : told)
  const toldLater = async (line: Line, seat: Seat, have: Told, want: Promise<Told>): Promise<Fact<unknown>> =>
    told(line, seat, have, await want)

  const told = ({ probe, ask }: Line, { subject }: Seat, have: Told, want: Told): Soon<Fact<unknown>> =>
    probe.ask(have, want, { subject, subjects, ask })

  /** Whom the gate shuts out is not looked at any further; a gate of the whole cluster is shut for all. */
  const run = (line: Line, seat: Seat): Soon<Fact<unknown>> => {
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
    if (gate.line.nowhere !== undefined || gate.line.rank === ofCluster) line.nowhere = concerned
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

  const put = (line: Line, { rank, place, number }: Seat, fact: Soon<Fact<unknown>>): void => {
    // With all its room from the start: a list that is filled from its middle is kept as a table.
    if (rank === line.rank) {
      line.shelf ??= new Array(room[rank] ?? 0)
      line.shelf[place] = fact
    } else {
      line.others ??= new Array(seats.size)
      line.others[number] = fact
    }
  }

  const gather = ({ line }: Wire, seat: Seat): Soon<Fact<unknown>> => {
    if (line.nowhere !== undefined) return line.nowhere
    const { rank } = line
    const about = upTo(rank, seat)
    const held = about.rank === rank ? line.shelf?.[about.place] : line.others?.[about.number]
    return held ?? fetch(line, about)
  }

  /** Whether what has been gathered by now shows that the fact is absent for everybody. */
  const isShut = ({ line }: Wire): boolean => line.nowhere !== undefined

  /** The facts under their names: at once where all of them are here. `unseen` is told which of them are unknown. */
  const collect = (tray: Tray, seat: Seat, unseen?: Wire[]): Soon<Told> => {
    const { wires, own } = tray
    if (wires.length === 0) return nothing
    let { dim } = tray
    let shared = false
    // By number: few things are done as often as this.
    for (let index = 0; index < own.length; index += 1) {
      const one = own[index]
      if (one === undefined) break
      const fact = gather(one, seat)
      if (fact instanceof Promise) return collectLater(wires, seat, unseen)
      tray.told[one.name] = fact
      dim ||= fact.state === 'unknown'
      shared ||= isEverybodys(one)
    }
    if (shared) settleShared(tray)
    const { told } = tray
    if (dim && unseen !== undefined) for (const one of wires) if (told[one.name]?.state === 'unknown') unseen.push(one)
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

const stumbled = (probe: Probe<unknown>, error: unknown): Unknown =>
  unknown('malformed', `${probe.id} stumbled: ${error instanceof Error ? error.message : String(error)}`, itself(probe))
