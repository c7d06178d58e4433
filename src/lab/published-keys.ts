/** Fetches an issuer's keys as a cloud does: anonymously, over TLS, from the host that the issuer names, by kid. */
import { request } from 'node:https'
import { compactVerify, importJWK } from 'jose'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'

/** Where the lab keeps the hosts that the world would find by DNS, and the root that their certificates hang on. */
export type World = { readonly resolve: { readonly [authority: string]: string }; readonly roots: string }

const largest = 1024 * 1024
const patience = 5000

/** The JSON object at an https URL; undefined for whatever else comes back, or nothing. */
export function fetchObject(text: string, { resolve, roots }: World): Promise<JsonObject | undefined> {
  const url = URL.parse(text)
  const [host, port] =
    url === null ? [] : (resolve[`${url.hostname}:${url.port === '' ? '443' : url.port}`] ?? '').split(':')
  if (url === null || url.protocol !== 'https:' || !host || !port) return Promise.resolve(undefined)
  return new Promise((done) => {
    const { hostname, pathname, search } = url
    const headers = { host: url.host, accept: 'application/json, */*' }
    const path = pathname + search
    const asked = request(
      { host, port, path, servername: hostname, ca: roots, headers, timeout: patience, agent: false },
      (reply) => {
        const parts: Buffer[] = []
        let size = 0
        reply.on('data', (part: Buffer) => {
          size += part.length
          if (size > largest) asked.destroy()
          else parts.push(part)
        })
        reply.on('error', () => done(undefined))
        reply.on('close', () => done(undefined))
        reply.on('end', () =>
          done(reply.statusCode === 200 ? parsed(Buffer.concat(parts).toString('utf8')) : undefined),
        )
      },
    )
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => done(undefined))
    asked.end()
  })
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']

/** Whether a key that the issuer publishes under the token's kid verifies its signature. */
export async function verifiesByPublishedKeys(token: string, issuer: string, world: World): Promise<boolean> {
  const discovery = await fetchObject(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, world)
  const keysAt = textAt(discovery, 'jwks_uri')
  if (textAt(discovery, 'issuer') !== issuer || keysAt === undefined) return false
  const header = parsed(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'))
  const [kid, alg] = [textAt(header, 'kid') ?? '', textAt(header, 'alg') ?? '']
  const keys = listAt(await fetchObject(keysAt, world), 'keys').filter(isObject)
  for (const key of keys.filter((one) => one.kid === kid)) {
    try {
      const jwk = Object.fromEntries(['n', 'e', 'crv', 'x', 'y'].map((name) => [name, textAt(key, name)]))
      const material = Object.fromEntries(Object.entries(jwk).filter(([, value]) => value !== undefined))
      await compactVerify(token, await importJWK({ kty: textAt(key, 'kty') ?? '', ...material }, alg), { algorithms })
      return true
    } catch {
      // Another key may stand under the same kid.
    }
  }
  return false
}
