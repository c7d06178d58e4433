/** Which kinds of questions each probe may ask: recorded over all cases by `npm run generate`. */
import recorded from './asked.json' with { type: 'json' }

/** Kinds of questions (`kubernetes pods/list`): those about anybody, and those only where nobody is named. */
type Kinds = { readonly always: readonly string[]; readonly whole: readonly string[] }

export type Asked = {
  /** Single objects that a run has in its lists already, and that no case sends for. */
  readonly fromLists: readonly string[]
  readonly probes: { readonly [probe: string]: Kinds }
}

export const asked: Asked = recorded
