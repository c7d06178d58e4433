/** The certificates of the issuer and of its keys' host are publicly trusted. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import type { Fact } from '../../core/fact.ts'
import { advice } from '../../domain/advice.ts'
import { keysAreUploaded } from '../../domain/federation-marks.ts'
import { sh } from '../../domain/shell-words.ts'
import { publicAuthorities } from '../../knowledge/public-authorities.ts'
import { type Chain, issuerCertificates, keysCertificates } from '../../probes/cluster/certificates.ts'
import { federation } from '../../probes/cluster/federation.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { googleProviders } from '../../probes/cluster/registrations.ts'
import { pinnedThumbprints, timeOfCertificates } from '../../probes/cluster/thumbprints.ts'

/** `CN=web.example,O=Example` or `CN=web.example\nO=Example` → the organisation and name for a person. */
const brief = (name: string): string => name.replaceAll('\n', ', ').trim() || 'a CA without a name'

const isPublicAuthority = (name: string): boolean =>
  publicAuthorities.some((one) => name.toLowerCase().includes(one.toLowerCase()))

/** RFC 6125: one star for the whole first label. */
function covers(name: string, host: string): boolean {
  const pattern = name.toLowerCase().replace(/^(dns|ip address):/, '')
  if (!pattern.startsWith('*.')) return pattern === host
  const dot = host.indexOf('.')
  return dot > 0 && host.slice(dot + 1) === pattern.slice(2)
}

const presented = (host: string): string =>
  sh`openssl s_client -connect ${host}:443 -servername ${host} -showcerts < /dev/null`
const somewhere = "the issuer's host"

export const check = defineCheck({
  meta: {
    id: 'cluster/issuer-certificate-is-trusted',
    title: "The certificates of the issuer and of its keys' host are publicly trusted",
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Issuer',
    why: 'A cloud that cannot verify the certificate of the host does not read the keys there.',
    fix: {
      safety: 'manual',
      does: 'Choose one of two ways out: publish the two documents on a public host (object store, CDN), or present a full chain that includes the CA.',
    },
    links: [
      'https://github.com/aws/containers-roadmap/issues/2031',
      'https://github.com/hashicorp/terraform-provider-aws/issues/10104',
      'https://github.com/aws-actions/configure-aws-credentials/issues/357',
    ],
  },
  needs: { federation },
  wants: {
    issuerCertificates,
    keysCertificates,
    pinnedThumbprints,
    timeOfCertificates,
    googleProviders,
    observedErrors,
  },
  after: ['cluster/issuer-is-public'],
  messages: {
    'private-ca': ({ host, ca }: { host: string; ca: string }) =>
      `the certificate of ${host} is signed by ${ca}, which no cloud trusts`,
    'chain-incomplete': ({ host, count, missing }: { host: string; count: number; missing: string }) =>
      `${host} presents ${count} certificate(s) and leaves out ${missing}`,
    expired: ({ host, notAfter }: { host: string; notAfter: string }) =>
      `the certificate of ${host} ended on ${notAfter}`,
    'name-differs': ({ host, names }: { host: string; names: string }) => `the certificate of ${host} names ${names}`,
    'thumbprint-not-presented': ({ host, thumbprint }: { host: string; thumbprint: string; last: string }) =>
      `${host} is not publicly trusted, and thumbprint ${thumbprint} is of no certificate that it presents`,
  },
  remedies: {
    'private-ca': ({ host }) =>
      advice(
        `Have whoever runs ${host} present a certificate of a public CA, or publish both documents on a public host (object store, CDN) and let the issuer or jwks_uri name that.`,
        presented(host),
      ),
    'chain-incomplete': ({ host, missing }) =>
      advice(
        `Have whoever runs ${host} present the whole chain: its certificate followed by that of ${missing}.`,
        presented(host),
      ),
    expired: ({ host }) => advice(`Have whoever runs ${host} renew its certificate.`, presented(host)),
    'name-differs': ({ host }) =>
      advice(`Have whoever runs ${host} present a certificate that names ${host}.`, presented(host)),
    'thumbprint-not-presented': ({ host, last }) =>
      advice(
        `Once whoever runs ${host} has confirmed that the last certificate which it presents is theirs, give the IAM OIDC provider its thumbprint (the list is replaced: repeat those that stay). Or publish both documents on a publicly trusted host. PROVIDER_ARN is one of the list${last === 'THUMBPRINT' ? ', THUMBPRINT the SHA-1 of the certificate in hex' : ''}.`,
        'aws iam list-open-id-connect-providers',
        sh`aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn PROVIDER_ARN --thumbprint-list ${last}`,
      ),
  },
  judge: ({ have, want }) => {
    if (have.federation.state === 'absent')
      return { status: 'not-applicable', reason: 'no workload exchanges its token by issuer' }
    const { clouds } = have.federation.value
    const providers = want.googleProviders.state === 'known' ? want.googleProviders.value : undefined
    if (keysAreUploaded(clouds, providers))
      return { status: 'not-applicable', reason: 'the keys were uploaded to Google, which fetches nothing' }
    const chains = [want.issuerCertificates, want.keysCertificates].flatMap((fact: Fact<Chain>) =>
      fact.state === 'known' ? [{ ...fact.value, question: fact.from }] : [],
    )
    const evidence: readonly Evidence[] = chains.map(({ question, trusted, problem }) => ({
      question,
      path: 'trusted',
      observed: problem ?? trusted,
      expected: true,
    }))
    const now = want.timeOfCertificates.state === 'known' ? want.timeOfCertificates.value : undefined
    const pinned = want.pinnedThumbprints.state === 'known' ? want.pinnedThumbprints.value : undefined
    const texts = want.observedErrors.state === 'known' ? want.observedErrors.value : []
    const mismatch = texts.find(({ text }) => /doesn't match configured thumbprint/.test(text))

    for (const { host, chain, trusted, problem } of chains) {
      const last = chain.at(-1)
      const [leaf] = chain
      const unrooted = !trusted && problem !== 'CERT_HAS_EXPIRED' && problem !== 'ERR_TLS_CERT_ALTNAME_INVALID'
      if (unrooted && last !== undefined && problem !== 'CERT_NOT_YET_VALID') {
        // IAM alone accepts what its provider pins; it looks at thumbprints only where the public roots do not help.
        const onlyAws = clouds.every((cloud) => cloud === 'aws')
        if (onlyAws && want.pinnedThumbprints.state === 'unknown' && mismatch === undefined)
          return {
            status: 'undecided',
            lacks: `${host} is not publicly trusted; whether IAM pins its certificates was not seen`,
            lift: 'aws iam get-open-id-connect-provider --open-id-connect-provider-arn ARN',
            evidence,
          }
        if (onlyAws && pinned !== undefined) {
          const presented = chain.map(({ fingerprintSha1 }) => fingerprintSha1)
          if (pinned.some((one) => presented.includes(one))) continue
          const [thumbprint] = pinned
          if (thumbprint !== undefined)
            return {
              status: 'fail',
              message: 'thumbprint-not-presented',
              data: { host, thumbprint, last: last.fingerprintSha1 },
              evidence,
            }
        }
        const isSelfSigned = last.selfSigned || last.subject === last.issuer
        const lacksIssuer = !isSelfSigned && isPublicAuthority(last.issuer)
        return lacksIssuer
          ? {
              status: 'fail',
              message: 'chain-incomplete',
              data: { host, count: chain.length, missing: brief(last.issuer) },
              evidence,
            }
          : { status: 'fail', message: 'private-ca', data: { host, ca: brief(last.issuer) }, evidence }
      }
      const ended = chain.find(({ notAfter }) => now !== undefined && Date.parse(notAfter) < now)
      if (problem === 'CERT_HAS_EXPIRED' || ended !== undefined)
        return {
          status: 'fail',
          message: 'expired',
          data: { host, notAfter: (ended ?? leaf)?.notAfter ?? 'a day that was not seen' },
          evidence,
        }
      const names = leaf?.names ?? []
      const misnamed = names.length > 0 && !names.some((name) => covers(name, host))
      if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID' || misnamed)
        return {
          status: 'fail',
          message: 'name-differs',
          data: { host, names: names.join(', ') || 'another host' },
          evidence,
        }
      if (!trusted)
        return {
          status: 'undecided',
          lacks: `the certificate of ${host} did not verify: ${problem ?? 'no reason'}`,
          evidence,
        }
    }
    if (mismatch !== undefined) {
      const said: Evidence = { question: want.observedErrors.from, path: mismatch.place, observed: mismatch.text }
      // The public roots verify what the hosts present today; IAM would not look at thumbprints any more.
      return chains.length > 0
        ? {
            status: 'undecided',
            lacks: 'IAM once refused the thumbprint, and the certificates that were seen are publicly trusted',
            evidence: [...evidence, said],
          }
        : {
            status: 'fail',
            message: 'thumbprint-not-presented',
            data: { host: somewhere, thumbprint: pinned?.[0] ?? '(not collected)', last: 'THUMBPRINT' },
            evidence: [said],
          }
    }
    if (want.issuerCertificates.state === 'absent')
      return { status: 'undecided', lacks: 'the issuer has no host whose certificate could be seen', evidence }
    return { status: 'pass', evidence }
  },
})
