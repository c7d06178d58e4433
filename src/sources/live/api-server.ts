/** Requests to one API server with one user's credentials: authentication by client-node, transport by node:http(s). */
import { X509Certificate } from 'node:crypto'
import { Agent as HttpAgent } from 'node:http'
import { Agent, type RequestOptions } from 'node:https'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { type ExecAuthenticator, execAuthenticator, execProvider } from './exec-credential.ts'
import { type Chosen, chooseCluster, impersonation, type KubeFlags, requestTimeoutMs } from './kubeconfig.ts'
import { codeOf, LiveTrouble, plain, wordsOf } from './trouble.ts'
import { exchange, type NoReply, pause, type Reply, retryAfterMs } from './wire.ts'

export type ApiServer = {
  readonly server: string
  readonly context?: string
  readonly cluster: string
  readonly user: string
  readonly namespace: string
  /** The authority that the kubeconfig holds, base64 of PEM: it tells one cluster from another. */
  readonly caData?: string
  /** Arguments of the exec credential plugin: they name the cluster on managed Kubernetes. */
  readonly execArgs: readonly string[]
  readonly execEnv: JsonObject
  /** Asks; retries what is throttled or broken off. @throws LiveTrouble where no credentials can be had at all */
  readonly send: (path: string, how?: Sending) => Promise<Reply | NoReply>
  /** Why the user may be refused, as far as the credentials themselves tell. */
  readonly refusal: () => string
  readonly close: () => void
}

export type Sending = {
  readonly body?: Json
  /** POST where there is a body, else GET. */
  readonly method?: 'PATCH' | 'PUT' | 'DELETE' | undefined
  readonly contentType?: string | undefined
  readonly maxBytes?: number
  readonly packed?: boolean
  /** What is asked for in place of JSON; a server that does not know it answers with JSON. */
  readonly accept?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export type ApiServerSettings = {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly timeoutMs?: number | undefined
  readonly version?: string | undefined
  readonly concurrency?: number | undefined
}

const defaultTimeoutMs = 30_000
const mostBytes = 256 << 20
const attempts = 3
/** Credentials are looked at again after this time: a token file rotates, a plugin's credential expires. */
const freshMs = 30_000

/** @throws LiveTrouble */
export async function connect(flags: KubeFlags, settings: ApiServerSettings): Promise<ApiServer> {
  const env = settings.env ?? process.env
  const timeoutMs = requestTimeoutMs(flags.requestTimeout) ?? settings.timeoutMs ?? defaultTimeoutMs
  const chosen = await chooseCluster(flags, env)
  const { cluster } = chosen
  const secure = cluster.server.startsWith('https:')
  const root = new URL(cluster.server)
  const { config, plugin } = await authentication(chosen, env, timeoutMs)
  const extra = impersonation(chosen, flags)
  const compress = flags.disableCompression !== true
  let prepared: { readonly at: number; readonly options: Promise<RequestOptions> } | undefined
  let agent: { readonly of: string; readonly agent: Agent | HttpAgent } | undefined

  const agentFor = (options: RequestOptions): Agent | HttpAgent => {
    const of = `${String(options.cert ?? '')} ${String(options.key ?? '')}`
    if (agent?.of === of) return agent.agent
    agent?.agent.destroy()
    const loopback = /^(localhost|127\.|\[::1\])/.test(root.hostname)
    const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options
    const base = { keepAlive: true, maxSockets: settings.concurrency ?? 8, ...(loopback ? {} : { proxyEnv: env }) }
    const made = secure
      ? new Agent({ ...base, ca, cert, key, passphrase, servername, rejectUnauthorized })
      : new HttpAgent(base)
    agent = { of, agent: made }
    return made
  }

  const prepare = async (): Promise<RequestOptions> => {
    const options: RequestOptions = { headers: {} }
    try {
      await config.applyToHTTPSOptions(options)
    } catch (error) {
      throw error instanceof LiveTrouble ? error : unusable(chosen, error)
    }
    const headers: { [name: string]: string | string[] } = {
      // As kubectl: the keys at /openid/v1/jwks are application/jwk-set+json, and refused with 406 to whoever takes JSON alone.
      Accept: 'application/json, */*',
      'User-Agent': `kubectl-wi/${settings.version ?? '0'}`,
      ...(compress ? { 'Accept-Encoding': 'gzip' } : {}),
      ...extra,
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim()
    // A proxy named in the kubeconfig is client-node's business; its agent then stays.
    const made = cluster.proxyUrl ? options.agent : undefined
    try {
      return { ...options, headers, agent: made ?? agentFor(options) }
    } catch (error) {
      throw unusable(chosen, error)
    }
  }

  const optionsNow = (): Promise<RequestOptions> => {
    if (prepared === undefined || Date.now() - prepared.at > freshMs) prepared = { at: Date.now(), options: prepare() }
    return prepared.options
  }

  const send: ApiServer['send'] = async (path, how = {}) => {
    const { signal, maxBytes = mostBytes } = how
    const url = new URL(`${root.pathname.replace(/\/$/, '')}${path}`, root)
    const body = how.body === undefined ? undefined : JSON.stringify(how.body)
    for (let attempt = 1; ; attempt += 1) {
      const ready = await optionsNow()
      const options =
        how.accept === undefined ? ready : { ...ready, headers: { ...headersOf(ready), Accept: how.accept } }
      const reply = await exchange({
        url,
        options:
          body === undefined
            ? options
            : {
                ...options,
                method: how.method ?? 'POST',
                headers: {
                  ...headersOf(options),
                  'Content-Type': how.contentType ?? 'application/json',
                  // Of a DELETE node:http sends the body without its length, and so as the start of another request.
                  'Content-Length': String(Buffer.byteLength(body)),
                },
              },
        ...(body === undefined ? {} : { body }),
        timeoutMs,
        maxBytes,
        packed: how.packed,
        signal,
      })
      if (attempt >= attempts || signal?.aborted) return reply
      if ('trouble' in reply) {
        // A connection kept alive may have been closed by the other side just now; nothing has been answered yet.
        if (reply.trouble === 'network' && /^(ECONNRESET|EPIPE)$/.test(reply.code) && body === undefined) continue
        return reply
      }
      if (reply.status === 401 && plugin !== undefined && attempt === 1) {
        plugin.forget()
        prepared = undefined
        continue
      }
      const again = reply.status === 429 || (body === undefined && [500, 502, 503, 504].includes(reply.status))
      if (!again) return reply
      const asked = retryAfterMs(reply.headers)
      const limit = timeoutMs > 0 ? timeoutMs : defaultTimeoutMs
      if (asked !== undefined && asked > limit) return reply
      await pause(asked ?? 200 * 2 ** (attempt - 1) * (1 + Math.random() / 2), signal)
    }
  }

  return {
    server: cluster.server,
    ...(chosen.context === undefined ? {} : { context: chosen.context }),
    cluster: cluster.name,
    user: chosen.user.name,
    namespace: chosen.namespace,
    ...(cluster.caData ? { caData: cluster.caData } : {}),
    execArgs: execArgsOf(chosen),
    execEnv: execEnvOf(chosen),
    send,
    refusal: () => refusalOf(chosen),
    close: () => {
      plugin?.stop()
      agent?.agent.destroy()
    },
  }
}

const headersOf = ({ headers }: RequestOptions) => (headers === undefined || Array.isArray(headers) ? {} : headers)

export async function authentication(chosen: Chosen, env: NodeJS.ProcessEnv, timeoutMs: number) {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const { cluster } = chosen
  const { exec: fromFile, ...user } = chosen.user
  const { exec } = chosen.rawUser
  const plugin: ExecAuthenticator | undefined =
    fromFile && isObject(exec) ? execAuthenticator({ exec, cluster: clusterInfo(chosen), env, timeoutMs }) : undefined
  const config = new KubeConfig()
  config.loadFromOptions({
    // client-node refuses plain http unless TLS verification is off; there is none to be turned off.
    clusters: [cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster],
    users: [plugin === undefined ? user : { ...user, authProvider: { name: execProvider } }],
    contexts: [{ name: 'chosen', cluster: cluster.name, user: user.name }],
    currentContext: 'chosen',
  })
  if (plugin !== undefined) config.addAuthenticator(plugin)
  return { config, plugin }
}

const clusterInfo = ({ cluster }: Chosen): JsonObject => ({
  server: cluster.server,
  ...(cluster.tlsServerName ? { 'tls-server-name': cluster.tlsServerName } : {}),
  ...(cluster.skipTLSVerify ? { 'insecure-skip-tls-verify': true } : {}),
  ...(cluster.caData ? { 'certificate-authority-data': cluster.caData } : {}),
  ...(cluster.proxyUrl ? { 'proxy-url': cluster.proxyUrl } : {}),
  config: null,
})

const execArgsOf = ({ rawUser }: Chosen): readonly string[] => listAt(rawUser, 'exec', 'args').map(String)

function execEnvOf({ rawUser }: Chosen): JsonObject {
  const found: { [name: string]: string } = {}
  for (const one of listAt(rawUser, 'exec', 'env')) {
    const name = textAt(one, 'name')
    const value = textAt(one, 'value')
    if (value !== undefined && (name === 'AWS_PROFILE' || name === 'AWS_REGION' || name === 'AWS_DEFAULT_REGION'))
      found[name] = value
  }
  return found
}

function unusable({ where, user }: Chosen, error: unknown): LiveTrouble {
  const code = codeOf(error)
  const path = error instanceof Error && 'path' in error && typeof error.path === 'string' ? ` ${error.path}` : ''
  return new LiveTrouble(
    `the credentials of user ${plain(user.name)} in ${where} cannot be used: ${code === 'ENOENT' ? `the file${path} does not exist` : code === 'EACCES' ? `the file${path} cannot be read` : wordsOf(error)}`,
    'so nothing in the cluster could be asked',
    'correct the certificate authority, client certificate, key or token of the kubeconfig, or sign in to the cluster again',
  )
}

function refusalOf({ user, cluster }: Chosen): string {
  const who = `user ${plain(user.name)}`
  const ended = (text: string | number | undefined): string | undefined => {
    const at = typeof text === 'number' ? text * 1000 : Date.parse(text ?? '')
    return at < Date.now() ? new Date(at).toISOString() : undefined
  }
  if (user.certData && !cluster.server.startsWith('http:')) {
    try {
      const expired = ended(new X509Certificate(Buffer.from(user.certData, 'base64')).validTo)
      if (expired !== undefined) return `the client certificate of ${who} expired at ${expired}`
    } catch {
      return `the client certificate of ${who} is not a certificate`
    }
  }
  if (user.token) {
    try {
      const claims: unknown = JSON.parse(Buffer.from(user.token.split('.')[1] ?? '', 'base64url').toString('utf8'))
      const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined
      const expired = typeof exp === 'number' ? ended(exp) : undefined
      if (expired !== undefined) return `the token of ${who} expired at ${expired}`
    } catch {
      // A token without readable claims tells nothing about its age.
    }
  }
  return `the API server does not accept the credentials of ${who}`
}
