/** Lists of objects, each item read into its type, with the word on whether there are others. */
import type { Fact, Unknown } from '../core/fact.ts'
import { reading } from '../core/fact.ts'
import { at, isList, isObject, type Json } from '../core/json.ts'

/** `complete` only where the source says that there are no others; `unseen` is why a part could not be looked at. */
export type Listed<T> = { readonly items: readonly T[]; readonly complete: boolean; readonly unseen?: Unknown }

/** The items that `read` understands; an item that it does not makes the list incomplete rather than wrong. */
export const listed = <T>(fact: Fact<Json>, read: (item: Json) => T | undefined, member = 'items'): Fact<Listed<T>> =>
  reading(fact, (answer) => {
    const raw = isObject(answer) ? at(answer, member) : undefined
    if (!isList(raw)) return undefined
    const items: T[] = []
    let complete = at(answer, 'complete') !== false
    for (const item of raw) {
      const one = read(item)
      if (one === undefined) complete = false
      else items.push(one)
    }
    return { items, complete }
  })
