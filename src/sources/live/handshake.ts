/** One TLS handshake that trusts whom it is told to, looked at whatever comes of it: the certificates, and what is wrong with them. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type DetailedPeerCertificate, type SecureContext, type TLSSocket } from 'node:tls'
import type { JsonObject } from '../../core/json.ts'
import { codeOf, plain } from './trouble.ts'
import { type NoReply, noReply, troubleOf } from './wire.ts'

export type Handshake = { readonly chain: readonly Buffer[]; readonly problem?: string }

/** Leaf first. Never throws; who answers in something else than TLS is trouble of the sort tls. */
export function handshake(
  host: string,
  to: { readonly host: string; readonly port: number },
  secureContext: SecureContext,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Handshake | NoReply> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve(noReply('cancelled', 'the run was stopped'))
      return
    }
    const socket: TLSSocket = connect({
      ...to,
      secureContext,
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    })
    const settle = (outcome: Handshake | NoReply): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      socket.destroy()
      resolve(outcome)
    }
    const stop = (): void => settle(noReply('cancelled', 'the run was stopped'))
    const timer = setTimeout(() => settle(noReply('timeout', `no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    signal?.addEventListener('abort', stop, { once: true })
    socket.on('error', (error) => settle(troubleOf(error)))
    socket.on('secureConnect', () => {
      const chain: Buffer[] = []
      let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
      // Empty where the host shows none; a root names itself as its issuer.
      while (next?.raw !== undefined && chain.length < 10) {
        chain.push(next.raw)
        next = next.issuerCertificate === next ? undefined : next.issuerCertificate
      }
      // Declared an Error, in fact OpenSSL's code: https://nodejs.org/api/tls.html#tlssocketauthorizationerror
      const error: unknown = socket.authorizationError
      const problem = typeof error === 'string' ? error : codeOf(error) || 'UNKNOWN'
      settle(socket.authorized ? { chain } : { chain, problem })
    })
  })
}

/** What a check may see of a certificate. */
export function paper(raw: Buffer): JsonObject {
  const certificate = new X509Certificate(raw)
  const { subject, issuer, fingerprint, subjectAltName } = certificate
  const line = (name: string): string => plain(name.replaceAll('\n', ', '))
  return {
    subject: line(subject),
    issuer: line(issuer),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    names: (subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== '')
      .slice(0, 100)
      .map((name) => plain(name.replace(/^(?:DNS|IP Address):/, ''))),
    selfSigned: subject === issuer,
    fingerprintSha1: fingerprint.replaceAll(':', '').toLowerCase(),
  }
}
