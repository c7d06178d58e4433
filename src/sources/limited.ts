/** A source that asks only so much at a time and waits only so long, tries again when throttled, and stops when told to. */
import { type Fact, type Question, type Soon, type Source, unknown } from '../core/fact.ts'
import type { Json } from '../core/json.ts'

export type Limits = {
  /** Questions on their way at the same time, per system. */
  readonly concurrency: number
  /** Milliseconds for one question, repetitions included. */
  readonly timeout: number
  /** How often a throttled question is asked again. */
  readonly retries: number
  /** Milliseconds before the first repetition, doubled each time; the real wait lies anywhere between half of it and all. */
  readonly pause: number
}

export const defaultLimits: Limits = { concurrency: 8, timeout: 15_000, retries: 4, pause: 250 }

const stopped = (question: Question): Fact<Json> =>
  unknown('cancelled', 'the run was stopped before this was answered', question)

/** Waits, or returns at once when the signal is raised. */
const sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })

/** Places in a line, per system. */
function gate(places: number) {
  let free = places
  const waiting: (() => void)[] = []
  return {
    tryEnter: (): boolean => {
      if (free === 0) return false
      free -= 1
      return true
    },
    enter: (): Promise<void> => new Promise((resolve) => waiting.push(resolve)),
    leave: (): void => {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    },
  }
}

/** Never throws: a source that does is taken as one that gave no usable answer. */
export function limited(source: Source, limits: Partial<Limits> = {}): Source {
  const { concurrency, timeout, retries, pause } = { ...defaultLimits, ...limits }
  const gates = new Map<string, ReturnType<typeof gate>>()

  const gateOf = (system: string) => {
    let found = gates.get(system)
    if (found === undefined) {
      found = gate(concurrency)
      gates.set(system, found)
    }
    return found
  }

  /** The words of an error may come from anywhere; only its kind is told. */
  const broken = (question: Question, error: unknown): Fact<Json> =>
    unknown(
      'malformed',
      `${source.name} stumbled over this question (${error instanceof Error ? error.name : 'unknown error'})`,
      question,
    )

  const attempt = (question: Question, signal: AbortSignal): Soon<Fact<Json>> => {
    try {
      const soon = source.ask(question, signal)
      return soon instanceof Promise ? soon.catch((error: unknown) => broken(question, error)) : soon
    } catch (error) {
      return broken(question, error)
    }
  }

  const isThrottled = (fact: Fact<Json>): boolean => fact.state === 'unknown' && fact.why === 'throttled'

  async function persist(question: Question, first: Soon<Fact<Json>>, signal: AbortSignal): Promise<Fact<Json>> {
    let fact = await first
    for (let again = 0; again < retries && isThrottled(fact) && !signal.aborted; again += 1) {
      await sleep(pause * 2 ** again * (0.5 + Math.random() / 2), signal)
      if (!signal.aborted) fact = await attempt(question, signal)
    }
    return fact
  }

  /** The answer, or the word that it did not come in time or was no longer wanted. A late answer is dropped. */
  async function within(
    question: Question,
    first: Soon<Fact<Json>>,
    own: AbortController,
    outer: AbortSignal | undefined,
  ): Promise<Fact<Json>> {
    let giveUp: (fact: Fact<Json>) => void = () => {}
    const end = new Promise<Fact<Json>>((resolve) => {
      giveUp = resolve
    })
    const timer = setTimeout(() => {
      const seconds = timeout / 1000
      giveUp(
        unknown(
          'timeout',
          `${source.name} did not answer within ${seconds} s`,
          question,
          `--timeout ${Math.ceil(seconds * 4)}s`,
        ),
      )
      own.abort()
    }, timeout)
    const cancel = (): void => {
      giveUp(stopped(question))
      own.abort()
    }
    outer?.addEventListener('abort', cancel)
    try {
      return await Promise.race([end, persist(question, first, own.signal)])
    } finally {
      clearTimeout(timer)
      outer?.removeEventListener('abort', cancel)
    }
  }

  const ask = (question: Question, signal?: AbortSignal): Soon<Fact<Json>> => {
    if (signal?.aborted) return stopped(question)
    const { tryEnter, enter, leave } = gateOf(question.system)
    const begin = (): Soon<Fact<Json>> => {
      if (signal?.aborted) {
        leave()
        return stopped(question)
      }
      const own = new AbortController()
      const first = attempt(question, own.signal)
      if (!(first instanceof Promise) && !isThrottled(first)) {
        leave()
        return first
      }
      return within(question, first, own, signal).finally(leave)
    }
    return tryEnter() ? begin() : enter().then(begin)
  }

  return { name: source.name, ask }
}
