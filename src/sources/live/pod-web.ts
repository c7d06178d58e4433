/** Requests of a pod to clouds over plain HTTPS, tokens in them: certificates are verified, and what comes back is bounded. */
import { Agent } from 'node:https'
import type { Json } from '../../core/json.ts'
import { textAt } from '../../core/json.ts'
import type { Answer } from '../../core/proof.ts'
import { readLab } from './lab-hook.ts'
import type { Attempt } from './pod-aws.ts'
import type { TokenVault } from './token-vault.ts'
import { plain } from './trouble.ts'
import { exchange, type NoReply } from './wire.ts'

export type PodWebSettings = {
  readonly env: NodeJS.ProcessEnv
  readonly vault: TokenVault
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}
type Sending = {
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string
  readonly timeoutMs?: number
}
export type Answered = {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly value: Json
}
export type PodWeb = {
  /** JSON where the answer is some, else its text in one line. */
  readonly send: (url: URL, how?: Sending) => Promise<Answered | NoReply>
  /** Foreign words without any token that is held. */
  readonly words: (text: string) => string
  readonly inLab: boolean
  readonly close: () => void
}

const mostBytes = 256 * 1024

/** @throws LiveTrouble where KUBECTL_WI_LAB cannot be used */
export function podWeb({ env, vault, timeoutMs, signal }: PodWebSettings): PodWeb {
  const lab = readLab(env)
  const proxied = lab === undefined && (env.HTTPS_PROXY ?? env.https_proxy ?? '') !== ''
  const agent = new Agent({ keepAlive: false, ...(proxied ? { proxyEnv: env } : {}) })
  const words = (text: string): string => plain(vault.without(text))
  return {
    words,
    inLab: lab !== undefined,
    send: async (url, { headers = {}, body, timeoutMs: own } = {}) => {
      const secure = url.protocol === 'https:'
      const to = secure ? lab?.connect(url.hostname, url.port === '' ? 443 : Number(url.port)) : undefined
      const reply = await exchange({
        url,
        options: {
          ...(body === undefined ? {} : { method: 'POST' }),
          ...(to === undefined ? {} : { ...to, servername: url.hostname }),
          ...(lab === undefined || !secure ? {} : { ca: [...lab.roots] }),
          agent: secure ? agent : false,
          headers: {
            Accept: 'application/json, */*',
            'User-Agent': 'kubectl-wi',
            Host: url.host,
            ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
            ...headers,
          },
        },
        ...(body === undefined ? {} : { body }),
        timeoutMs: own ?? timeoutMs,
        maxBytes: mostBytes,
        signal,
      })
      if ('trouble' in reply) return reply
      const text = reply.body.toString('utf8')
      let value: Json = text
      try {
        value = JSON.parse(text)
      } catch {
        // A text is told as it is.
      }
      return { status: reply.status, headers: reply.headers, value }
    },
    close: () => agent.destroy(),
  }
}

export const silent = (url: URL, { detail, code, trouble }: NoReply): Attempt => ({
  state: 'unseen',
  detail: `${plain(url.host)}: ${plain(detail)}${code === '' ? '' : ` (${code})`}`,
  // That we stopped waiting says nothing about the other side.
  unreachable: trouble !== 'cancelled',
})

/** What a refusal says, whichever of the clouds' forms it has: OAuth's `error`, Google's `error.message`, a text. */
export function refusalOf(web: PodWeb, url: URL, { status, value }: Answered): Attempt {
  if (status >= 500) return { state: 'unseen', detail: `${plain(url.host)} answered ${status}`, unreachable: false }
  const description = textAt(value, 'error_description') ?? textAt(value, 'error', 'message') ?? ''
  const message = web.words(description === '' && typeof value === 'string' ? value : description)
  const entra = /^AADSTS\d{4,8}/.exec(message)?.[0]
  const code = entra ?? textAt(value, 'error') ?? textAt(value, 'error', 'status') ?? `HTTP ${status}`
  const answer: Answer = { code: web.words(code), message, status, endpoint: url.origin }
  return { state: 'refused', answer }
}
