/** What is asked of the world and what comes back: questions, facts, sources and probes. */
import { canonical, type Json } from './json.ts'
import type { Scope, Subject } from './subject.ts'

/** Plain data naming one thing to look up, by the permission it needs; its own cache key and its own place in a bundle. */
export type Question = {
  readonly system: string
  readonly call: string
  readonly input: { readonly [key: string]: Json }
}

/** Why something could not be seen. None of them says anything about the thing itself. */
export type Why =
  | 'forbidden'
  | 'unauthenticated'
  | 'unreachable'
  | 'timeout'
  | 'throttled'
  | 'not-collected'
  | 'not-asked'
  | 'malformed'
  | 'cancelled'

export type Known<T> = { readonly state: 'known'; readonly value: T; readonly from: Question }
/** We looked, and it is not there. */
export type Absent = { readonly state: 'absent'; readonly from: Question }
/** We could not look. `lift` is the permission, flag or document that would let us. */
export type Unknown = {
  readonly state: 'unknown'
  readonly why: Why
  readonly detail: string
  readonly lift?: string
  readonly from: Question
}

/** `absent` means we looked and it is not there; `unknown` means we could not look. The two never mix. */
export type Fact<T> = Known<T> | Absent | Unknown

/** A value now, or one that is still on its way: facts from memory cost no turn of the event loop. */
export type Soon<T> = T | Promise<T>

/** Anything that answers questions: the live cluster and clouds, a folder of documents, one laid over the other. It never throws. */
export interface Source {
  readonly name: string
  readonly ask: (question: Question, signal?: AbortSignal) => Soon<Fact<Json>>
}

// biome-ignore lint/suspicious/noExplicitAny: the one generic default that lets probes of every type stand in one map
export type Needs = { readonly [name: string]: Probe<any> }
type Told<P> = P extends Probe<infer T> ? T : never

/** The facts behind `needs`: known or absent, never unknown (the engine has seen to that). */
export type Have<N extends Needs> = { readonly [K in keyof N]: Known<Told<N[K]>> | Absent }
/** The same where one of them is not absent, or nothing would have been asked. */
export type HaveOnly<N extends Needs, O> = {
  readonly [K in keyof N]: K extends O ? Known<Told<N[K]>> : Known<Told<N[K]>> | Absent
}
/** The facts behind `wants`, raw. */
export type Wanted<N extends Needs> = { readonly [K in keyof N]: Fact<Told<N[K]>> }

/** What a probe is handed beside its facts. */
export type Inquiry = {
  readonly subject: Subject
  /** Everybody who is judged in this run: what holds for the whole cluster is best seen on one of them. */
  readonly subjects: readonly Subject[]
  readonly ask: (question: Question) => Soon<Fact<Json>>
}

/** Turns questions into one typed fact. Asked once per subject of its scope and run. */
export interface Probe<T> {
  readonly id: string
  /** What the fact is, for `--show-permissions` and for the live view: "the role's trust policy". */
  readonly about: string
  /** The subjects it is told apart by; a pod's check that needs a cluster's fact shares it with all others. */
  readonly scope: Scope
  readonly needs: Needs
  readonly wants: Needs
  /** The name of one of its needs: where that fact is absent, so is this one, and nothing else is asked. */
  readonly only?: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: typed where the probe is defined, erased where probes are kept together
  readonly ask: (have: any, want: any, inquiry: Inquiry) => Soon<Fact<T>>
}

/** Defines a probe; the compiler derives what `ask` is handed from `needs` and `wants`: of the need that it is `only` for, a value. */
export const defineProbe = <
  T,
  const N extends Needs = Needs,
  const W extends Needs = Needs,
  const O extends keyof N & string = never,
>(probe: {
  readonly id: string
  readonly about: string
  readonly scope: Scope
  readonly needs: N
  readonly wants: W
  readonly only?: O
  readonly ask: (have: HaveOnly<N, O>, want: Wanted<W>, inquiry: Inquiry) => Soon<Fact<T>>
}): Probe<T> => probe

export const known = <T>(value: T, from: Question): Known<T> => ({ state: 'known', value, from })
export const absent = (from: Question): Absent => ({ state: 'absent', from })
export const unknown = (why: Why, detail: string, from: Question, lift?: string): Unknown =>
  lift === undefined ? { state: 'unknown', why, detail, from } : { state: 'unknown', why, detail, lift, from }

/** Goes on with a value that is here or on its way, without a promise where none is needed. */
export const onward = <T, U>(soon: Soon<T>, go: (value: T) => Soon<U>): Soon<U> =>
  soon instanceof Promise ? soon.then(go) : go(soon)

/** The fact with its value read into a type; a value that `read` refuses (undefined) is unknown (malformed). */
export function reading<T>(fact: Fact<Json>, read: (value: Json) => T | undefined): Fact<T> {
  if (fact.state !== 'known') return fact
  const value = read(fact.value)
  return value === undefined
    ? unknown('malformed', `the answer to ${fact.from.call} has a form that is not understood`, fact.from)
    : known(value, fact.from)
}

/** Asks one question and reads the answer: the whole of most probes. */
export const inquire = <T>(inquiry: Inquiry, question: Question, read: (value: Json) => T | undefined): Soon<Fact<T>> =>
  onward(inquiry.ask(question), (fact) => reading(fact, read))

/** One text per question, whatever order its input's keys came in. */
export const keyOf = (question: Question): string => `${question.system} ${question.call} ${canonical(question.input)}`
