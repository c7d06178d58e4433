/** Reads the texts in ConfigMap aws-auth as the EKS authenticator does: each section YAML of its own, dropped as a whole where it is none. */
import { LineCounter, parseDocument } from 'yaml'
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import { type AuthEntry, type AuthSection, type AwsAuth, arnKeys, type MapName, mapNames } from './aws-auth.ts'

const kindOf = (value: Json): string => {
  if (isList(value)) return 'a list'
  if (isObject(value)) return 'an object'
  return value === null ? 'nothing' : typeof value === 'string' ? 'a text' : `a ${typeof value}`
}

/** Go's decoder takes member names whatever their case: https://pkg.go.dev/encoding/json#Unmarshal */
function member(entry: JsonObject, name: string): Json | undefined {
  if (entry[name] !== undefined) return entry[name]
  const other = Object.keys(entry).find((key) => key.toLowerCase() === name)
  return other === undefined ? undefined : entry[other]
}

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined

function entryOf(item: Json, section: MapName, index: number): AuthEntry {
  const place = { section, index }
  if (!isObject(item)) {
    const arn = section === 'mapAccounts' ? textOf(item) : undefined
    return { ...place, groups: [], sso: false, ...(arn === undefined ? {} : { arn }) }
  }
  const arn = textOf(member(item, arnKeys[section]))
  const username = member(item, 'username')
  const groups = member(item, 'groups')
  return {
    ...place,
    groups: isList(groups) ? groups.flatMap((one) => textOf(one) ?? []) : [],
    sso: member(item, 'sso') !== undefined,
    ...(arn === undefined || arn === '' ? {} : { arn }),
    ...(username === undefined ? {} : { username: textOf(username) ?? '' }),
  }
}

function sectionOf(value: Json | undefined, name: MapName): AuthSection {
  if (value === undefined) return { state: 'left-out' }
  if (typeof value !== 'string') return { state: 'not-text', type: kindOf(value) }
  const lines = new LineCounter()
  const document = parseDocument(value, { lineCounter: lines, logLevel: 'silent', prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const words = (error.message.split('\n')[0] ?? '').replace(/["'`:]\s*\S{40,}/g, '…').slice(0, 160)
    return { state: 'broken', line: lines.linePos(error.pos[0]).line, reason: words }
  }
  let read: Json
  try {
    read = document.toJS({ maxAliasCount: 100 })
  } catch {
    return { state: 'broken', line: 1, reason: 'its aliases unfold without end' }
  }
  if (read === null || read === '') return { state: 'read', entries: [] }
  if (!isList(read)) return { state: 'not-a-list', type: kindOf(read) }
  return { state: 'read', entries: read.map((item, index) => entryOf(item, name, index)) }
}

/** The `data` of the ConfigMap, section by section. Pure. */
export function readAwsAuth(data: JsonObject): AwsAuth {
  const [mapRoles, mapUsers, mapAccounts] = mapNames.map((name) => sectionOf(data[name], name))
  const none = { state: 'left-out' } as const
  return { mapRoles: mapRoles ?? none, mapUsers: mapUsers ?? none, mapAccounts: mapAccounts ?? none }
}
