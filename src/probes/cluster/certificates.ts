/** The certificates that the issuer's hosts present, verified with the public roots alone. */
import { absent, defineProbe, type Fact, inquire, known, type Soon } from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { isClusterInternal, isPrivateAddress, parseIssuer } from '../../domain/issuer-url.ts'
import { oidc } from '../../domain/questions.ts'
import { documentOf } from './fetched.ts'
import { issuer } from './issuer.ts'
import { publishedDiscovery } from './published.ts'

export type Certificate = {
  readonly subject: string
  readonly issuer: string
  readonly notAfter: string
  readonly names: readonly string[]
  readonly selfSigned: boolean
  readonly fingerprintSha1: string
}
export type Chain = {
  readonly host: string
  /** The leaf first, as presented. */
  readonly chain: readonly Certificate[]
  readonly trusted: boolean
  /** OpenSSL's code. */
  readonly problem?: string
}

function read(json: Json): Chain | undefined {
  const host = textAt(json, 'host')
  const trusted = at(json, 'trusted')
  const problem = textAt(json, 'problem')
  const chain = listAt(json, 'chain').map((one) => ({
    subject: textAt(one, 'subject') ?? '',
    issuer: textAt(one, 'issuer') ?? '',
    notAfter: textAt(one, 'notAfter') ?? '',
    names: textsAt(one, 'names'),
    selfSigned: at(one, 'selfSigned') === true,
    fingerprintSha1: (textAt(one, 'fingerprintSha1') ?? '').replaceAll(':', '').toLowerCase(),
  }))
  if (host === undefined || typeof trusted !== 'boolean') return undefined
  return { host, chain, trusted, ...(problem === undefined ? {} : { problem }) }
}

/** Where a URL is served from; undefined where no cloud would go, for a reason that other checks say. */
function placeOf(url: string | undefined): { readonly host: string; readonly port: number } | undefined {
  const parsed = url === undefined ? undefined : parseIssuer(url)
  if (parsed?.scheme !== 'https' || isClusterInternal(parsed.host) || isPrivateAddress(parsed.host)) return undefined
  return { host: parsed.host, port: parsed.port === undefined || parsed.port === '' ? 443 : Number(parsed.port) }
}

export const issuerCertificates = defineProbe({
  id: 'cluster/issuer-certificates',
  about: "the certificates of the issuer's host",
  scope: 'cluster',
  needs: { issuer },
  wants: {},
  ask: ({ issuer }, _want, inquiry): Soon<Fact<Chain>> => {
    const place = placeOf(issuer.state === 'known' ? issuer.value.issuer : undefined)
    return place === undefined
      ? absent(oidc.certificates('', 443))
      : inquire(inquiry, oidc.certificates(place.host, place.port), read)
  },
})

/** Absent where the keys lie on the issuer's host, or where nothing says where they lie. */
export const keysCertificates = defineProbe({
  id: 'cluster/keys-certificates',
  about: "the certificates of the keys' host",
  scope: 'cluster',
  needs: { issuer },
  wants: { publishedDiscovery },
  ask: ({ issuer }, { publishedDiscovery }, inquiry): Soon<Fact<Chain>> => {
    const own = placeOf(issuer.state === 'known' ? issuer.value.issuer : undefined)
    const document = publishedDiscovery.state === 'known' ? documentOf(publishedDiscovery.value) : undefined
    const place = placeOf(textAt(document, 'jwks_uri'))
    if (publishedDiscovery.state === 'unknown') return publishedDiscovery
    if (place === undefined || (place.host === own?.host && place.port === own.port))
      return absent(oidc.certificates('', 443))
    return inquire(inquiry, oidc.certificates(place.host, place.port), read)
  },
})

/** Whether every chain that was seen verifies; true where none was. Never unknown. */
export const certificatesTrusted = defineProbe({
  id: 'cluster/certificates-trusted',
  about: 'whether the presented certificates verify',
  scope: 'cluster',
  needs: {},
  wants: { issuerCertificates, keysCertificates },
  ask: (_have, { issuerCertificates, keysCertificates }): Fact<boolean> =>
    known(
      [issuerCertificates, keysCertificates].every((fact) => fact.state !== 'known' || fact.value.trusted),
      issuerCertificates.from,
    ),
})
