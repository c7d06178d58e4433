/** The case gallery: what goes wrong, as each case of the tests tells it, and what the doctor finds in it; a page for each shelf. */
import path from 'node:path'
import type { Paper } from '../src/knowledge/papers.ts'
import { type Case, cases } from '../test/case-files.ts'
import { code, prose } from './markdown.ts'

const folder = 'docs/cases'
const shelfOf = ({ name }: Case): string => name.split('/')[0] ?? ''
/** The check that a case stands under; a demo is about no single one. */
const aboutOf = ({ name }: Case): string => name.split('/').slice(0, 2).join('/')

const listed = (words: readonly string[]): string => words.map(code).join(', ')

/** What must stay undecided is not well, only because nothing is found in it. */
function foundIn({ finds, open, passes }: Case): string {
  if (finds.length > 0) return `Finds ${listed(finds.map(({ check, message }) => `${check}: ${message}`))}.`
  if (open.length > 0) return `Leaves ${listed(open)} undecided.`
  return passes.length > 0 ? `Passes ${listed(passes)}.` : 'Finds nothing.'
}

const sourceOf = ({ source }: Case): string =>
  source === 'constructed' ? '' : /^https:\S+$/u.test(source) ? ` Seen at <${source}>.` : ` After ${prose(source)}.`

const linkOf = (one: Case): string => path.posix.relative(folder, `test/fixtures/${one.name}`)
const titleOf = ({ name }: Case): string => path.basename(name).replace('.case.yaml', '')

const line = (one: Case): string =>
  `- [${titleOf(one)}](${linkOf(one)}): ${prose(one.story)} ${foundIn(one)}${sourceOf(one)}`

function groups(all: readonly Case[], key: (one: Case) => string): ReadonlyMap<string, readonly Case[]> {
  const made = new Map<string, Case[]>()
  for (const one of all) made.set(key(one), [...(made.get(key(one)) ?? []), one])
  return made
}

function page(shelf: string, all: readonly Case[], papers: readonly Paper[]): string {
  const sections = [...groups(all, aboutOf)].flatMap(([about, its]) => {
    const paper = papers.find(({ id }) => id === about)
    const head = paper === undefined ? `## ${about}` : `## ${paper.title}\n\n[${code(about)}](../checks/${about}.md)`
    return [head, '', ...its.map(line), '']
  })
  return [`# Cases: ${shelf}`, '', ...sections].join('\n')
}

function index(shelves: ReadonlyMap<string, readonly Case[]>): string {
  const rows = [...shelves].map(([shelf, all]) => {
    const seen = all.filter(({ source }) => source !== 'constructed').length
    return `| [${shelf}](${shelf}.md) | ${groups(all, aboutOf).size} | ${all.length} | ${seen} |`
  })
  return [
    '# Cases',
    '',
    'What goes wrong with cloud identities, each as documents that the official tools print, with the findings that are expected of it.',
    'They are the tests, the demo and the form of a bug report alike: look at any of them with `kubectl wi doctor -f test/fixtures/…`, or',
    'have it served as a cluster with `kubectl wi lab test/fixtures/… -- kubectl wi doctor -A`.',
    '',
    '| shelf | about | cases | as somebody met them |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

/** The pages, by path. */
export function gallery(papers: readonly Paper[]): ReadonlyMap<string, string> {
  const shelves = groups(cases, shelfOf)
  return new Map([
    [`${folder}/README.md`, index(shelves)],
    ...[...shelves].map(([shelf, all]) => [`${folder}/${shelf}.md`, page(shelf, all, papers)] as const),
  ])
}
