/** Reads the members of Kubernetes' protobuf messages into JSON's form, and values that many objects share once. */
import { type BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { isList, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { keptAsItIs } from '../../domain/kubernetes-alike.ts'
import type { Field, Fields } from './kubernetes-messages.ts'

export type Draft = { [name: string]: Json }

/** What the pages of one list have in common: the values that many objects share, each once. It goes when the list is read. */
export type Sharing = {
  readonly owners: (Field | undefined)[]
  readonly keys: string[]
  readonly values: Json[]
}

const manyPlaces = 1 << 14
/** Longer ones are hardly ever equal. */
const longestShared = 1000

/** `places` is a power of two; one is enough where no field is shared. */
export const newSharing = (places = manyPlaces): Sharing => ({
  owners: new Array<undefined>(places).fill(undefined),
  keys: new Array<string>(places).fill(''),
  values: new Array<Json>(places).fill(null),
})

export type Reading = { readonly body: Buffer; readonly wire: BinaryReader; readonly sharing: Sharing }

export const tagOf = (number: number, type: WireType): number => (number << 3) | type

/** Where what begins here with its length ends. @throws RangeError where that is behind the end of what it stands in */
export function ahead(wire: BinaryReader, end: number): number {
  const length = wire.uint32()
  const to = wire.pos + length
  if (to > end) throw new RangeError('a field ends behind its message')
  return to
}

export function skip(wire: BinaryReader, tag: number, end: number): void {
  if ((tag & 7) === WireType.LengthDelimited) wire.pos = ahead(wire, end)
  else {
    if (tag >>> 3 === 0) throw new RangeError('field 0')
    wire.skip(tag & 7, tag >>> 3)
    if (wire.pos > end) throw new RangeError('a field ends behind its message')
  }
}

const wireTypeOf = ({ kind }: Field): WireType =>
  kind === 'flag' || kind === 'number' ? WireType.Varint : WireType.LengthDelimited

/** Puts the members of a message that ends at `end` into the draft. */
export function fill(reading: Reading, end: number, fields: Fields, draft: Draft): void {
  const { wire } = reading
  while (wire.pos < end) {
    const tag = wire.uint32()
    const field = fields[tag >>> 3]
    if (field === undefined || (tag & 7) !== wireTypeOf(field)) skip(wire, tag, end)
    else if (field.list === true) addAll(reading, end, tag, field, draft)
    else if (field.kind === 'texts' || field.kind === 'quantities') putAll(reading, end, tag, field, draft)
    else if (field.kind === 'inline') fill(reading, ahead(wire, end), field.fields, draft)
    else if (field.kind === 'flag') {
      const value = wire.uint32() !== 0
      if (value || field.bare === true) draft[field.name] = value
    } else if (field.kind === 'number') draft[field.name] = integer(wire)
    else {
      const value = one(reading, ahead(wire, end), field)
      if (value !== '' || field.bare === true) draft[field.name] = value
    }
  }
  if (wire.pos !== end) throw new RangeError('a field ends behind its message')
}

const integer = (wire: BinaryReader): number => Number(wire.int64())

/** A list's items stand one behind the other, all with the same tag. */
function addAll(reading: Reading, end: number, tag: number, field: Field, draft: Draft): void {
  const { wire } = reading
  const start = wire.pos
  const before = draft[field.name]
  const items: Json[] = isList(before) ? [...before] : []
  const read = (to: number): Json => {
    for (;;) {
      items.push(field.kind === 'number' ? integer(wire) : one(reading, ahead(wire, to), field))
      if (!goesOn(wire, tag, to)) return items
    }
  }
  if (field.shared !== true || field.kind === 'text' || items.length > 0) {
    draft[field.name] = read(end)
    return
  }
  const to = run(wire, tag, end)
  draft[field.name] = look(reading, field, start, to, () => {
    wire.pos = start
    read(to)
    return keptAsItIs(items.slice())
  })
  wire.pos = to
}

/** Where the last of the fields ends that stand here one behind the other with the same tag. */
function run(wire: BinaryReader, tag: number, end: number): number {
  do {
    wire.pos = ahead(wire, end)
  } while (goesOn(wire, tag, end))
  return wire.pos
}

function goesOn(wire: BinaryReader, tag: number, end: number): boolean {
  if (wire.pos >= end) return false
  const here = wire.pos
  if (wire.uint32() === tag) return true
  wire.pos = here
  return false
}

/** A map is a list of entries; where many objects have the same, all of its bytes together are looked up. */
function putAll(reading: Reading, end: number, tag: number, field: Field, draft: Draft): void {
  const { wire } = reading
  const start = wire.pos
  const to = run(wire, tag, end)
  const value = look(reading, field, start, to, () => {
    const entries: Draft = {}
    wire.pos = start
    do {
      entry(reading, ahead(wire, to), field, entries)
    } while (goesOn(wire, tag, to))
    return entries
  })
  wire.pos = to
  const before = draft[field.name]
  draft[field.name] = isObject(before) && isObject(value) ? { ...before, ...value } : value
}

const quantity: Fields = [undefined, { name: 'string', kind: 'text' }]
const key: Field = { name: 'key', kind: 'text', shared: true }
const text: Field = { name: 'value', kind: 'text', shared: true }

function entry(reading: Reading, end: number, { kind }: Field, entries: Draft): void {
  const { wire } = reading
  let name = ''
  let value: Json = ''
  while (wire.pos < end) {
    const tag = wire.uint32()
    if (tag === tagOf(1, WireType.LengthDelimited)) name = String(one(reading, ahead(wire, end), key))
    else if (tag !== tagOf(2, WireType.LengthDelimited)) skip(wire, tag, end)
    else if (kind === 'texts') value = one(reading, ahead(wire, end), text)
    else {
      const draft: Draft = {}
      fill(reading, ahead(wire, end), quantity, draft)
      value = draft.string ?? '0'
    }
  }
  if (name === '__proto__')
    Object.defineProperty(entries, name, { value, enumerable: true, configurable: true, writable: true })
  else entries[name] = value
}

/** What stands from here to `end`, whatever it is. */
function one(reading: Reading, end: number, field: Field): Json {
  const { wire } = reading
  const start = wire.pos
  const value = field.shared === true ? look(reading, field, start, end) : made(reading, field, start, end)
  wire.pos = end
  return value
}

function made(reading: Reading, field: Field, start: number, end: number): Json {
  const { body, wire } = reading
  if (field.kind === 'text') return body.toString('utf8', start, end)
  wire.pos = start
  if (field.kind === 'fields') return fieldsOf(reading, end)
  const draft: Draft = {}
  if (field.kind !== 'time') {
    fill(reading, end, field.kind === 'message' ? field.fields : [], draft)
    if (field.shared !== true || field.kind !== 'message') return draft
    const picked = (field.pick ?? same)(draft)
    // Of a list it is said as a whole.
    return field.list === true ? picked : keptAsItIs(picked)
  }
  fill(reading, end, time, draft)
  // A time that was never set is null in JSON.
  return typeof draft.seconds === 'number' ? new Date(draft.seconds * 1000).toISOString().replace('.000Z', 'Z') : null
}

const same = (draft: JsonObject): JsonObject => draft
const time: Fields = [undefined, { name: 'seconds', kind: 'number', bare: true }]

/** How nearly all begin that own annotations. In a set of fields each name has {}, and none of the names holds a brace. */
const opening = Buffer.from('{"f:metadata":{"f:annotations":{"')
const annotations = Buffer.from('"f:annotations"')
const owned: Field = { name: 'f:annotations', kind: 'fields', shared: true }

/** Of FieldsV1, which is JSON, who owns the annotations: nothing else is picked. */
function fieldsOf(reading: Reading, end: number): Json {
  const { body, wire } = reading
  if (wire.pos >= end || wire.uint32() !== tagOf(1, WireType.LengthDelimited)) return {}
  const to = ahead(wire, end)
  const start = wire.pos
  const bytes = body.subarray(start, to)
  if (bytes.compare(opening, 0, opening.length, 0, Math.min(opening.length, bytes.length)) === 0) {
    const close = bytes.indexOf('}}', opening.length)
    const from = start + opening.length - 2
    try {
      const names = look(reading, owned, from, start + close + 2, () =>
        keptAsItIs(objectIn(body.toString('utf8', from, start + close + 2))),
      )
      return { 'f:metadata': { 'f:annotations': names } }
    } catch {
      // A name that holds braces after all.
    }
  }
  return bytes.includes(annotations) ? objectIn(bytes.toString('utf8')) : {}
}

/** @throws Error */
function objectIn(text: string): JsonObject {
  const value: Json = JSON.parse(text)
  return isObject(value) ? value : {}
}

/** The value of these bytes, from before where it was the same field with the same bytes. Only the last one of a place is kept. */
function look(reading: Reading, field: Field, start: number, end: number, make?: () => Json): Json {
  const { body, sharing } = reading
  const length = end - start
  if (length > longestShared || field.shared !== true) return make?.() ?? made(reading, field, start, end)
  const hash = sampled(body, start, end)
  const isText = field.kind === 'text'
  const owner = isText ? text : field
  const place = (hash ^ (hash >>> 15)) & (sharing.keys.length - 1)
  const held = sharing.keys[place] ?? ''
  if (sharing.owners[place] === owner && held.length === length && stands(held, body, start))
    return sharing.values[place] ?? null
  const bytes = body.toString(isText ? 'utf8' : 'latin1', start, end)
  // A text of other characters than ASCII's is not the same as its bytes.
  if (bytes.length !== length) return bytes
  const value = isText ? bytes : (make?.() ?? made(reading, field, start, end))
  sharing.owners[place] = owner
  sharing.keys[place] = bytes
  sharing.values[place] = value
  return value
}

/** FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) over some thirty of the bytes: whatever is held there is compared as a whole. */
function sampled(body: Buffer, start: number, end: number): number {
  const length = end - start
  const step = (length >> 5) + 1
  let hash = 0x811c9dc5 ^ length
  for (let at = end - 1; at >= start; at -= step) hash = Math.imul(hash ^ (body[at] ?? 0), 0x01000193)
  return hash
}

/** From here on one copy of the bytes is compared faster than each of them. */
const many = 32

function stands(held: string, body: Buffer, start: number): boolean {
  if (held.length > many) return body.toString('latin1', start, start + held.length) === held
  for (let index = 0; index < held.length; index += 1) if (held.charCodeAt(index) !== body[start + index]) return false
  return true
}
