/** A way to a server that breaks after so many bytes of answers, and stays broken. */
import { connect, createServer, type Socket } from 'node:net'
import { portOf } from './servers/ports.ts'

export type Cut = {
  readonly port: number
  /** Bytes that came from the server. */
  readonly carried: () => number
  readonly close: () => Promise<void>
}

/** `to` is host:port. */
export async function cutAfter(to: string, bytes: number): Promise<Cut> {
  const [host = '', port = ''] = to.split(':')
  let carried = 0
  const open = new Set<Socket>()
  const breakOff = (): void => {
    for (const one of open) one.destroy()
  }
  const server = createServer((client) => {
    if (carried >= bytes) return void client.destroy()
    const inner = connect(Number(port), host)
    for (const [one, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
    client.pipe(inner)
    inner.on('data', (part: Buffer) => {
      carried += part.length
      if (carried > bytes) return breakOff()
      client.write(part)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const close = async (): Promise<void> => {
    breakOff()
    await new Promise((done) => server.close(done))
  }
  return { port: portOf(server), carried: () => carried, close }
}
