/** Known error texts about the cluster's own parts: identity webhooks, the API server's token flags, clocks, key sets. */
import type { ErrorText } from '../domain/error-texts.ts'

const answers = 'cluster/webhook-answers'
const bundle = 'cluster/webhook-ca-bundle-verifies'
const flags = 'cluster/token-flags-fit-together'
const clocks = 'cluster/clocks-agree'

export const clusterErrorTexts = [
  ...(['pod-identity-webhook', 'azure-wi-webhook-mutating-webhook-configuration'] as const).map(
    (name): ErrorText => ({
      fragment: `mutatingwebhookconfigurations.admissionregistration.k8s.io "${name}" not found`,
      leads: [{ check: 'cluster/webhook-is-configured', message: 'missing' }],
      means: 'The cluster has no webhook configuration of that name, so nothing of that name injects an identity.',
    }),
  ),
  {
    fragment:
      'mutatingwebhookconfigurations.admissionregistration.k8s.io "azure-wi-webhook-mutating-webhook-configuration" is forbidden',
    leads: [
      { check: 'azure/webhook-configuration-sound', message: 'certificate-not-written' },
      { check: 'cluster/webhook-is-dependable', message: 'installed-twice' },
    ],
    means: 'A second installation of the Azure webhook may not write the configuration that the first one owns.',
  },
  {
    fragment: 'failed calling webhook "…": failed to call webhook: Post "https://…": context deadline exceeded',
    leads: [{ check: answers, message: 'times-out' }],
    means: 'The API server got no answer from the webhook in time.',
  },
  {
    fragment: 'failed calling webhook "…": failed to call webhook: Post "https://…": dial tcp …: i/o timeout',
    leads: [{ check: answers, message: 'times-out' }],
    means: 'The API server could not connect to the webhook: a firewall or a policy is in between.',
  },
  {
    fragment: 'failed calling webhook "…no endpoints available for service',
    leads: [{ check: answers, message: 'no-ready-endpoints' }],
    means: 'The webhook has no running pod behind its Service.',
  },
  {
    fragment: 'Failed calling webhook, failing open',
    leads: [{ check: answers }, { check: bundle, when: 'The text ends in an x509 error.' }],
    means: 'The API server could not call an admission webhook, and went on without it.',
  },
  {
    fragment: 'no serving certificate available for the webhook, is the CSR approved?',
    leads: [{ check: answers, message: 'certificate-not-issued' }],
    means: 'The webhook waits for its serving certificate, which nobody has issued.',
  },
  ...(['list', 'watch'] as const).map(
    (verb): ErrorText => ({
      fragment: `cannot ${verb} resource "serviceaccounts" in API group "" at the cluster scope`,
      leads: [{ check: answers, message: 'cannot-read-service-accounts' }],
      means: 'Whoever the text names may not read ServiceAccounts; a webhook that may not injects nothing.',
    }),
  ),
  {
    fragment: 'http: server gave HTTP response to HTTPS client',
    leads: [{ check: answers }],
    means: 'What answers at the address of the webhook does not speak TLS.',
  },
  {
    fragment: 'failed calling webhook "…x509: certificate signed by unknown authority',
    leads: [{ check: bundle, message: 'lacks-current-ca' }],
    means: "The CA bundle of the webhook configuration does not verify the webhook's certificate.",
  },
  {
    fragment: 'failed calling webhook "…x509: certificate has expired or is not yet valid',
    leads: [{ check: bundle, message: 'serving-certificate-expired' }],
    means: "The webhook's certificate is out of date.",
  },
] as const satisfies readonly ErrorText[]

/** About the flags of kube-apiserver, the clocks and the published keys. */
export const controlPlaneErrorTexts = [
  {
    fragment: 'service-account-issuer "…" is already specified',
    leads: [{ check: flags, message: 'issuer-given-twice' }],
    means: 'kube-apiserver was given the same issuer twice, and does not start.',
  },
  {
    fragment: "contained a ':' but was not a valid URL",
    leads: [{ check: flags, message: 'issuer-malformed' }],
    means: 'The issuer looks like a URL and is none, and kube-apiserver does not start.',
  },
  {
    fragment:
      'Could not construct pre-rendered responses for ServiceAccountIssuerDiscovery endpoints. Endpoints will not be enabled.',
    leads: [{ check: flags }],
    means: 'kube-apiserver serves no discovery document, for the reason that the text goes on to say.',
  },
  {
    fragment: 'issuer URL must use https scheme, got:',
    leads: [{ check: flags, message: 'issuer-not-discoverable' }],
    means: 'The issuer is not https, so kube-apiserver serves no discovery document.',
  },
  {
    fragment: 'issuer URL may not include a query, got:',
    leads: [{ check: flags, message: 'issuer-not-discoverable' }],
    means: 'The issuer has a query, so kube-apiserver serves no discovery document.',
  },
  {
    fragment: 'issuer URL may not include a fragment, got:',
    leads: [{ check: flags, message: 'issuer-not-discoverable' }],
    means: 'The issuer has a fragment, so kube-apiserver serves no discovery document.',
  },
  {
    fragment: 'empty issuer URL',
    leads: [{ check: flags, message: 'issuer-not-discoverable' }],
    means: 'The issuer is empty, so kube-apiserver serves no discovery document.',
  },
  {
    fragment: 'jwksURI requires https scheme, parsed as:',
    leads: [{ check: flags, message: 'jwks-uri-not-https' }],
    means: '--service-account-jwks-uri is not https, so kube-apiserver serves no discovery document.',
  },
  {
    fragment: 'no keys provided for validating keyset',
    leads: [{ check: flags, message: 'no-verification-key' }],
    means: 'kube-apiserver has no key to publish, so it serves no discovery document.',
  },
  ...(
    [
      'the API server does not have TokenRequest endpoints enabled',
      'failed to fetch token: the server could not find the requested resource',
    ] as const
  ).map(
    (fragment): ErrorText => ({
      fragment,
      leads: [{ check: flags, message: 'token-request-off' }],
      means: 'The API server mints no tokens for pods: TokenRequest is not enabled.',
    }),
  ),
  ...(
    [
      'audience "…" not found in pod spec volume',
      'is not authorized to request tokens for this audience',
      'is not authorized to request tokens for audience',
      'error validating audience "…"',
      'node may only request 0 or 1 audiences',
      'node requested token not bound to a pod',
      'node requested token bound to a pod scheduled on a different node',
    ] as const
  ).map(
    (fragment): ErrorText => ({
      fragment,
      leads: [{ check: 'storage/kubelet-may-request-driver-audience' }],
      means: 'The API server does not let the kubelet ask for a token of that audience on behalf of the pod.',
    }),
  ),
  {
    fragment: 'AADSTS700024: Client assertion is not within its valid time range',
    leads: [
      { check: 'azure/token-well-formed-and-current', message: 'outside-validity' },
      { check: 'workload/token-is-fresh' },
      { check: clocks, message: 'cloud-saw-a-token-from-the-future' },
    ],
    means: 'The token had expired, or the clocks disagree.',
  },
  {
    fragment: 'service account token is not valid yet',
    leads: [{ check: clocks }],
    means: 'The clock of the API server is behind that of whoever issued the token.',
  },
  {
    fragment: 'The access token lifetime cannot exceed 3600 seconds',
    leads: [{ check: clocks }, { check: 'gcp/token-is-current', message: 'issued-in-future' }],
    means: 'The clock of the client is ahead, or a longer lifetime was asked for than Google grants.',
  },
  {
    fragment: 'is stale to sign-in',
    leads: [{ check: clocks }, { check: 'gcp/token-is-current', message: 'stale' }],
    means: 'Google takes the token for one of too long ago: it is old, or a clock is off.',
  },
  ...(['Input JWK is not in a valid json format', 'Input jwks contains corrupted key material'] as const).map(
    (fragment): ErrorText => ({
      fragment,
      leads: [
        { check: 'cluster/published-jwks-is-current', message: 'fields-beyond-the-key' },
        { check: 'gcp/provider-knows-the-signing-key' },
      ],
      means: 'Google does not take the key set: it is no JSON, or a key carries more than a key.',
    }),
  ),
] as const satisfies readonly ErrorText[]
