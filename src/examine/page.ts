/** The page that a local command writes on: the terminal's width and, where wanted, bold headings. */
import { wrap } from '../report/text.ts'
import type { Page } from './words.ts'

const widest = 100

/** `width`: columns of the terminal; text is kept between 60 and 100 of them. */
export const pageOf = (width: number, color: boolean): Page => ({
  text: (words, indent = 0) =>
    wrap(words, Math.min(widest, Math.max(60, width)) - indent).map((line) => `${' '.repeat(indent)}${line}`),
  strong: (words) => (color ? `\u001b[1m${words}\u001b[22m` : words),
})
