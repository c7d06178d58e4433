/** Evidence in the forms that many checks of AWS give it. */
import type { Evidence } from '../../core/check.ts'
import type { Fact } from '../../core/fact.ts'
import { seen } from '../../domain/questions.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import type { Answer } from './exchange.ts'
import type { RoleReference } from './role-reference.ts'

const inShort = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)}…` : text)

/** What STS was seen to say, and where. */
export const ofAnswer = ({ text, place, from }: Answer): Evidence => ({
  question: from,
  path: place,
  observed: inShort(text),
})

export const ofError = ({ text, place }: ObservedError): Evidence => ({
  question: seen.errors(),
  path: place,
  observed: inShort(text),
})

/** Where the role is named. */
export function ofReference(fact: Fact<RoleReference>): readonly Evidence[] {
  if (fact.state !== 'known') return []
  const { via, key, value } = fact.value
  const path =
    via === 'annotation'
      ? `metadata.annotations["${key}"]`
      : via === 'association'
        ? 'associations'
        : `data.config["${key}"]`
  return [{ question: fact.from, path, observed: value }]
}

/** The part of an error behind its code: what a message quotes. */
export const wordsOf = (text: string): string => {
  const plain = text.replace(/\\[ntr]|\s+/g, ' ').trim()
  return plain.length > 300 ? `${plain.slice(0, 300)}…` : plain
}
