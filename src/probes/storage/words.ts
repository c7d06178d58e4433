/** What the checks of storage have in common: which of the observed texts lead to a check, and evidence in the forms that they give it. */
import type { CheckId, Evidence } from '../../core/check.ts'
import type { Question } from '../../core/fact.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import type { Scene, Use } from './scene.ts'
import { saidOf } from './storage-pod.ts'

export type Said = { readonly error: ObservedError; readonly message: string | undefined }

/** The texts that lead to this check, each with the message that it proves by itself. */
export const saidFor = (errors: readonly ObservedError[], check: CheckId): readonly Said[] => {
  const fragments = saidOf.get(check)
  return errors.flatMap((error) =>
    fragments?.has(error.fragment) === true ? [{ error, message: fragments.get(error.fragment) }] : [],
  )
}

/** The first text that proves this message. */
export const provedBy = (said: readonly Said[], message: string): ObservedError | undefined =>
  said.find((one) => one.message === message)?.error

/** A part of a text that a message quotes; `otherwise` where the text does not have it. */
export const partOf = (text: string, pattern: RegExp, otherwise: string): string => {
  const found = pattern.exec(text)?.[1]?.trim()
  return found === undefined || found === '' ? otherwise : found.slice(0, 200)
}

/** How a mounter is called, in short. */
export const calledWith = (use: Use): string => {
  const [call = []] = use.container.calls
  return call.length === 0 ? 'no options' : call.join(' ').slice(0, 200)
}

export const ofUse = (use: Use, from: Question): Evidence => ({
  question: from,
  path: `container ${use.container.name}`,
  observed: `${use.container.image === '' ? '' : `${use.container.image}: `}${calledWith(use)}`,
})

export const containersOf = ({ pod }: Scene) => pod?.storage?.containers ?? []

/** The word on an object with several volumes: the first that fails, else the first that is open, else one that passes. */
export function worstOf<V extends { readonly status: string }>(verdicts: readonly [V, ...V[]]): V {
  const of = (status: string): V | undefined => verdicts.find((one) => one.status === status)
  return of('fail') ?? of('undecided') ?? of('pass') ?? verdicts[0]
}
