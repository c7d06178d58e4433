/** What every writer does: look at what is there now, and only then write, so that nobody else's change is ever lost. */
import type { Change } from '../core/plan.ts'

/** The place holds neither what was seen nor what should be there: somebody else has been at it. */
export type Moved = { readonly state: 'moved'; readonly what: string }
/** Whoever was asked said no, or could not be asked. `open`: nobody answered, so that it may have been done all the same. */
export type Refused = {
  readonly state: 'refused'
  readonly why: string
  readonly lift?: string
  readonly open?: boolean
}

export type Written =
  /** `undo` is what takes it back, known best after the act. */
  { readonly state: 'done'; readonly undo: Change | null } | Moved | Refused

export type Prepared =
  | {
      readonly state: 'ready'
      /** What would take it back, from what is there now to the byte. */
      readonly undo: Change | null
      /** Writes on condition that nothing has moved since it was looked at. */
      readonly write: () => Promise<Written>
    }
  /** What should be there is there. */
  | { readonly state: 'already' }
  | Moved
  | Refused

export type Manner = {
  /** Has the API server check and drop the write; what cannot be tried like that is only looked at. */
  readonly dryRun: boolean
  readonly signal?: AbortSignal | undefined
}

export type Writer = {
  readonly prepare: (change: Change, manner: Manner) => Promise<Prepared>
}

/** Opened writers, and who they write as: the place is compared before an undo, which is for the same cluster alone. */
export type Writers = Writer & {
  readonly place: { readonly server: string; readonly context: string }
  readonly close: () => void
}

export const moved = (what: string): Moved => ({ state: 'moved', what })
export const refused = (why: string, lift?: string): Refused =>
  lift === undefined ? { state: 'refused', why } : { state: 'refused', why, lift }

/** A value as a sentence can hold it. */
export function short(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 160 ? `${text.slice(0, 159)}…` : text
}
