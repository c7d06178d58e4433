/** Text from outside made fit to stand in XML or HTML, in an element or in a quoted attribute. */
import { clean, hasUnseen } from './text.ts'

const entities: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Every invisible character but a line break is spelt out. */
export const xml = (text: string): string =>
  text
    .split('\n')
    .map((line) => (hasUnseen(line) ? clean(line) : line))
    .join('\n')
    .toWellFormed()
    // The two that are no characters: XML has no way to write them, not even as a reference.
    .replace(/[\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/gu, (character) => entities[character] ?? '')

export const attribute = (text: string): string => xml(clean(text))
