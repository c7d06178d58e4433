/** An http or https server on a port of its own on loopback: bodies bounded, requests counted, closed at once. */
import { createServer as createPlain, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { isObject, type Json, type JsonObject } from '../core/json.ts'

export type Request = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly bytes: Buffer
}
export type Reply = {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
  readonly body: string
}
export type Handler = (request: Request) => Reply | Promise<Reply>

export type Listener = { readonly url: string; readonly port: number; readonly close: () => Promise<void> }
export type Counter = (method: string, path: string) => void

/** The object that a body holds as JSON; an empty one where it holds none. */
export function objectIn(body: string): JsonObject {
  try {
    const value: Json = JSON.parse(body)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

const largestBody = 8 * 1024 * 1024
const host = '127.0.0.1'

/** Listens; `trouble` words the answer to a request that the handler stumbled over, in the tongue of its protocol. */
export function listen(options: {
  /** Left out: plain http, as a node's own agents speak it. */
  readonly leaf?: { readonly cert: string; readonly key: string }
  readonly handle: Handler
  readonly trouble: (message: string) => Reply
  readonly count: Counter
  /** Seconds by which the clock of this server is ahead, as its Date header tells. */
  readonly ahead?: number
}): Promise<Listener> {
  const { leaf, handle, trouble, count, ahead = 0 } = options
  const answer: RequestListener = (incoming, outgoing) => {
    const parts: Buffer[] = []
    let size = 0
    const send = ({ status, headers, body }: Reply): void => {
      if (outgoing.destroyed) return
      const date = new Date(Date.now() + ahead * 1000).toUTCString()
      outgoing.writeHead(status, { date, 'content-length': String(Buffer.byteLength(body)), ...headers })
      outgoing.end(incoming.method === 'HEAD' ? '' : body)
    }
    incoming.on('data', (part: Buffer) => {
      size += part.length
      if (size <= largestBody) parts.push(part)
    })
    incoming.on('error', () => outgoing.destroy())
    incoming.on('end', () => {
      if (size > largestBody) return send(trouble('the request is larger than the lab takes'))
      const url = URL.parse(incoming.url ?? '/', `https://${host}`)
      if (url === null) return send(trouble('the request line is not understood'))
      const method = incoming.method ?? 'GET'
      count(method, url.pathname)
      const bytes = Buffer.concat(parts)
      const request = {
        method,
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: bytes.toString('utf8'),
        bytes,
      }
      Promise.resolve()
        .then(() => handle(request))
        .catch((error: unknown) => trouble(error instanceof Error ? error.message : String(error)))
        .then(send)
    })
  }
  const server = leaf === undefined ? createPlain(answer) : createServer(leaf, answer)
  server.on('tlsClientError', (_error: Error, socket: { destroy: () => void }) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const close = () =>
        new Promise<void>((done) => {
          server.close(() => done())
          server.closeAllConnections()
        })
      resolve({ url: `${leaf === undefined ? 'http' : 'https'}://${host}:${port}`, port, close })
    })
  })
}
