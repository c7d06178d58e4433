/** The two forms in which a page of a list comes: JSON, and for kinds that there are thousands of Kubernetes protobuf. */
import type { JsonObject } from '../../core/json.ts'
import { pickObject } from '../../domain/kubernetes-objects.ts'
import { newSharing, type Sharing } from './kubernetes-fields.ts'
import { messagesOf } from './kubernetes-messages.ts'
import { isProtobuf, openPacked, protobufType, statusOf } from './kubernetes-protobuf.ts'
import { type Page, readPage } from './list-page.ts'
import type { Reply } from './wire.ts'

/** A page before its items are read; `next` is where the next one begins, as far as that can be told by now. */
export type OpenPage = { readonly next: string | undefined; readonly read: () => Page | undefined }

export type Format = {
  /** The Accept header; undefined for what every request has. */
  readonly accept: string | undefined
  readonly open: (reply: Reply) => OpenPage
}

/** How the pages of one list are asked for and read. One list, one of these: it holds what the pages share. */
export function formatOf(resource: string): Format {
  const packed = Object.hasOwn(messagesOf, resource) ? messagesOf[resource] : undefined
  if (packed === undefined) return { accept: undefined, open: inText }
  const sharing = newSharing()
  return {
    accept: `${protobufType}, application/json`,
    // A server or proxy that speaks JSON alone answers with it.
    open: (reply) => (isProtobuf(reply.headers['content-type']) ? inBytes(reply, packed, sharing) : inText(reply)),
  }
}

const inText = ({ body }: Reply): OpenPage => ({ next: continuation(body), read: () => readPage(body, pickObject) })

/** Where the next page begins stands before the items, so it can be asked for before this page is parsed. */
function continuation(body: Buffer): string | undefined {
  const head = body.subarray(0, 2048).toString('latin1')
  const end = head.indexOf('"items"')
  return /"continue":\s*"([^"\\]{1,1500})"/.exec(end === -1 ? head : head.slice(0, end))?.[1]
}

/** The protobuf form is brought into JSON's and picked from as JSON is, so that there is one truth about what is kept. */
function inBytes({ body }: Reply, expected: (typeof messagesOf)[string], sharing: Sharing): OpenPage {
  const list = openPacked(body)
  if (list === undefined || list.kind !== expected.kind) return { next: undefined, read: () => undefined }
  const read = (): Page | undefined => {
    const items: JsonObject[] = []
    try {
      list.each(expected.fields, sharing, (item) => items.push(pickObject(item, list)))
    } catch {
      return undefined
    }
    return { items, rest: list.rest }
  }
  return { next: list.rest === '' ? undefined : list.rest, read }
}

/** A refusal comes in the form that was asked for; whoever reads it reads JSON. */
export function inJson(reply: Reply): Reply {
  if (!isProtobuf(reply.headers['content-type'])) return reply
  const status = statusOf(reply.body)
  return status === undefined ? reply : { ...reply, body: Buffer.from(JSON.stringify(status)) }
}
