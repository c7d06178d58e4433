/** What is written of every check, for whoever explains without judging: read from the checks themselves by `npm run generate`. */
import written from './papers.json' with { type: 'json' }

export type Paper = {
  readonly id: string
  readonly title: string
  readonly severity: string
  readonly scope: string
  readonly cloud: string
  readonly section: string
  readonly why: string
  /** In order of precedence; `remedy` is the sentence that says what to do, then a command a line. */
  readonly messages: readonly { readonly id: string; readonly sentence: string; readonly remedy: readonly string[] }[]
  readonly after: readonly string[]
  readonly fix: { readonly safety: string; readonly does: string } | null
  readonly links: readonly string[]
}

/** By id. */
export const papers: readonly Paper[] = written
