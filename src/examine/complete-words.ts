/** Reads a command line that is still being typed: what kind of word stands at its end, and what has been said before it. */
import type { Command } from '@oclif/core'

export type Manifest = { readonly [id: string]: Command.Cached }
type Flag = Command.Cached['flags'][string]

/** What the last word is; `given` and `named` are the flags and arguments before it. */
export type Place = {
  readonly word: string
  readonly given: ReadonlyMap<string, readonly string[]>
  readonly named: readonly string[]
} & (
  | { readonly kind: 'command'; readonly next: readonly (readonly [word: string, about: string])[] }
  | { readonly kind: 'flag'; readonly id: string; readonly command: Command.Cached }
  | { readonly kind: 'value'; readonly id: string; readonly flag: Flag }
  | { readonly kind: 'argument'; readonly id: string }
  | { readonly kind: 'beyond' }
)

/** The words of the command at the beginning, as far as they are one. */
function commandAt(words: readonly string[], manifest: Manifest): { readonly id: string; readonly rest: number } {
  let id = ''
  for (const [at, word] of words.entries()) {
    const next = id === '' ? word : `${id}:${word}`
    if (Object.hasOwn(manifest, next)) return { id: next, rest: at + 1 }
    if (!Object.keys(manifest).some((one) => one.startsWith(`${next}:`))) break
    id = next
  }
  return { id, rest: id === '' ? 0 : id.split(':').length }
}

/** Flags that are named in a word, and whether the last of them waits for a value in the next word. */
function flagIn(word: string, { flags }: Command.Cached) {
  const long = /^--([^=]+)(?:=(.*))?$/su.exec(word)
  const short = /^-([^-=])=?(.*)$/su.exec(word)
  const flag =
    long === null ? Object.values(flags).find(({ char }) => short !== null && char === short[1]) : flags[long[1] ?? '']
  if (flag === undefined || flag.type !== 'option') return flag === undefined ? undefined : { flag }
  const value = long === null ? short?.[2] || undefined : long[2]
  return value === undefined ? { flag, waits: true } : { flag, value }
}

/** `words` are those after the plugin's name, the last one perhaps empty. */
export function placeOf(words: readonly string[], manifest: Manifest): Place {
  const word = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const { id, rest } = commandAt(before, manifest)
  const command = Object.hasOwn(manifest, id) ? manifest[id] : undefined
  const given = new Map<string, string[]>()
  const named: string[] = []
  const said = { word, given, named }
  if (command === undefined) {
    const head = id === '' ? '' : `${id}:`
    const below = Object.keys(manifest).filter((one) => one.startsWith(head))
    const next = new Map(below.map((one) => [one.slice(head.length).split(':')[0] ?? '', manifest[one]?.summary ?? '']))
    return { ...said, kind: 'command', next: rest === before.length ? [...next] : [] }
  }
  let waiting: Flag | undefined
  for (const one of before.slice(rest)) {
    if (waiting !== undefined) {
      given.set(waiting.name, [...(given.get(waiting.name) ?? []), one])
      waiting = undefined
    } else if (one === '--') return { ...said, kind: 'beyond' }
    else if (one.startsWith('-') && one !== '-') {
      const read = flagIn(one, command)
      if (read === undefined) continue
      if (read.waits === true) waiting = read.flag
      else given.set(read.flag.name, [...(given.get(read.flag.name) ?? []), read.value ?? ''])
    } else named.push(one)
  }
  if (waiting !== undefined) return { ...said, kind: 'value', id, flag: waiting }
  if (!word.startsWith('-') || word === '-') return { ...said, kind: 'argument', id }
  const read = word.includes('=') ? flagIn(word, command) : undefined
  // Of --flag=VALUE kubectl's scripts for the shells complete the value alone.
  if (read?.value !== undefined) return { ...said, word: read.value, kind: 'value', id, flag: read.flag }
  return { ...said, kind: 'flag', id, command }
}
