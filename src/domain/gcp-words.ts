/** Sentences with named gaps: what a finding says, and what a person does about it. */
import type { MessageData } from '../core/check.ts'
import { advice } from './advice.ts'
import { shellWord } from './shell-words.ts'

const gap = /\{(\w+)\}/g
const wordAt = (data: MessageData, name: string): string | undefined => {
  const value = data[name]
  return value === undefined || value === '' ? undefined : String(value)
}

/** A message: what nobody collected is said to be so. */
export const say =
  (sentence: string) =>
  (data: MessageData): string =>
    sentence.replace(gap, (_, name: string) => wordAt(data, name) ?? 'not collected')

const placeholder = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

/** What to do: a sentence, and commands, in which each value is one word of the shell; what was not seen is a placeholder in capitals. */
export const advise =
  (sentence: string, ...commands: readonly string[]) =>
  (data: MessageData): string =>
    advice(
      sentence.replace(gap, (_, name: string) => wordAt(data, name) ?? placeholder(name)),
      ...commands.map((command) =>
        command.replace(gap, (_, name: string) => shellWord(wordAt(data, name) ?? placeholder(name))),
      ),
    )
