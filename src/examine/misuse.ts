/** What oclif's parser says of a command line, in the words of this house. */
import { nearest } from './near.ts'

const typed = (flag: string): string => flag.replace(/=.*$/su, '')

/** One rule a sentence of oclif's; the value of a flag is left out of it, for it may be a token. */
const rules: readonly (readonly [form: RegExp, words: (...parts: readonly string[]) => string])[] = [
  [/^Parsing (--[\w-]+) \n\t(.*)$/su, (flag = '', why = '') => `${flag}: ${why.replace(/^Expected/u, 'expected')}`],
  [/^Expected (--[\w-]+)=(.*) to be one of: (.*)$/su, (flag = '', value = '', all = '') => oneOf(flag, value, all)],
  [/^Flag (--[\w-]+) expects /su, (flag = '') => `${flag} expects a value`],
  [/^Missing required flag ([\w-]+)$/su, (flag = '') => `--${flag} is missing`],
  [
    /^(--[\w-]+)(?:=.*)? cannot also be provided when using (--[\w-]+)$/su,
    (a = '', b = '') => `${a} and ${b} do not go together`,
  ],
  [
    /^All of the following must be provided when using (--[\w-]+): (.*)$/su,
    (flag = '', all = '') => `${flag} goes with ${all.replaceAll(', ', ' and ')}`,
  ],
  [
    /^One of the following must be provided when using (--[\w-]+): (.*)$/su,
    (flag = '', all = '') => `${flag} goes with ${all.replaceAll(', ', ' or ')}`,
  ],
  [/^Unexpected arguments?: (.*)$/su, (all = '') => `${all}: nothing more was expected here`],
  [
    /^Missing \d+ required args?:\n(\w+)\s+(.*?)(?:\n.*)?$/su,
    (name = '', what = '') => `${name.toUpperCase()} is missing: ${lowered(what)}`,
  ],
]

const lowered = (sentence: string): string =>
  /^[A-Z][a-z]*\b/u.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/u, '') : sentence

function oneOf(flag: string, value: string, all: string): string {
  const [near] = nearest(value, all.split(', '))
  return `${flag} ${JSON.stringify(value)} is not one of ${all}${near === undefined ? '' : `; did you mean ${near}?`}`
}

function noSuchFlag(flag: string, known: readonly string[]): string {
  const name = flag.replace(/^-+/u, '')
  // Everything is near to one letter.
  const [near] = name.length < 3 ? [] : nearest(name, known)
  return `there is no flag ${flag}${near === undefined ? '' : `; did you mean --${near}?`}`
}

/** What an error of oclif carries, as far as it is read here. */
type Thrown = { readonly message: string; readonly flags?: unknown }

/**
 * The error in sentences; undefined where it is none of the parser's. `command`: the words that were typed for it, or nothing; `flags`: the
 * long names of its flags.
 */
export function misuse(error: Thrown, command: string, flags: readonly string[]): string | undefined {
  const said = error.message.replace(/\nSee more help with --help$/u, '')
  const sentences = sentencesOf(said, error, command, flags)
  if (said === error.message && sentences.join('\n') === said) return undefined
  return `${sentences.join('\n')}\n\`kubectl wi${command === '' ? '' : ` ${command}`} --help\` says what it takes`
}

function sentencesOf(
  said: string,
  { flags: named }: Thrown,
  command: string,
  flags: readonly string[],
): readonly string[] {
  if (said.startsWith('Nonexistent flag') && Array.isArray(named))
    return named.map((flag) => noSuchFlag(typed(String(flag)), flags))
  const first = /^command (-[^\s=:]*)\S* not found$/u.exec(said)?.[1]
  if (first !== undefined) return [`flags come after the command: kubectl wi COMMAND ${first} …`]
  // It takes the words after a command that takes none for a part of the command's name.
  const beyond = /^command (\S+) not found$/u.exec(said)?.[1]?.replaceAll(':', ' ')
  if (beyond !== undefined && command !== '' && beyond.startsWith(`${command} `))
    return [`${beyond.slice(command.length + 1)}: nothing more was expected here`]
  return said
    .replace(/^The following errors? occurred:\n\s*/u, '')
    .split(/\n {1,2}(?=\S)/u)
    .map(inOurWords)
}

function inOurWords(sentence: string): string {
  for (const [form, words] of rules) {
    const found = form.exec(sentence)
    if (found !== null) return words(...found.slice(1))
  }
  return sentence
}
