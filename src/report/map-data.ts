/** The map of identities for a program: as JSON, and as CSV for a spreadsheet. */
import type { IdentityMap, Link } from '../core/identity-map.ts'
import type { Json } from '../core/json.ts'
import type { MapRenderer } from './map.ts'
import { record } from './ordered.ts'
import { clean, escaped } from './text.ts'

const columns = [
  'state',
  'context',
  'namespace',
  'name',
  'pods',
  'cloud',
  'identity',
  'via',
  'trust',
  'pattern',
  'issuer',
] as const satisfies readonly (keyof Link)[]

const linkData = (link: Link): Json => record(columns.map((column) => [column, link[column]]))

const mapData = ({ schema, source, links, remarks, unseen }: IdentityMap): Json => ({
  schema,
  source,
  links: links.map(linkData),
  remarks,
  unseen,
})

export const renderJson: MapRenderer = (map) => escaped(`${JSON.stringify(mapData(map), null, 2)}\n`)

/** RFC 4180; what a spreadsheet would take for a formula is text: https://owasp.org/www-community/attacks/CSV_Injection */
function cell(value: string | number | undefined): string {
  if (value === undefined) return ''
  const text = clean(String(value))
  const safe = /^[=+\-@]/u.test(text) ? `'${text}` : text
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export const renderCsv: MapRenderer = ({ links }) =>
  `${[columns.join(','), ...links.map((link) => columns.map((column) => cell(link[column])).join(','))].join('\r\n')}\r\n`
