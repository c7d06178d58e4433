/** What probes make of one ServiceAccount, before anything is minted or exchanged for it. */
import type { Fact, Probe, Soon, Source } from '../core/fact.ts'
import { gatherer } from '../core/gather.ts'
import type { Outcome } from '../core/proof.ts'
import { remembered } from '../sources/remembered.ts'
import { withheld } from '../sources/withheld.ts'
import type { Run } from './proving.ts'

export type Who = { readonly namespace: string; readonly name: string }

/** A fact about the one ServiceAccount. */
export type Learner = <T>(probe: Probe<T>) => Soon<Fact<T>>

/** What a ServiceAccount is meant to be in one cloud: said as the first step of a proof; `go` does the others, where they can be done. */
export type Learned = {
  readonly outcome: Outcome
  readonly mechanism: string
  readonly expected?: string
  readonly go?: (run: Run) => Promise<void>
}

/** Asks each question once; of the exchanges none. */
export function learnerOf(source: Source, { namespace, name }: Who, stop: AbortSignal): Learner {
  const subject = { kind: 'ServiceAccount', namespace, name }
  const asked = remembered(withheld(source, { exchange: false }))
  const { fact } = gatherer({ source: asked, subjects: [subject], signal: stop })
  return (probe) => fact(probe, subject)
}
