/** Reads Kubernetes protobuf into the JSON form of the same objects, as far as the tables of messages name their fields. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import type { JsonObject } from '../../core/json.ts'
import { ahead, type Draft, fill, newSharing, type Reading, type Sharing, skip, tagOf } from './kubernetes-fields.ts'
import { type Fields, status } from './kubernetes-messages.ts'

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding */
const magic = Buffer.from('k8s\0')

export const protobufType = 'application/vnd.kubernetes.protobuf'

export const isProtobuf = (contentType: string | undefined): boolean => contentType?.startsWith(protobufType) === true

/** One list as it came: which kind its items are, where the next page begins ('' on the last), where the items stand. */
export type Packed = {
  readonly apiVersion: string
  readonly kind: string
  readonly rest: string
  /** Calls with each item in turn. @throws Error where the bytes are no such message */
  readonly each: (fields: Fields, sharing: Sharing, take: (item: JsonObject) => void) => void
}

/** The list in an API server's reply; undefined where it is none. */
export function openPacked(body: Buffer): Packed | undefined {
  try {
    const { apiVersion, kind, start, end } = envelope(body)
    if (!kind.endsWith('List')) return undefined
    const wire = new BinaryReader(body)
    wire.pos = start
    const head: Draft = {}
    // The list's own metadata stands before its items.
    if (start < end && wire.uint32() === tagOf(1, WireType.LengthDelimited))
      fill({ body, wire, sharing: newSharing(1) }, ahead(wire, end), listMeta, head)
    const { continue: rest } = head
    return {
      apiVersion,
      kind: kind.replace(/List$/, ''),
      rest: typeof rest === 'string' ? rest : '',
      each: (fields, sharing, take) => {
        const wire = new BinaryReader(body)
        wire.pos = start
        const reading: Reading = { body, wire, sharing }
        while (wire.pos < end) {
          const tag = wire.uint32()
          if (tag !== tagOf(2, WireType.LengthDelimited)) {
            skip(wire, tag, end)
            continue
          }
          const item: Draft = {}
          fill(reading, ahead(wire, end), fields, item)
          take(item)
        }
      },
    }
  } catch {
    return undefined
  }
}

/** A refusal in JSON, whatever it came in; undefined where the body is no Status. */
export function statusOf(body: Buffer): JsonObject | undefined {
  try {
    const { apiVersion, kind, start, end } = envelope(body)
    if (kind !== 'Status') return undefined
    const wire = new BinaryReader(body)
    wire.pos = start
    const draft: Draft = { apiVersion, kind }
    fill({ body, wire, sharing: newSharing(1) }, end, status, draft)
    return draft
  } catch {
    return undefined
  }
}

const listMeta: Fields = [undefined, undefined, undefined, { name: 'continue', kind: 'text' }]
const typeMeta: Fields = [undefined, { name: 'apiVersion', kind: 'text' }, { name: 'kind', kind: 'text' }]

/** runtime.Unknown: the type, and where the object's own bytes stand. @throws Error */
function envelope(body: Buffer): {
  readonly apiVersion: string
  readonly kind: string
  readonly start: number
  readonly end: number
} {
  if (!body.subarray(0, magic.length).equals(magic)) throw new RangeError('no Kubernetes protobuf')
  const wire = new BinaryReader(body)
  wire.pos = magic.length
  const type: Draft = {}
  let [start, end] = [0, 0]
  while (wire.pos < wire.len) {
    const tag = wire.uint32()
    if (tag === tagOf(1, WireType.LengthDelimited))
      fill({ body, wire, sharing: newSharing(1) }, ahead(wire, wire.len), typeMeta, type)
    else if (tag === tagOf(2, WireType.LengthDelimited)) {
      end = ahead(wire, wire.len)
      start = wire.pos
      wire.pos = end
    } else skip(wire, tag, wire.len)
  }
  const { apiVersion, kind } = type
  return {
    apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
    kind: typeof kind === 'string' ? kind : '',
    start,
    end,
  }
}
