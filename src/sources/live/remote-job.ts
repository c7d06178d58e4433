/** What a job on a compute site has of Kubernetes: two variables, a mounted token and a CA; and the API at their other end. */
import { X509Certificate } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { Agent } from 'node:https'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Json, JsonObject } from '../../core/json.ts'
import { readToken, type TokenReading } from '../../domain/token-claims.ts'
import { handshake, paper } from './handshake.ts'
import { codeOf, plain } from './trouble.ts'
import { exchange, type NoReply } from './wire.ts'

export type RemoteSettings = {
  readonly env: NodeJS.ProcessEnv
  /** Where the token and the CA are mounted. */
  readonly folder: string
  readonly version: string
  readonly signal: AbortSignal
}

/** `missing` and the like: the system's code for a file that could not be read. */
export type Unread = { readonly state: 'unread'; readonly path: string; readonly code: string }
export type Authority = { readonly subject: string; readonly notBefore: string; readonly notAfter: string }
export type Authorities = {
  readonly state: 'read'
  readonly path: string
  readonly all: readonly Authority[]
  readonly size: number
}
export type Replied = { readonly status: number; readonly json: Json | undefined; readonly type: string }
export type Presented = { readonly chain: readonly JsonObject[]; readonly problem?: string }

export type RemoteJob = {
  readonly host: string | undefined
  readonly port: string | undefined
  /** Programs of the job go through it, and this one does not. */
  readonly proxy: string | undefined
  readonly namespace: string | undefined
  /** Header and claims; its signature stays here. */
  readonly token: () => (TokenReading & { readonly path: string; readonly size: number }) | Unread
  readonly authorities: () => Authorities | Unread
  readonly certificate: () => Promise<Presented | NoReply>
  /** With the token; only to whoever the mounted CA vouches for. */
  readonly ask: (path: string, body?: JsonObject) => Promise<Replied | NoReply>
  readonly close: () => void
}

export const mounted = '/var/run/secrets/kubernetes.io/serviceaccount'
const mostInFile = 1 << 18
const mostInAnswer = 1 << 20
const limitMs = 10_000

function fileAt(path: string): string | Unread {
  try {
    const handle = openSync(path, 'r')
    try {
      const buffer = Buffer.alloc(mostInFile)
      return buffer.toString('utf8', 0, readSync(handle, buffer, 0, mostInFile, 0))
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    return { state: 'unread', path, code: codeOf(error) }
  }
}

const blocks = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}-----END CERTIFICATE-----/g

function authoritiesIn(text: string): readonly Authority[] {
  return (text.match(blocks) ?? []).slice(0, 100).flatMap((pem) => {
    try {
      const { subject, validFrom, validTo } = new X509Certificate(pem)
      const [notBefore, notAfter] = [new Date(validFrom).toISOString(), new Date(validTo).toISOString()]
      return [{ subject: plain(subject.replaceAll('\n', ', ')), notBefore, notAfter }]
    } catch {
      return []
    }
  })
}

/** Looks at nothing by itself. */
export function remoteJob({ env, folder, version, signal }: RemoteSettings): RemoteJob {
  const host = env.KUBERNETES_SERVICE_HOST
  const port = env.KUBERNETES_SERVICE_PORT
  const bare = (host ?? '').replace(/^\[|\]$/g, '')
  const proxy = env.HTTPS_PROXY ?? env.https_proxy
  const agent = new Agent({ keepAlive: false })
  const tokenPath = join(folder, 'token')
  const caPath = join(folder, 'ca.crt')
  const ca = (): string => {
    const text = fileAt(caPath)
    return typeof text === 'string' ? text : ''
  }
  const namespace = fileAt(join(folder, 'namespace'))
  const name = isIP(bare) === 0 ? { servername: bare } : {}
  return {
    host,
    port,
    proxy: proxy === undefined || proxy === '' ? undefined : plain(proxy),
    namespace: typeof namespace === 'string' && namespace.trim() !== '' ? plain(namespace) : undefined,
    token: () => {
      const text = fileAt(tokenPath)
      if (typeof text !== 'string') return text
      return { ...readToken(text), path: tokenPath, size: text.trim().length }
    },
    authorities: () => {
      const text = fileAt(caPath)
      if (typeof text !== 'string') return text
      return { state: 'read', path: caPath, all: authoritiesIn(text), size: text.trim().length }
    },
    certificate: async () => {
      const secureContext = createSecureContext({ ca: ca().match(blocks) ?? [] })
      const seen = await handshake(bare, { host: bare, port: Number(port) }, secureContext, limitMs, signal)
      if ('trouble' in seen) return seen
      const { chain, problem } = seen
      return { chain: chain.map(paper), ...(problem === undefined ? {} : { problem }) }
    },
    ask: async (path, body) => {
      const token = fileAt(tokenPath)
      const reply = await exchange({
        url: new URL(`https://${isIP(bare) === 6 ? `[${bare}]` : bare}:${port}${path}`),
        options: {
          ...(body === undefined ? {} : { method: 'POST' }),
          ...name,
          ca: ca().match(blocks) ?? [],
          agent,
          headers: {
            Accept: 'application/json',
            'Accept-Encoding': 'gzip',
            'User-Agent': `kubectl-wi/${version}`,
            ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
            ...(typeof token === 'string' ? { Authorization: `Bearer ${token.trim()}` } : {}),
          },
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: limitMs,
        maxBytes: mostInAnswer,
        signal,
      })
      if ('trouble' in reply) return reply
      let json: Json | undefined
      try {
        json = JSON.parse(reply.body.toString('utf8'))
      } catch {
        json = undefined
      }
      return { status: reply.status, json, type: plain(reply.headers['content-type'] ?? 'no content type') }
    },
    close: () => agent.destroy(),
  }
}
