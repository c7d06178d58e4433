/** A certified OpenID provider over https that has nothing to do with any cluster: its own discovery, its own keys, its own tokens. */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Authority, makeSigningKey } from './certificates.ts'
import type { ProviderOrder } from './oidc-provider-main.ts'
import { freePorts } from './ports.ts'
import { serve, until } from './processes.ts'

export const oidcProviderVersion = '9.13.3'

export type OidcProvider = {
  readonly issuer: string
  /** Where on loopback the issuer's host is served. */
  readonly port: number
  /** Who may ask it for a token about itself (client credentials, RFC 6749 section 4.4). */
  readonly client: { readonly id: string; readonly secret: string }
  readonly seconds: number
  readonly stop: () => Promise<void>
}

/** `home` is the folder of the package; `issuer` an https URL without a path. */
export async function startOidcProvider(order: {
  readonly home: string
  readonly issuer: string
  readonly folder: string
  readonly authority: Authority
}): Promise<OidcProvider> {
  const { home, issuer, folder, authority } = order
  const started = performance.now()
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const [port = 0] = await freePorts(1)
  const { hostname } = new URL(issuer)
  const client = { id: 'cart', secret: randomBytes(24).toString('base64url') }
  const { privateKey } = makeSigningKey()
  const pair = await authority.server([hostname, '127.0.0.1'])
  const plan: ProviderOrder = { home, issuer, port, client, privateKey, ...pair }
  const file = path.join(folder, 'order.json')
  await writeFile(file, JSON.stringify(plan), { mode: 0o600 })
  const args = [path.join(import.meta.dirname, 'oidc-provider-main.ts'), file]
  const server = serve('oidc-provider', { file: process.execPath, args, cwd: folder }, path.join(folder, 'log'))
  try {
    await until(server, 60, () => discovers(port, hostname, authority.root))
  } catch (error) {
    await server.stop()
    throw error
  }
  return { issuer, port, client, seconds: (performance.now() - started) / 1000, stop: server.stop }
}

const discovers = (port: number, servername: string, ca: string): Promise<true | undefined> =>
  new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port, servername, path: '/.well-known/openid-configuration' }
    const asked = get({ ...place, ca, agent: false, timeout: 5000 }, (reply) => {
      reply.resume()
      resolve(reply.statusCode === 200 ? true : undefined)
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')))
    asked.on('error', reject)
  })
