/** Takes a run back, newest step first; ends at the first that has moved since, and says what has. */
import { type Journal, type Step, unwritten } from './journal.ts'
import type { Manner, Writer } from './writer.ts'

export type Undone =
  | { readonly state: 'undone' }
  /** It was never done, or has been taken back already. */
  | { readonly state: 'already' }
  /** Nothing takes it back, or need. */
  | { readonly state: 'nothing' }
  | { readonly state: 'moved' | 'refused'; readonly why: string; readonly lift?: string }
  | { readonly state: 'left' }

export type UndoPorts = {
  readonly writer: Writer
  readonly journal: Journal | undefined
  readonly told?: (step: Step, outcome: Undone) => void
  readonly now?: () => Date
}

/** `steps` in the order in which they were done. The outcomes come in the order in which they are taken back. */
export async function undo(
  steps: readonly Step[],
  { writer, journal, told, now = () => new Date() }: UndoPorts,
  manner: Manner,
): Promise<readonly Undone[]> {
  const outcomes: Undone[] = []
  let ended = false
  for (const step of [...steps].reverse()) {
    const outcome: Undone =
      ended || manner.signal?.aborted === true ? { state: 'left' } : await takeBack(step, writer, journal, now, manner)
    if (outcome.state === 'moved' || outcome.state === 'refused') ended = true
    outcomes.push(outcome)
    told?.(step, outcome)
  }
  return outcomes
}

async function takeBack(
  { step, state, undo: change }: Step,
  writer: Writer,
  journal: Journal | undefined,
  now: () => Date,
  manner: Manner,
): Promise<Undone> {
  // A step that failed has changed nothing: what is there now is somebody else's.
  if (state === 'undone' || state === 'failed') return { state: 'already' }
  if (change === null) return { state: 'nothing' }
  const at = (): string => now().toISOString()
  const prepared = await writer.prepare(change, manner)
  if (prepared.state === 'already') {
    journal?.write({ step, state: 'undone', at: at() })
    return { state: 'already' }
  }
  if (prepared.state === 'moved') return { state: 'moved', why: prepared.what }
  if (prepared.state === 'refused') return prepared
  try {
    journal?.write({ step, state: 'undoing', at: at() })
  } catch (error) {
    return { state: 'refused', why: unwritten(error) }
  }
  const written = await prepared.write()
  if (written.state !== 'done') return written.state === 'moved' ? { state: 'moved', why: written.what } : written
  if (!manner.dryRun) journal?.write({ step, state: 'undone', at: at() })
  return { state: 'undone' }
}
