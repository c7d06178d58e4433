/** The time of another machine, from the Date header of what it answers. */
import { type Fact, known, type Question, unknown } from '../../core/fact.ts'
import type { Json } from '../../core/json.ts'
import type { Clock } from '../../domain/questions.ts'
import type { NoReply, Reply } from './wire.ts'

/** Half of the second that a Date header and `date` cut off. */
const cut = 500

/** What a clock said, cut off at the second, to a question sent and answered at these milliseconds of our own; undefined where it is no time. */
export function clockOf(said: number, sent: number, received: number): Clock | undefined {
  if (Number.isNaN(said)) return undefined
  return {
    date: new Date(said + cut).toISOString(),
    at: new Date((sent + received) / 2).toISOString(),
    within: Math.ceil((received - sent) / 100) / 20 + cut / 1000,
  }
}

/** Sends, and tells the clock of whoever answers with whatever status; undefined where nobody answers. */
export async function clockBehind(
  question: Question,
  send: () => Promise<Reply | NoReply>,
): Promise<Fact<Json> | NoReply> {
  const sent = Date.now()
  const reply = await send()
  const received = Date.now()
  if ('trouble' in reply) return reply
  // A cache hands on the date of when it fetched, and says how long ago that was: https://www.rfc-editor.org/rfc/rfc9111#section-5.1
  const age = /^\d{1,9}$/.test(reply.headers.age ?? '') ? Number(reply.headers.age) * 1000 : 0
  const clock = clockOf(Date.parse(reply.headers.date ?? '') + age, sent, received)
  return clock === undefined ? unknown('malformed', 'the answer has no Date header', question) : known(clock, question)
}
