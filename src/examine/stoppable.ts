/** A source that stops answering when its user has pressed Ctrl-C or the time is up, whatever the source behind it does. */
import { type Fact, type Question, type Source, unknown } from '../core/fact.ts'
import type { Json } from '../core/json.ts'

export type Ends = {
  readonly stop: AbortSignal
  /** Raised when the time for the whole run is up. */
  readonly late: AbortSignal
}

export function stoppable(source: Source, { stop, late }: Ends): Source {
  const signal = AbortSignal.any([stop, late])
  const over = (question: Question): Fact<Json> =>
    stop.aborted
      ? unknown('cancelled', 'the run was stopped before this was answered', question)
      : unknown('timeout', 'the time for the whole run was up before this was answered', question, 'a longer --timeout')
  const ended = new Promise<'ended'>((resolve) => {
    if (signal.aborted) resolve('ended')
    else signal.addEventListener('abort', () => resolve('ended'), { once: true })
  })
  return {
    name: source.name,
    ask: (question) => {
      if (signal.aborted) return over(question)
      const fact = source.ask(question, signal)
      if (!(fact instanceof Promise)) return fact
      // A fact that the source itself gives up on when told to is no more than this.
      return Promise.race([fact, ended]).then((one) =>
        one === 'ended' || (one.state === 'unknown' && one.why === 'cancelled') ? over(question) : one,
      )
    },
  }
}
