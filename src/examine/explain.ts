/** Finds what somebody wants explained: a check by its id, or the known error texts in what they typed. */
import type { ErrorText } from '../domain/error-texts.ts'
import { papers } from '../knowledge/papers.ts'
import { nearest } from './near.ts'
import { readStdin } from './stdin.ts'
import { usage } from './trouble.ts'
import { checkPage, errorPage, type Page } from './words.ts'

const mostInput = 1024 * 1024
const mostShown = 5
const listed = '`kubectl wi checks` lists every check'

/** Known texts of which somebody typed only a part: a code's first digits, the middle of a sentence. */
function withPart(part: string, errorTexts: readonly ErrorText[]): readonly ErrorText[] {
  const typed = part.toLowerCase()
  return typed.length < 5 ? [] : errorTexts.filter(({ fragment }) => fragment.toLowerCase().includes(typed))
}

/** The page to print. Throws a usage error that names what is near where nothing is known. */
export async function explain(words: string, page: Page): Promise<string> {
  const text = words === '-' ? await readStdin(mostInput) : words
  const wanted = text.trim()
  // Not with the papers: the list of all checks needs no error texts.
  const { errorTexts } = await import('../knowledge/error-texts.ts')
  const { errorTextFinder } = await import('../domain/error-texts.ts')
  const paper = papers.find(({ id }) => id === wanted)
  if (paper !== undefined) return `${checkPage(paper, errorTexts, page).join('\n')}\n`

  const find = errorTextFinder(errorTexts)
  const seen = [...new Set(find(wanted, words !== '-').map(({ known }) => known))]
  const found = seen.length > 0 ? seen : withPart(wanted, errorTexts)
  if (found.length > 0) {
    const pages = found.slice(0, mostShown).map((known) => errorPage(known, papers, page).join('\n'))
    const rest = found.length - pages.length
    return `${pages.join('\n\n')}\n${rest === 0 ? '' : `\nand ${rest} more that fit; give more of the text\n`}`
  }

  const ids = papers.map(({ id }) => id)
  const near = nearest(wanted, ids)
  // What was piped in may hold anything, a token too; it is never repeated.
  if (words === '-') throw usage(`no known error text is in what was piped in; ${listed}`)
  const said = wanted.length > 60 ? `${wanted.slice(0, 60)}…` : wanted
  const hint = near.length === 0 ? listed : `the nearest checks are ${near.join(', ')}`
  throw usage(`nothing is known about ${JSON.stringify(said)}; ${hint}`)
}
