/** The list of all checks: as a table, as JSON, as Markdown. */
import { type Paper, papers } from '../knowledge/papers.ts'
import type { Page } from './words.ts'

const json = (): string =>
  `${JSON.stringify(
    papers.map(({ messages, fix, links, ...paper }) => ({
      ...paper,
      messages: Object.fromEntries(messages.map(({ id, sentence }) => [id, sentence])),
      ...(fix === null ? {} : { fix }),
      links,
    })),
    null,
    2,
  )}\n`

/** The Markdown table of `docs/checks/README.md`; `link` says where a check's own page is. */
export const markdown = (all: readonly Paper[], link?: (id: string) => string): string =>
  [
    '| check | severity | the good state |',
    '| --- | --- | --- |',
    ...all.map(({ id, severity, title }) => {
      const name = link === undefined ? `\`${id}\`` : `[\`${id}\`](${link(id)})`
      return `| ${name} | ${severity} | ${title.replaceAll('|', '\\|')} |`
    }),
    '',
  ].join('\n')

function table(page: Page): string {
  const sections = [...new Set(papers.map((paper) => paper.section))]
  return `${sections
    .map((section) =>
      [
        page.strong(section),
        ...papers
          .filter((paper) => paper.section === section)
          .flatMap(({ id, severity, title }) => [
            `  ${id}${severity === 'error' ? '' : `  (${severity})`}`,
            ...page.text(title, 6),
          ]),
      ].join('\n'),
    )
    .join('\n\n')}\n\n${papers.length} checks; \`kubectl wi explain CHECK\` says more about one\n`
}

/** `format`: table, json or markdown. The text as it goes to stdout; only the table keeps to the page. */
export function catalogue(format: string, page: Page): string {
  if (format === 'json') return json()
  return format === 'markdown' ? markdown(papers) : table(page)
}
