/** The provider's thumbprint fits the issuer's certificate chain where it counts. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { publicAuthorities } from '../../knowledge/public-authorities.ts'
import { issuerCertificates, keysCertificates } from '../../probes/cluster/certificates.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { awsProviders } from '../../probes/cluster/registrations.ts'
import { pinnedThumbprints, timeOfCertificates } from '../../probes/cluster/thumbprints.ts'

type Pinned = { readonly host: string; readonly expected: string; readonly arn: string; readonly all: string }

const brief = (name: string): string => name.replaceAll('\n', ', ').trim() || 'a CA without a name'
const isPublic = (name: string): boolean =>
  publicAuthorities.some((one) => name.toLowerCase().includes(one.toLowerCase()))
const presented = (host: string): string =>
  sh`openssl s_client -connect ${host}:443 -servername ${host} -showcerts < /dev/null`

/** The call replaces the whole list, so what stands there is repeated. */
const pin = ({ host, expected, arn, all }: Pinned): string =>
  advice(
    `Once whoever runs ${host} has confirmed that the last certificate which it presents is theirs, add its thumbprint to the provider; the list is replaced as a whole, so the present values stand in it again. Or publish both documents on a publicly trusted host.`,
    presented(host),
    [
      sh`aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn ${arn} --thumbprint-list`,
      ...[...all.split(' '), expected].filter((one) => /^[0-9a-f]{40}$/.test(one)).slice(-5),
    ].join(' '),
  )
const serve = (host: string): string =>
  advice(
    `Have whoever runs ${host} present its whole chain, the private CA included, and then give the provider the thumbprint of that CA; or publish both documents on a publicly trusted host.`,
    presented(host),
  )

export const check = defineCheck({
  meta: {
    id: 'aws/oidc-provider-thumbprint-matches',
    title: "The provider's thumbprint fits the issuer's certificate chain where it counts",
    severity: 'error',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Trust',
    why: "IAM looks at a provider's thumbprints only where no public CA vouches for the host of the keys, and compares them with the certificates which that host presents.",
    fix: {
      safety: 'review',
      does: "Replace the list of the provider's thumbprints by the present list and the new value; the certificate's own faults are for whoever runs the host.",
    },
    links: [
      'https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2542',
      'https://github.com/aws/aws-cdk/issues/8607',
      'https://github.com/alphagov/gsp/pull/889',
      'https://github.com/aws/containers-roadmap/issues/2031',
    ],
  },
  only: { probe: awsProviders, otherwise: 'no workload takes a role by the issuer of its token' },
  needs: {},
  wants: {
    awsProviders,
    issuer,
    issuerCertificates,
    keysCertificates,
    pinnedThumbprints,
    timeOfCertificates,
    observedErrors,
  },
  after: ['cluster/issuer-is-public'],
  covers: ['cluster/issuer-certificate-is-trusted'],
  messages: {
    'certificate-expired': ({ host, notAfter }: { host: string; notAfter: string }) =>
      `the certificate of ${host} ended on ${notAfter}`,
    'name-differs': ({ host, names }: { host: string; names: string }) => `the certificate of ${host} names ${names}`,
    'leaf-stored': ({ thumbprint, expected }: Pinned & { thumbprint: string }) =>
      `thumbprint ${thumbprint} is that of the server certificate; the provider needs that of the top CA in the chain, ${expected}`,
    'private-ca-not-served': ({ host, ca }: { host: string; ca: string }) =>
      `the chain of ${host} ends at ${ca}, a private CA that the server does not send, so no thumbprint can match`,
    'none-matches': ({ listed, host, expected }: Pinned & { listed: string }) =>
      `no thumbprint of ${listed} belongs to the chain of ${host}; the top CA is ${expected}`,
    'reported-mismatch': (_: Record<string, never>) =>
      'STS says that the certificate of the issuer does not match the thumbprint; the chain was not seen',
  },
  remedies: {
    'certificate-expired': ({ host }) => advice(`Have whoever runs ${host} renew its certificate.`, presented(host)),
    'name-differs': ({ host }) =>
      advice(`Have whoever runs ${host} present a certificate that names ${host}.`, presented(host)),
    'leaf-stored': pin,
    'private-ca-not-served': ({ host }) => serve(host),
    'none-matches': pin,
    'reported-mismatch': () =>
      advice(
        "Compare the thumbprints of the provider with the SHA-1 of the last certificate that the host of the issuer's jwks_uri presents (ISSUER_HOST), and add that one if whoever runs the host confirms it.",
        'aws iam list-open-id-connect-providers',
        'openssl s_client -connect ISSUER_HOST:443 -servername ISSUER_HOST -showcerts < /dev/null',
      ),
  },
  judge: ({ want }) => {
    const errors = want.observedErrors.state === 'known' ? want.observedErrors.value : []
    const mismatch = errors.find(({ text }) => /doesn't match configured thumbprint/.test(text))
    const said: readonly Evidence[] =
      mismatch === undefined
        ? []
        : [{ question: want.observedErrors.from, path: mismatch.place, observed: mismatch.text }]
    const providers = want.awsProviders.state === 'known' ? want.awsProviders.value : undefined
    const own = want.issuer.state === 'known' ? want.issuer.value.issuer : undefined
    const registered = providers?.items.find((one) => one.issuer === own)
    if (mismatch === undefined && providers?.complete === true && own !== undefined && registered === undefined)
      return { status: 'not-applicable', reason: 'no IAM OIDC provider is registered for the issuer' }
    // The host of jwks_uri counts, which is the issuer's own unless the document says otherwise.
    const fact = want.keysCertificates.state === 'absent' ? want.issuerCertificates : want.keysCertificates
    const lift = 'aws iam get-open-id-connect-provider --open-id-connect-provider-arn ARN'
    if (fact.state !== 'known')
      return mismatch === undefined
        ? { status: 'undecided', lacks: "the certificates of the keys' host were not seen" }
        : { status: 'fail', message: 'reported-mismatch', data: {}, evidence: said }
    if (registered === undefined)
      return mismatch === undefined
        ? { status: 'undecided', lacks: "the issuer's IAM OIDC provider was not seen", lift }
        : {
            status: 'undecided',
            lacks: 'STS once refused the thumbprint; the provider was not seen',
            lift,
            evidence: said,
          }
    const { host, chain, trusted, problem } = fact.value
    const evidence: readonly Evidence[] = [
      { question: fact.from, path: 'trusted', observed: problem ?? trusted, expected: true },
      ...said,
    ]
    const [leaf] = chain
    const last = chain.at(-1)
    const now = want.timeOfCertificates.state === 'known' ? want.timeOfCertificates.value : undefined
    const ended = chain.find(({ notAfter }) => now !== undefined && Date.parse(notAfter) < now)
    if (problem === 'CERT_HAS_EXPIRED' || ended !== undefined)
      return {
        status: 'fail',
        message: 'certificate-expired',
        data: { host, notAfter: (ended ?? leaf)?.notAfter ?? 'a day that was not seen' },
        evidence,
      }
    if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID')
      return {
        status: 'fail',
        message: 'name-differs',
        data: { host, names: leaf?.names.join(', ') || 'another host' },
        evidence,
      }
    if (trusted)
      return mismatch === undefined
        ? { status: 'pass', evidence }
        : {
            status: 'undecided',
            lacks: 'STS once refused the thumbprint, and the chain is publicly trusted now',
            evidence,
          }
    if (want.pinnedThumbprints.state === 'unknown' || last === undefined || leaf === undefined)
      return { status: 'undecided', lacks: 'which thumbprints the provider pins was not seen', lift, evidence }
    const pinned = want.pinnedThumbprints.state === 'known' ? want.pinnedThumbprints.value : []
    const seen: readonly Evidence[] = [
      ...evidence,
      {
        question: want.pinnedThumbprints.from,
        path: 'ThumbprintList',
        observed: pinned.join(' ') || 'none',
        expected: last.fingerprintSha1,
        words: { observed: 'the provider pins', expected: 'the host presents' },
      },
    ]
    if (chain.slice(1).some(({ fingerprintSha1 }) => pinned.includes(fingerprintSha1)))
      return { status: 'pass', evidence: seen }
    const isRoot = last.selfSigned || last.subject === last.issuer
    const data: Pinned = { host, expected: last.fingerprintSha1, arn: registered.arn, all: pinned.join(' ') }
    if (pinned.includes(leaf.fingerprintSha1)) {
      if (chain.length > 1)
        return {
          status: 'fail',
          message: 'leaf-stored',
          data: { ...data, thumbprint: leaf.fingerprintSha1 },
          evidence: seen,
        }
      // Alone and its own issuer, it is the top of its chain.
      if (isRoot) return { status: 'pass', evidence: seen }
      return {
        status: 'undecided',
        lacks: `${host} presents nothing but the certificate that is pinned`,
        evidence: seen,
      }
    }
    if (!isRoot)
      return isPublic(last.issuer)
        ? { status: 'undecided', lacks: `${host} leaves out a certificate of its public chain`, evidence: seen }
        : { status: 'fail', message: 'private-ca-not-served', data: { host, ca: brief(last.issuer) }, evidence: seen }
    return {
      status: 'fail',
      message: 'none-matches',
      data: { ...data, listed: pinned.join(', ') || 'none' },
      evidence: seen,
    }
  },
})
