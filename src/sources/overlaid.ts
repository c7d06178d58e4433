/** A source with some answers laid over it: what would be said if this were so. */
import { type Fact, keyOf, type Source } from '../core/fact.ts'
import type { Json } from '../core/json.ts'

/** `answers` by the key of their question (`keyOf`); everything else is asked of the source. */
export const overlaid = (source: Source, answers: ReadonlyMap<string, Fact<Json>>): Source => ({
  name: source.name,
  ask: (question, signal) => answers.get(keyOf(question)) ?? source.ask(question, signal),
})
