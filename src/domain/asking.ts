/** How a question is made of a system, a call and its input. */
import type { Question } from '../core/fact.ts'
import type { Json } from '../core/json.ts'

export const ask = (system: string, call: string, input: { readonly [key: string]: Json } = {}): Question => ({
  system,
  call,
  input,
})

/** A ServiceAccount's token for one audience, named without holding it. */
export type TokenName = { readonly namespace: string; readonly name: string; readonly audience: string }
