/** Tokens carry a public https issuer. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { keysAreUploaded } from '../../domain/federation-marks.ts'
import { isClusterInternal, isPrivateAddress, parseIssuer } from '../../domain/issuer-url.ts'
import { acceptedIssuers } from '../../probes/cluster/accepted-issuers.ts'
import { federation } from '../../probes/cluster/federation.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { issuerAddresses } from '../../probes/cluster/published.ts'
import { googleProviders } from '../../probes/cluster/registrations.ts'

/** What is published at the new address, as the API server has it today; the issuer in the document becomes the new one. */
const collect = [
  'kubectl get --raw /.well-known/openid-configuration > openid-configuration',
  'kubectl get --raw /openid/v1/jwks > jwks',
] as const
const publish = ({ issuer }: { readonly issuer: string }): string =>
  advice(
    `Publish the discovery document and the keys at a public https address (an object store will do). Then have whoever runs the control plane give kube-apiserver that address as the first --service-account-issuer and ${issuer} as the second, so that tokens in use stay valid.`,
    ...collect,
  )

const isPublic = (issuer: string): boolean => {
  const { scheme, host } = parseIssuer(issuer) ?? {}
  return scheme === 'https' && host !== undefined && !isClusterInternal(host) && !isPrivateAddress(host)
}
/** Nothing has to be published where the API server accepts a public issuer already and only signs with another. */
const exchange = (first: string, second: string): string =>
  advice(
    `Have whoever runs the control plane give kube-apiserver --service-account-issuer=${first} first and --service-account-issuer=${second} second, then restart the workloads, so that they get new tokens.`,
  )

export const check = defineCheck({
  meta: {
    id: 'cluster/issuer-is-public',
    title: 'Tokens carry a public https issuer',
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Issuer',
    why: 'A cloud trusts a token only after it has fetched the keys from the address in its issuer, so that address has to exist on the internet, in a form that the cloud can register.',
    fix: {
      safety: 'manual',
      does: 'Publish discovery and JWKS at a public https address, then give that address as the first --service-account-issuer and keep the present one as the second, by the steps of your distribution.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/616',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/197',
      'https://azure.github.io/azure-workload-identity/docs/installation/self-managed-clusters.html',
    ],
  },
  needs: { federation },
  wants: { issuer, acceptedIssuers, issuerAddresses, googleProviders },
  after: ['cluster/token-flags-fit-together'],
  messages: {
    'cluster-internal': ({ issuer }: { issuer: string }) =>
      `tokens name issuer ${issuer}, which exists only inside the cluster; no cloud can fetch its keys`,
    'not-https': ({ issuer }: { issuer: string }) => `tokens name issuer ${issuer}, which is not https`,
    'private-address': ({ host, address }: { host: string; address: string; issuer: string }) =>
      `issuer host ${host} is a private address (${address}); clouds fetch keys from the internet`,
    'has-port-or-query': ({ issuer, part }: { issuer: string; part: string }) =>
      `issuer ${issuer} has a ${part}; an IAM OIDC provider URL may have no port and no query`,
  },
  remedies: {
    'cluster-internal': publish,
    'not-https': publish,
    'private-address': publish,
    'has-port-or-query': ({ issuer, part }) =>
      advice(
        `Publish the discovery document and the keys at an https address without a ${part.replace(/ .*/, '')}. Then have whoever runs the control plane give kube-apiserver that address as the first --service-account-issuer and ${issuer} as the second, so that tokens in use stay valid.`,
        ...collect,
      ),
  },
  judge: ({ have, want }) => {
    if (have.federation.state === 'absent')
      return { status: 'not-applicable', reason: 'no workload exchanges its token by issuer' }
    // The engine says unknown, since the issuer is wanted.
    if (want.issuer.state === 'unknown') return { status: 'pass', evidence: [] }
    if (want.issuer.state === 'absent') return { status: 'not-applicable', reason: 'the cluster has no issuer' }
    const { clouds } = have.federation.value
    const { issuer, from } = want.issuer.value
    const providers = want.googleProviders.state === 'known' ? want.googleProviders.value : undefined
    if (keysAreUploaded(clouds, providers))
      return { status: 'not-applicable', reason: 'the keys were uploaded to Google, which fetches nothing' }
    const evidence = [{ question: from, path: 'iss', observed: issuer, expected: 'https://HOST/PATH on the internet' }]
    const parsed = parseIssuer(issuer)
    const { host } = parsed ?? {}
    const accepted = want.acceptedIssuers.state === 'known' ? want.acceptedIssuers.value : []
    const second = accepted.find((one) => one !== issuer && isPublic(one))
    const remedy = second === undefined ? {} : { remedy: { words: exchange(second, issuer) } }
    const internal = host === undefined || isClusterInternal(host)
    // A provider with uploaded keys takes any https issuer, and whether Google's has them was not seen.
    const mayBeUploaded = clouds.every((cloud) => cloud === 'gcp') && providers === undefined
    if (mayBeUploaded && parsed?.scheme === 'https') {
      if (internal || isPrivateAddress(host))
        return {
          status: 'undecided',
          lacks: `issuer ${issuer} is not public, which matters only where the keys were not uploaded to Google; the provider was not seen`,
          lift: 'gcloud iam workload-identity-pools providers describe',
          evidence,
        }
    } else if (internal) return { status: 'fail', message: 'cluster-internal', data: { issuer }, evidence, ...remedy }
    if (parsed !== undefined && parsed.scheme !== 'https')
      return { status: 'fail', message: 'not-https', data: { issuer }, evidence, ...remedy }
    const addresses = want.issuerAddresses.state === 'known' ? want.issuerAddresses.value : []
    const literal = host !== undefined && isPrivateAddress(host) ? host : undefined
    const address = literal ?? (addresses.every(isPrivateAddress) ? addresses[0] : undefined)
    if (host !== undefined && address !== undefined && !mayBeUploaded)
      return {
        status: 'fail',
        message: 'private-address',
        data: { host, address, issuer },
        ...remedy,
        evidence: [...evidence, { question: want.issuerAddresses.from, path: 'addresses', observed: addresses }],
      }
    if (clouds.includes('aws')) {
      const part =
        parsed?.port !== undefined ? `port (${parsed.port})` : parsed?.query !== undefined ? 'query' : undefined
      if (part !== undefined) return { status: 'fail', message: 'has-port-or-query', data: { issuer, part }, evidence }
    }
    return { status: 'pass', evidence }
  },
})
