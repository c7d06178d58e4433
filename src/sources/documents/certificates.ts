/** Recognises certificate chains as `openssl s_client -showcerts` prints them, and verifies them with the public root list only. */
import { createHash, X509Certificate } from 'node:crypto'
import type { Fact, Question } from '../../core/fact.ts'
import { type Json, type JsonObject, textAt } from '../../core/json.ts'
import { type Recogniser, stemOf, told } from './document.ts'

const pem = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}-----END CERTIFICATE-----/g
const mostCertificates = 20

type Chain = { readonly file: string; readonly stem: string; readonly certificates: readonly X509Certificate[] }

export type CertificateDocuments = Pick<Recogniser, 'answer'> & {
  /** Whether the text holds a certificate chain; it is kept then. */
  readonly takeText: (file: string, text: string) => boolean
}

const namesOf = (certificate: X509Certificate): readonly string[] =>
  (certificate.subjectAltName ?? '')
    .split(', ')
    .flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? [])
    .slice(0, 100)

const isSelfSigned = (one: X509Certificate): boolean => one.checkIssued(one) && one.verify(one.publicKey)

const asJson = (one: X509Certificate): JsonObject => ({
  subject: one.subject.replaceAll('\n', ', '),
  issuer: one.issuer.replaceAll('\n', ', '),
  notBefore: new Date(one.validFrom).toISOString(),
  notAfter: new Date(one.validTo).toISOString(),
  names: namesOf(one),
  selfSigned: isSelfSigned(one),
  fingerprintSha1: createHash('sha1').update(one.raw).digest('hex'),
})

let roots: readonly X509Certificate[] | undefined
/** The public root list, without what this machine happens to trust besides. Read when first needed. */
const publicRoots = (): readonly X509Certificate[] => {
  roots ??= process.getBuiltinModule('node:tls').rootCertificates.map((text) => new X509Certificate(text))
  return roots
}

/** OpenSSL's code for what is wrong with the chain, as far as it can be told without asking the host; undefined for nothing. */
function problemOf(chain: readonly X509Certificate[], host: string, now: number | undefined): string | undefined {
  const [leaf] = chain
  if (leaf === undefined) return 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
  let here = leaf
  for (let step = 0; step <= mostCertificates; step += 1) {
    if (now !== undefined && now > Date.parse(here.validTo)) return 'CERT_HAS_EXPIRED'
    if (now !== undefined && now < Date.parse(here.validFrom)) return 'CERT_NOT_YET_VALID'
    const root = publicRoots().find((one) => here.checkIssued(one) && here.verify(one.publicKey))
    if (root !== undefined) return leaf.checkHost(host) === undefined ? 'ERR_TLS_CERT_ALTNAME_INVALID' : undefined
    if (isSelfSigned(here)) return here === leaf ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'SELF_SIGNED_CERT_IN_CHAIN'
    const next = chain.find((one) => one !== here && here.checkIssued(one) && here.verify(one.publicKey))
    if (next === undefined)
      return here === leaf && chain.length === 1
        ? 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
        : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
    here = next
  }
  return 'CERT_CHAIN_TOO_LONG'
}

/** `now` tells the time to judge by; without it nothing is said about dates. */
export function certificateDocuments(now: () => string | undefined): CertificateDocuments {
  const chains: Chain[] = []

  const takeText = (file: string, text: string): boolean => {
    // Inside an object a certificate is a part of that, and in a log only quoted.
    if (/\.(?:ya?ml|json|log)$/i.test(file) || !text.includes('-----BEGIN CERTIFICATE-----')) return false
    const certificates: X509Certificate[] = []
    for (const [block] of text.matchAll(pem)) {
      if (certificates.length >= mostCertificates) break
      try {
        certificates.push(new X509Certificate(block))
      } catch {
        // A block that is no certificate ends the chain: nothing behind it can be ordered.
        break
      }
    }
    if (certificates.length === 0) return false
    chains.push({ file, stem: stemOf(file), certificates })
    return true
  }

  /** The chain whose file is named after the host, else the one whose certificate names it, else the only one. */
  const chainOf = (host: string): Chain | undefined =>
    chains.find(({ stem }) => stem === host || stem.startsWith(`${host}_`) || stem.startsWith(`${host}:`)) ??
    chains.find(({ certificates }) => certificates[0]?.checkHost(host) !== undefined) ??
    (chains.length === 1 ? chains[0] : undefined)

  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'oidc' || question.call !== 'certificates') return undefined
    const host = textAt(question.input, 'host') ?? ''
    const chain = chainOf(host)
    if (chain === undefined) return undefined
    const time = now()
    const problem = problemOf(chain.certificates, host, time === undefined ? undefined : Date.parse(time))
    return told(
      {
        host,
        chain: chain.certificates.map(asJson),
        trusted: problem === undefined,
        ...(problem === undefined ? {} : { problem }),
      },
      question,
    )
  }

  return { takeText, answer }
}
