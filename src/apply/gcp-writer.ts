/** Writes to Google Cloud: looks first, writes only over what was seen and with the etag of that look, and looks again until it is to be seen. */
import { same } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { unseenBy } from '../sources/live/gcp-answers.ts'
import type { GoogleOrder, GoogleReply, GoogleRest } from '../sources/live/gcp-rest.ts'
import { type GcpCall, gcpCalls } from './gcp-calls.ts'
import { type Manner, moved, type Prepared, type Refused, refused, short, type Writer, type Written } from './writer.ts'

/** A change of a cluster is an operation of minutes; whoever waits is told that it goes on. */
const patience = 20_000
const rest = 500

/** `unseen`: why a reply that is no answer says nothing, as the source of reads words it. */
export function gcpWriter(google: GoogleRest, unseen: typeof unseenBy): Writer {
  const said = (reply: Exclude<GoogleReply, { state: 'answer' }>, call: string): Refused => {
    if (reply.state === 'refusal' && reply.status === 404) return refused(`it is not there: ${reply.message}`)
    const fact = unseen(reply, { system: 'gcp', call, input: {} })
    return fact.state === 'unknown' ? refused(fact.detail, fact.lift) : refused('it is not there')
  }

  const look = async (kind: GcpCall, input: JsonObject, signal?: AbortSignal) => {
    const reply = await google.send(kind.look(input), signal)
    return reply.state === 'answer'
      ? { state: 'seen' as const, answer: reply.value, now: kind.read(reply.value, input) }
      : { state: 'unseen' as const, reply }
  }

  async function send(order: GoogleOrder, call: string, signal?: AbortSignal): Promise<Written | undefined> {
    const reply = await google.send(order, signal)
    if (reply.state === 'answer') return undefined
    // 409 and 412: the etag is of an older policy.
    if (reply.state === 'refusal' && (reply.status === 409 || reply.status === 412))
      return moved('somebody else has changed it at the same time; nothing was written')
    const why = said(reply, call)
    return reply.state === 'silence' ? { ...why, open: true } : why
  }

  async function write(call: string, kind: GcpCall, input: JsonObject, signal?: AbortSignal): Promise<Written> {
    const undo = kind.undo(input)
    const fresh = await look(kind, input, signal)
    if (fresh.state === 'unseen') return said(fresh.reply, call)
    if (!same(fresh.now, kind.before(input))) return moved('it was changed just now')
    const failed = await send(kind.write(input, fresh.answer), call, signal)
    if (failed !== undefined && !('open' in failed && failed.open === true)) return failed
    const until = Date.now() + (failed === undefined ? patience : 0)
    for (;;) {
      const seen = await look(kind, input, signal)
      if (seen.state === 'seen' && same(seen.now, kind.after(input))) return { state: 'done', undo }
      if (Date.now() >= until || signal?.aborted === true) break
      await new Promise((resolve) => setTimeout(resolve, rest))
    }
    const late = 'Google took the change, but it was not to be seen within 20 s'
    return failed ?? { ...refused(late, 'look again, then undo or repeat it'), open: true }
  }

  return {
    prepare: async ({ call, input }, { dryRun, signal }: Manner): Promise<Prepared> => {
      const kind = Object.hasOwn(gcpCalls, call) ? gcpCalls[call] : undefined
      if (kind === undefined) return refused(`${call} is not a change that can be carried out`)
      const first = await look(kind, input, signal)
      if (first.state === 'unseen') return said(first.reply, call)
      const [before, after]: readonly (Json | undefined)[] = [kind.before(input), kind.after(input)]
      if (same(first.now, after)) return { state: 'already' }
      if (!same(first.now, before)) return moved(`it was ${short(before)}, and now is ${short(first.now)}`)
      return {
        state: 'ready',
        undo: kind.undo(input),
        write: () => (dryRun ? Promise.resolve({ state: 'done', undo: null }) : write(call, kind, input, signal)),
      }
    },
  }
}
