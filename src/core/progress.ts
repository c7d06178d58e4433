/** What a live view draws: how far each section is, and what is being waited for. */

export type Snapshot = {
  readonly phase: string
  readonly sections: readonly SectionProgress[]
  /** Facts on their way, the one that has been waited for longest first; `since` in milliseconds of performance.now(). */
  readonly waiting: readonly { readonly about: string; readonly since: number }[]
}

export type SectionProgress = {
  readonly name: string
  readonly judged: number
  readonly total: number
  readonly failed: number
  readonly unseen: number
}

/** Draws until `end`, which removes what was drawn. */
export type View = { readonly end: () => Promise<void> }
