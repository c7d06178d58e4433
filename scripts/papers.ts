/** Reads from the checks themselves what is written of them, with {name} for what each run fills in. */
import type { Check } from '../src/core/check.ts'
import type { Paper } from '../src/knowledge/papers.ts'

/** The sentence of a message, with {name} for what each run fills in, or what `known` has for it. */
function sentenceOf(message: (data: never) => string, known: { readonly [name: string]: string } = {}): string {
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
function remedyOf(check: Check, message: string): readonly string[] {
  const remedy = check.remedies[message]
  return remedy === undefined ? [] : sentenceOf(remedy, mostly).split('\n')
}

export const paperOf = (check: Check): Paper => {
  const { meta, messages, after } = check
  return {
    id: meta.id,
    title: meta.title,
    severity: meta.severity,
    scope: meta.scope,
    cloud: meta.cloud,
    section: meta.section,
    why: meta.why,
    messages: Object.entries(messages).map(([id, message]) => ({
      id,
      sentence: sentenceOf(message),
      remedy: remedyOf(check, id),
    })),
    after,
    fix: meta.fix ?? null,
    links: meta.links,
  }
}
