/** The issuer as the world sees it: its discovery document and its published keys, anonymously, at the paths that the case names. */
import { type JsonObject, textAt } from '../core/json.ts'
import type { LabCase } from './case.ts'
import type { Handler, Reply } from './listener.ts'
import type { Signer } from './signer.ts'

export type IssuerDocuments = {
  /** As the API server serves it. */
  readonly served: JsonObject
  /** Where the issuer listens, `host:port` as a client would dial it; empty where nobody outside could reach it. */
  readonly authorities: readonly string[]
  readonly handle: Handler
}

const wellKnown = '/.well-known/openid-configuration'
const json = { 'content-type': 'application/json', 'cache-control': 'public, max-age=3600' }
const keySet = { ...json, 'content-type': 'application/jwk-set+json' }

export const discoveryReply = (discovery: JsonObject): Reply => ({
  status: 200,
  headers: json,
  body: JSON.stringify(discovery),
})
export const keysReply = (keys: JsonObject): Reply => ({ status: 200, headers: keySet, body: JSON.stringify(keys) })

/** A host of a private network stays as unreachable in the lab as it is in the world. */
const internal = /(^|\.)(svc|local|localhost|internal)$|^[\d.]+$|^\[|^[^.]+$/i

const publicUrl = (text: string | undefined): URL | undefined => {
  const url = text === undefined ? null : URL.parse(text)
  return url === null || url.protocol !== 'https:' || internal.test(url.hostname) ? undefined : url
}
const authorityOf = ({ hostname, port }: URL): string => `${hostname}:${port === '' ? '443' : port}`
const pathBelow = (url: URL, path: string): string => url.pathname.replace(/\/$/, '') + path

/** The documents of a case and who serves them where; `refused` tells which requests to answer with 403. */
export function issuerOf(
  lab: LabCase,
  signer: Signer,
  refused: (verb: string, what: string) => boolean,
): IssuerDocuments {
  const isEks = /^https:\/\/oidc\.eks\./.test(lab.issuer)
  const base = lab.issuer.replace(/\/$/, '')
  const discovery: JsonObject = lab.discovery ?? {
    issuer: lab.issuer,
    jwks_uri: `${base}${isEks ? '/keys' : '/openid/v1/jwks'}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  }
  const issuers = [lab.issuer, textAt(lab.cluster, 'identity', 'oidc', 'issuer'), textAt(discovery, 'issuer')].flatMap(
    (text) => publicUrl(text) ?? [],
  )
  const keys = publicUrl(textAt(discovery, 'jwks_uri'))
  const discoveryPaths = new Set(issuers.map((url) => pathBelow(url, wellKnown)))
  const authorities = [...new Set([...issuers, ...(keys === undefined ? [] : [keys])].map(authorityOf))]
  const forbidden: Reply = { status: 403, headers: { 'content-type': 'text/plain' }, body: 'Forbidden' }
  const handle: Handler = ({ method, path }) => {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: '' }
    if (discoveryPaths.has(path)) return refused('get', 'discovery') ? forbidden : discoveryReply(discovery)
    if (keys !== undefined && path === keys.pathname)
      return refused('get', 'jwks') ? forbidden : keysReply(signer.published)
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not Found' }
  }
  return { served: lab.served.discovery ?? discovery, authorities, handle }
}
