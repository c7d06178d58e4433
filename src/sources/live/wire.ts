/** One HTTP exchange over node:http(s), bounded in size and time; trouble comes back as data. */
import { type RequestOptions as HttpOptions, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { codeOf, wordsOf } from './trouble.ts'

export type Reply = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** `network` and `tls` carry the system's or OpenSSL's code. */
export type NoReply = {
  readonly trouble: 'timeout' | 'cancelled' | 'too-large' | 'network' | 'tls'
  readonly code: string
  readonly detail: string
}

export type Errand = {
  readonly url: URL
  /** Agent, certificates, headers, and the address to connect to where it is not the URL's own. */
  readonly options: RequestOptions
  readonly body?: string
  /** 0: no limit. */
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Leaves the body as compressed as it came, for `unpack`. */
  readonly packed?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

const inflate = promisify(gunzip)
const mostInOne = 32 << 20
const tlsCode =
  /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO|CRL_|INVALID_CA|PATH_LENGTH)/

export const noReply = (trouble: NoReply['trouble'], detail: string, code = ''): NoReply => ({ trouble, code, detail })

/** What a failed connection says, by whom it says it. */
export function troubleOf(error: unknown): NoReply {
  const code = error instanceof AggregateError ? codeOfAll(error) : codeOf(error)
  if (code === 'ABORT_ERR') return noReply('cancelled', 'the run was stopped')
  return noReply(tlsCode.test(code) ? 'tls' : 'network', wordsOf(error), code)
}

/** A host with several addresses has refused only where all that this machine has a way to have refused. */
function codeOfAll({ errors }: AggregateError): string {
  const codes = errors.map(codeOf)
  if (codes.includes('ECONNREFUSED') && codes.every((code) => code === 'ECONNREFUSED' || code === 'ENETUNREACH'))
    return 'ECONNREFUSED'
  return codes.find((code) => code !== 'ECONNREFUSED' && code !== 'ENETUNREACH') ?? codes[0] ?? ''
}

/** Never throws. A redirect is an answer like any other: nothing is followed. */
export async function exchange(errand: Errand): Promise<Reply | NoReply> {
  const raw = await collect(errand)
  return 'trouble' in raw || errand.packed === true ? raw : unpack(raw, errand.maxBytes)
}

/** The reply with its body as it was before compression. */
export async function unpack(reply: Reply, maxBytes: number): Promise<Reply | NoReply> {
  const { body, headers } = reply
  if (headers['content-encoding'] !== 'gzip') return reply
  // The last four bytes of gzip are the size of what is in it: one buffer of that size instead of many that are joined.
  const size = body.length < 18 ? 0 : body.readUInt32LE(body.length - 4)
  // A buffer that is filled to the brim makes zlib take another one.
  const chunkSize = Math.min(size + 64, maxBytes, mostInOne)
  try {
    return {
      ...reply,
      headers: { ...headers, 'content-encoding': 'identity' },
      body: await inflate(body, { maxOutputLength: maxBytes, chunkSize }),
    }
  } catch (error) {
    return codeOf(error) === 'ERR_BUFFER_TOO_LARGE'
      ? noReply('too-large', `the answer is larger than ${maxBytes} bytes`)
      : noReply('network', 'the answer is not the gzip that it says it is', codeOf(error))
  }
}

/** Gives a large body's memory back now rather than when it is collected. The body is empty afterwards. */
export function release({ body }: Reply): void {
  const { buffer } = body
  if (buffer instanceof ArrayBuffer && body.length > 1 << 20 && !buffer.detached) buffer.transfer(0)
}

function collect({ url, options, body, timeoutMs, maxBytes, signal }: Errand): Promise<Reply | NoReply> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve(noReply('cancelled', 'the run was stopped'))
      return
    }
    const target: RequestOptions = {
      protocol: url.protocol,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      ...options,
    }
    let settled = false
    const request = url.protocol === 'https:' ? httpsRequest(target) : httpRequest(target satisfies HttpOptions)
    const settle = (outcome: Reply | NoReply): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      resolve(outcome)
      if ('trouble' in outcome) request.destroy()
    }
    const stop = (): void => settle(noReply('cancelled', 'the run was stopped'))
    const timer =
      timeoutMs > 0
        ? setTimeout(() => settle(noReply('timeout', `no answer within ${timeoutMs / 1000} s`)), timeoutMs)
        : undefined
    signal?.addEventListener('abort', stop, { once: true })
    request.on('error', (error) => settle(troubleOf(error)))
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxBytes) settle(noReply('too-large', `the answer is larger than ${maxBytes} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', (error) => settle(troubleOf(error)))
      response.on('end', () =>
        settle(
          response.complete
            ? { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks, size) }
            : noReply('network', 'the connection ended in the middle of the answer', 'ECONNRESET'),
        ),
      )
    })
    request.end(body)
  })
}

/** How long a throttled client is asked to wait: seconds or a date in Retry-After, at least 200 ms; undefined without one. */
export function retryAfterMs(headers: IncomingHttpHeaders, now = Date.now()): number | undefined {
  const text = headers['retry-after']
  if (text === undefined) return undefined
  const wait = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(wait) ? Math.max(200, wait) : undefined
}

/** Waits, or stops waiting at once when the run is stopped. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
