/** Edits of the texts in ConfigMap aws-auth: one entry changed, taken out or added, and every other byte as it was. */
import { isMap, isScalar, isSeq, type Node, parseDocument, type YAMLSeq } from 'yaml'
import { same } from '../core/edit.ts'
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'

type Read = { readonly items: readonly Json[]; readonly nodes: YAMLSeq<Node> }

/** A text that holds a list and nothing that stands for something else: an alias is changed in more places than one. */
function read(text: string): Read | undefined {
  const document = parseDocument(text, { logLevel: 'silent', prettyErrors: false })
  if (document.errors.length > 0 || !isSeq<Node>(document.contents) || /(?:^|[\s[{,])[&*]\w/.test(text))
    return undefined
  const items: unknown = document.toJS()
  return isList(items as Json) ? { items: items as readonly Json[], nodes: document.contents } : undefined
}

/** The text with what it then must say; undefined where the edit has come out as something else. */
const checked = (text: string, items: readonly Json[]): string | undefined => {
  const after = items.length === 0 && text.trim() === '' ? [] : read(text)?.items
  return after !== undefined && same([...after], [...items]) ? text : undefined
}

const lineStart = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1
const lineEnd = (text: string, offset: number): number => {
  const end = text.indexOf('\n', offset)
  return end < 0 ? text.length : end + 1
}

/** One value of an entry, from what was seen to what it should be; the name of the member counts in any case. */
export function withValue(
  text: string,
  index: number,
  member: string,
  before: string,
  after: string,
): string | undefined {
  const held = read(text)
  const item = held?.items[index]
  const node = held?.nodes.items[index]
  if (held === undefined || !isObject(item) || !isMap(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value).toLowerCase() === member)
  const key = pair !== undefined && isScalar(pair.key) ? String(pair.key.value) : member
  const value = pair?.value
  if (!isScalar(value) || value.value !== before || value.range == null) return undefined
  const [start, end] = value.range
  const source = text.slice(start, end)
  if (source.split(before).length !== 2) return undefined
  const next = `${text.slice(0, start)}${source.replace(before, () => after)}${text.slice(end)}`
  return checked(next, held.items.with(index, { ...item, [key]: after }))
}

/** Without one entry, whose lines go whole; those of a list written in one line stay. */
export function withoutEntry(text: string, index: number): string | undefined {
  const held = read(text)
  const range = held?.nodes.items[index]?.range
  if (held === undefined || range == null) return undefined
  const start = lineStart(text, range[0])
  if (!/^\s*-\s+$/.test(text.slice(start, range[0]))) return undefined
  const end = lineEnd(text, Math.max(range[0], text.slice(0, range[1]).trimEnd().length - 1))
  return checked(text.slice(0, start) + text.slice(end), held.items.toSpliced(index, 1))
}

const quoted = (value: string): string =>
  /[{}#&*!|>'"%@`:]\s|[{}]|^[\s*&!|>'"%@`-]/.test(value) ? `'${value}'` : value

/** With one more entry at the end, written as the documentation writes it. */
export function withEntry(
  text: string,
  entry: { readonly rolearn: string; readonly username: string; readonly groups: readonly string[] },
): string | undefined {
  const empty = text.trim() === '' || text.trim() === '[]'
  const held = empty ? undefined : read(text)
  if (!empty && held === undefined) return undefined
  const first = held?.nodes.items[0]?.range?.[0]
  const margin = first === undefined ? '' : /^(\s*)-\s+$/.exec(text.slice(lineStart(text, first), first))?.[1]
  if (margin === undefined) return undefined
  const lines = [
    `- rolearn: ${entry.rolearn}`,
    `  username: ${quoted(entry.username)}`,
    '  groups:',
    ...entry.groups.map((group) => `    - ${group}`),
  ]
  const added = lines.map((line) => `${margin}${line}\n`).join('')
  const head = empty ? '' : text.endsWith('\n') ? text : `${text}\n`
  const made: JsonObject = { rolearn: entry.rolearn, username: entry.username, groups: entry.groups }
  return checked(`${head}${added}`, [...(held?.items ?? []), made])
}

/** With more groups in one entry, each on a line of its own below those that it has. */
export function withGroups(text: string, index: number, more: readonly string[]): string | undefined {
  const held = read(text)
  const item = held?.items[index]
  const node = held?.nodes.items[index]
  if (held === undefined || !isObject(item) || !isMap(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === 'groups')
  const groups = pair?.value
  const last = isSeq<Node>(groups) ? groups.items.at(-1)?.range : undefined
  if (last == null || !isList(item.groups)) return undefined
  const mark = /^\s*-\s+$/.exec(text.slice(lineStart(text, last[0]), last[0]))?.[0]
  if (mark === undefined) return undefined
  const end = lineEnd(text, last[1] - 1)
  const head = text.slice(0, end)
  const added = more.map((group) => `${mark}${group}\n`).join('')
  const next = `${head}${head.endsWith('\n') ? '' : '\n'}${added}${text.slice(end)}`
  return checked(next, held.items.with(index, { ...item, groups: [...item.groups, ...more] }))
}
