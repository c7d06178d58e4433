/** Error texts of Google Cloud with what each says by itself, and the words that checks of Google have in common. */
import type { CheckId, Evidence, Verdict } from '../../core/check.ts'
import type { Fact, Question } from '../../core/fact.ts'
import type { Json } from '../../core/json.ts'
import { googleTextOf, type Said } from '../../domain/gcp-texts.ts'
import { ofError, wordsOf } from '../aws/evidence.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'

export type Heard = Said & { readonly error: ObservedError }

export const heardIn = (fact: Fact<readonly ObservedError[]>): readonly Heard[] =>
  fact.state !== 'known' || fact.value.length === 0
    ? []
    : fact.value.flatMap((error) => {
        const said = googleTextOf(error.text)
        return said === undefined ? [] : [{ ...said, error }]
      })

/** The texts that lead to a check. */
export const heardFor = (heard: readonly Heard[], check: CheckId): readonly Heard[] =>
  heard.filter((one) => one.check === check)

export const ofHeard = ({ error }: Heard): Evidence => ofError(error)
export const quoted = ({ error }: Heard): string => wordsOf(error.text)

type Undecided = Extract<Verdict, { status: 'undecided' }>
/** What an unknown fact leaves open. */
export function undecidedBy(fact: Fact<unknown>, evidence: readonly Evidence[] = []): Undecided {
  if (fact.state !== 'unknown') return { status: 'undecided', lacks: 'the facts in hand do not settle it', evidence }
  const { detail, lift } = fact
  return { status: 'undecided', lacks: detail, ...(lift === undefined ? {} : { lift }), evidence }
}
export const evidenceOf = (question: Question, path: string, observed: Json, expected?: Json): Evidence => ({
  question,
  path,
  observed,
  ...(expected === undefined ? {} : { expected }),
})
/** A fact that nobody was asked to gather counts as absent; one that could not be seen stays open. */
export const isOpen = (fact: Fact<unknown>): boolean =>
  fact.state === 'unknown' && fact.why !== 'not-asked' && fact.why !== 'not-collected'
