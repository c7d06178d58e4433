/** Known error texts about Azure of SDKs, the identity webhook and the resource manager; what Entra itself says stands beside them. */
import type { ErrorText } from '../domain/error-texts.ts'
import { azureClientErrorTexts, withoutClientId } from './error-texts-azure-clients.ts'
import { entraErrorTexts, lead, neutral, text } from './error-texts-entra.ts'

const inPods: readonly ErrorText[] = [
  ...[
    'AZURE_CLIENT_ID environment variable is not set',
    'no client ID specified',
    'clientId is a required parameter',
    'The client_id parameter or AZURE_CLIENT_ID environment variable must be set',
  ].map(withoutClientId),
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
  text(
    '/AZURE_FEDERATED_TOKEN_FILE (?:env(?:ironment)? )?var(?:iable)? is not set/',
    'The application has nothing of the environment that the webhook injects.',
    lead('pod-injected', 'environment-missing'),
    lead('pod-labelled', undefined, 'The pod template has no label.'),
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
  ...[
    'No access was configured for the VM',
    'Identity not found',
    'Multiple user assigned identities exist, please specify the clientId',
  ].map((fragment) =>
    text(
      fragment,
      "The application asks the metadata endpoint for the node's identity instead of exchanging its token.",
      lead('app-presents-federated-token', 'asks-metadata-endpoint'),
    ),
  ),
  text(
    'Microsoft.Azure.Services.AppAuthentication',
    'The library is retired and knows nothing of workload identity; Azure.Identity does.',
    lead('app-presents-federated-token', 'client-too-old'),
  ),
  text(
    '/getting assigned identities for pod .{1,400} in CREATED state failed/',
    'The NMI of aad-pod-identity, which is retired, still answers for the metadata address.',
    lead('app-presents-federated-token', 'answered-by-nmi'),
  ),
  ...['no azure identity found for request', 'nmi response failed with status code'].map((fragment) =>
    text(
      fragment,
      'The NMI of aad-pod-identity, which is retired, still answers for the metadata address.',
      lead('app-presents-federated-token', 'answered-by-nmi'),
    ),
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
    "/(?:Permission denied:|EACCES: permission denied, open|AccessDeniedException:) '?\\/(?:var\\/)?run\\/secrets\\/azure\\/|azure-identity-token'?: Permission denied/",
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
    "/(?:No such file or directory:|Could not find (?:file|a part of the path)|NoSuchFileException:) '?\\/var\\/run\\/secrets\\/azure\\//",
    'There is no token file at the path that the application opens.',
    lead('token-file-readable', 'not-mounted'),
    neutral('workload/token-file-is-readable', 'not-mounted'),
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
      ['The combination of issuer and subject must be unique for the application', 'already-exists'],
      ['/azurerm_federated_identity_credential.{0,600}argument "(?:issuer|subject)" is required/', 'field-empty'],
      ['/expected "(?:issuer|subject)" to not be an empty string/', 'field-empty'],
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
      { check: 'storage/store-admits-the-identity', message: 'refused' },
    ),
  ),
  ...[
    'ForbiddenByRbac',
    'Caller is not authorized to perform action on resource',
    '/does not have (?:secrets|keys|certificates) [a-z]{3,20} permission on key vault/',
    'does not have required RBAC permissions to perform action',
    'claim(s) are required to perform this operation',
    '/error exchanging token: unexpected status code 401 from (?:ACR )?exchange request/',
  ].map((fragment) =>
    text(
      fragment,
      'The service accepts the token, and the identity has no role for its data, or has it only just now.',
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
  ...entraErrorTexts,
  ...inPods,
  ...azureClientErrorTexts,
  ...inCluster,
  ...writing,
  ...data,
]
