/** Azure over REST: signed in as this machine is, by @azure/identity; every answer bounded in size and time, and no token outside of here. */
import { Agent } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { TokenCredentialOptions } from '@azure/identity'
import type { Json } from '../../core/json.ts'
import { textAt } from '../../core/json.ts'
import { type AzureCloud, cloudOfAuthority } from '../../domain/azure-clouds.ts'
import { readToken } from '../../domain/token-claims.ts'
import type { Lab } from './lab-hook.ts'
import { plain } from './trouble.ts'
import { exchange, type NoReply, noReply, pause, type Reply, retryAfterMs } from './wire.ts'

type HttpClient = NonNullable<TokenCredentialOptions['httpClient']>
type PipelineRequest = Parameters<HttpClient['sendRequest']>[0]
type PipelineResponse = Awaited<ReturnType<HttpClient['sendRequest']>>

/** Why nobody is signed in, without what the credentials themselves say. */
export type NotSignedIn = { readonly unsigned: string }
export type Service = 'arm' | 'graph'
export type Sending = {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  readonly body?: Json
  readonly headers?: { readonly [name: string]: string }
  readonly signal?: AbortSignal | undefined
}

export type AzureRest = {
  readonly cloud: AzureCloud
  /** `path` begins with a slash, or is a whole address of the same host: the next page of a list. */
  readonly send: (service: Service, path: string, how?: Sending) => Promise<Reply | NoReply | NotSignedIn>
  /** The tenant of whoever is signed in; undefined where nobody is. */
  readonly tenant: (signal?: AbortSignal) => Promise<string | undefined>
  /** Without anybody being signed in; `form` is posted. */
  readonly anonymous: (url: URL, signal?: AbortSignal, form?: URLSearchParams) => Promise<Reply | NoReply>
  /** For @azure/identity. */
  readonly client: () => HttpClient
  readonly close: () => void
}

const hosts: { readonly [C in AzureCloud]: { readonly [S in Service]: string } } = {
  AzurePublicCloud: { arm: 'management.azure.com', graph: 'graph.microsoft.com' },
  AzureUSGovernmentCloud: { arm: 'management.usgovcloudapi.net', graph: 'graph.microsoft.us' },
  AzureChinaCloud: { arm: 'management.chinacloudapi.cn', graph: 'microsoftgraph.chinacloudapi.cn' },
}
export const armScope = (cloud: AzureCloud): string => `https://${hosts[cloud].arm}/.default`

const mostBytes = 8 << 20
const longestWait = 5000

/** The cloud is that of AZURE_AUTHORITY_HOST, else the public one; `timeoutMs` is for one request, 30 seconds if it is not said. */
export function azureRest(settings: {
  readonly env: NodeJS.ProcessEnv
  readonly lab: Lab | undefined
  readonly timeoutMs?: number | undefined
  readonly version?: string | undefined
}): AzureRest {
  const { env, lab, version = '0' } = settings
  const timeoutMs = settings.timeoutMs ?? 30_000
  const authorityHost = env.AZURE_AUTHORITY_HOST
  const cloud = cloudOfAuthority(authorityHost ?? '') ?? 'AzurePublicCloud'
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 8,
    ca: [...(lab?.roots ?? rootCertificates)],
    ...(lab === undefined ? { proxyEnv: env } : {}),
  })

  const errand = async (
    url: URL,
    method: string,
    headers: { readonly [name: string]: string },
    body: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Reply | NoReply> => {
    const to = lab === undefined ? undefined : lab.connect(url.hostname, url.port === '' ? 443 : Number(url.port))
    if (lab !== undefined && to === undefined)
      return noReply('network', `the lab serves no ${plain(url.hostname)}`, 'ENOTFOUND')
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
    return exchange({
      url,
      options: {
        ...to,
        method,
        servername: url.hostname,
        headers: { 'User-Agent': `kubectl-wi/${version}`, ...headers, ...length, Host: url.host },
        agent,
      },
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      maxBytes: mostBytes,
      signal,
    })
  }

  const client = (): HttpClient => ({
    sendRequest: async (request: PipelineRequest): Promise<PipelineResponse> => {
      const { url, method, headers, body, abortSignal } = request
      const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined
      const target = URL.parse(url)
      // The metadata endpoint of the machine is http; nothing that holds a secret goes there.
      if (target === null || (target.protocol !== 'https:' && !target.hostname.startsWith('169.254.')))
        throw new Error('not an https address')
      if (target.protocol !== 'https:' && lab !== undefined) throw new Error('the lab has no metadata endpoint')
      const text = typeof body === 'string' ? body : undefined
      const reply = await errand(target, method, { ...headers.toJSON(), 'Accept-Encoding': 'identity' }, text, signal)
      if ('trouble' in reply) throw Object.assign(new Error(reply.detail), { name: 'RestError', code: reply.code })
      return { request, status: reply.status, headers: headersOf(reply), bodyAsText: reply.body.toString('utf8') }
    },
  })

  type Held = { readonly token: string; readonly until: number }
  const held = new Map<Service, Promise<Held | NotSignedIn>>()
  let credential: Promise<{
    getToken: (scope: string) => Promise<{ token: string; expiresOnTimestamp: number } | null>
  }>
  const signIn = async (service: Service): Promise<Held | NotSignedIn> => {
    credential ??= (async () => {
      const { DefaultAzureCredential } = await import('@azure/identity')
      return new DefaultAzureCredential({
        httpClient: client(),
        retryOptions: { maxRetries: 0 },
        processTimeoutInMs: 15_000,
        ...(authorityHost === undefined || authorityHost === '' ? {} : { authorityHost }),
      })
    })()
    try {
      const access = await (await credential).getToken(`https://${hosts[cloud][service]}/.default`)
      if (access === null) return { unsigned: 'there are no credentials for Azure' }
      return { token: access.token, until: access.expiresOnTimestamp - 300_000 }
    } catch (error) {
      const code = /AADSTS\d{5,8}/.exec(error instanceof Error ? error.message : '')?.[0]
      return {
        unsigned:
          code === undefined
            ? 'there are no credentials for Azure'
            : `Entra does not take the credentials of this machine (${code})`,
      }
    }
  }
  const tokenFor = async (service: Service): Promise<Held | NotSignedIn> => {
    const now = await held.get(service)
    if (now !== undefined && ('unsigned' in now || now.until > Date.now())) return now
    const next = signIn(service)
    held.set(service, next)
    return next
  }

  const send = async (service: Service, path: string, how: Sending = {}): Promise<Reply | NoReply | NotSignedIn> => {
    const host = hosts[cloud][service]
    const url = URL.parse(path, `https://${host}`)
    // The next page is named by the answer: a token never goes to another host.
    if (url === null || url.protocol !== 'https:' || url.host !== host)
      return noReply('network', 'the answer leads to another host')
    const access = await tokenFor(service)
    if ('unsigned' in access) return access
    const { method = 'GET', body, headers = {}, signal } = how
    const all = {
      Accept: 'application/json',
      'Accept-Encoding': 'gzip',
      Authorization: `Bearer ${access.token}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    }
    const text = body === undefined ? undefined : JSON.stringify(body)
    for (let tries = 1; ; tries += 1) {
      const reply = await errand(url, method, all, text, signal)
      if ('trouble' in reply || reply.status !== 429 || tries > 2) return reply
      await pause(Math.min(longestWait, retryAfterMs(reply.headers) ?? 1000), signal)
    }
  }

  return {
    cloud,
    send,
    client,
    tenant: async () => {
      const access = await tokenFor('arm')
      const read = 'unsigned' in access ? undefined : readToken(access.token)
      return read?.state === 'read' ? textAt(read.claims, 'tid') : undefined
    },
    anonymous: (url, signal, form) => {
      const type = form === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded;charset=utf-8' }
      const headers = { Accept: 'application/json', 'Accept-Encoding': 'identity', ...type }
      return errand(url, form === undefined ? 'GET' : 'POST', headers, form?.toString(), signal)
    },
    close: () => {
      held.clear()
      agent.destroy()
    },
  }
}

/** Headers as @azure/identity wants them. */
function headersOf({ headers }: Reply): PipelineResponse['headers'] {
  const all = new Map<string, string>()
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) all.set(name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value)
  return {
    get: (name) => all.get(name.toLowerCase()),
    has: (name) => all.has(name.toLowerCase()),
    set: (name, value) => {
      all.set(name.toLowerCase(), String(value))
    },
    delete: (name) => {
      all.delete(name.toLowerCase())
    },
    toJSON: () => Object.fromEntries(all),
    [Symbol.iterator]: () => all.entries(),
  }
}
