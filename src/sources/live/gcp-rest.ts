/** Google Cloud's REST interfaces, asked with the person's own sign-in: bounded in size and time, nothing followed, the token kept in here. */
import { Agent } from 'node:https'
import { rootCertificates } from 'node:tls'
import { isObject, type Json, textAt } from '../../core/json.ts'
import type { GoogleService } from '../../domain/google-services.ts'
import type { Lab } from './lab-hook.ts'
import { plain } from './trouble.ts'
import { exchange, type NoReply, noReply, type Reply } from './wire.ts'

export type GoogleOrder = {
  readonly service: GoogleService
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH'
  /** With its query; begins with a slash. */
  readonly path: string
  readonly body?: Json
  /** In the place of a body in JSON. */
  readonly form?: { readonly [name: string]: string }
}
/** An answer in JSON; `NOT_FOUND` and the like stand in `reason`, as the service names them. */
export type GoogleReply =
  | { readonly state: 'answer'; readonly value: Json }
  | { readonly state: 'refusal'; readonly status: number; readonly reason: string; readonly message: string }
  | { readonly state: 'signed-out'; readonly detail: string }
  | { readonly state: 'silence'; readonly trouble: NoReply }

export type GoogleRest = {
  readonly send: (order: GoogleOrder, signal?: AbortSignal) => Promise<GoogleReply>
  /** The same as somebody else than the person, or, without a token, as nobody. */
  readonly sendAs: (bearer: string | undefined, order: GoogleOrder, signal?: AbortSignal) => Promise<GoogleReply>
  readonly close: () => void
}

const mostBytes = 4 << 20
const universe = 'googleapis.com'

/** GOOGLE_CLOUD_UNIVERSE_DOMAIN leads to where a sovereign cloud serves the same interfaces. */
export function googleRest(settings: {
  readonly env: NodeJS.ProcessEnv
  readonly lab: Lab | undefined
  readonly timeoutMs?: number | undefined
  readonly version?: string | undefined
}): GoogleRest {
  const { env, lab, timeoutMs = 30_000, version = '0' } = settings
  const domain = /^[a-z0-9.-]{3,100}$/.test(env.GOOGLE_CLOUD_UNIVERSE_DOMAIN ?? '')
    ? env.GOOGLE_CLOUD_UNIVERSE_DOMAIN
    : universe
  const hasProxy = lab === undefined && (env.HTTPS_PROXY ?? env.https_proxy ?? '') !== ''
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 16,
    ...(lab === undefined ? {} : { ca: [...rootCertificates, ...lab.roots] }),
    ...(hasProxy ? { proxyEnv: env } : {}),
  })
  let signIn: Promise<() => Promise<string | null | undefined>> | undefined

  /** The library keeps the token and renews it; it is asked before each request. */
  const token = async (): Promise<string> => {
    signIn ??= (async () => {
      const { GoogleAuth } = await import('google-auth-library')
      const auth = new GoogleAuth({
        scopes: ['https://www.googleapis.com/auth/cloud-platform'],
        // Without one the library asks for its project, and whoever may not see that could not sign in.
        projectId: env.GOOGLE_CLOUD_PROJECT || 'unused',
      })
      return () => auth.getAccessToken()
    })()
    const got = await (await signIn)()
    if (typeof got !== 'string' || got === '') throw new Error('there are no Google Cloud credentials')
    return got
  }

  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the sign-in took too long')), timeoutMs)
    })
    try {
      return await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
    }
  }

  const send = async (order: GoogleOrder, signal?: AbortSignal): Promise<GoogleReply> => {
    try {
      return await sendAs(await inTime(token()), order, signal)
    } catch (error) {
      return { state: 'signed-out', detail: saysNothing(error) }
    }
  }

  const sendAs: GoogleRest['sendAs'] = async (bearer, order, signal) => {
    const host = `${order.service}.${domain}`
    const place = lab === undefined ? undefined : lab.connect(host, 443)
    if (lab !== undefined && place === undefined)
      return { state: 'silence', trouble: noReply('network', `the lab serves no ${host}`, 'ENOTFOUND') }
    const url = new URL(order.path, `https://${host}`)
    const form = order.form === undefined ? undefined : new URLSearchParams(order.form).toString()
    const body = form ?? (order.body === undefined ? undefined : JSON.stringify(order.body))
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    const reply = await exchange({
      url,
      options: {
        ...place,
        method: order.method ?? (form === undefined ? 'GET' : 'POST'),
        servername: host,
        agent,
        headers: {
          Host: host,
          ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
          Accept: 'application/json',
          'Accept-Encoding': 'gzip',
          'User-Agent': `kubectl-wi/${version}`,
          ...(body === undefined ? {} : { 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(body)) }),
        },
      },
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      maxBytes: mostBytes,
      signal,
    })
    return 'trouble' in reply ? { state: 'silence', trouble: reply } : answerIn(reply)
  }
  return { send, sendAs, close: () => agent.destroy() }
}

/** The library's errors quote requests: only its own first words are passed on, and only those that name no value. */
function saysNothing(error: unknown): string {
  const text = error instanceof Error ? error.message : ''
  if (/Could not load the default credentials/.test(text)) return 'there are no Application Default Credentials'
  if (/invalid_grant|invalid_rapt|reauth/i.test(text)) return 'Google does not accept the credentials any more'
  return /took too long/.test(text) ? text : 'the sign-in to Google Cloud failed'
}

/** https://cloud.google.com/apis/design/errors#http_mapping; Storage answers in an older form, with `errors[].reason`. */
function answerIn({ status, body }: Reply): GoogleReply {
  let value: Json | undefined
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    value = undefined
  }
  if (status >= 200 && status < 300 && value !== undefined) return { state: 'answer', value }
  const error = isObject(value) ? value.error : undefined
  // STS speaks OAuth: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
  if (typeof error === 'string') {
    const description = plain(textAt(value, 'error_description') ?? '')
    return { state: 'refusal', status, reason: plain(error), message: description }
  }
  const reason =
    textAt(error, 'status') ?? (status === 404 && error !== undefined ? 'NOT_FOUND' : status === 403 ? 'FORBIDDEN' : '')
  return { state: 'refusal', status, reason, message: plain(textAt(error, 'message') ?? `status ${status}`) }
}
