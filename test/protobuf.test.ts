/** Kubernetes protobuf from any server: what is broken is no list, what is new is skipped, and nothing is believed too early. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { describe, expect, it } from 'vitest'
import { isList } from '../src/core/json.ts'
import { formatOf, inJson } from '../src/sources/live/list-format.ts'
import type { Reply } from '../src/sources/live/wire.ts'

const text = (value: string): Uint8Array => Buffer.from(value)
type Part = readonly [number: number, value: Uint8Array | number | bigint]

function message(...parts: readonly Part[]): Uint8Array {
  const writer = new BinaryWriter()
  for (const [number, value] of parts)
    if (typeof value === 'object') writer.tag(number, WireType.LengthDelimited).bytes(value)
    else writer.tag(number, WireType.Varint).int64(value)
  return writer.finish()
}

const envelope = (kind: string, raw: Uint8Array): Buffer =>
  Buffer.concat([text('k8s\0'), message([1, message([1, text('v1')], [2, text(kind)])], [2, raw], [3, text('')])])

const reply = (body: Buffer, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
  body,
})

const entry = (key: string, value: string): Uint8Array => message([1, text(key)], [2, text(value)])
const mount = message([1, text('token')], [2, 1], [3, text('/token')])
const container = message(
  [1, text('main')],
  [7, message([1, text('EMPTY')], [2, text('')])],
  [9, mount],
  [99, text('new')],
)
const securityContext = message([2, 0], [4, 0], [4, 65_534], [5, -1n])
const spec = message(
  [1, message([1, text('x')], [2, message([30, message([1, text('image')])])])],
  [2, container],
  [11, 0],
  [14, securityContext],
  [34, message([1, container], [2, text('main')])],
  [500, 7],
)
const metadata = message(
  [1, text('cart-1')],
  [3, text('shop')],
  [8, message([1, 1_700_000_000], [2, 0])],
  [11, entry('größe', '🚀')],
  [11, entry('__proto__', 'own')],
  [
    17,
    message([1, text('kubectl')], [7, message([1, text('{"f:metadata":{"f:annotations":{"f:a":{},"f:b}}":{}}}}')])]),
  ],
)
const pods = envelope('PodList', message([1, message([3, text('next page')])], [2, message([1, metadata], [2, spec])]))
const read = (body: Buffer) => formatOf('pods').open(reply(body)).read()

describe('a list in protobuf', () => {
  it('becomes what the same list in JSON does', () => {
    const format = formatOf('pods').open(reply(pods))
    expect(format.next).toBe('next page')
    const page = format.read()
    expect(page?.rest).toBe('next page')
    const labels = { größe: '🚀', ['__proto__']: 'own' }
    const main = { name: 'main', env: [{ name: 'EMPTY' }] }
    const volumeMounts = [{ name: 'token', mountPath: '/token', readOnly: true }]
    expect(JSON.parse(JSON.stringify(page?.items))).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'cart-1',
          namespace: 'shop',
          creationTimestamp: '2023-11-14T22:13:20Z',
          labels,
          managedFields: expect.anything(),
        },
        spec: {
          securityContext: { runAsUser: 0, fsGroup: -1, supplementalGroups: [0, 65_534] },
          volumes: [{ name: 'x', image: {} }],
          containers: [{ ...main, volumeMounts }],
          ephemeralContainers: [{ ...main, volumeMounts, targetContainerName: 'main' }],
        },
      },
    ])
  })

  it('is none where a byte is missing, wherever, and throws nothing', () => {
    for (let length = 0; length < pods.length; length += 1) {
      const page = read(pods.subarray(0, length))
      // What stands behind the object itself is not needed; a cut in front of it leaves an empty list at most.
      if (page !== undefined) expect([0, 1]).toContain(page.items.length)
      if (length < pods.length - 2 && length > 40) expect(page).toBeUndefined()
    }
  })

  it('is never made of nonsense', () => {
    for (let at = 0; at < pods.length; at += 1)
      for (const byte of [0, 0x7f, 0xff]) {
        const broken = Buffer.from(pods)
        broken[at] = byte
        const page = read(broken)
        expect(page === undefined || isList(page.items)).toBe(true)
      }
    expect(read(envelope('SecretList', message()))).toBeUndefined()
    expect(read(Buffer.from('<html>sign in</html>'))).toBeUndefined()
  })
})

it('a refusal in protobuf reads as one in JSON', () => {
  const status = envelope(
    'Status',
    message([2, text('Failure')], [3, text('pods is forbidden')], [4, text('Forbidden')], [6, 403]),
  )
  expect(JSON.parse(inJson(reply(status, 403)).body.toString('utf8'))).toEqual({
    ...{ apiVersion: 'v1', kind: 'Status', status: 'Failure' },
    ...{ message: 'pods is forbidden', reason: 'Forbidden', code: 403 },
  })
})

it('a server that answers with JSON is read as before', () => {
  const body = Buffer.from('{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a"}}]}')
  const page = formatOf('pods')
    .open({ status: 200, headers: { 'content-type': 'application/json' }, body })
    .read()
  expect(page?.items).toEqual([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }])
})
