/** The process of the OpenID provider: `node oidc-provider-main.ts FILE`, the file saying where its package lies and what it serves. */
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

export type ProviderOrder = {
  readonly home: string
  readonly issuer: string
  readonly port: number
  readonly cert: string
  readonly key: string
  readonly client: { readonly id: string; readonly secret: string }
  /** It signs the tokens; PKCS#8 in PEM. */
  readonly privateKey: string
}

type Provider = { readonly callback: () => RequestListener }

const order: ProviderOrder = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const place = pathToFileURL(path.join(order.home, 'lib', 'index.js')).href
const { default: Provider }: { default: new (issuer: string, settings: object) => Provider } = await import(place)
const signing = createPrivateKey(order.privateKey).export({ format: 'jwk' })

const provider = new Provider(order.issuer, {
  jwks: { keys: [{ ...signing, kid: 'live', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: [order.client.secret] },
  clients: [
    {
      client_id: order.client.id,
      client_secret: order.client.secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  ttl: { ClientCredentials: 600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // The token is a JWT for whatever resource the client names (RFC 8707), which must be an absolute URI.
      getResourceServerInfo: (_context: unknown, audience: string) => ({
        ...{ scope: '', audience, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } },
      }),
    },
  },
})
createServer({ cert: order.cert, key: order.key }, provider.callback()).listen(order.port, '127.0.0.1')
