/** The report as one page that can be sent to a colleague: no script, nothing from the net, everything from outside escaped. */
import type { Evidence } from '../core/check.ts'
import type { Identity, Line, Renderer, Report } from '../core/report.ts'
import { acceptedItems } from './accepted.ts'
import { type Cause, type Gap, type Held, type Part, tell } from './causes.ts'
import { closingSentence } from './closing.ts'
import { pathPicture } from './html-path.ts'
import { style } from './html-style.ts'
import { crowd, crowdWithNames, nameOf } from './names.ts'
import { markOf } from './paint.ts'
import { shorten } from './text.ts'
import { attribute, xml } from './xml.ts'

const roles = { healthy: 'good', unhealthy: 'bad', inconclusive: 'open' } as const

/** Above this many identities only those are drawn that something is wrong or not seen with. */
const mostDrawn = 12
const longestValue = 4000
/** `kubectl wi explain` has the others. */
const mostLinks = 3

const paragraph = (text: string, style = ''): string => `<p${style === '' ? '' : ` class="${style}"`}>${xml(text)}</p>`
const coded = (text: string): string => `<code>${xml(text === '' ? '(empty)' : shorten(text, longestValue))}</code>`

const textOf = (value: Evidence['observed']): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** The part in which a text differs from another, between what begins and what ends the same. */
function marked(text: string, other: string): string {
  if (text === other || text === '' || other === '') return coded(text)
  let from = 0
  while (from < text.length && text[from] === other[from]) from += 1
  let to = 0
  while (to < text.length - from && to < other.length - from && text.at(-1 - to) === other.at(-1 - to)) to += 1
  // Whole words: "store" and "shop" differ, not "tore" and "hop".
  while (from > 0 && /[\p{L}\d]/u.test(text[from - 1] ?? '')) from -= 1
  while (to > 0 && /[\p{L}\d]/u.test(text.at(-to) ?? '')) to -= 1
  if (from >= text.length - to || from + to < 4 || text.length > longestValue) return coded(text)
  const middle = text.slice(from, text.length - to)
  return `<code>${xml(text.slice(0, from))}<mark>${xml(middle)}</mark>${xml(text.slice(text.length - to))}</code>`
}

function evidenceRows({ question, path, observed, expected, words }: Evidence): string {
  const asked = `${question.system} ${question.call}${path === '' ? '' : `: ${path}`}`
  const where = `<div class="where value">${xml(asked)}</div>`
  const seen = textOf(observed)
  const first = words?.observed ?? 'found'
  if (expected === undefined) return `${where}<dt>${xml(first)}</dt><dd>${coded(seen)}</dd>`
  const wanted = textOf(expected)
  return `${where}<dt>${xml(first)}</dt><dd>${marked(seen, wanted)}</dd><dt>${xml(words?.expected ?? 'expected')}</dt><dd>${marked(wanted, seen)}</dd>`
}

const evidenceList = (evidence: readonly Evidence[]): string =>
  evidence.length === 0 ? '' : `<dl>${evidence.map(evidenceRows).join('')}</dl>`

function remedyOf({ remedy, fix }: Line): string {
  const [words = '', ...commands] = (remedy?.words ?? fix?.does ?? '').split('\n')
  if (words === '') return ''
  const text = commands.length === 0 ? '' : `<pre>${xml(commands.join('\n'))}</pre>`
  return `<p><b>Fix:</b> ${xml(words)}</p>${text}`
}

/** A link only where it leads to the web; anything else is shown as it is. */
const linked = (link: string): string =>
  /^https?:\/\//u.test(link) ? `<a href="${attribute(link)}" rel="noreferrer">${xml(link)}</a>` : xml(link)

const heldList = (held: readonly Held[], words: string): string =>
  held.length === 0
    ? ''
    : `<p>${words}</p><ul>${held.map(({ title, subjects }) => `<li>${xml(title)} <span class="quiet">(${xml(crowd(subjects))})</span></li>`).join('')}</ul>`

function causeArticle({ line, subjects, held, alike }: Cause): string {
  const { sign, word, role } = markOf(line)
  const place = line.place === undefined ? '' : paragraph(`${line.place.file}:${line.place.line}`, 'quiet value')
  const others = alike.flatMap((one) => one.subjects)
  return [
    `<article class="${role}">`,
    `<h3><span class="sign">${sign} ${word}</span>${xml(line.title)}</h3>`,
    `<p><b>${xml(crowdWithNames(subjects, 5))}</b>: ${xml(line.message)}</p>`,
    place,
    evidenceList(line.evidence),
    paragraph(line.why, 'quiet'),
    remedyOf(line),
    heldList(held, 'Blocked by this:'),
    others.length === 0 ? '' : paragraph(`The same, in other words: ${crowdWithNames(others, 10)}`),
    `<p class="quiet"><code>${xml(line.check)}</code> · ${line.links.slice(0, mostLinks).map(linked).join(' · ')}</p>`,
    '</article>',
  ].join('')
}

const gapItem = ({ lack, open, alike }: Gap): string =>
  [
    `<li><b>${xml(open[0]?.title ?? lack.what)}</b>`,
    open.length > 1 ? ` <span class="quiet">and ${open.length - 1} more</span>` : '',
    `<br>${xml(lack.detail)}`,
    lack.lift === undefined ? '' : `<br><span class="quiet">To see it:</span> ${coded(lack.lift)}`,
    alike.length === 0 ? '' : `<br><span class="quiet">and ${alike.length} more of the kind</span>`,
    '</li>',
  ].join('')

const passedRow = ({ passed }: Part): string =>
  passed === undefined
    ? ''
    : `<tr><td class="good">✓ ok</td><td>${xml(passed.line.title)}<br><code class="quiet">${xml(passed.line.check)}</code></td><td>${xml(crowd(passed.subjects))}</td></tr>`

const isTroubled = (identity: Identity, findings: readonly Line[]): boolean =>
  findings.some(
    ({ status, subject }) =>
      subject.kind === 'ServiceAccount' &&
      subject.name === identity.subject.name &&
      subject.namespace === identity.subject.namespace &&
      subject.context === identity.subject.context &&
      status !== 'pass' &&
      status !== 'not-applicable',
  )

function identitiesOf({ identities, findings }: Report): string {
  const drawn = (
    identities.length <= mostDrawn ? identities : identities.filter((identity) => isTroubled(identity, findings))
  ).slice(0, mostDrawn)
  const rest = identities.length - drawn.length
  return [
    ...drawn.map(
      (identity) =>
        `<section><h2>${xml(nameOf(identity.subject))} <span class="quiet">→ ${xml(identity.identity)}${identity.place === undefined ? '' : ` · ${xml(identity.place)}`}</span></h2>${pathPicture(identity, findings)}</section>`,
    ),
    rest === 0 ? '' : paragraph(`${rest} more ServiceAccounts were examined and are not drawn.`, 'quiet'),
  ].join('\n')
}

export const render: Renderer = (report) => {
  const { sections, gaps } = tell(report)
  const parts = sections.flatMap((section) => section.parts)
  const told = sections.filter((section) => section.parts.some(({ causes }) => causes.length > 0))
  const passed = parts.map(passedRow).join('')
  const accepted = acceptedItems(report)
  const asides = [...report.notRecognised.map((path) => `not recognised: ${path}`), ...report.notes]
  const [verdict, ...rest] = closingSentence(report).split(':')
  const body = [
    '<header>',
    '<h1>Can these workloads get their cloud identity?</h1>',
    `<p><span class="badge ${roles[report.verdict]}">${xml(verdict ?? '')}</span> ${xml(rest.join(':'))}</p>`,
    `<p class="quiet">from ${xml(report.source)} · kubectl wi ${xml(report.tool.version)}</p>`,
    '</header>',
    '<main>',
    identitiesOf(report),
    ...told.flatMap(({ name, parts: own }) => [
      `<section><h2>${xml(name)}</h2>`,
      ...own.flatMap(({ causes }) => causes.map(causeArticle)),
      '</section>',
    ]),
    gaps.length === 0
      ? ''
      : `<section><h2><span class="open">?</span> Not seen</h2><ul class="gaps">${gaps.map(gapItem).join('\n')}</ul></section>`,
    accepted.length === 0
      ? ''
      : `<section><h2>Accepted</h2><ul>${accepted.map((item) => `<li>${xml(item)}</li>`).join('')}</ul></section>`,
    asides.length === 0
      ? ''
      : `<section><h2>Notes</h2><ul>${asides.map((aside) => `<li>${xml(aside)}</li>`).join('')}</ul></section>`,
    passed === ''
      ? ''
      : `<section><h2>What passed</h2><details${told.length + gaps.length === 0 ? ' open' : ''}><summary>${report.totals.pass} passed</summary><table><thead><tr><th></th><th>check</th><th>who</th></tr></thead><tbody>${passed}</tbody></table></details></section>`,
    '</main>',
  ].filter((part) => part !== '')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>kubectl wi: ${xml(report.verdict)}</title>
<style>${style}</style>
</head>
<body>
${body.join('\n')}
</body>
</html>
`
}
