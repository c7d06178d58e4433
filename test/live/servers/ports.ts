/** Free ports on loopback. */
import { createServer, type Server } from 'node:net'

/** That many different ports that nobody listens on; they are held together until all are found. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held: Server[] = []
  const ports: number[] = []
  try {
    for (let i = 0; i < count; i += 1) {
      const server = createServer()
      held.push(server)
      ports.push(
        await new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => resolve(portOf(server)))
        }),
      )
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((done) => server.close(done))))
  }
  return ports
}

export function portOf(server: Server): number {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port')
  return address.port
}
