/** How a test tells the lane's own process to restart or stop the API server: requests over a socket in the lane's folder. */

import { rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import path from 'node:path'
import type { ApiServerOrder, Kubernetes } from './servers/kubernetes.ts'

const socketIn = (folder: string): string => path.join(folder, 'control')

export async function openControl(
  folder: string,
  kubernetes: Kubernetes,
): Promise<{ readonly close: () => Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      const work = async (): Promise<void> => {
        if (incoming.url === '/stop') return kubernetes.stopApiServer()
        const order: ApiServerOrder = JSON.parse(Buffer.concat(parts).toString('utf8'))
        return kubernetes.restart(order)
      }
      work().then(
        () => outgoing.writeHead(204).end(),
        (error: unknown) => outgoing.writeHead(500).end(error instanceof Error ? error.message : String(error)),
      )
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketIn(folder), () => resolve())
  })
  const close = async (): Promise<void> => {
    const closed = new Promise((done) => server.close(done))
    server.closeAllConnections()
    await closed
    await rm(socketIn(folder), { force: true })
  }
  return { close }
}

/** Restarts the lane's own API server, changed in this way; resolves when it is ready. An empty order starts a stopped one again. */
export const restartApiServer = (folder: string, order: ApiServerOrder): Promise<void> =>
  tell(folder, '/restart', order)

export const stopApiServer = (folder: string): Promise<void> => tell(folder, '/stop', {})

function tell(folder: string, place: string, order: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socketIn(folder), path: place, method: 'POST', timeout: 120_000 }, (reply) => {
      const parts: Buffer[] = []
      reply.on('data', (part: Buffer) => parts.push(part))
      reply.on('end', () =>
        reply.statusCode === 204 ? resolve() : reject(new Error(Buffer.concat(parts).toString('utf8'))),
      )
    })
    asked.on('timeout', () => asked.destroy(new Error('the API server did not come back')))
    asked.on('error', reject)
    asked.end(JSON.stringify(order))
  })
}
