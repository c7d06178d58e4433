/** Writes to AWS: each call looks first, writes only over what was seen, and looks again until the write is to be seen. */
import { same } from '../core/edit.ts'
import { type Json, type JsonObject, textAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { AwsClients } from '../sources/live/aws-clients.ts'
import { type Manner, moved, type Prepared, refused, short, type Writer, type Written } from './writer.ts'

/** What is there now, in a form that is compared; and what an undo has to know of it. */
export type Look = { readonly now: Json | undefined; readonly kept?: Json }

/** One kind of write. `before` and `after` are in the form of `look`; undefined: not there. */
export type AwsCall = {
  readonly look: (input: JsonObject, clients: AwsClients, signal?: AbortSignal) => Promise<Look>
  readonly before: (input: JsonObject) => Json | undefined
  readonly after: (input: JsonObject) => Json | undefined
  readonly undo: (input: JsonObject, look: Look) => Change | null
  readonly write: (input: JsonObject, clients: AwsClients, signal?: AbortSignal) => Promise<void>
}

/** Why AWS did not do it, and what would have it do so. */
export type Why = (error: unknown, call: string) => { readonly why: string; readonly lift?: string }

/** IAM tells other places of a write after seconds: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency */
const patience = 15_000
const rest = 100

/** `calls`: by name, each with its look and its write; `account`: whose credentials these are, undefined where AWS does not say. */
export function awsWriter(
  clients: AwsClients,
  calls: { readonly [call: string]: AwsCall },
  why: Why,
  account: () => Promise<string | undefined>,
): Writer {
  return {
    prepare: async ({ call, input }, { dryRun, signal }: Manner): Promise<Prepared> => {
      const kind = Object.hasOwn(calls, call) ? calls[call] : undefined
      if (kind === undefined) return refused(`${call} is not a change that can be carried out`)
      try {
        const wanted = textAt(input, 'account')
        const signedIn = wanted === undefined ? undefined : await account()
        if (wanted !== undefined && signedIn !== wanted)
          return refused(
            `signed in to account ${signedIn ?? 'unknown'}, this is about account ${wanted}`,
            `sign in to account ${wanted} (AWS_PROFILE)`,
          )
        const first = await kind.look(input, clients, signal)
        if (same(first.now, kind.after(input))) return { state: 'already' }
        if (!same(first.now, kind.before(input)))
          return moved(`it was ${short(kind.before(input))}, and now is ${short(first.now)}`)
        const undo = kind.undo(input, first)
        return {
          state: 'ready',
          undo,
          write: () =>
            dryRun ? Promise.resolve({ state: 'done', undo: null }) : write(call, kind, input, undo, signal),
        }
      } catch (error) {
        return { state: 'refused', ...why(error, call) }
      }
    },
  }

  async function write(
    call: string,
    kind: AwsCall,
    input: JsonObject,
    undo: Change | null,
    signal?: AbortSignal,
  ): Promise<Written> {
    const seen = async (): Promise<'after' | 'before' | 'other'> => {
      const { now } = await kind.look(input, clients, signal)
      if (same(now, kind.after(input))) return 'after'
      return same(now, kind.before(input)) ? 'before' : 'other'
    }
    let failed: unknown
    try {
      // AWS takes no condition with a write: the look just before it, and the one after, are all that there is.
      if ((await seen()) !== 'before') return moved('it was changed just now')
      await kind.write(input, clients, signal)
    } catch (error) {
      failed = error
    }
    try {
      const until = Date.now() + (failed === undefined ? patience : 0)
      for (;;) {
        const state = await seen()
        // An answer that was lost on its way is told by what is there. Whoever looked before this write may write after it, so it has to last a moment.
        if (state === 'after') {
          await new Promise((resolve) => setTimeout(resolve, rest))
          if ((await seen()) !== 'other') return { state: 'done', undo }
        }
        if (state === 'other') return moved('somebody else has changed it at the same time; nothing more was written')
        if (Date.now() >= until || signal?.aborted === true) break
        await new Promise((resolve) => setTimeout(resolve, rest))
      }
    } catch (error) {
      failed ??= error
    }
    if (failed !== undefined) return { state: 'refused', ...why(failed, call) }
    const unseen = 'AWS took the change, but it was not to be seen within 15 s'
    return { ...refused(unseen, 'look again, then undo or repeat it'), open: true }
  }
}
