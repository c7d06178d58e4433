/** What is wrong with the certificate at the published address, for a client that trusts the mounted CA and nothing else. */
import { type JsonObject, textAt, textsAt } from '../core/json.ts'
import type { Outcome } from '../core/proof.ts'

export type Authority = { readonly subject: string; readonly notBefore: string; readonly notAfter: string }
export type Presented = {
  /** Leaf first. */
  readonly chain: readonly JsonObject[]
  /** OpenSSL's code of the first thing that is wrong; left out where nothing is. */
  readonly problem?: string
}

const check = 'interlink/api-certificate-is-trusted'
/** `CN=a, O=b` whatever the order. */
const plain = (name: string): string =>
  name
    .split(/,\s*/)
    .map((one) => one.trim())
    .sort()
    .join(',')

const covers = (name: string, host: string): boolean =>
  name.toLowerCase() === host.toLowerCase() ||
  (name.startsWith('*.') && host.toLowerCase().split('.').slice(1).join('.') === name.slice(2).toLowerCase())

/** ingress-nginx shows it where it has no certificate for what was asked, and clients name no host where the address is an IP address. */
const fake = /Ingress Controller Fake Certificate/i

/** `host` as the job is told it; `now` in milliseconds. */
export function judgeCertificate(
  { chain, problem }: Presented,
  host: string,
  authorities: readonly Authority[],
  now: number,
): Outcome {
  const [leaf] = chain
  const bare = host.replace(/^\[|\]$/g, '')
  if (leaf === undefined)
    return {
      status: 'fail',
      says: `${host} shows no certificate (${problem ?? 'no code'})`,
      causes: [{ check: 'interlink/api-route-is-complete', says: 'something else than the ingress answers here' }],
    }
  const issuer = textAt(leaf, 'issuer') ?? ''
  const names = textsAt(leaf, 'names')
  const ends = textAt(leaf, 'notAfter') ?? ''
  const begins = textAt(leaf, 'notBefore') ?? ''
  const trusted = authorities.map(({ subject }) => subject)
  const details = [
    ['issued by', issuer],
    ['names', names.join(', ') || 'none'],
    ['ends', ends],
    ['ca.crt', trusted.join('; ') || 'none'],
  ] as const
  if (problem === undefined) return { status: 'pass', says: `ca.crt vouches for ${host}`, details }
  const fail = (says: string, fix: string): Outcome => ({
    status: 'fail',
    says,
    details,
    causes: [{ check, says }],
    fix,
  })
  if (chain.some((one) => fake.test(textAt(one, 'subject') ?? '')))
    return fail(
      `the ingress controller has no certificate for ${host} and shows its own stand-in`,
      'Give the ingress controller this certificate as its default (--default-ssl-certificate): to an IP address clients name no host by which another could be chosen.',
    )
  const ended = now > Date.parse(ends)
  if (/EXPIRED/.test(problem) || (ended && /NOT_YET|TIME/.test(problem))) {
    const authority = authorities.find(({ notAfter }) => now > Date.parse(notAfter))
    if (ended)
      return fail(
        `the certificate at ${host} ended on ${ends}`,
        'Renew the certificate of the Ingress; its CA may stay.',
      )
    const which = authority?.subject ?? 'a certificate of the chain'
    return fail(
      `${which} ended${authority === undefined ? '' : ` on ${authority.notAfter}`}, so what it has signed counts no more`,
      'Renew the CA and what it has signed, and hand out the new one as interlink.kubernetesApiCaCrt.',
    )
  }
  if (/NOT_YET/.test(problem))
    return fail(
      `the certificate at ${host} begins on ${begins}, by the clock of this machine`,
      'Compare the clock of this machine with that of the cluster.',
    )
  if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID' || /HOSTNAME|IP_ADDRESS/.test(problem))
    return fail(
      `the certificate at ${host} names ${names.join(', ') || 'nobody'}, not ${bare}`,
      `Add ${bare} to the hosts of the Ingress, so that its certificate names it, as an IP address where it is one.`,
    )
  const hand =
    'Set interlink.kubernetesApiCaCrt in the values of the chart from ca.crt of the Secret of the Ingress, and make the job anew.'
  const isNamesake = trusted.some((one) => plain(one) === plain(issuer))
  const also = names.some((name) => covers(name, bare))
    ? ''
    : `; it names ${names.join(', ') || 'nobody'}, not ${bare}, either`
  return fail(
    isNamesake
      ? `the certificate at ${host} is issued by another CA of the same name as the one in ca.crt (${problem})${also}`
      : `the certificate at ${host} is issued by ${issuer}, and ca.crt is ${trusted.join('; ') || 'empty'}${also}`,
    hand,
  )
}
