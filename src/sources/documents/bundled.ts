/** Answers of a run as files that `-f` reads: documents as the tools print them, and in bundle.yaml whatever they do not say just so. */
import { stringify } from 'yaml'
import type { Fact, Known } from '../../core/fact.ts'
import { at, canonical, isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import type { TextFile } from './document.ts'
import { documentsFrom } from './index.ts'

export type BundleHead = {
  /** When it was collected, as ISO 8601 text. */
  readonly time: string
  readonly version: string
  /** Where the answers came from. */
  readonly source: string
  /** Who was examined and by what, so that a replay examines the same. */
  readonly run: JsonObject
}

export type Bundled = { readonly files: readonly TextFile[]; readonly answers: number }

const plainName = (text: string): string => {
  const name = text.replace(/[^A-Za-z0-9@-]+(?=\.)|[^A-Za-z0-9._@-]+/gu, '_').slice(0, 120)
  return name.replace(/^[._]+/u, '') || 'all'
}

const yaml = (value: Json): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
const json = (value: Json): string => `${JSON.stringify(value, null, 2)}\n`

/** A list as kubectl prints it; undefined where only the question tells of what kind an empty one is. */
function typedList(value: JsonObject): Json | undefined {
  const [first] = listAt(value, 'items')
  const kind = textAt(first, 'kind')
  const apiVersion = textAt(first, 'apiVersion')
  if (kind === undefined || apiVersion === undefined || value.complete !== true) return undefined
  return { apiVersion, kind: `${kind}List`, metadata: {}, items: value.items ?? [] }
}

function kubernetesFile({ from, value }: Known<Json>): TextFile | undefined {
  const cut = from.call.lastIndexOf('/')
  const [resource, verb] = [from.call.slice(0, cut), from.call.slice(cut + 1)]
  if (!isObject(value) || resource.includes('/')) return undefined
  const folder = `kubernetes/${plainName(resource)}`
  const namespace = textAt(from.input, 'namespace')
  if (verb === 'list') {
    const list = typedList(value)
    const name = namespace === undefined ? folder : `${folder}/${plainName(namespace)}`
    return list === undefined ? undefined : { name: `${name}.yaml`, text: yaml(list) }
  }
  const name = textAt(from.input, 'name')
  if (verb !== 'get' || name === undefined || at(value, 'metadata') === undefined) return undefined
  const place = namespace === undefined ? folder : `${folder}/${plainName(namespace)}`
  return { name: `${place}/${plainName(name)}.yaml`, text: yaml(value) }
}

const clouds: ReadonlySet<string> = new Set(['aws', 'azure', 'gcp'])

/** The file's name is what a tool's output itself may not say: the last thing that was asked by. */
function cloudFile({ from, value }: Known<Json>): TextFile | undefined {
  if (!isObject(value)) return undefined
  const inputs = Object.values(from.input).filter((one) => typeof one === 'string')
  const last = inputs.at(-1)?.split('/').at(-1)
  const call = plainName(from.call.replaceAll(/[:/]/gu, '-'))
  return { name: `${from.system}/${call}/${plainName(last ?? from.call)}.json`, text: json(value) }
}

function fileOf(fact: Fact<Json>): TextFile | undefined {
  if (fact.state !== 'known') return undefined
  if (fact.from.system === 'kubernetes') return kubernetesFile(fact)
  return clouds.has(fact.from.system) ? cloudFile(fact) : undefined
}

/** A single object goes without a file where a list has it already. */
function candidates(facts: readonly Fact<Json>[]): readonly TextFile[] {
  const lists = facts.filter(({ from }) => from.call.endsWith('/list'))
  const files = new Map<string, TextFile>()
  const add = (fact: Fact<Json>): void => {
    const file = fileOf(fact)
    if (file !== undefined && !files.has(file.name)) files.set(file.name, file)
  }
  for (const list of lists) add(list)
  const listed = documentsFrom([...files.values()]).source
  for (const fact of facts) if (!lists.includes(fact) && !says(listed, fact)) add(fact)
  const all = [...files.values()]
  const { notRecognised, problems } = documentsFrom(all)
  const useless = new Set([...notRecognised, ...problems.map(({ file }) => file)])
  return all.filter(({ name }) => !useless.has(name))
}

const told = (fact: Fact<Json>): Json =>
  fact.state === 'known'
    ? { state: fact.state, value: fact.value }
    : fact.state === 'absent'
      ? { state: fact.state }
      : {
          state: fact.state,
          why: fact.why,
          detail: fact.detail,
          ...(fact.lift === undefined ? {} : { lift: fact.lift }),
        }

function says(source: ReturnType<typeof documentsFrom>['source'], fact: Fact<Json>): boolean {
  const answer = source.ask(fact.from)
  return !(answer instanceof Promise) && canonical(told(answer)) === canonical(told(fact))
}

const entryOf = (fact: Fact<Json>, firm: boolean): JsonObject => {
  const { system, call, input } = fact.from
  const rest = told(fact)
  return { question: { system, call, input }, ...(isObject(rest) ? rest : {}), ...(firm ? { firm } : {}) }
}

/** Each answer is asked of the documents again; whatever they do not give back byte for byte stands in bundle.yaml. */
export function bundled(facts: readonly Fact<Json>[], { time, version, source, run }: BundleHead): Bundled {
  const files = candidates(facts)
  const head = {
    apiVersion: 'kubectl-wi/v1alpha1',
    kind: 'Bundle',
    time,
    tool: { name: 'kubectl-wi', version },
    source,
    run,
  }
  const documents = documentsFrom([...files, { name: 'bundle.yaml', text: yaml(head) }])
  const missing = facts.filter((fact) => !says(documents.source, fact))
  // An unknown gives way to a document that somebody adds; where one of the bundle's own only seems to answer, it stands.
  const answers = missing.map((fact) => {
    const answer = documents.source.ask(fact.from)
    const seems = !(answer instanceof Promise) && answer.state !== 'unknown'
    return entryOf(fact, fact.state === 'unknown' && seems)
  })
  const bundle = { name: 'bundle.yaml', text: yaml({ ...head, answers }) }
  return { files: [bundle, ...files], answers: answers.length }
}
