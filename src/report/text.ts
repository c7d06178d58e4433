/** Words laid out in columns: cleaning, wrapping, shortening. Knows no findings and no colour. */

/**
 * What a cluster or a file says may hold control characters; shown as they are, they could rewrite what a terminal displays.
 * Bidirectional overrides and zero-width characters are spelt out too: they are a common reason why two texts differ.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what this is for
const unseen = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00ad]/gu

const spelt: { readonly [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Text that is JSON already, its invisible characters as JSON escapes; JSON itself asks that for the first 32 only. */
export const escaped = (json: string): string =>
  json.replace(unseen, (character) =>
    character === '\n' ? character : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )

export const hasUnseen = (text: string): boolean => text.search(unseen) !== -1

/** The same text with every invisible character spelt out. */
export const clean = (text: string): string =>
  text.replace(
    unseen,
    (character) => spelt[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )

/** Lines of at most `width` columns. A word that is longer (a URL, an ARN) stays whole, so that it can be copied. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/u)) {
    if (word === '') continue
    if (line === '') line = word
    else if (line.length + 1 + word.length <= width) line += ` ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  if (line !== '') lines.push(line)
  return lines
}

/** At most `width` columns, with an ellipsis where something was left out at the end. */
export const shorten = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`

/** `1 pod`, `400 pods`. */
export const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`

/** The first few, and how many more there are; of `all`, where not all names are given. */
export function few(names: readonly string[], most: number, all = names.length): string {
  const shown = names.length <= most + 1 ? names : names.slice(0, most)
  const rest = all - shown.length
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`
}
