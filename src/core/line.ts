/** What a run keeps of its subjects and probes, laid out so that a fact is found by numbers. */
import type { Absent, Fact, Inquiry, Probe, Soon } from './fact.ts'
import type { Scope, Subject } from './subject.ts'

export type Told = { readonly [name: string]: Fact<unknown> }
/** A name that a check or probe gives to a fact, and the probe behind it. */
export type Wire = { readonly name: string; readonly probe: Probe<unknown>; readonly line: Line }

/**
 * What is told of one subject is told of the next in the same object: a large cluster has a million judgements, and most of what
 * they rest on holds for the whole cluster. Whoever goes on holding it has to take it (`take`).
 */
export type Tray = {
  readonly wires: readonly Wire[]
  told: { [name: string]: Fact<unknown> }
  /** Those of which the fact may be another one for the next subject, or has not come. */
  own: readonly Wire[]
  /** Whether one of the others is unknown. */
  dim: boolean
}

/** One place a subject, so that a fact is found by a number: a large cluster has millions of look-ups. */
type Shelf = (Soon<Fact<unknown>> | undefined)[]
/** A subject of the run, its number among all and among those of its scope, and whom a probe of another scope is asked about on its behalf. */
export type Seat = {
  readonly subject: Subject
  readonly rank: number
  readonly number: number
  readonly place: number
  /** By rank of the scope. */
  readonly above: (Seat | undefined)[]
}
/** A probe in this run: its facts, what it is wired to, and what was found to hold for all subjects. All are made alike: nothing is looked at as often. */
export type Line = {
  readonly probe: Probe<unknown>
  readonly rank: number
  /** Of the subjects of its scope, and of others that stand for those; made when the first fact comes. */
  shelf: Shelf | undefined
  others: Shelf | undefined
  readonly needs: Tray
  readonly wants: Tray
  /** The fact without which this one is absent. */
  readonly gate: Wire | undefined
  /** Absent for everybody, since a fact of the whole cluster is. */
  nowhere: Absent | undefined
  /** The fact of all for whom nothing was asked. */
  unasked: Absent | undefined
  readonly ask: Inquiry['ask']
}

export const ranks = { cluster: 0, node: 1, 'service-account': 2, pod: 3, object: 4 } as const satisfies {
  [S in Scope]: number
}
export const ofCluster = ranks.cluster
