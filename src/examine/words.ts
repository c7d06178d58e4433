/** Pages of text that local commands print: a check's papers, what an error text can mean. */
import type { Check } from '../core/check.ts'
import type { ErrorText, Lead } from '../domain/error-texts.ts'

export type Page = {
  /** Wraps to the width and indents. */
  readonly text: (words: string, indent?: number) => readonly string[]
  readonly strong: (words: string) => string
}

const severities = {
  error: 'error: the workload cannot get or use its identity',
  warning: 'warning: it works, but is unsafe, fragile or about to break',
  info: 'note',
} as const

export const scopeWords = {
  cluster: 'judged once for the cluster',
  node: 'judged for each node',
  'service-account': 'judged for each ServiceAccount',
  pod: 'judged for each pod',
  object: 'judged for each object of its kind',
} as const

/** The sentence of a message, with {name} for what each run fills in, or what `known` has for it. */
export function sentenceOf(message: (data: never) => string, known: { readonly [name: string]: string } = {}): string {
  const names: object = new Proxy(
    {},
    { get: (_, name) => (typeof name === 'symbol' ? undefined : (known[name] ?? `{${name}}`)) },
  )
  try {
    // A name in braces is quoted in a command like any other value; here it stands for one.
    return message(names as never).replace(/'([\w:/]*\{\w+\})'/g, '$1')
  } catch {
    return ''
  }
}

/** What puts it right depends on the kind of some values; this is how it mostly reads. */
const mostly = { workload: 'deployment/{name}', via: 'annotation', issuer: 'https://{issuer}', url: 'https://{url}' }

/** What puts a message right: the sentence, and the commands below it. */
export function remedyOf(check: Check, message: string): readonly [string, ...string[]] | undefined {
  const remedy = check.remedies[message]
  if (remedy === undefined) return undefined
  const [sentence = '', ...commands] = sentenceOf(remedy, mostly).split('\n')
  return [sentence, ...commands]
}

export const fragmentsOf = (check: Check, table: readonly ErrorText[]): readonly string[] =>
  table.filter(({ leads }) => leads.some((lead) => lead.check === check.meta.id)).map(({ fragment }) => fragment)

/** What a check defends, what it can say, what puts it right, and where to read more. */
export function checkPage(check: Check, table: readonly ErrorText[], page: Page): readonly string[] {
  const { meta, messages, after } = check
  const fragments = fragmentsOf(check, table)
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
    page.strong(meta.id),
    ...page.text(`${meta.title}.`),
    '',
    ...page.text(meta.why),
    ...page.text(`It is ${scopeWords[meta.scope]}; ${severities[meta.severity]}.`),
    '',
    page.strong('What it can find'),
    ...Object.entries(messages).flatMap(([id, message]) => [
      ...page
        .text(`${id}: ${sentenceOf(message)}`, 4)
        .map((line, index) => (index === 0 ? line.replace('    ', '  - ') : line)),
      ...page.text(remedyOf(check, id)?.[0] ?? '', 6),
    ]),
    ...(meta.fix === undefined ? [] : list('What puts it right', [`${meta.fix.does} (${meta.fix.safety})`])),
    ...list('Waits for', after),
    ...list('Error texts that lead here', fragments),
    ...list('Read more', meta.links),
  ]
}

function leadLines(lead: Lead, number: number, check: Check | undefined, page: Page): readonly string[] {
  const message = lead.message === undefined ? undefined : check?.messages[lead.message]
  const decided = page.text(
    `decided by ${lead.check}${check === undefined ? ', which this version does not have' : ''}`,
    4,
  )
  const words =
    lead.when ??
    (message === undefined ? undefined : sentenceOf(message)) ??
    (check && `it is not so: ${check.meta.title}`)
  const [first = '', ...rest] = words === undefined ? decided : [...page.text(words, 4), ...decided]
  return [`${String(number).padStart(2)}. ${first.trimStart()}`, ...rest]
}

/** What a known error text means, and its causes, most likely first. */
export function errorPage(known: ErrorText, checks: readonly Check[], page: Page): readonly string[] {
  const byId = new Map(checks.map((check) => [check.meta.id, check]))
  return [
    page.strong(known.fragment),
    ...page.text(known.means),
    '',
    page.strong(known.leads.length === 1 ? 'The likely cause' : 'Likely causes, most likely first'),
    ...known.leads.flatMap((lead, index) => leadLines(lead, index + 1, byId.get(lead.check), page)),
  ]
}
