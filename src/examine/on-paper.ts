/** The world as a plan would leave it, without what only the world itself can say: whether a token exchanges, what is logged next. */
import { type Fact, known, onward, type Source, unknown } from '../core/fact.ts'
import type { Finding } from '../core/finding.ts'
import { type Json, textAt } from '../core/json.ts'
import { exchangeCalls } from '../domain/exchange-calls.ts'

/** Why an exchange is not seen in a rehearsal; a finding that lacks nothing else is left open to the act. */
const withheld = 'nothing has been done yet, so the exchange would prove the world as it is'

/** The checks that judge the exchange itself: without one they decide nothing, whatever else they see. */
const aboutActs: ReadonlySet<string> = new Set(['aws/sts-exchanges-token', 'azure/token-exchange-succeeds'])

/** Whether nothing but the act could settle it. */
export const awaitsAct = ({ check, status, lacks = [] }: Finding): boolean =>
  status === 'unknown' &&
  lacks.some(({ detail }) => detail === withheld) &&
  lacks.every(({ detail, why }) => detail === withheld || (why === 'undecided' && aboutActs.has(check)))

/** An exchange that was refused would now be another one. */
export const withoutExchange = (source: Source): Source => ({
  name: `${source.name}, rehearsed`,
  ask: (question, signal) => {
    const soon = source.ask(question, signal)
    if (!exchangeCalls.has(question.call)) return soon
    return onward(
      soon,
      (fact): Fact<Json> =>
        fact.state !== 'known' || textAt(fact.value, 'outcome') === 'exchanged'
          ? fact
          : unknown('not-asked', withheld, question, 'carry the plan out with --apply'),
    )
  },
})

/** And errors that were logged belong to the world before. */
export const onPaper = (source: Source): Source => {
  const below = withoutExchange(source)
  return {
    name: below.name,
    ask: (question, signal) =>
      question.system === 'observed' && question.call === 'errors'
        ? known({ errors: [] }, question)
        : below.ask(question, signal),
  }
}
