/** A static OIDC issuer: a folder of documents over https, as self-hosted IRSA installations publish the API server's keys. */
import { createHash, createPublicKey } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { connect } from 'node:net'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import type { Authority, SigningKey } from './certificates.ts'
import { portOf } from './ports.ts'

export type Site = {
  /** The name that stands in the issuer's URL; it exists nowhere but here. */
  readonly host: string
  readonly port: number
  /** What lies in it under `/path` is served at `https://host/path`. */
  readonly folder: string
  /** An http proxy that leads `host:443` here and refuses everything else: for servers that find the issuer by its name. */
  readonly proxy: string
}

export type RunningSite = Site & { readonly stop: () => Promise<void> }

/** A public key as the API server publishes it, under the name that it puts into its tokens. */
export type PublicKey = { readonly [member: string]: unknown }

/** https://github.com/kubernetes/kubernetes/blob/v1.20.2/pkg/serviceaccount/jwt.go names a key by the SHA-256 over its SPKI. */
export function publicKeyOf({ publicKey }: Pick<SigningKey, 'publicKey'>): PublicKey {
  const key = createPublicKey(publicKey)
  const { n, e } = key.export({ format: 'jwk' })
  const kid = createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
  return { use: 'sig', kty: 'RSA', kid, alg: 'RS256', n, e }
}

/** The same with a certificate: Ceph takes a key from nowhere else, and AWS looks past it. */
export async function certified(key: PublicKey, authority: Authority): Promise<CertifiedKey> {
  const { certificate, thumbprint } = await authority.over(key)
  return { key: { ...key, x5c: [certificate] }, thumbprint }
}

export type CertifiedKey = { readonly key: PublicKey; readonly thumbprint: string }

const placesOf = (folder: string, issuer: string) => {
  const base = path.join(folder, new URL(issuer).pathname)
  return { discovery: path.join(base, '.well-known', 'openid-configuration'), keys: path.join(base, 'keys.json') }
}

export const keySetUri = (issuer: string): string => `${issuer}/keys.json`

/** Publishes these keys, and no others, for the issuer; `says` is what the discovery document says in place of the usual. */
export async function publishIssuer(
  site: Pick<Site, 'folder'>,
  issuer: string,
  keys: readonly PublicKey[],
  says: { readonly [member: string]: unknown } = {},
): Promise<void> {
  const places = placesOf(site.folder, issuer)
  await mkdir(path.dirname(places.discovery), { recursive: true })
  const discovery = {
    issuer,
    jwks_uri: keySetUri(issuer),
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    ...says,
  }
  await writeFile(places.keys, JSON.stringify({ keys }))
  await writeFile(places.discovery, JSON.stringify(discovery))
}

export async function withdrawIssuer(site: Pick<Site, 'folder'>, issuer: string): Promise<void> {
  const places = placesOf(site.folder, issuer)
  await Promise.all([rm(places.discovery, { force: true }), rm(places.keys, { force: true })])
}

export async function startSite(host: string, folder: string, authority: Authority): Promise<RunningSite> {
  await mkdir(folder, { recursive: true })
  const server = createHttps(await authority.server([host, 'localhost', '127.0.0.1']), (request, response) => {
    const url = URL.parse(request.url ?? '/', `https://${host}`)
    const file = path.join(folder, path.normalize(decodeURI(url?.pathname ?? '/')))
    const reading = request.method === 'GET' && file.startsWith(folder) ? readFile(file) : Promise.reject()
    reading.then(
      (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body),
      () => response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n'),
    )
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await listening(server)
  const port = portOf(server)
  const open = new Set<Duplex>()
  const proxy = createHttp((_request, response) => response.writeHead(403).end())
  proxy.on('connect', (request, client: Duplex) => {
    client.on('error', () => client.destroy())
    if (request.url !== `${host}:443`) return client.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const inner = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      inner.pipe(client).pipe(inner)
    })
    inner.on('error', () => client.destroy())
    client.on('close', () => inner.destroy())
    open.add(client)
    client.on('close', () => open.delete(client))
    return undefined
  })
  await listening(proxy)
  const stop = async (): Promise<void> => {
    for (const client of open) client.destroy()
    for (const one of [proxy, server]) {
      const closed = new Promise((done) => one.close(done))
      one.closeAllConnections()
      await closed
    }
  }
  return { host, port, folder, proxy: `http://127.0.0.1:${portOf(proxy)}`, stop }
}

const listening = (server: ReturnType<typeof createHttp> | ReturnType<typeof createHttps>): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
