/** A source that remembers every answer that it gave, for a bundle. */
import { type Fact, keyOf, onward, type Source } from '../core/fact.ts'
import type { Json } from '../core/json.ts'

export type Recorded = { readonly source: Source; readonly facts: () => readonly Fact<Json>[] }

/** Stands outermost, so that it keeps what the run went by: redacted, and with what came of lists. */
export function recorded(source: Source): Recorded {
  const facts = new Map<string, Fact<Json>>()
  return {
    source: {
      name: source.name,
      ask: (question, signal) =>
        onward(source.ask(question, signal), (fact) => {
          facts.set(keyOf(question), { ...fact, from: question })
          return fact
        }),
    },
    facts: () => [...facts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact),
  }
}
