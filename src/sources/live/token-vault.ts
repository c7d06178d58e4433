/** Where tokens are held while they are used, minted ones and what an exchange gave for them: in a closure, reachable by name only, never part of any datum. */
import type { TokenName } from '../../domain/questions.ts'

/** What an exchange gave: whose it is among those that are held at the same time. */
export type GivenName = { readonly given: string }
export type HeldName = TokenName | GivenName

export type TokenVault = {
  readonly keep: (name: HeldName, raw: string) => void
  /** Hands the token to `use` and returns what that makes of it; undefined where none is held. */
  readonly lend: <T>(name: HeldName, use: (raw: string) => T) => T | undefined
  /** The text without any token that is held here: the last guard around texts from elsewhere. */
  readonly without: (text: string) => string
  /** Forgets all of them, and everything that comes later. */
  readonly empty: () => void
}

const keyOf = (held: HeldName): string =>
  'given' in held ? held.given : `${held.namespace}/${held.name} ${held.audience}`

export function tokenVault(): TokenVault {
  const held = new Map<string, string>()
  let open = true
  return Object.freeze({
    keep: (name, raw) => {
      if (open) held.set(keyOf(name), raw)
    },
    lend: (name, use) => {
      const raw = held.get(keyOf(name))
      return raw === undefined ? undefined : use(raw)
    },
    without: (text) => {
      let clean = text
      for (const raw of held.values()) clean = clean.replaceAll(raw, '[token]')
      return clean
    },
    empty: () => {
      open = false
      held.clear()
    },
  } satisfies TokenVault)
}
