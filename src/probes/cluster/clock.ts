/** The time of the source: now when live, the time of collection in a bundle. */
import { defineProbe, inquire } from '../../core/fact.ts'
import { seen } from '../../domain/questions.ts'

/** Milliseconds since 1970. */
export const clock = defineProbe<number>({
  id: 'cluster/clock',
  about: 'the time at which the facts were gathered',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) =>
    inquire(inquiry, seen.now(), (answer) => {
      const time = typeof answer === 'string' ? Date.parse(answer) : Number.NaN
      return Number.isNaN(time) ? undefined : time
    }),
})
