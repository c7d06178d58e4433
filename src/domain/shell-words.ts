/** Values as single words of a command line that a person pastes into a POSIX shell. */

const plain = /^[A-Za-z0-9@%_+=:,./-]+$/
/** What a terminal does not show as it is: control characters, zero-width ones, those that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what this is for
const unseen = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu

const octal = (character: string): string =>
  [...new TextEncoder().encode(character)].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('')

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The value as one word that a shell takes for exactly this text, on one line whatever is in it; only a last line end is lost. */
export function shellWord(value: string): string {
  if (plain.test(value)) return value
  if (value.search(unseen) === -1) return quoted(value)
  // Spelt out for printf, since quotes would hide such a character from the reader.
  return `"$(printf %b ${quoted(value.replaceAll('\\', '\\\\').replace(unseen, octal))})"`
}

/** A command line as a template: what stands in it stays, what is filled in is quoted where it has to be. */
export const sh = (strings: TemplateStringsArray, ...values: readonly string[]): string =>
  strings.map((text, index) => `${text}${index < values.length ? shellWord(values[index] ?? '') : ''}`).join('')
