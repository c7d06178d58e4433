/** The token flags of kube-apiserver fit together. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { expirationFits, goSeconds, isMalformedUrl, notDiscoverable } from '../../domain/token-flags.ts'
import { apiServer, flagValues } from '../../probes/cluster/api-server.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { tokenRequestVersion } from '../../probes/cluster/token-request.ts'

const texts = {
  twice: /service-account-issuer "([^"]{1,512})" is already specified/,
  malformed: /service-account-issuer "([^"]{1,512})" contained a ':' but was not a valid URL/,
  scheme: /issuer URL must use https scheme, got: (\S{1,512})/,
  query: /issuer URL may not include a query, got: (\S{1,512})/,
  empty: /empty issuer URL/,
  jwks: /jwksURI requires https scheme, parsed as: (\S{1,512})/,
  keys: /no keys provided for validating keyset/,
  off: /the API server does not have TokenRequest endpoints enabled|failed to fetch token: the server could not find the requested resource/,
} as const
const notCollected = 'not collected'
const look = 'kubectl get pods -n kube-system -l component=kube-apiserver -o yaml'
const change = (what: string): string =>
  advice(
    `Have whoever runs the control plane ${what}, in the manifest of kube-apiserver on each control-plane node, and keep the issuer that living tokens carry as a further --service-account-issuer. The command shows the flags as they are.`,
    look,
  )

export const check = defineCheck({
  meta: {
    id: 'cluster/token-flags-fit-together',
    title: 'The token flags of kube-apiserver fit together',
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Issuer',
    why: 'Some wrong flags keep kube-apiserver from starting; others only switch off discovery, which it says in its log and nowhere else.',
    fix: {
      safety: 'manual',
      does: 'Write the flags as they should stand, in order, with the former issuer kept; never change the flags of a control plane from here.',
    },
    links: [
      'https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/serviceaccount/openidmetadata.go',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/119',
      'https://kep.k8s.io/740',
    ],
  },
  needs: {},
  wants: { apiServer, observedErrors, tokenRequestVersion },
  after: [],
  messages: {
    'issuer-given-twice': ({ issuer }: { issuer: string }) =>
      `--service-account-issuer ${issuer} is given twice; kube-apiserver refuses to start`,
    'issuer-malformed': ({ issuer }: { issuer: string }) =>
      `--service-account-issuer ${issuer} contains ":" but is no valid URL`,
    'issuer-not-discoverable': ({ issuer, reason }: { issuer: string; reason: string }) =>
      `--service-account-issuer ${issuer} ${reason}, so kube-apiserver leaves discovery off and only logs it`,
    'jwks-uri-not-https': ({ uri }: { uri: string }) =>
      `--service-account-jwks-uri ${uri} is not https, so kube-apiserver leaves discovery off and only logs it`,
    'no-verification-key': ({ flag }: { flag: string }) =>
      `kube-apiserver has no key to publish (${flag} is missing or empty), so discovery is off`,
    'signing-endpoint-and-key-file': ({ endpoint, file }: { endpoint: string; file: string }) =>
      `--service-account-signing-endpoint ${endpoint} and --service-account-signing-key-file ${file} exclude each other`,
    'max-expiration-out-of-range': ({ value }: { value: string }) =>
      `--service-account-max-token-expiration ${value} is outside 1h to 2^32 s`,
    'token-request-off': ({ version }: { version: string }) =>
      `the API server (${version}) answers 404 for serviceaccounts/token: TokenRequest is not enabled`,
  },
  remedies: {
    'issuer-given-twice': ({ issuer }) => change(`give --service-account-issuer=${issuer} once`),
    'issuer-malformed': () => change('write an https URL as the first --service-account-issuer'),
    'issuer-not-discoverable': () =>
      change('give a public https address without a query as the first --service-account-issuer'),
    'jwks-uri-not-https': () => change('give --service-account-jwks-uri an https address, or leave it out'),
    'no-verification-key': ({ flag }) => change(`give ${flag} the file of the public key that verifies its tokens`),
    'signing-endpoint-and-key-file': () =>
      change('leave out one of --service-account-signing-endpoint and --service-account-signing-key-file'),
    'max-expiration-out-of-range': () => change('set --service-account-max-token-expiration between 1h and 2^32 s'),
    'token-request-off': () =>
      change(
        'set --service-account-issuer and --service-account-signing-key-file (before 1.20 TokenRequest is off without them)',
      ),
  },
  judge: ({ want: { apiServer, observedErrors, tokenRequestVersion } }) => {
    const errors = observedErrors.state === 'known' ? observedErrors.value : []
    const found = (pattern: RegExp): { readonly value: string; readonly evidence: Evidence } | undefined => {
      for (const { text, place } of errors) {
        const match = pattern.exec(text.replace(/\\"/g, '"'))
        if (match !== null)
          return {
            value: (match[1] ?? '').replace(/[",.]+$/, ''),
            evidence: { question: observedErrors.from, path: place, observed: text },
          }
      }
      return undefined
    }
    const server = apiServer.state === 'known' ? apiServer.value : undefined
    const command = server?.command ?? []
    const last = (flag: string): string | undefined => flagValues(command, flag).at(-1)
    const see = (flag: string, observed: string, more?: { readonly evidence: Evidence }): readonly Evidence[] => [
      ...(server === undefined
        ? []
        : [{ question: apiServer.from, path: `${server.pod} --${flag}`, observed: observed || 'empty' }]),
      ...(more === undefined ? [] : [more.evidence]),
    ]
    const issuers = server?.issuers ?? []

    const twice = found(texts.twice)
    const same = twice?.value ?? issuers.find((one, index) => issuers.indexOf(one) !== index)
    if (same !== undefined)
      return {
        status: 'fail',
        message: 'issuer-given-twice',
        data: { issuer: same },
        evidence: see('service-account-issuer', issuers.join(' '), twice),
      }
    const bad = found(texts.malformed)
    const malformed = bad?.value ?? issuers.find(isMalformedUrl)
    if (malformed !== undefined)
      return {
        status: 'fail',
        message: 'issuer-malformed',
        data: { issuer: malformed },
        evidence: see('service-account-issuer', malformed, bad),
      }
    const [first] = issuers
    const scheme = found(texts.scheme)
    const query = found(texts.query)
    const empty = found(texts.empty)
    const said = scheme ?? query ?? empty
    const reason =
      first === undefined
        ? scheme
          ? 'is not https'
          : query
            ? 'has a query'
            : empty
              ? 'is empty'
              : undefined
        : notDiscoverable(first)
    if (reason !== undefined)
      return {
        status: 'fail',
        message: 'issuer-not-discoverable',
        data: { issuer: (first ?? said?.value) || '""', reason },
        evidence: see('service-account-issuer', first ?? '', said),
      }
    const jwks = found(texts.jwks)
    const uri = server?.jwksUri
    if (
      (uri !== undefined && uri !== '' && !/^https:/i.test(uri)) ||
      (uri === undefined && server === undefined && jwks)
    )
      return {
        status: 'fail',
        message: 'jwks-uri-not-https',
        data: { uri: uri ?? jwks?.value ?? notCollected },
        evidence: see('service-account-jwks-uri', uri ?? '', jwks),
      }
    const keyless = found(texts.keys)
    if (keyless !== undefined || last('service-account-key-file') === '')
      return {
        status: 'fail',
        message: 'no-verification-key',
        data: { flag: '--service-account-key-file' },
        evidence: see('service-account-key-file', last('service-account-key-file') ?? 'not given', keyless),
      }
    const endpoint = last('service-account-signing-endpoint')
    const file = last('service-account-signing-key-file')
    if (endpoint && file)
      return {
        status: 'fail',
        message: 'signing-endpoint-and-key-file',
        data: { endpoint, file },
        evidence: see('service-account-signing-endpoint', endpoint),
      }
    const longest = last('service-account-max-token-expiration')
    const seconds = longest === undefined ? undefined : goSeconds(longest)
    if (longest !== undefined && seconds !== undefined && !expirationFits(seconds))
      return {
        status: 'fail',
        message: 'max-expiration-out-of-range',
        data: { value: longest },
        evidence: see('service-account-max-token-expiration', longest),
      }
    const off = found(texts.off)
    if (off !== undefined)
      return {
        status: 'fail',
        message: 'token-request-off',
        data: {
          version: tokenRequestVersion.state === 'known' ? tokenRequestVersion.value : `version ${notCollected}`,
        },
        evidence: [off.evidence],
      }
    if (apiServer.state === 'absent')
      return { status: 'not-applicable', reason: 'the control plane is managed and shows no flags' }
    if (server === undefined)
      return { status: 'undecided', lacks: 'the flags of kube-apiserver were not seen', lift: look }
    if (said !== undefined || jwks !== undefined)
      return {
        status: 'undecided',
        lacks: 'kube-apiserver once refused a flag, and the flags that were seen are well',
        evidence: said === undefined ? [] : [said.evidence],
      }
    // A manifest with no issuer at all has been abridged.
    if (first === undefined) return { status: 'undecided', lacks: '--service-account-issuer was not seen', lift: look }
    return { status: 'pass', evidence: see('service-account-issuer', issuers.join(' ')) }
  },
})
