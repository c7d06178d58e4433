/** The list of all checks: as a table, as JSON, as Markdown. */
import { checks } from '../checks/index.ts'
import type { Check } from '../core/check.ts'
import { type Page, sentenceOf } from './words.ts'

const byId = [...checks].sort((a, b) => (a.meta.id < b.meta.id ? -1 : 1))

const json = (): string =>
  `${JSON.stringify(
    byId.map(({ meta, messages, after }) => ({
      id: meta.id,
      title: meta.title,
      severity: meta.severity,
      scope: meta.scope,
      cloud: meta.cloud,
      section: meta.section,
      why: meta.why,
      messages: Object.fromEntries(Object.entries(messages).map(([id, message]) => [id, sentenceOf(message)])),
      after,
      ...(meta.fix === undefined ? {} : { fix: meta.fix }),
      links: meta.links,
    })),
    null,
    2,
  )}\n`

/** The Markdown table of `docs/checks/README.md`; `link` says where a check's own page is. */
export const markdown = (all: readonly Check[], link?: (id: string) => string): string =>
  [
    '| check | severity | the good state |',
    '| --- | --- | --- |',
    ...all.map(({ meta }) => {
      const name = link === undefined ? `\`${meta.id}\`` : `[\`${meta.id}\`](${link(meta.id)})`
      return `| ${name} | ${meta.severity} | ${meta.title.replaceAll('|', '\\|')} |`
    }),
    '',
  ].join('\n')

function table(page: Page): string {
  const sections = [...new Set(byId.map(({ meta }) => meta.section))]
  return `${sections
    .map((section) =>
      [
        page.strong(section),
        ...byId
          .filter(({ meta }) => meta.section === section)
          .flatMap(({ meta }) => [
            `  ${meta.id}${meta.severity === 'error' ? '' : `  (${meta.severity})`}`,
            ...page.text(meta.title, 6),
          ]),
      ].join('\n'),
    )
    .join('\n\n')}\n\n${byId.length} checks; \`kubectl wi explain CHECK\` says more about one\n`
}

export function catalogue(format: string, page: Page): string {
  if (format === 'json') return json()
  return format === 'markdown' ? markdown(byId) : table(page)
}
