/** Where in the files given with -f an answer stands: the file, and the line of the element as far as its path leads. */
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml'
import type { Question } from '../../core/fact.ts'
import type { Json } from '../../core/json.ts'
import { textAt } from '../../core/json.ts'
import type { TextFile } from './document.ts'
import { readFiles } from './files.ts'
import { type DocumentOptions, documentsFrom } from './index.ts'
import { filesOf, parseTexts } from './texts.ts'

export type Place = { readonly file: string; readonly line: number }

/** The first document that answers the question by itself; a path in its answer leads to the element's own line. */
export type Places = (question: Question, path: string) => Place | undefined

type Shown = {
  readonly answers: (question: Question) => boolean
  readonly lineOf: (question: Question, path: string) => number
  readonly file: string
}

/** Larger texts are placed by their first line: a tree with positions takes a second for two megabytes. */
const largestTree = 1024 * 1024

/** `spec.containers[app].env["AWS_ROLE_ARN"]` → the keys, indexes and names in it. */
const stepsOf = (path: string): readonly string[] =>
  [...path.matchAll(/\["([^"]*)"\]|\[([^\]]*)\]|([^.[\]]+)/gu)].flatMap(([, quoted, inside, bare]) => {
    const step = quoted ?? inside ?? bare ?? ''
    return step === '' ? [] : [step]
  })

const nameIn = (node: unknown, key: string): unknown => {
  const found = isMap(node) ? node.get(key, true) : undefined
  return isScalar(found) ? found.value : undefined
}

function childOf(node: unknown, step: string): unknown {
  if (isMap(node)) return node.items.find(({ key }) => isScalar(key) && String(key.value) === step)
  if (!isSeq(node)) return undefined
  return /^\d+$/u.test(step) ? node.items[Number(step)] : node.items.find((item) => nameIn(item, 'name') === step)
}

const valueIn = (child: unknown): unknown => (isPair(child) ? child.value : child)

/** As far as the steps lead: a path may go on into what only the answer has. */
function follow(node: unknown, steps: readonly string[]): { readonly at: unknown; readonly taken: number } {
  let at: unknown
  let here = node
  let taken = 0
  for (const step of steps) {
    const child = childOf(here, step)
    if (child === undefined) break
    at = child
    here = valueIn(child)
    taken += 1
  }
  return { at, taken }
}

/** A path may begin below the top of what a tool prints: `Statement[0]` of `{Role: {AssumeRolePolicyDocument: …}}`. */
function deepFollow(node: unknown, steps: readonly string[], depth = 3): ReturnType<typeof follow> {
  const here = follow(node, steps)
  if (here.taken > 0 || depth === 0 || !isMap(node)) return here
  for (const { value } of node.items) {
    const below = deepFollow(value, steps, depth - 1)
    if (below.taken > 0) return below
  }
  return here
}

/** The object in a `kind: List` that the question names. */
function objectOf(root: unknown, question: Question): unknown {
  const items = isMap(root) ? root.get('items', true) : undefined
  const name = textAt(question.input, 'name')
  const namespace = textAt(question.input, 'namespace')
  if (!isSeq(items) || name === undefined) return root
  const found = items.items.find((item) => {
    const metadata = isMap(item) ? item.get('metadata', true) : undefined
    const space = nameIn(metadata, 'namespace')
    return nameIn(metadata, 'name') === name && (space === undefined || namespace === undefined || space === namespace)
  })
  return found ?? root
}

const offsetOf = (node: unknown): number | undefined => {
  const at = isPair(node) ? node.key : node
  return isScalar(at) || isMap(at) || isSeq(at) ? ((at satisfies Node).range?.[0] ?? undefined) : undefined
}

const asJson = (name: string): string => name.replace(/\.ya?ml$/iu, '.json')

function treesOf(file: TextFile, whole: string, options: DocumentOptions): readonly Shown[] {
  const start = file.line ?? 1
  const lines = new LineCounter()
  const parsed = parseAllDocuments(file.text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' })
  return (Array.isArray(parsed) ? parsed : []).flatMap((document): readonly Shown[] => {
    if (document.errors.length > 0) return []
    const value: Json = document.toJS({ maxAliasCount: 100 })
    if (value === null) return []
    const lineAt = (offset: number): number => lines.linePos(offset).line + start - 1
    const first = offsetOf(document.contents) ?? document.range[0]
    return [
      {
        ...alone({ name: asJson(file.name), text: JSON.stringify(value) }, options),
        file: whole,
        lineOf: (question, path) => {
          const object = objectOf(document.contents, question)
          const { at } = deepFollow(object, stepsOf(path))
          return lineAt(offsetOf(at) ?? offsetOf(object) ?? first)
        },
      },
    ]
  })
}

function alone(file: TextFile, options: DocumentOptions): Pick<Shown, 'answers'> {
  let source: ReturnType<typeof documentsFrom>['source'] | undefined
  return {
    answers: (question) => {
      source ??= documentsFrom([file], options).source
      const fact = source.ask(question)
      return !(fact instanceof Promise) && fact.state === 'known'
    },
  }
}

const structured = /\.(?:ya?ml|json)$/iu

function shownIn(whole: TextFile, options: DocumentOptions): readonly Shown[] {
  return filesOf(whole).flatMap((file): readonly Shown[] => {
    const start = file.line ?? 1
    if (structured.test(file.name) && file.text.length <= largestTree) {
      try {
        return treesOf(file, whole.name, options)
      } catch {
        // What is nested too deeply was named as a problem when it was read.
        return []
      }
    }
    if (structured.test(file.name))
      return parseTexts(file).documents.map(({ value, line }) => ({
        ...alone({ name: asJson(file.name), text: JSON.stringify(value) }, options),
        file: whole.name,
        lineOf: () => line,
      }))
    return [{ ...alone(file, options), file: whole.name, lineOf: () => start }]
  })
}

/** Reads the files once more, each document by itself: only the formats that show places pay for it. Never throws. */
export async function placesIn(paths: readonly string[], options: DocumentOptions = {}): Promise<Places> {
  const { files } = await readFiles(paths, options.signal)
  const shown = files.flatMap((file) => shownIn(file, options))
  return (question, path) => {
    const found = shown.find(({ answers }) => answers(question))
    return found === undefined ? undefined : { file: found.file, line: found.lineOf(question, path) }
  }
}
