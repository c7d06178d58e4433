/** The API server of a lab with exec beside it: channels as kubectl speaks them, and sh on this machine in the place of a container of shop/cart-0, or of another first one. */
import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Lab } from '../src/lab/lab.ts'

const client = createRequire(createRequire(import.meta.url).resolve('@kubernetes/client-node'))
const { WebSocketServer } = client('ws')

export type ExecFront = {
  /** For --server. */
  readonly server: string
  /** The variables of the container; to be set by whoever asks. */
  readonly container: { env: NodeJS.ProcessEnv }
  /** Paths of exec that were asked for, each with its container. */
  readonly asked: readonly string[]
  /** All that has left the container since the last time. */
  readonly left: () => string
  readonly close: () => void
}

export async function execFront(lab: Lab): Promise<ExecFront> {
  const container: { env: NodeJS.ProcessEnv } = { env: {} }
  const front = createServer((incoming, outgoing) => {
    const onward = request(
      lab.urls.kubernetes + incoming.url,
      {
        method: incoming.method,
        headers: { ...incoming.headers, host: '127.0.0.1' },
        ca: lab.world.roots,
        agent: false,
      },
      (reply) => {
        outgoing.writeHead(reply.statusCode ?? 500, reply.headers)
        reply.pipe(outgoing)
      },
    )
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v5.channel.k8s.io' })
  const asked: string[] = []
  /** All that has left the container. */
  let left = ''
  front.on('upgrade', (incoming: IncomingMessage, socket, head) => {
    const url = new URL(incoming.url ?? '', 'http://127.0.0.1')
    asked.push(`${url.pathname} ${url.searchParams.get('container')}`)
    if (
      !/^\/api\/v1\/namespaces\/shop\/pods\/(?:[a-z]+-0|cart-[a-z0-9-]+)\//.test(url.pathname) ||
      !incoming.headers.authorization
    ) {
      const refusal = JSON.stringify({
        kind: 'Status',
        status: 'Failure',
        message: 'pods "other" not found',
        code: 404,
      })
      socket.end(
        `HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: ${refusal.length}\r\n\r\n${refusal}`,
      )
      return
    }
    sockets.handleUpgrade(incoming, socket, head, (channel: { send: (data: Buffer) => void; close: () => void }) => {
      const [shell = 'sh', ...args] = url.searchParams.getAll('command')
      const child = spawn(shell, args, { env: container.env, stdio: ['ignore', 'pipe', 'pipe'] })
      const send = (number: number, data: Buffer): void => channel.send(Buffer.concat([Buffer.from([number]), data]))
      child.stdout.on('data', (data: Buffer) => {
        left += String(data)
        send(1, data)
      })
      child.stderr.on('data', (data: Buffer) => send(2, data))
      child.on('close', (code) => {
        const status =
          code === 0
            ? { status: 'Success' }
            : { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: String(code) }] } }
        send(3, Buffer.from(JSON.stringify({ metadata: {}, ...status })))
        channel.close()
      })
    })
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  return {
    server: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    container,
    asked,
    left: () => {
      const all = left
      left = ''
      return all
    },
    close: () => {
      front.closeAllConnections()
      front.close()
    },
  }
}
