/** Edits of InterLinkConfig.yaml: one member set, and every other byte as it was. */
import { isMap, isScalar, parseDocument } from 'yaml'
import { same } from '../core/edit.ts'
import { isObject, type Json, type JsonObject } from '../core/json.ts'

function read(
  text: string,
): { readonly value: JsonObject; readonly document: ReturnType<typeof parseDocument> } | undefined {
  const document = parseDocument(text, { logLevel: 'silent', prettyErrors: false })
  if (document.errors.length > 0) return undefined
  const value: Json = document.toJS({ maxAliasCount: 20 })
  return isObject(value) ? { value, document } : undefined
}

/** A text of several lines as a block, whose lines stand two spaces in. */
const written = (value: string | boolean): string =>
  typeof value === 'boolean' ? String(value) : `|\n${value.trimEnd().replaceAll(/^/gm, '  ')}\n`

/** The text with what it then must say; undefined where it does not parse, or the edit has come out as something else. */
export function withMember(text: string, name: string, value: string | boolean): string | undefined {
  const held = read(text)
  if (held === undefined || !isMap(held.document.contents)) return undefined
  const pair = held.document.contents.items.find(({ key }) => isScalar(key) && key.value === name)
  const range = isScalar(pair?.value) ? pair.value.range : undefined
  if (pair !== undefined && range == null) return undefined
  const wanted = typeof value === 'string' ? `${value.trimEnd()}\n` : value
  const next = ((): string => {
    if (range == null)
      return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${name}: ${written(value).trimEnd()}\n`
    const before = text.slice(0, range[0])
    const rest = text.slice(range[1])
    const inner = written(value)
    return `${before}${/\s$/.test(before) ? '' : ' '}${inner.endsWith('\n') && rest.startsWith('\n') ? inner.slice(0, -1) : inner}${rest}`
  })()
  const after = read(next)?.value
  return after !== undefined && same(after, { ...held.value, [name]: wanted }) ? next : undefined
}
