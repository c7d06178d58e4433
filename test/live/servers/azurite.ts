/** Azure Blob Storage as azurite imitates it, over https: it looks at the issuer, audience and times of a bearer token, not at its signature. */
import { mkdir, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Authority } from './certificates.ts'
import { freePorts } from './ports.ts'
import { serve, until } from './processes.ts'

export const azuriteVersion = '3.36.0'

export type Azurite = {
  /** The storage account's address, without a slash at its end. */
  readonly url: string
  readonly account: string
  readonly seconds: number
  readonly stop: () => Promise<void>
}

/** Azurite has this one account, whose key is public knowledge. */
const account = 'devstoreaccount1'

/** `home` is the folder of azurite's package. */
export async function startAzurite(order: {
  readonly home: string
  readonly folder: string
  readonly authority: Authority
}): Promise<Azurite> {
  const { home, folder, authority } = order
  const started = performance.now()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { cert, key } = await authority.server(['127.0.0.1', 'localhost', `${account}.blob.core.windows.net`])
  const files = { cert: path.join(folder, 'serving.pem'), key: path.join(folder, 'serving.key') }
  await writeFile(files.cert, cert)
  await writeFile(files.key, key, { mode: 0o600 })
  const [port = 0] = await freePorts(1)
  const places = ['--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', path.join(folder, 'data')]
  const tls = ['--oauth', 'basic', '--cert', files.cert, '--key', files.key]
  const args = [path.join(home, 'dist', 'src', 'blob', 'main.js'), ...places, ...tls, '--disableTelemetry', '--silent']
  const program = { file: process.execPath, args, cwd: folder, env: { HOME: folder } }
  const server = serve('azurite', program, path.join(folder, 'azurite.log'))
  const url = `https://127.0.0.1:${port}/${account}`
  try {
    await until(server, 60, () => answers(`${url}?comp=list`, authority.root))
  } catch (error) {
    await server.stop()
    throw error
  }
  return { url, account, seconds: (performance.now() - started) / 1000, stop: server.stop }
}

/** Any answer will do: without a credential it is a refusal. */
const answers = (url: string, ca: string): Promise<true> =>
  new Promise((resolve, reject) => {
    const asked = get(url, { ca, agent: false, timeout: 5000 }, (reply) => {
      reply.resume()
      resolve(true)
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')))
    asked.on('error', reject)
  })
