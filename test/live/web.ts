/** One request over TLS to a port on loopback, for the host that the URL names, trusting the lane's own root. */
import { request } from 'node:https'
import { lane } from './running.ts'

export type Answer = { readonly status: number; readonly body: string }

export function ask(
  url: string,
  order: {
    readonly port?: number
    readonly method?: string
    readonly headers?: { readonly [name: string]: string }
    readonly body?: string
  } = {},
): Promise<Answer> {
  const { host, hostname, pathname, search, port: own } = new URL(url)
  const { port = Number(own), method = 'GET', body = '' } = order
  const servername = /^[\d.]+$/.test(hostname) ? {} : { servername: hostname }
  const headers = { host, 'content-length': String(Buffer.byteLength(body)), ...order.headers }
  return new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port, path: `${pathname}${search}`, ...servername }
    const asked = request({ ...place, method, headers, ca: lane.root, agent: false, timeout: 30_000 }, (reply) => {
      const parts: Buffer[] = []
      reply.on('data', (part: Buffer) => parts.push(part))
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }))
    })
    asked.on('timeout', () => asked.destroy(new Error(`${url} did not answer`)))
    asked.on('error', reject)
    asked.end(body)
  })
}
