/** The words of HCL: strings, lists, arguments and blocks. */
import { isList, isObject, type Json, type JsonObject, textAt } from '../core/json.ts'
import { clean, escaped } from './text.ts'

/** Written as HCL: https://developer.hashicorp.com/terraform/language/expressions/strings */
export const quoted = (text: string): string =>
  // A replacement text would take `$$` for one dollar: policy variables would come out as expressions.
  escaped(JSON.stringify(text)).replaceAll(/[$%]\{/g, (opening) => `${opening.charAt(0)}${opening}`)

export function hcl(value: Json, indent: string): string {
  if (typeof value === 'string') return quoted(value)
  const inner = `${indent}  `
  if (isList(value))
    return value.length === 0 ? '[]' : `[\n${value.map((one) => `${inner}${hcl(one, inner)},\n`).join('')}${indent}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(([key, one]) => `${inner}${quoted(key)} = ${hcl(one, inner)}\n`)
  return members.length === 0 ? '{}' : `{\n${members.join('')}${indent}}`
}

export type Argument = readonly [name: string, value: string]
export const label = (text: string): string => text.replaceAll(/[^A-Za-z0-9_-]/g, '_').replace(/^(?=\d)/, '_')
/** `inner`: blocks within it, indented by two. */
export const block = (type: string, name: string, body: readonly Argument[], inner = ''): string =>
  `resource "${type}" "${label(name)}" {\n${body.map(([key, value]) => `  ${key} = ${value}\n`).join('')}${inner}}\n`

export const text = (input: JsonObject, name: string): string => textAt(input, name) ?? ''
export const argument = (name: string, value: Json | undefined): Argument => [name, hcl(value ?? null, '  ')]
export const encoded = (name: string, value: Json | undefined): Argument => [
  name,
  `jsonencode(${hcl(value ?? null, '  ')})`,
]

/** Arguments of a resource that the configuration holds already, or whose other arguments are not known here: as a comment. */
export const within = (type: string, of: string, body: readonly string[]): string =>
  [`in the ${type} of ${of}:`, ...body.map((line) => `  ${line}`)].map((line) => `# ${clean(line)}\n`).join('')

/** The last part of a name that has slashes in it. */
export const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
