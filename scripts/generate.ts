/** Writes what is derived from the code: schemas, docs, the roles in deploy/, the snapshot of the commands. `--check` only compares. */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from '@oclif/core'
import { checks } from '../src/checks/index.ts'
import { markdown } from '../src/examine/catalogue.ts'
import { fragmentsOf, scopeWords } from '../src/examine/words.ts'
import { errorTexts } from '../src/knowledge/error-texts.ts'
import type { Paper } from '../src/knowledge/papers.ts'
import { asked } from './asked.ts'
import { bundleJsonSchema } from './bundle-schema.ts'
import { changeJsonSchema } from './change-schema.ts'
import { errorIndex } from './error-index.ts'
import { gallery } from './gallery.ts'
import { mapJsonSchema } from './map-schema.ts'
import { code } from './markdown.ts'
import { paperOf } from './papers.ts'
import { planJsonSchema } from './plan-schema.ts'
import { proofJsonSchema } from './proof-schema.ts'
import { reportJsonSchema } from './report-schema.ts'

const root = path.dirname(import.meta.dirname)
const catalogue = [...checks].sort((a, b) => (a.meta.id < b.meta.id ? -1 : 1)).map(paperOf)

const severities: { readonly [severity: string]: string } = {
  error: 'error: the workload cannot get or use its identity',
  warning: 'warning: it works, but is unsafe, fragile or about to break',
  info: 'info',
}

const list = (title: string, items: readonly string[]): readonly string[] =>
  items.length === 0 ? [] : [`## ${title}`, '', ...items.map((item) => `- ${item}`), '']

function page(paper: Paper): string {
  const messageItems = paper.messages.flatMap(({ id, sentence, remedy: [fix, ...commands] }) => [
    `### ${code(id)}`,
    '',
    sentence,
    '',
    ...(fix === undefined ? [] : [`Fix: ${fix}`, '']),
    ...(commands.length === 0 ? [] : ['```sh', ...commands, '```', '']),
  ])
  const up = '../'.repeat(paper.id.split('/').length - 1)
  return [
    `# ${paper.title}`,
    '',
    `${code(paper.id)} · ${severities[paper.severity]} · ${scopeWords[paper.scope]}`,
    '',
    paper.why,
    '',
    '## What it can find',
    '',
    ...messageItems,
    ...(paper.fix === null ? [] : list('What puts it right', [`${paper.fix.does} (${paper.fix.safety})`])),
    ...list(
      'Waits for',
      paper.after.map((id) => (catalogue.some((other) => other.id === id) ? `[${code(id)}](${up}${id}.md)` : code(id))),
    ),
    ...list('Error texts that lead here', fragmentsOf(paper, errorTexts).map(code)),
    ...list(
      'Read more',
      paper.links.map((link) => `<${link}>`),
    ),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n')
}

const index = (): string =>
  [
    '# Checks',
    '',
    'What the doctor knows, by id. An id never changes; its title states the good state. [Cases](../cases/README.md) show what each finds,',
    'and the [error texts](../error-texts.md) lead here.',
    '',
    markdown(catalogue, (id) => `${id}.md`),
  ].join('\n')

type Loaded = { readonly default: Command.Class }

/** Names, flags and arguments: what scripts and fingers rely on. */
async function commands(): Promise<string> {
  const files = globSync('src/commands/**/*.ts', { cwd: root }).sort()
  const pages = await Promise.all(
    files.map(async (file) => {
      const { default: command }: Loaded = await import(path.join(root, file))
      const name = path.relative('src/commands', file).replace(/\.ts$/u, '').replaceAll(path.sep, ' ')
      const args = Object.entries(command.args ?? {}).map(([arg, { required }]) =>
        required ? `  ${arg.toUpperCase()}` : `  [${arg.toUpperCase()}]`,
      )
      const flags = Object.entries(command.flags ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([flag, definition]) => {
          const short = definition.char === undefined ? '' : `-${definition.char}, `
          const value =
            definition.type === 'boolean' ? '' : ` ${definition.options?.join('|') ?? definition.helpValue ?? 'VALUE'}`
          const no = definition.type === 'boolean' && definition.allowNo === true ? '[no-]' : ''
          const many = definition.type === 'option' && definition.multiple === true ? ' …' : ''
          return `  ${short}--${no}${flag}${value}${many}`
        })
      return [`kubectl wi ${name}`, ...args, ...flags].join('\n')
    }),
  )
  return `${pages.join('\n\n')}\n`
}

const isOnly = process.argv.includes('--check')
const inRoot = (file: string): string => path.join(root, file)
const isStale = (file: string, text: string): boolean =>
  !existsSync(inRoot(file)) || readFileSync(inRoot(file), 'utf8') !== text
function write(file: string, text: string): void {
  mkdirSync(path.dirname(inRoot(file)), { recursive: true })
  writeFileSync(inRoot(file), text)
  console.log(`wrote ${file}`)
}

// The page of permissions is made from this file, which is read when its module is loaded.
const questions = ['src/knowledge/asked.json', `${JSON.stringify(await asked(), null, 2)}\n`] as const
if (!isOnly && isStale(...questions)) write(...questions)
const [{ permissionsPage }, { deployFiles }] = await Promise.all([
  import('./permissions-page.ts'),
  import('./deploy.ts'),
])

const wanted = new Map<string, string>([
  ['schemas/report-v1.schema.json', reportJsonSchema()],
  ['schemas/plan-v1.schema.json', planJsonSchema()],
  ['schemas/exchange-test-v1.schema.json', proofJsonSchema()],
  ['schemas/change-v1.schema.json', changeJsonSchema()],
  ['schemas/bundle-v1alpha1.schema.json', bundleJsonSchema()],
  ['schemas/map-v1.schema.json', mapJsonSchema()],
  ['test/report/commands.snapshot.txt', await commands()],
  ['src/knowledge/papers.json', `${JSON.stringify(catalogue, null, 2)}\n`],
  questions,
  ['docs/permissions.md', await permissionsPage()],
  ...(await deployFiles()),
  ['docs/error-texts.md', errorIndex()],
  ...gallery(catalogue),
  ['docs/checks/README.md', index()],
  ...catalogue.map((paper) => [`docs/checks/${paper.id}.md`, page(paper)] as const),
])

const stale = [...wanted].filter(([file, text]) => isStale(file, text))
const left = globSync('docs/{checks,cases}/**/*.md', { cwd: root }).filter((file) => !wanted.has(file))

if (isOnly) {
  for (const [file] of stale) console.error(`${file} is out of date`)
  for (const file of left) console.error(`${file} belongs to no check and no case`)
  if (stale.length + left.length > 0) {
    console.error('run `npm run generate`')
    process.exitCode = 1
  }
} else {
  for (const [file, text] of stale) write(file, text)
  for (const file of left) {
    rmSync(inRoot(file))
    console.log(`removed ${file}`)
  }
}
