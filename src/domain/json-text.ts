/** Finds what parsing hides: members that stand twice in one object of a JSON or YAML text, and where. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'

export type Duplicate = {
  /** The object in which the member stands twice: `Statement[0].Condition`; empty for the document itself. */
  readonly path: string
  readonly member: string
  /** Line of the first one that is lost, counted from 1. */
  readonly line: number
  /** The value that counts, the last one, as JSON text of at most 200 characters. */
  readonly kept: string
}

const mostDuplicates = 100
const deepest = 100

const step = (path: string, key: string | number): string => {
  if (typeof key === 'number') return `${path}[${key}]`
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

const wording = (node: Node): string => {
  const text = JSON.stringify(node.toJSON()) ?? 'null'
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}

/**
 * Members that stand twice in one object, in the order of the text; `firstLine` is the line of the file on which the text
 * begins. A text that cannot be parsed has none. Pure; the text is walked once.
 */
export function duplicateMembers(text: string, firstLine = 1): readonly Duplicate[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines, logLevel: 'silent' })
  const found: Duplicate[] = []
  const walk = (node: unknown, path: string, depth: number): void => {
    if (depth > deepest || found.length >= mostDuplicates || isAlias(node)) return
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) walk(item, step(path, index), depth + 1)
      return
    }
    if (!isMap<Node, Node | null>(node)) return
    const seen = new Map<string, { readonly line: number; value: Node | null; again: boolean }>()
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : ''
      const earlier = seen.get(name)
      if (earlier === undefined) {
        const line = lines.linePos(key.range?.[0] ?? 0).line + firstLine - 1
        seen.set(name, { line, value, again: false })
      } else {
        earlier.value = value
        earlier.again = true
      }
      walk(value, step(path, name), depth + 1)
    }
    for (const [member, { line, value, again }] of seen)
      if (again) found.push({ path, member, line, kept: value === null ? 'null' : wording(value) })
  }
  walk(document.contents, '', 0)
  return found.sort((a, b) => a.line - b.line)
}
