/** Creates many objects in an API server, several at a time, over connections that are kept. */
import { Agent, request } from 'node:https'
import type { Pair } from './servers/certificates.ts'

export type Entrance = { readonly url: string; readonly root: string; readonly admin: Pair }

const atATime = 32

/** Each is posted to its path. @throws Error with the API server's words where one is refused */
export async function createAll(
  { url, root, admin }: Entrance,
  objects: readonly { readonly path: string; readonly body: object }[],
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atATime, ca: root, cert: admin.cert, key: admin.key })
  const left = objects.values()
  const worker = async (): Promise<void> => {
    for (const { path, body } of left) {
      // A namespace's own ServiceAccount and certificate may not be there yet.
      for (let attempt = 0; ; attempt += 1) {
        const { status, text } = await post(agent, `${url}${path}`, JSON.stringify(body))
        if (status === 201) break
        if (attempt === 20) throw new Error(`${path} was answered with ${status}: ${text.slice(0, 500)}`)
        await new Promise((done) => setTimeout(done, 250))
      }
    }
  }
  try {
    await Promise.all(Array.from({ length: atATime }, worker))
  } finally {
    agent.destroy()
  }
}

function post(agent: Agent, url: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asked = request(url, { method: 'POST', agent, headers, timeout: 30_000 }, (reply) => {
      const parts: Buffer[] = []
      reply.on('data', (part: Buffer) => parts.push(part))
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }))
    })
    asked.on('timeout', () => asked.destroy(new Error(`${url} did not answer`)))
    asked.on('error', reject)
    asked.end(body)
  })
}
