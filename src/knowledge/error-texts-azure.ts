/** Known error texts of Entra, the Azure SDKs, the identity webhook and the resource manager. */
import type { CheckId } from '../core/check.ts'
import type { ErrorText, Lead } from '../domain/error-texts.ts'

const lead = (check: string, message?: string, when?: string): Lead => ({
  check: `azure/${check}` satisfies CheckId,
  ...(message === undefined ? {} : { message }),
  ...(when === undefined ? {} : { when }),
})
const text = (fragment: string, means: string, first: Lead, ...others: readonly Lead[]): ErrorText => ({
  fragment,
  means,
  leads: [first, ...others],
})
const neutral = (check: CheckId, message?: string): Lead => (message === undefined ? { check } : { check, message })

const issuer = lead('federated-credential-matches-issuer')
const subject = lead('federated-credential-matches-subject')
const audience = lead('federated-credential-matches-audience')
const refused = lead('token-exchange-succeeds', 'refused')
const settled = lead('federation-settled', 'credential-young', 'A credential that matches was written a moment ago.')
const documents = [
  lead('issuer-documents-public', 'entra-could-not-fetch'),
  lead('federation-settled', 'issuer-reads-unsteady', 'The documents answer now: it was a passing failure.'),
] as const
const optIn = lead('identity-binding-complete', 'proxy-not-opted-in')

/** Codes of Entra: what each means, what to compare, and where it leads. https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const codes: readonly ErrorText[] = [
  text(
    'AADSTS70021',
    'No federated credential of the identity matches the token; Entra does not say whether issuer, subject or audience differs. Compare all three with the credentials, byte for byte.',
    lead('token-exchange-succeeds', 'entra-found-no-match'),
    issuer,
    subject,
    audience,
    settled,
  ),
  text(
    'AADSTS700211',
    "No federated credential of the identity names the token's issuer. Compare iss with the issuer of each credential, byte for byte, the last slash included.",
    lead('federated-credential-matches-issuer', 'entra-found-no-issuer'),
    settled,
  ),
  text(
    'AADSTS700213',
    "No federated credential for this issuer names the token's subject. Compare sub with the subject of each credential, case included.",
    lead('federated-credential-matches-subject', 'entra-found-no-subject'),
    settled,
  ),
  text(
    'AADSTS7002138',
    'The subject of a credential differs from that of the token in upper and lower case only.',
    lead('federated-credential-matches-subject', 'differs-in-case'),
  ),
  text(
    'AADSTS700212',
    "The credential for this issuer and subject names another audience. Compare aud with the credential's audience.",
    lead('federated-credential-matches-audience', 'entra-found-no-audience'),
    settled,
  ),
  text(
    'AADSTS700016',
    'The tenant that was asked has no identity with this client id. Compare the client id with the identity, and the tenant with its home.',
    lead('identity-exists-in-tenant', 'not-found'),
    lead('service-account-names-identity', 'resource-id', 'The identifier is a whole resource id.'),
  ),
  text(
    'AADSTS7000112',
    'The service principal of the identity is disabled.',
    lead('identity-exists-in-tenant', 'disabled'),
  ),
  ...['AADSTS90002', 'AADSTS900023'].map((code) =>
    text(
      code,
      'There is no such tenant at the authority that was asked: the tenant id is wrong, or the cloud is.',
      lead('authority-is-tenant-cloud', 'tenant-not-found'),
    ),
  ),
  ...['AADSTS900382', 'AADSTS90038'].map((code) =>
    text(
      code,
      'The authority that was asked belongs to another cloud than the tenant.',
      lead('authority-is-tenant-cloud', 'cross-cloud'),
    ),
  ),
  text(
    'AADSTS50027',
    'What was sent as the assertion is no JWT as it stands.',
    lead('token-well-formed-and-current', 'malformed'),
  ),
  text(
    'AADSTS70023',
    'The token lives longer than Entra accepts, or has no time of issue.',
    lead('token-well-formed-and-current', 'lifetime-too-long'),
  ),
  text(
    'AADSTS700024',
    'The assertion was used outside its valid time: it had expired, or the clocks disagree.',
    lead('token-well-formed-and-current', 'outside-validity'),
  ),
  ...['AADSTS700222', 'AADSTS700229'].map((code) =>
    text(
      code,
      'A token of Entra itself was sent where the ServiceAccount token belongs.',
      lead('token-issuer-public', 'issuer-is-entra'),
    ),
  ),
  ...['AADSTS90061', 'AADSTS50166', 'AADSTS501661'].map((code) =>
    text(code, "Entra could not read the issuer's discovery document or keys.", ...documents),
  ),
  text(
    'AADSTS7000272',
    'The issuer publishes no key with the id of the one that signed the token.',
    lead('issuer-publishes-signing-key', 'entra-found-no-key'),
  ),
  ...['AADSTS1002012', 'AADSTS70011', 'AADSTS500011'].map((code) =>
    text(
      code,
      'The scope that the application asks for is none of an existing resource, or does not end in /.default.',
      lead('token-exchange-succeeds', 'scope-invalid'),
    ),
  ),
  text(
    'AADSTS53003',
    'A Conditional Access policy for workload identities blocks the exchange.',
    lead('token-exchange-succeeds', 'conditional-access'),
  ),
  text(
    'AADSTS50005',
    'Conditional Access refuses the login of the person who sets things up; this is not about the workload.',
    lead('federated-credential-accepted', 'blocked-by-conditional-access'),
  ),
  ...['AADSTS7002137', 'AADSTS700021', 'AADSTS700023', 'AADSTS700027'].map((code) =>
    text(code, 'Entra refuses the assertion, which is not of the kind that Kubernetes signs.', refused),
  ),
  ...['AADSTS7000215', 'AADSTS7000222'].map((code) =>
    text(
      code,
      'A client secret was sent, and it is wrong or has expired: the federated token was not used.',
      lead('pod-environment-agrees', 'client-secret-shadows', 'A secret stands in the environment of the pod.'),
      refused,
    ),
  ),
  text('/AADSTS\\d/', 'Entra refuses the exchange.', refused),
]

const wholeTexts: readonly ErrorText[] = [
  text(
    "presented assertion issuer 'https://kubernetes.default.svc",
    'The tokens name an issuer that exists only inside the cluster.',
    lead('token-issuer-public', 'issuer-internal'),
    neutral('cluster/issuer-is-public', 'cluster-internal'),
  ),
  text(
    'No matching federated identity record found for presented assertion issuer',
    "No federated credential of the identity names the token's issuer.",
    lead('federated-credential-matches-issuer', 'entra-found-no-issuer'),
  ),
  text(
    'No matching federated identity record found for presented assertion subject',
    "No federated credential for this issuer names the token's subject.",
    lead('federated-credential-matches-subject', 'entra-found-no-subject'),
  ),
  text(
    'The subject matches with case-insensitive comparison, but not with case-sensitive comparison',
    'The subject of a credential differs from that of the token in upper and lower case only.',
    lead('federated-credential-matches-subject', 'differs-in-case'),
  ),
  text(
    'No matching federated identity record found for presented assertion audience',
    'The credential for this issuer and subject names another audience.',
    lead('federated-credential-matches-audience', 'entra-found-no-audience'),
  ),
  text(
    "presented assertion audience 'api://AKSIdentityBinding'",
    'The token of an identity binding was sent to Entra itself.',
    optIn,
  ),
  text(
    "presented assertion issuer 'https://ib.oic.prod-aks.azure.com/",
    'The token of an identity binding was sent to Entra itself.',
    optIn,
  ),
  text(
    "AADSTS700016: Application with identifier '/subscriptions/",
    'A resource id was given where the client id of the identity belongs.',
    lead('service-account-names-identity', 'resource-id'),
  ),
  text(
    'Confidential Client is not supported in Cross Cloud request',
    'The authority that was asked belongs to another cloud than the tenant.',
    lead('authority-is-tenant-cloud', 'cross-cloud'),
  ),
  text('Request to External OIDC endpoint failed', "Entra could not read the issuer's documents.", ...documents),
  text(
    'used to sign the federated credential could not be found in the metadata of identity provider',
    'The issuer publishes no key with the id of the one that signed the token.',
    lead('issuer-publishes-signing-key', 'entra-found-no-key'),
    neutral('cluster/published-keys-verify-tokens', 'key-not-published'),
  ),
  text(
    'The current credential is not configured to acquire tokens for tenant',
    'The application asks for a token of another tenant than its credential allows.',
    lead('token-exchange-succeeds', 'tenant-not-allowed'),
  ),
]

const inPods: readonly ErrorText[] = [
  ...[
    'AZURE_CLIENT_ID environment variable is not set',
    'no client ID specified',
    'clientId is a required parameter',
    'The client_id parameter or AZURE_CLIENT_ID environment variable must be set',
  ].map((fragment) =>
    text(
      fragment,
      'The application has no client id to ask with.',
      lead('service-account-names-identity', 'unset-in-application'),
      lead('pod-labelled', undefined, 'The pod has no label, so that nothing was injected.'),
    ),
  ),
  ...[
    'no token file specified. Check pod configuration or set TokenFilePath in the options',
    'azure tenant id environment variable is empty',
    'missing environment variables',
    'AZURE_TENANT_ID not set',
  ].map((fragment) =>
    text(
      fragment,
      'The application has nothing of the environment that the webhook injects.',
      lead('pod-injected', 'environment-missing'),
      lead('pod-labelled', undefined, 'The pod template has no label.'),
    ),
  ),
  ...["The authorityHost address must use the 'https' protocol.", 'the Authority does not appear to use https'].map(
    (fragment) =>
      text(
        fragment,
        'AZURE_AUTHORITY_HOST is empty or no https address: mostly the webhook did not run.',
        lead('authority-is-tenant-cloud', 'authority-not-https'),
        lead('webhook-configuration-sound', 'fails-open', 'The webhook fails open.'),
      ),
  ),
  ...['endpoints_resolution_error', 'network_error: See https://aka.ms/msal.js.errors#network_error'].map((fragment) =>
    text(
      fragment,
      'The client could not find out, or not reach, the endpoints of the authority.',
      lead('authority-reachable', 'unresolved'),
    ),
  ),
  ...[
    'unable to resolve an endpoint',
    'ENOTFOUND login.microsoftonline.com',
    'ETIMEDOUT login.microsoftonline.com',
    '/(?:lookup|dial tcp:? lookup) login\\.(?:microsoftonline\\.(?:com|us)|chinacloudapi\\.cn)\\b.{0,200}(?:no such host|i\\/o timeout)/',
    '/https:\\/\\/login\\.(?:microsoftonline\\.(?:com|us)|chinacloudapi\\.cn)\\/.{0,300}(?:i\\/o timeout|context deadline exceeded|connection refused)/',
  ].map((fragment) =>
    text(
      fragment,
      'The pod gets no answer from the authority: name resolution, a firewall or a policy is in between.',
      lead('authority-reachable', 'egress-blocked'),
    ),
  ),
  ...['No access was configured for the VM', 'Identity not found'].map((fragment) =>
    text(
      fragment,
      "The application asks the metadata endpoint for the node's identity instead of exchanging its token.",
      lead('app-presents-federated-token', 'asks-metadata-endpoint'),
    ),
  ),
  text(
    'no azure identity found for request',
    'The NMI of aad-pod-identity, which is retired, still answers for the metadata address.',
    lead('app-presents-federated-token', 'answered-by-nmi'),
  ),
  text(
    'ManagedIdentityCredential: no default identity',
    'The client tries the environment and the metadata endpoint, and knows nothing of workload identity: it is too old.',
    lead('app-presents-federated-token', 'client-too-old'),
  ),
  text(
    'dial tcp 169.254.169.254:80: connection refused',
    'The metadata address is led to the migration proxy, which does not answer there.',
    lead('no-migration-helpers', 'proxy-passes-metadata-through'),
  ),
  text(
    'azure-identity-token: permission denied',
    'The process may not read its token file.',
    lead('token-file-readable', 'permission-denied'),
    neutral('workload/token-file-is-readable', 'mode-excludes-user'),
  ),
  text(
    '/azure-identity-token: [Nn]o such file or directory/',
    'There is no token file at the path that the application opens.',
    lead('token-file-readable', 'not-mounted'),
    lead('token-file-readable', 'path-literal', "The pod's variable names another path."),
  ),
  text(
    "ENOENT: no such file or directory, open '/var/run/secrets/azure/",
    'There is no token file at the path that the application opens.',
    lead('token-file-readable', 'not-mounted'),
    neutral('workload/token-file-is-readable', 'not-mounted'),
  ),
  text(
    'WorkloadIdentityCredential: is unavailable. No content on the file',
    'The token file is empty.',
    lead('token-file-readable', 'empty'),
  ),
]

const inCluster: readonly ErrorText[] = [
  ...[
    'failed calling webhook "mutation.azure-workload-identity.io"',
    'no endpoints available for service "azure-wi-webhook-webhook-service"',
    'Post "https://azure-wi-webhook-webhook-service.',
  ].map((fragment) =>
    text(
      fragment,
      'The API server could not call the identity webhook.',
      lead('webhook-serving', 'call-failed'),
      neutral('cluster/webhook-answers'),
    ),
  ),
  ...[
    'admission webhook "mutation.azure-workload-identity.io" denied the request',
    'not valid. Expected value to be between 3600 and 86400',
    'failed to parse proxy sidecar port',
    'hostNetwork is set to true, cannot inject proxy sidecar',
  ].map((fragment) =>
    text(fragment, 'The identity webhook refused the pod for what stands in it.', lead('pod-admitted')),
  ),
  ...['failed to parse workload identity tokens', 'service account tokens not found'].map((fragment) =>
    text(
      fragment,
      'The kubelet hands the driver no token: its CSIDriver asks for none.',
      lead('secrets-store-names-identity', 'token-requests-missing'),
    ),
  ),
]

const writing: readonly ErrorText[] = [
  ...(
    [
      ["Federated Identity Credential must specify 'issuer', 'subject' and 'audience'", 'field-empty'],
      ['Federated Identity Credential from HTTP body has empty properties', 'field-empty'],
      ['Federated identity credentials must have exactly one audience', 'audience-count'],
      ['Issuer and subject combination already exists for this Managed Identity', 'already-exists'],
      ['Request_MultipleObjectsWithSameKeyValue: FederatedIdentityCredential with name', 'already-exists'],
      ['/FederatedIdentityCredential with name .{1,130} already exists/', 'already-exists'],
      ['ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity', 'concurrent-writes'],
      ['Support for federated identity credentials not enabled', 'region-unsupported'],
      ['/RequestDisallowedByPolicy.{0,2000}[Ff]ederated/', 'denied-by-policy'],
      [
        '/(?:AuthorizationFailed|does not have authorization to perform action).{0,600}federatedIdentityCredentials\\/write/',
        'not-permitted',
      ],
      ['/Authorization_RequestDenied.{0,600}[Ff]ederated/', 'not-permitted'],
      ['/[Ff]ederated.{0,600}(?:TooManyRequests|\\b429\\b|[Tt]oo many requests)/', 'throttled'],
      [
        '/[Tt]oo many federated identity credentials|[Ff]ederated[ A-Za-z]{0,60}(?:limit|maximum).{0,80}\\b20\\b/',
        'limit-reached',
      ],
    ] as const
  ).map(([fragment, message]) =>
    text(
      fragment,
      'Azure did not take a federated credential that was to be written.',
      lead('federated-credential-accepted', message),
    ),
  ),
]

const data: readonly ErrorText[] = [
  ...[
    'AuthorizationPermissionMismatch',
    'This request is not authorized to perform this operation using this permission',
  ].map((fragment) =>
    text(
      fragment,
      'The storage account accepts the token, and the identity has no role for its data, or has it only just now.',
      lead('identity-has-role', 'data-denied'),
      lead('federation-settled', 'role-young', 'The role was assigned a moment ago.'),
    ),
  ),
  ...['AuthorizationFailed', 'does not have authorization to perform action'].map((fragment) =>
    text(
      fragment,
      'The resource manager refuses an action to the identity that the text names.',
      lead('identity-has-role', 'action-denied'),
    ),
  ),
]

export const azureErrorTexts: readonly ErrorText[] = [
  ...codes,
  ...wholeTexts,
  ...inPods,
  ...inCluster,
  ...writing,
  ...data,
]
