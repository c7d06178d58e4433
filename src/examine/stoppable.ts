/** A source that stops answering when its user has pressed Ctrl-C or the time is up, whatever the source behind it does. */
import { type Fact, type Question, type Source, unknown } from '../core/fact.ts'
import type { Json } from '../core/json.ts'

export type Ends = {
  readonly stop: AbortSignal
  /** Raised when the time for the whole run is up. */
  readonly late: AbortSignal
}

/** Answers `unknown` at once, with the reason, as soon as one of both is raised: also to whoever is waiting already. */
export function stoppable(source: Source, { stop, late }: Ends): Source {
  const signal = AbortSignal.any([stop, late])
  const over = (question: Question): Fact<Json> =>
    stop.aborted
      ? unknown('cancelled', 'the run was stopped before this was answered', question)
      : unknown('timeout', 'the time for the whole run was up before this was answered', question, 'a longer --timeout')
  const waiting = whoWaitsFor(signal)
  return {
    name: source.name,
    ask: (question) => {
      // Not the signal made of both, which looks at its parts with every question.
      if (stop.aborted || late.aborted) return over(question)
      const fact = source.ask(question, signal)
      if (!(fact instanceof Promise)) return fact
      return new Promise((resolve, reject) => {
        const stopWaiting = (): void => resolve(over(question))
        waiting.add(stopWaiting)
        fact
          // A fact that the source itself gives up on when told to is no more than this.
          .then((one) => resolve(one.state === 'unknown' && one.why === 'cancelled' ? over(question) : one), reject)
          .finally(() => waiting.delete(stopWaiting))
      })
    },
  }
}

/**
 * Whom to tell when the signal is raised. Not Promise.race with one promise of the end: that would hold every answer until the
 * end comes, as would a listener that knows the source; a large cluster's answers must be gone when its report is made.
 */
function whoWaitsFor(signal: AbortSignal): Set<() => void> {
  const waiting = new Set<() => void>()
  const tellAll = (): void => {
    for (const tell of waiting) tell()
    waiting.clear()
  }
  signal.addEventListener('abort', tellAll, { once: true })
  return waiting
}
