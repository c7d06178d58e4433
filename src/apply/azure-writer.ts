/** Writes to Azure: each call looks first, writes only over what was seen, waits its turn, and looks again until the write is to be seen. */
import { same } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { refusalIn, signInToAzure } from '../sources/live/azure-answers.ts'
import type { AzureRest, NotSignedIn } from '../sources/live/azure-rest.ts'
import { type NoReply, pause, type Reply, retryAfterMs } from '../sources/live/wire.ts'
import type { AzureCall } from './azure-calls.ts'
import { type Manner, moved, type Prepared, type Refused, refused, short, type Writer, type Written } from './writer.ts'

/** An identity takes one write at a time, and tells other places of it after seconds. */
const patience = 60_000
const rest = 300

/** `calls`: by name, each with its look and its write. */
export function azureWriter(azure: AzureRest, calls: { readonly [call: string]: AzureCall }): Writer {
  return {
    prepare: async ({ call, input }, { dryRun, signal }: Manner): Promise<Prepared> => {
      const kind = Object.hasOwn(calls, call) ? calls[call] : undefined
      if (kind === undefined) return refused(`${call} is not a change that can be carried out`)
      const first = await kind.look(input, azure)
      if ('failed' in first) return why(first.failed, call)
      if (same(first.now, kind.after(input))) return { state: 'already' }
      if (!same(first.now, kind.before(input)))
        return moved(`it was ${short(kind.before(input))}, and now is ${short(first.now)}`)
      const undo = kind.undo(input)
      return {
        state: 'ready',
        undo,
        write: async (): Promise<Written> => {
          if (dryRun) return { state: 'done', undo: null }
          const written = await write(call, kind, input, signal)
          return written.state === 'done' ? { state: 'done', undo } : written
        },
      }
    },
  }

  async function write(
    call: string,
    kind: AzureCall,
    input: JsonObject,
    signal: AbortSignal | undefined,
  ): Promise<Written> {
    const until = Date.now() + patience
    const isDone = (now: Json | undefined): boolean => same(now, kind.after(input))
    for (let round = 1; ; round += 1) {
      // ARM and Graph take no condition with these writes: the look just before is all that there is.
      const look = await kind.look(input, azure)
      if ('failed' in look) return why(look.failed, call)
      if (isDone(look.now)) return { state: 'done', undo: null }
      if (!same(look.now, kind.before(input))) return moved('it was changed just now')
      const reply = await kind.write(input, azure)
      const wait = waitFor(reply, round)
      if (wait !== undefined && Date.now() + wait < until && signal?.aborted !== true) {
        await pause(wait, signal)
        continue
      }
      const isTaken = 'status' in reply && reply.status >= 200 && reply.status < 300
      // An answer that was lost on its way is told by what is there.
      if (!isTaken && 'status' in reply) return why(reply, call)
      for (;;) {
        const seen = await kind.look(input, azure)
        if (!('failed' in seen) && isDone(seen.now)) return { state: 'done', undo: null }
        if (!isTaken) return why(reply, call)
        if (Date.now() >= until || signal?.aborted === true) break
        await pause(rest, signal)
      }
      return {
        ...refused(
          'Azure took the change, but it was not to be seen within 60 s',
          'look again, then undo or repeat it',
        ),
        open: true,
      }
    }
  }
}

/** Milliseconds after which it is worth asking again: another write to the same identity goes on, or too many of them did. */
function waitFor(reply: Reply | NoReply | NotSignedIn, round: number): number | undefined {
  if (!('status' in reply)) return undefined
  const busy = reply.status === 409 && /^Concurrent/.test(refusalIn(reply).code)
  return busy || reply.status === 429 ? (retryAfterMs(reply.headers) ?? Math.min(8000, 250 * 2 ** round)) : undefined
}

function why(reply: Reply | NoReply | NotSignedIn, call: string): Refused {
  if ('unsigned' in reply) return refused(reply.unsigned, signInToAzure)
  if ('trouble' in reply) {
    const lost = refused(
      `Azure could not be reached: ${reply.detail}`,
      'a way to the endpoints of Azure (network, proxy)',
    )
    return reply.trouble === 'timeout' ? { ...lost, open: true } : lost
  }
  const { code, message } = refusalIn(reply)
  const said = [code, message].filter((one) => one !== '').join(': ') || `Azure answered ${reply.status}`
  if (reply.status !== 403) return refused(said)
  return refused(said, call.startsWith('graph ') ? 'Graph: Application.ReadWrite.OwnedBy or .All' : `Azure: ${call}`)
}
