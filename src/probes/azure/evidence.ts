/** Evidence and texts in the forms that many checks of Azure give them. */
import type { Evidence } from '../../core/check.ts'
import type { Fact } from '../../core/fact.ts'
import { seen } from '../../domain/questions.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'

const inShort = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)}…` : text)

export const ofError = ({ text, place }: ObservedError): Evidence => ({
  question: seen.errors(),
  path: place,
  observed: inShort(text),
})

/** What a message quotes of an error. */
export const quote = (text: string): string => {
  const plain = text.replace(/\\[ntr]|\s+/g, ' ').trim()
  return plain.length > 240 ? `${plain.slice(0, 240)}…` : plain
}

export const errorsIn = (fact: Fact<readonly ObservedError[]>): readonly ObservedError[] =>
  fact.state === 'known' ? fact.value : []

export const held = <T>(fact: Fact<T>): T | undefined => (fact.state === 'known' ? fact.value : undefined)

/** The first error that a text fits. */
export const speaking = (errors: readonly ObservedError[], shape: RegExp): ObservedError | undefined =>
  errors.find(({ text }) => shape.test(text.replace(/\s+/g, ' ')))
