/** Pages of text that local commands print: a check's papers, what an error text can mean. */
import type { ErrorText, Lead } from '../domain/error-texts.ts'
import type { Paper } from '../knowledge/papers.ts'

export type Page = {
  /** Wraps to the width and indents. */
  readonly text: (words: string, indent?: number) => readonly string[]
  readonly strong: (words: string) => string
}

const severities: { readonly [severity: string]: string } = {
  error: 'error: the workload cannot get or use its identity',
  warning: 'warning: it works, but is unsafe, fragile or about to break',
  info: 'note',
}

export const scopeWords: { readonly [scope: string]: string } = {
  cluster: 'judged once for the cluster',
  node: 'judged for each node',
  'service-account': 'judged for each ServiceAccount',
  pod: 'judged for each pod',
  object: 'judged for each object of its kind',
}

export const fragmentsOf = ({ id }: Paper, table: readonly ErrorText[]): readonly string[] =>
  table.filter(({ leads }) => leads.some((lead) => lead.check === id)).map(({ fragment }) => fragment)

/** A known text as a person would quote it: of a regular expression, one text that fits, with `…` for what may differ. */
export function quotable(fragment: string): string {
  if (fragment.length < 3 || !fragment.startsWith('/') || !fragment.endsWith('/')) return fragment
  const any = String.raw`(?:\\[dwsSDW]|(?<!\\)\[(?:\\.|[^\]\\])*\]|(?<!\\)\.(?=[*+{]))(?:[*+?]|\{[^}]*\})?\??`
  let text = fragment
    .slice(1, -1)
    .replaceAll(/\[([A-Z])([a-z])\]/gu, (all, upper: string, lower: string) =>
      upper.toLowerCase() === lower ? upper : all,
    )
    .replaceAll(new RegExp(any, 'gu'), '…')
    .replaceAll(/\\b|(?<!\\)[$^]/gu, '')
  // Letters that stand for themselves are set aside, so that what is left of brackets and bars is the expression's own.
  const literals: string[] = []
  text = text.replaceAll(/\\(.)/gu, (_, letter: string) => String.fromCodePoint(0xe000 + literals.push(letter) - 1))
  for (let before = ''; before !== text; ) {
    before = text
    text = text
      .replaceAll(/\(\?<?[!=][^()]*\)/gu, '')
      .replaceAll(/\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)([*?]|\{0,[^}]*\})?/gu, (_, first: string, none?: string) =>
        none ? '' : first,
      )
  }
  return (text.split('|')[0] ?? '')
    .replaceAll('?', '')
    .replaceAll(/[\ue000-\uf8ff]/gu, (mark) => literals[(mark.codePointAt(0) ?? 0) - 0xe000] ?? '')
    .replaceAll(/…+/gu, '…')
    .trim()
}

/** What a check defends, what it can say, what puts it right, and where to read more. */
export function checkPage(paper: Paper, table: readonly ErrorText[], page: Page): readonly string[] {
  const fragments = fragmentsOf(paper, table)
  const list = (title: string, items: readonly string[]): readonly string[] =>
    items.length === 0
      ? []
      : [
          '',
          page.strong(title),
          ...items.flatMap((item) =>
            page.text(item, 4).map((line, index) => (index === 0 ? line.replace('    ', '  - ') : line)),
          ),
        ]
  return [
    page.strong(paper.id),
    ...page.text(`${paper.title}.`),
    '',
    ...page.text(paper.why),
    ...page.text(`It is ${scopeWords[paper.scope]}; ${severities[paper.severity]}.`),
    '',
    page.strong('What it can find'),
    ...paper.messages.flatMap(({ id, sentence, remedy }) => [
      ...page.text(`${id}: ${sentence}`, 4).map((line, index) => (index === 0 ? line.replace('    ', '  - ') : line)),
      ...page.text(remedy[0] ?? '', 6),
    ]),
    ...(paper.fix === null ? [] : list('What puts it right', [`${paper.fix.does} (${paper.fix.safety})`])),
    ...list('Waits for', paper.after),
    ...list('Error texts that lead here', [...new Set(fragments.map(quotable))]),
    ...list('Read more', paper.links),
  ]
}

/** The sentence of a message, of which only the text of an error is known: what a finding would add stays out, what it would name inside is `…`. */
const withoutFinding = (sentence: string, { fragment }: ErrorText): string =>
  sentence
    .replaceAll('AADSTS{code}', /AADSTS\d{5,8}/.exec(fragment)?.[0] ?? '{code}')
    .replaceAll(/\{\w+\}/g, '…')
    .replaceAll(/…(?: ?…)+/g, '…')
    .replaceAll(/(?:… )?(AADSTS\d+)(?: …)?/g, '$1')
    .replaceAll(/ \(["…, ]+\)|: …$/g, '')

function leadLines(
  lead: Lead,
  number: number,
  known: ErrorText,
  paper: Paper | undefined,
  page: Page,
): readonly string[] {
  const message = paper?.messages.find(({ id }) => id === lead.message)
  const decided = page.text(
    `decided by ${lead.check}${paper === undefined ? ', which this version does not have' : ''}`,
    4,
  )
  const sentence = message && withoutFinding(message.sentence, known)
  const words = lead.when ?? sentence ?? (paper && `this does not hold: ${paper.title}`)
  const [first = '', ...rest] = words === undefined ? decided : [...page.text(words, 4), ...decided]
  return [`${String(number).padStart(2)}. ${first.trimStart()}`, ...rest]
}

/** What a known error text means, and its causes, most likely first. */
export function errorPage(known: ErrorText, papers: readonly Paper[], page: Page): readonly string[] {
  const byId = new Map(papers.map((paper) => [paper.id, paper]))
  return [
    page.strong(quotable(known.fragment)),
    ...page.text(known.means),
    '',
    page.strong(known.leads.length === 1 ? 'The likely cause' : 'Likely causes, most likely first'),
    ...known.leads.flatMap((lead, index) => leadLines(lead, index + 1, known, byId.get(lead.check), page)),
  ]
}
