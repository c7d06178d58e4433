/** Servers on loopback with real TLS for the tests of the live sources, and the certificates they show. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 86_400_000
x509.cryptoProvider.set(globalThis.crypto)

export type Identity = { readonly cert: string; readonly key: string }
export type Authority = {
  readonly pem: string
  readonly issue: (about: {
    readonly names: readonly string[]
    /** Days from now; negative: it has ended. */
    readonly days?: number
    readonly client?: boolean
  }) => Promise<Identity>
}

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
const pemOf = async (key: Parameters<typeof crypto.subtle.exportKey>[1]): Promise<string> =>
  `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')}\n-----END PRIVATE KEY-----\n`

export async function authority(name = 'CN=test authority'): Promise<Authority> {
  const keys = await newKeys()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    notBefore: new Date(Date.now() - 400 * day),
    notAfter: new Date(Date.now() + 400 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  })
  return {
    pem: `${root.toString('pem')}\n`,
    issue: async ({ names, days = 10, client = false }) => {
      const own = await newKeys()
      const cert = await x509.X509CertificateGenerator.create({
        subject: `CN=${names[0]}`,
        issuer: root.subject,
        notBefore: new Date(Date.now() - 300 * day),
        notAfter: new Date(Date.now() + days * day),
        signingAlgorithm: algorithm,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.ExtendedKeyUsageExtension([
            client ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
          ]),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const), value })),
          ),
        ],
      })
      return { cert: `${cert.toString('pem')}\n`, key: await pemOf(own.privateKey) }
    },
  }
}

export type Seen = {
  readonly method: string
  readonly url: URL
  readonly request: IncomingMessage
  readonly body: string
}
export type Answer = (seen: Seen, response: ServerResponse) => void
export type Served = {
  readonly url: string
  readonly port: number
  readonly seen: Seen[]
  readonly close: () => Promise<void>
}

/** Listens on loopback; plain HTTP without a certificate. Every request is kept for the test to look at. */
export async function serve(tls: ServerOptions | undefined, answer: Answer): Promise<Served> {
  const seen: Seen[] = []
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: new URL(request.url ?? '/', 'https://double'),
        request,
        body: Buffer.concat(parts).toString(),
      }
      seen.push(one)
      answer(one, response)
    })
  }
  const server = tls === undefined ? createPlain(take) : createServer(tls, take)
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const json = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export const status = (code: number, reason: string, message: string) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  code,
})

/** A folder of the test's own. */
export function folder(): {
  readonly path: string
  readonly file: (name: string, text: string, mode?: number) => string
  readonly remove: () => void
} {
  const path = mkdtempSync(join(tmpdir(), 'kubectl-wi-test-'))
  return {
    path,
    file: (name, text, mode = 0o600) => {
      writeFileSync(join(path, name), text, { mode })
      return join(path, name)
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** An error and everything that hangs on it, stack and cause included. */
export const everything = (value: unknown): string =>
  value instanceof Error
    ? `${value.name} ${value.message} ${value.stack} ${JSON.stringify(value, Object.getOwnPropertyNames(value))} ${value.cause === undefined ? '' : everything(value.cause)}`
    : JSON.stringify(value)

export const base64 = (text: string): string => Buffer.from(text).toString('base64')
