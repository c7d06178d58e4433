/** The discovery document and the keys can be read by anyone. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { at, isObject, type Json, textAt } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { keysAreUploaded } from '../../domain/federation-marks.ts'
import {
  discoveryUrl,
  isClusterInternal,
  isManagedIssuer,
  isObjectStore,
  isPrivateAddress,
  parseIssuer,
} from '../../domain/issuer-url.ts'
import { readKeys } from '../../domain/jwks.ts'
import { sh } from '../../domain/shell-words.ts'
import { type DiscoveryHints, discoveryHints } from '../../probes/cluster/discovery-hints.ts'
import { federation } from '../../probes/cluster/federation.ts'
import { documentOf, type Fetched } from '../../probes/cluster/fetched.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { publishedDiscovery, publishedKeys } from '../../probes/cluster/published.ts'
import { googleProviders } from '../../probes/cluster/registrations.ts'

const messages = {
  'switched-off': ({ host }: { host: string }) =>
    `${host} answers 404 at /.well-known/openid-configuration: the API server has discovery off`,
  'anonymous-auth-off': ({ host }: { host: string }) =>
    `anonymous requests to ${host} get 401: kube-apiserver runs with --anonymous-auth=false, so no role binding can open discovery`,
  'no-anonymous-binding': ({ host }: { host: string }) =>
    `anonymous requests to ${host} get 403: nothing binds system:service-account-issuer-discovery to system:unauthenticated`,
  unreachable: ({ url, reason }: { url: string; reason: string }) =>
    `${url} cannot be reached from the internet: ${reason}`,
  'store-denies': ({ url, status, reason }: { url: string; status: number; reason: string }) =>
    `${url} lies in an object store that answers ${status} to anonymous reads (${reason})`,
  'not-a-document': (data: { url: string; status: number; contentType: string; expected: string }) =>
    `${data.url} answers ${data.status} ${data.contentType}, not ${data.expected}`,
  'jwks-uri-missing': ({ url }: { url: string }) => `the discovery document at ${url} has no jwks_uri`,
  'jwks-uri-internal': ({ uri, reason }: { uri: string; reason: string }) =>
    `jwks_uri ${uri} is ${reason}; --service-account-jwks-uri is not set, so it names the API server itself`,
}

const document = 'kubectl get --raw /.well-known/openid-configuration > openid-configuration'
const keysOf = 'kubectl get --raw /openid/v1/jwks > jwks'
const whoRuns = 'Have whoever runs the control plane'

const remedies = {
  'switched-off': ({ host }: { host: string }) =>
    advice(
      `${whoRuns} start kube-apiserver with an https --service-account-issuer (and --service-account-jwks-uri where keys lie elsewhere): it serves discovery only then. Or publish both documents at the issuer's address, if ${host} is another host than the API server.`,
    ),
  'anonymous-auth-off': (_: { host: string }) =>
    advice(
      `${whoRuns} either publish both documents on a public host that --service-account-issuer and --service-account-jwks-uri then name, or (from Kubernetes 1.32) allow anonymous requests to /.well-known/openid-configuration and /openid/v1/jwks only, by the conditions of an AuthenticationConfiguration.`,
      document,
      keysOf,
    ),
  'no-anonymous-binding': (_: { host: string }) =>
    advice(
      'Let everybody read the two documents, which show public keys and nothing else. Bind no other role to this group.',
      'kubectl create clusterrolebinding service-account-issuer-discovery-for-all --clusterrole=system:service-account-issuer-discovery --group=system:unauthenticated',
    ),
  unreachable: ({ url }: { url: string }) =>
    parseIssuer(url) === undefined
      ? advice(
          "Have whoever runs the issuer's host make it answer from the internet without credentials; clouds give up after about 5 s.",
        )
      : advice(
          'Have whoever runs the host make this answer from the internet without credentials: its name in public DNS, its port open to everyone; clouds give up after about 5 s.',
          sh`curl -fsS --max-time 5 ${url}`,
        ),
  'store-denies': ({ url }: { url: string }) =>
    advice(
      'Have the owner of the store put the document there, and open to anonymous reads the discovery document and the keys, but nothing else in it; a block on public access at the level of the account comes before that.',
      sh`curl -fsS ${url}`,
    ),
  'not-a-document': ({ url, expected }: { url: string; expected: string }) =>
    advice(
      `Publish ${expected} there as the API server has it, as plain JSON with status 200 and without a redirect or a login before it.`,
      /jwks/i.test(expected) ? keysOf : document,
      sh`curl -fsS ${url}`,
    ),
  'jwks-uri-missing': ({ url }: { url: string }) =>
    advice('Publish the document as the API server has it, which names a jwks_uri.', document, sh`curl -fsS ${url}`),
  'jwks-uri-internal': (_: { uri: string }) =>
    advice(
      `${whoRuns} give kube-apiserver a --service-account-jwks-uri that anyone can fetch by https (the issuer followed by /openid/v1/jwks, where the API server itself is public), and publish the keys there.`,
      keysOf,
    ),
}

type Said = {
  [K in keyof typeof messages]: { message: K; data: Parameters<(typeof messages)[K]>[0] }
}[keyof typeof messages]

/** Why no cloud can fetch from this jwks_uri; undefined where nothing speaks against it. */
function whyInternal(uri: string): string | undefined {
  const parsed = parseIssuer(uri)
  if (parsed === undefined) return 'no URL'
  if (parsed.scheme !== 'https') return 'not https'
  if (isPrivateAddress(parsed.host)) return 'a private address'
  return isClusterInternal(parsed.host) ? 'a name inside the cluster' : undefined
}

/** The body of an answer that kube-apiserver gives: a Status, or the list of its paths. */
const isKubernetesAnswer = (document: Json | undefined): boolean =>
  isObject(document) && (document.kind === 'Status' || Array.isArray(document.paths))

/** What an answer other than the document means; undefined where it is no reason to fail. */
function meaning({ url, answer }: Fetched, expected: string, hints: DiscoveryHints | undefined): Said | undefined {
  const host = parseIssuer(url)?.host ?? url
  if (!('status' in answer)) {
    const reasons: { readonly [kind: string]: string } = {
      'name-not-found': 'its name does not exist',
      refused: 'the connection is refused',
    }
    const reason = reasons[answer.failure]
    return reason === undefined ? undefined : { message: 'unreachable', data: { url, reason } }
  }
  const { status, contentType, document } = answer
  const isStore = isObjectStore(host) || (/xml/.test(contentType) && !isKubernetesAnswer(document))
  const notOne: Said = { message: 'not-a-document', data: { url, status, contentType, expected } }
  const denied = (reason: string): Said => ({ message: 'store-denies', data: { url, status, reason } })
  if (status === 401 || status === 403) {
    if (isStore) return denied('it is not open to everyone, or nothing lies there')
    if (/html/.test(contentType)) return notOne
    return { message: status === 401 ? 'anonymous-auth-off' : 'no-anonymous-binding', data: { host } }
  }
  if (status === 409 && isStore) return denied('the account permits no public access')
  if (status === 404) {
    // Azure answers 404 for a container that is private, as for one that is not there.
    if (/\.core\.(windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)$/.test(host))
      return denied('the container is private, or nothing lies there')
    const isKubernetes = hints?.off === true || isKubernetesAnswer(document)
    if (isKubernetes && !isStore && url.endsWith('/.well-known/openid-configuration'))
      return { message: 'switched-off', data: { host } }
  }
  return status === 429 ? undefined : notOne
}

/** What the API server's own word proves where the published documents were not fetched. */
function hinted(issuer: string | undefined, hints: DiscoveryHints): Said | undefined {
  const parsed = issuer === undefined ? undefined : parseIssuer(issuer)
  const host = parsed?.host ?? 'the API server'
  // The documents lie elsewhere then; what the API server itself would answer is nobody's concern.
  if (parsed !== undefined && (isManagedIssuer(parsed.host) || isObjectStore(parsed.host))) return undefined
  if (hints.off) return { message: 'switched-off', data: { host } }
  const flagUri = hints.flags?.jwksUri
  const servedHere = flagUri === undefined || parseIssuer(flagUri)?.host === parsed?.host
  if (hints.flags?.anonymousAuth === false && servedHere) return { message: 'anonymous-auth-off', data: { host } }
  const ownUri = hints.ownJwksUri
  const isOwnHost = ownUri !== undefined && parseIssuer(ownUri)?.host === parsed?.host
  if (hints.openedToAnonymous === false && isOwnHost) return { message: 'no-anonymous-binding', data: { host } }
  const reason = ownUri === undefined ? undefined : whyInternal(ownUri)
  return ownUri === undefined || reason === undefined
    ? undefined
    : { message: 'jwks-uri-internal', data: { uri: ownUri, reason } }
}

const couldNotFetch = /AADSTS(90061|50166|501661)\b/

export const check = defineCheck({
  meta: {
    id: 'cluster/discovery-is-public',
    title: 'The discovery document and the keys can be read by anyone',
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Issuer',
    why: 'Clouds fetch both documents without credentials from the internet; what they cannot read they do not trust.',
    fix: {
      safety: 'review',
      does: 'Where only the binding is missing, bind system:service-account-issuer-discovery to system:unauthenticated, which shows public keys and nothing else; never bind any other role to an unauthenticated group. Have flags, buckets and storage accounts changed by whoever runs them.',
    },
    links: [
      'https://github.com/siderolabs/talos/issues/8336',
      'https://github.com/kubernetes/kubernetes/issues/130781',
      'https://github.com/rancher/rancher/issues/36444',
      'https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/3560',
      'https://github.com/kubernetes/kops/issues/14699',
      'https://github.com/Azure/azure-workload-identity/issues/1130',
    ],
  },
  needs: { federation },
  wants: { issuer, publishedDiscovery, publishedKeys, discoveryHints, googleProviders, observedErrors },
  after: ['cluster/token-flags-fit-together', 'cluster/issuer-is-public'],
  messages,
  remedies,
  judge: ({ have, want }) => {
    if (have.federation.state === 'absent')
      return { status: 'not-applicable', reason: 'no workload exchanges its token by issuer' }
    const providers = want.googleProviders.state === 'known' ? want.googleProviders.value : undefined
    if (keysAreUploaded(have.federation.value.clouds, providers))
      return { status: 'not-applicable', reason: 'the keys were uploaded to Google, which fetches nothing' }
    const { publishedDiscovery: discovery, publishedKeys: keys } = want
    const hints = want.discoveryHints.state === 'known' ? want.discoveryHints.value : undefined
    const issuer = want.issuer.state === 'known' ? want.issuer.value.issuer : undefined
    const evidence: Evidence[] = []
    const fail = (said: Said, more: readonly Evidence[] = []) =>
      ({ status: 'fail', ...said, evidence: [...evidence, ...more] }) as const
    const open = (lacks: string) => ({ status: 'undecided', lacks, evidence }) as const

    if (discovery.state === 'known') {
      const { url } = discovery.value
      const document = documentOf(discovery.value)
      evidence.push({
        question: discovery.from,
        path: 'status' in discovery.value.answer ? 'status' : 'failure',
        observed: 'status' in discovery.value.answer ? discovery.value.answer.status : discovery.value.answer.detail,
        expected: 200,
      })
      if (textAt(document, 'issuer') === undefined) {
        const said = meaning(discovery.value, 'a discovery document', hints)
        return said === undefined ? open(`${url} gave no answer that settles whether it can be read`) : fail(said)
      }
      const uri = at(document, 'jwks_uri')
      if (typeof uri !== 'string' || uri === '') return fail({ message: 'jwks-uri-missing', data: { url } })
      const reason = whyInternal(uri)
      if (reason !== undefined) {
        const said: Said = { message: 'jwks-uri-internal', data: { uri, reason } }
        const { host = '' } = parseIssuer(url) ?? {}
        // A managed control plane names itself in its own copy, and the issuer's in the published one.
        return isManagedIssuer(host)
          ? open(`the discovery document that was collected is the API server's own; the one at ${url} was not seen`)
          : fail(said, [{ question: discovery.from, path: 'document.jwks_uri', observed: uri }])
      }
      if (keys.state === 'known') {
        const answered = readKeys(documentOf(keys.value)) !== undefined
        const said = answered ? undefined : meaning(keys.value, 'a JWKS', undefined)
        if (said !== undefined)
          return fail(said, [{ question: keys.from, path: 'status', observed: keys.value.url, expected: 200 }])
        if (!answered) return open(`${keys.value.url} gave no answer that settles whether it can be read`)
      }
      return { status: 'pass', evidence }
    }
    const text = want.observedErrors.state === 'known' ? want.observedErrors.value : []
    const told = text.find((error) => couldNotFetch.test(error.text))
    if (told !== undefined) {
      const url =
        issuer === undefined ? "the issuer's discovery document (address not collected)" : discoveryUrl(issuer)
      return fail({ message: 'unreachable', data: { url, reason: 'Microsoft Entra could not fetch it' } }, [
        { question: want.observedErrors.from, path: told.place, observed: told.text },
      ])
    }
    const said = hints === undefined ? undefined : hinted(issuer, hints)
    if (said !== undefined && want.discoveryHints.state === 'known')
      return fail(said, [{ question: want.discoveryHints.from, path: '', observed: Object.values(said.data)[0] ?? '' }])
    return discovery.state === 'absent'
      ? open('the issuer is no address on the internet, so nothing could be fetched')
      : { status: 'pass', evidence }
  },
})
