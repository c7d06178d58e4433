/** A label in its column and text beside it, as every page for people has them; and sentences that hang below their first line. */
import type { Paint } from './paint.ts'
import { clean, wrap } from './text.ts'

const pad = (columns: number): string => ' '.repeat(Math.max(0, columns))
/** Where the page's own text begins, and how far beyond that the text beside a label. */
export const margin = 5
export const labels = 8

type Sheet = { readonly paint: Paint; readonly width: number }
type Place = { readonly indent?: number; readonly column?: number }

/** The text wraps within its own column; a label that is too long for its own pushes it on. */
export function labelled(
  { paint, width }: Sheet,
  label: string,
  text: string,
  { indent = margin, column = labels }: Place = {},
): readonly string[] {
  const shown = label.length + 2 > column ? `${label}  ` : label.padEnd(column)
  const lines = wrap(clean(text), width - indent - shown.length)
  return lines.map((line, index) =>
    index === 0 ? `${pad(indent)}${paint.quiet(shown)}${line}` : `${pad(indent + shown.length)}${line}`,
  )
}

/** `mark` and a sentence after it, whose further lines stand below its beginning. */
export const hung = (mark: string, text: string, width: number): readonly string[] =>
  wrap(clean(text), width - mark.length).map((line, index) => `${index === 0 ? mark : pad(mark.length)}${line}`)
