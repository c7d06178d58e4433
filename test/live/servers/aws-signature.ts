/** Whether a request carries a good AWS Signature Version 4. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export type Signed = {
  readonly accessKeyId: string
  readonly service: string
  /** Whether it was made with this secret, over this very request. */
  readonly madeWith: (secret: string) => boolean
}

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/** Undefined where the request is not signed in its header. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
export function signatureOf(request: {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}): Signed | undefined {
  const [, accessKeyId, day, region, service, names, signature] = form.exec(request.headers.authorization ?? '') ?? []
  if (!accessKeyId || !day || !region || !service || !names || !signature) return undefined
  const madeWith = (secret: string): boolean => {
    const cut = request.path.indexOf('?')
    const [path, query] = cut < 0 ? [request.path, ''] : [request.path.slice(0, cut), request.path.slice(cut + 1)]
    const headers = names.split(';').map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`)
    const canonical = [
      ...[request.method, path, query.split('&').sort().join('&')],
      ...[headers.join(''), names, sha256(request.body)],
    ].join('\n')
    const scope = `${day}/${region}/${service}/aws4_request`
    const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'] ?? '', scope, sha256(canonical)].join('\n')
    const key = [day, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`))
    return timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex'))
  }
  return { accessKeyId, service, madeWith }
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
