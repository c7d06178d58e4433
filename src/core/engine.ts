/** Asks what the checks need, judges in order, tells the observer as it goes. */
import type { Check } from './check.ts'
import type { Fact, Probe, Soon } from './fact.ts'
import type { Finding } from './finding.ts'
import { gatherer, type Listener, type Setting } from './gather.ts'
import type { Seat, Tray, Wire } from './line.ts'
import { holdUps, inTurn, type Turn } from './order.ts'
import { blocked, notApplicable, settle } from './settle.ts'
import { bySubject, isJudgedBy, rangeOf, type Subject } from './subject.ts'
import { newTray } from './tray.ts'

export type Observer = Listener & {
  /** In the order of the report; `times`, where as many subjects come to the same at once. */
  readonly found?: (finding: Pick<Finding, 'check' | 'status'>, times?: number) => void
}

export type Order = Setting & {
  readonly checks: readonly Check[]
  readonly observer?: Observer
  /**
   * One finding for all that pass a check, without evidence, and for all of whom the same was not seen; what is not applicable is only
   * counted: a table of thousands prints no more.
   */
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
type Station = Turn & {
  /** The fact without which the check does not concern a subject. */
  readonly only: Wire | undefined
  readonly needs: Tray
  readonly wants: Tray
  readonly over: readonly Seat[]
}

/** Judges every check on every subject of its scope. Deterministic: blockers first, then id; the cluster first, then by name. */
export async function examine(order: Order): Promise<Examination> {
  const subjects = [...order.subjects].sort(bySubject)
  const { wire, seatOf, gather, isShut, collect, fact } = gatherer({ ...order, subjects })
  const seats = subjects.map(seatOf)
  const held = holdUps()
  const failed = holdUps()
  const findings: Finding[] = []
  let omitted = 0
  const gates = new Map<Probe<unknown>, Wire | undefined>()
  const gate = (probe: Probe<unknown>): Wire | undefined => {
    if (!gates.has(probe)) gates.set(probe, wire({ only: probe })[0])
    return gates.get(probe)
  }
  const judged = new Map<string, readonly Seat[]>()
  /** One list for all checks that judge the same. */
  const judgedBy = (meta: Check['meta']): readonly Seat[] => {
    const key = rangeOf(meta)
    const held = judged.get(key) ?? seats.filter(({ subject }) => isJudgedBy(meta, subject))
    judged.set(key, held)
    return held
  }
  const stations: readonly Station[] = inTurn(order.checks).map(({ check, coveredBy }) => ({
    ...{ check, coveredBy },
    only: check.only === undefined ? undefined : gate(check.only.probe),
    needs: newTray(wire(check.needs)),
    wants: newTray(wire(check.wants)),
    over: judgedBy(check.meta),
  }))

  const alike = new Map<string, Subject[]>()
  /** One for all that say the same. */
  const keepOne = (finding: Finding): void => {
    const key = sameWords(finding)
    const others = alike.get(key)
    if (others !== undefined) {
      others.push(finding.subject)
      return
    }
    const first: Subject[] = []
    alike.set(key, first)
    findings.push({ ...finding, others: first })
  }
  const tell = (finding: Finding): void => {
    if (order.spare && finding.status === 'not-applicable') omitted += 1
    else if (order.spare && (finding.status === 'pass' || finding.status === 'unknown')) keepOne(finding)
    else findings.push(finding)
    order.observer?.found?.(finding)
  }

  await setOut(stations, seats, gather)

  const missing: Wire[] = []
  const open: Wire[] = []
  for (const station of stations) {
    const { needs, wants, over, only } = station
    const { id: check } = station.check.meta
    const unconcerned = { check, status: 'not-applicable' } as const
    const otherwise = station.check.only?.otherwise ?? ''
    if (order.spare && only !== undefined && isShut(only)) {
      omitted += over.length
      order.observer?.found?.(unconcerned, over.length)
      continue
    }
    for (const seat of over) {
      const { subject } = seat
      if (only !== undefined) {
        let concerned = gather(only, seat)
        if (concerned instanceof Promise) concerned = await concerned
        if (concerned.state === 'absent') {
          if (order.spare) {
            omitted += 1
            order.observer?.found?.(unconcerned)
          } else tell(notApplicable(station.check, subject, otherwise))
          continue
        }
      }
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
      tell(settled)
      if (settled.status === 'fail') failed.add(settled)
      if (settled.status === 'fail' || settled.status === 'blocked' || settled.status === 'crashed') held.add(settled)
    }
  }
  return { findings, omitted, fact }
}

function sameWords({ check, lacks }: Finding): string {
  if (lacks === undefined) return check
  let words: string = check
  for (const { detail, lift } of lacks) words += `\n${detail}\n${lift ?? ''}`
  return words
}

/** Enough subjects to keep every source busy; the facts of all at once would be a hundred thousand promises in a large cluster. */
const abreast = 250

/** Facts that are gathered only where another one is not absent; those of the whole cluster need setting out for one subject alone. */
type Outset = { readonly only: Wire | undefined; wires: readonly Wire[] }

/** Each fact once: with those that everybody needs where anybody does. */
function outsetsOf(stations: readonly Station[]): readonly Outset[] {
  const byGate = new Map<Wire | undefined, Map<Probe<unknown>, Wire>>([[undefined, new Map()]])
  for (const { only, needs, wants } of stations) {
    const wires = byGate.get(only) ?? new Map<Probe<unknown>, Wire>()
    byGate.set(only, wires)
    for (const one of [...needs.wires, ...wants.wires]) wires.set(one.probe, one)
  }
  const everybodys = byGate.get(undefined)
  return [...byGate].map(([only, wires]) => ({
    only,
    wires: [...wires.values()].filter(({ probe }) => only === undefined || !everybodys?.has(probe)),
  }))
}

/** All facts set out together, each only once; judging then waits for each in its turn. */
async function setOut(
  stations: readonly Station[],
  seats: readonly Seat[],
  gather: ReturnType<typeof gatherer>['gather'],
): Promise<void> {
  const byScope = new Map<string, readonly Outset[]>()
  const outsetsFor = (subject: Subject): readonly Outset[] => {
    const key = [subject.kind, ...(subject.standsFor ?? [])].join()
    let outsets = byScope.get(key)
    if (outsets === undefined) {
      outsets = outsetsOf(stations.filter(({ check }) => isJudgedBy(check.meta, subject)))
      byScope.set(key, outsets)
    }
    return outsets
  }
  let underWay = 0
  let goOn: (() => void) | undefined
  const come = (): void => {
    underWay -= 1
    goOn?.()
  }
  for (const seat of seats) {
    const coming: Promise<unknown>[] = []
    const all = (outset: Outset): void => {
      const { wires } = outset
      let shared = false
      for (let index = 0; index < wires.length; index += 1) {
        const one = wires[index]
        if (one === undefined) break
        const fact = gather(one, seat)
        if (fact instanceof Promise) coming.push(fact)
        shared ||= one.probe.scope === 'cluster'
      }
      if (shared) outset.wires = wires.filter(({ probe }) => probe.scope !== 'cluster')
    }
    for (const outset of outsetsFor(seat.subject)) {
      const { only, wires } = outset
      if (only === undefined) {
        all(outset)
        continue
      }
      const concerned = gather(only, seat)
      if (concerned instanceof Promise)
        coming.push(
          concerned.then(({ state }) => (state === 'absent' ? [] : Promise.all(wires.map((one) => gather(one, seat))))),
        )
      else if (concerned.state !== 'absent') all(outset)
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
