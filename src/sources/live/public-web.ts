/** The public internet as seen from this machine, anonymously: one document, one host's certificates, one name's addresses. */
import { promises as dns } from 'node:dns'
import { Agent } from 'node:https'
import { isIP } from 'node:net'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { JsonObject } from '../../core/json.ts'
import { handshake, paper } from './handshake.ts'
import type { Lab } from './lab-hook.ts'
import { plain } from './trouble.ts'
import { exchange, type NoReply, noReply, type Reply, troubleOf } from './wire.ts'

export type Lookup = (host: string) => Promise<readonly string[]>

export type PublicWeb = {
  readonly get: (url: URL, signal?: AbortSignal) => Promise<Reply | NoReply>
  readonly certificates: (host: string, port: number, signal?: AbortSignal) => Promise<JsonObject | NoReply>
  readonly addresses: (host: string) => Promise<readonly string[] | NoReply>
  /** Whether requests to this host go through a proxy, whose answers need not be the host's. */
  readonly proxied: (host: string) => boolean
  readonly close: () => void
}

export type PublicWebSettings = {
  readonly env: NodeJS.ProcessEnv
  readonly lab: Lab | undefined
  readonly lookup?: Lookup | undefined
  readonly timeoutMs?: number | undefined
  readonly version?: string | undefined
}

const mostBytes = 1 << 20
const limitMs = 10_000
/** Looked up when a name is not found: where this one is not either, the machine knows no public names at all. */
const control = 'sts.amazonaws.com'

const systemLookup: Lookup = async (host) => (await dns.lookup(host, { all: true })).map(({ address }) => address)

export function publicWeb(settings: PublicWebSettings): PublicWeb {
  const { env, lab, lookup = systemLookup } = settings
  const timeoutMs = Math.min(settings.timeoutMs ?? limitMs, limitMs)
  const roots = lab?.roots ?? rootCertificates
  const hasProxy = (env.HTTPS_PROXY ?? env.https_proxy ?? '') !== ''
  const proxied = (host: string): boolean => lab === undefined && hasProxy && !exempt(host, env)
  let context: SecureContext | undefined
  let known: Set<string> | undefined
  const direct = new Agent({ keepAlive: false })
  const through = hasProxy ? new Agent({ keepAlive: false, proxyEnv: env }) : direct
  let control_: Promise<boolean> | undefined

  /** A name that is not found is only believed of a machine that finds public names. */
  const believed = async (trouble: NoReply): Promise<NoReply> => {
    if (trouble.code !== 'ENOTFOUND' && trouble.code !== 'ENODATA') return trouble
    control_ ??= lookup(control).then(
      () => true,
      () => false,
    )
    return (await control_) ? trouble : noReply('network', 'this machine resolves no public names', 'EAI_AGAIN')
  }

  const place = (host: string, port: number): { readonly host: string; readonly port: number } | undefined =>
    lab === undefined ? { host, port } : lab.connect(host, port)
  const nowhere = (host: string): NoReply => noReply('network', `the lab serves no ${plain(host)}`, 'ENOTFOUND')

  const get = async (url: URL, signal?: AbortSignal): Promise<Reply | NoReply> => {
    const host = bare(url.hostname)
    const to = place(host, portOf(url))
    if (to === undefined) return nowhere(host)
    const errand = {
      url,
      options: {
        ...(lab === undefined ? {} : to),
        headers: {
          // An API server answers 406 for its keys to whoever takes JSON alone: they are application/jwk-set+json.
          Accept: 'application/json, */*',
          'User-Agent': `kubectl-wi/${settings.version ?? '0'}`,
          'Accept-Encoding': 'gzip',
          Host: url.host,
        },
        agent: proxied(host) ? through : direct,
        // The certificate has a question of its own; here the document itself is wanted, whoever signed for the host.
        rejectUnauthorized: false,
        ...(isIP(host) === 0 ? { servername: host } : {}),
      },
      timeoutMs,
      maxBytes: mostBytes,
      signal,
    }
    let reply = await exchange(errand)
    if (!('trouble' in reply) && reply.status >= 500) reply = await exchange(errand)
    return 'trouble' in reply && lab === undefined ? believed(reply) : reply
  }

  const certificates = async (host: string, port: number, signal?: AbortSignal): Promise<JsonObject | NoReply> => {
    const to = place(bare(host), port)
    if (to === undefined) return nowhere(host)
    context ??= createSecureContext({ ca: [...roots] })
    const seen = await handshake(bare(host), to, context, timeoutMs, signal)
    if ('trouble' in seen) {
      // The host has answered, only not in TLS, or not in a way that a client can go on with.
      if (seen.trouble === 'tls') return { host, chain: [], trusted: false, problem: seen.code }
      return lab === undefined ? believed(seen) : seen
    }
    known ??= new Set(roots.map(derOf))
    const { chain, problem } = seen
    // Node completes the chain from its own list; a public root at its end was not sent by the host.
    const sent = chain.filter((one, index) => index === 0 || !known?.has(one.toString('base64')))
    return {
      host,
      chain: sent.map(paper),
      trusted: problem === undefined,
      ...(problem === undefined ? {} : { problem }),
    }
  }

  const addresses = async (host: string): Promise<readonly string[] | NoReply> => {
    if (isIP(bare(host)) !== 0) return [bare(host)]
    if (lab !== undefined) return lab.addresses(host) ?? nowhere(host)
    try {
      return await lookup(host)
    } catch (error) {
      return believed(troubleOf(error))
    }
  }

  return {
    get,
    certificates,
    addresses,
    proxied,
    close: () => {
      direct.destroy()
      through.destroy()
    },
  }
}

const bare = (host: string): string => host.replace(/^\[|\]$/g, '')
export const portOf = (url: URL): number => (url.port === '' ? 443 : Number(url.port))
const derOf = (pem: string): string => pem.replace(/-----[A-Z ]+-----|\s/g, '')

function exempt(host: string, env: NodeJS.ProcessEnv): boolean {
  const rules = (env.NO_PROXY ?? env.no_proxy ?? '').split(',').map((rule) => rule.trim().toLowerCase())
  const name = host.toLowerCase()
  return rules.some((rule) => {
    if (rule === '') return false
    const tail = rule.replace(/^\*?\./, '')
    return rule === '*' || name === tail || name.endsWith(`.${tail}`)
  })
}
