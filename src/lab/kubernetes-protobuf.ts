/** Bodies in Kubernetes' protobuf envelope, as kubectl from 1.32 on sends them for the kinds that it knows. */
import type { Json, JsonObject } from '../core/json.ts'

/**
 * The fields that are read, by number, from the generated.proto files of k8s.io/api; what is not named here is left out.
 * `text`, `number`, or the fields of a message below; `list` marks a repeated text, `map` a map of texts.
 */
type Shape = { readonly [field: number]: readonly [name: string, type: 'text' | 'number' | 'list' | 'map' | Shape] }

const metadata: Shape = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  5: ['uid', 'text'],
  6: ['resourceVersion', 'text'],
  11: ['labels', 'map'],
  12: ['annotations', 'map'],
  14: ['finalizers', 'list'],
}
const boundObject: Shape = { 1: ['kind', 'text'], 2: ['apiVersion', 'text'], 3: ['name', 'text'], 4: ['uid', 'text'] }
const attributes: Shape = {
  1: ['namespace', 'text'],
  2: ['verb', 'text'],
  3: ['group', 'text'],
  4: ['version', 'text'],
  5: ['resource', 'text'],
  6: ['subresource', 'text'],
  7: ['name', 'text'],
}
const access: Shape = {
  1: ['resourceAttributes', attributes],
  2: ['nonResourceAttributes', { 1: ['path', 'text'], 2: ['verb', 'text'] }],
}
const tokenRequest: Shape = {
  1: ['audiences', 'list'],
  3: ['boundObjectRef', boundObject],
  4: ['expirationSeconds', 'number'],
}
const about = (spec: Shape): Shape => ({ 1: ['metadata', metadata], 2: ['spec', spec] })

const shapes: { readonly [kind: string]: Shape } = {
  ConfigMap: { 1: ['metadata', metadata], 2: ['data', 'map'] },
  DeleteOptions: {
    2: ['preconditions', { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] }],
    4: ['propagationPolicy', 'text'],
  },
  Namespace: { 1: ['metadata', metadata] },
  SelfSubjectAccessReview: about(access),
  SelfSubjectReview: { 1: ['metadata', metadata] },
  ServiceAccount: { 1: ['metadata', metadata] },
  TokenRequest: about(tokenRequest),
  TokenReview: about({ 1: ['token', 'text'], 2: ['audiences', 'list'] }),
}

const envelope: Shape = { 1: ['type', { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] }] }
const magic = 'k8s\0'

type Field = { readonly number: number; readonly value: number | Buffer }

/** The fields of a message as they stand; undefined where the bytes are no message. */
function fieldsIn(bytes: Buffer): readonly Field[] | undefined {
  const fields: Field[] = []
  let at = 0
  const varint = (): number | undefined => {
    let value = 0
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) return undefined
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return undefined
  }
  while (at < bytes.length) {
    const tag = varint()
    if (tag === undefined) return undefined
    const number = Math.floor(tag / 8)
    const size = { 1: 8, 5: 4 }[tag % 8] ?? varint()
    if (size === undefined) return undefined
    if (tag % 8 === 0) fields.push({ number, value: size })
    else {
      if (at + size > bytes.length) return undefined
      fields.push({ number, value: bytes.subarray(at, at + size) })
      at += size
    }
  }
  return fields
}

function read(bytes: Buffer, shape: Shape): JsonObject | undefined {
  const fields = fieldsIn(bytes)
  if (fields === undefined) return undefined
  const found: { [name: string]: Json } = {}
  const lists = new Map<string, string[]>()
  const maps = new Map<string, { [key: string]: string }>()
  for (const { number, value } of fields) {
    const [name, type] = shape[number] ?? []
    if (name === undefined || type === undefined) continue
    if (typeof value === 'number') {
      if (type === 'number') found[name] = value
      continue
    }
    if (type === 'text') {
      // Go writes a text that is not set as an empty one.
      if (value.length > 0) found[name] = value.toString('utf8')
    } else if (type === 'list') {
      const list = lists.get(name) ?? []
      list.push(value.toString('utf8'))
      lists.set(name, list)
      found[name] = list
    } else if (type === 'map') {
      const entry = read(value, { 1: ['key', 'text'], 2: ['value', 'text'] })
      const map = maps.get(name) ?? {}
      map[String(entry?.key ?? '')] = String(entry?.value ?? '')
      maps.set(name, map)
      found[name] = map
    } else if (type !== 'number') {
      const below = read(value, type)
      if (below === undefined) return undefined
      if (Object.keys(below).length > 0) found[name] = below
    }
  }
  return found
}

export const isProtobuf = (bytes: Buffer): boolean => bytes.subarray(0, 4).toString('latin1') === magic

/** The object in the envelope; undefined for a kind whose form the lab does not know, and for bytes that are no message. */
export function objectInProtobuf(bytes: Buffer): JsonObject | undefined {
  const outer = bytes.subarray(4)
  const type = read(outer, envelope)?.type
  const raw = fieldsIn(outer)?.find(({ number }) => number === 2)?.value
  if (typeof type !== 'object' || type === null || !('kind' in type) || typeof raw === 'number') return undefined
  const { kind, apiVersion } = type
  const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined
  if (shape === undefined) return undefined
  const object = read(raw ?? Buffer.alloc(0), shape)
  return object === undefined ? undefined : { kind: kind ?? '', apiVersion: apiVersion ?? 'v1', ...object }
}
