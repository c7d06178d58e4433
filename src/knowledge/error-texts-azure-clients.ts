/** Known error texts of Azure's client libraries, in the words that each of them has for the same trouble. */
import type { ErrorText } from '../domain/error-texts.ts'
import { lead, neutral, text } from './error-texts-entra.ts'

const host = 'login\\.(?:microsoftonline\\.(?:com|us)|partner\\.microsoftonline\\.cn|chinacloudapi\\.cn)'

const withoutEnvironment = [
  'no tenant ID specified. Check pod configuration or set TenantID in the options',
  'WorkloadIdentityCredential: is unavailable. tenantId, clientId, and federatedTokenFilePath are required parameters',
  "/'(?:tenant_id|token_file_path)' is required\\. Please pass it in or set the AZURE_/",
  '/WorkloadIdentityCredential authentication unavailable\\. (?:The )?[Ww]orkload (?:[Ii]dentity )?options are not fully configured(?!.{0,300}Missing required arguments: .client_id.\\.)/',
]

export const withoutClientId = (fragment: string): ErrorText =>
  text(
    fragment,
    'The application has no client id to ask with.',
    lead('service-account-names-identity', 'unset-in-application'),
    lead('pod-labelled', undefined, 'The pod has no label, so that nothing was injected.'),
  )

export const azureClientErrorTexts: readonly ErrorText[] = [
  ...withoutEnvironment.map((fragment) =>
    text(
      fragment,
      'The application lacks its client id, its tenant id or its token file.',
      lead('pod-injected', 'environment-missing'),
      lead('pod-labelled', undefined, 'The pod template has no label.'),
      lead('service-account-names-identity', undefined, 'The ServiceAccount names no client id.'),
    ),
  ),
  ...[
    "missing clientID: either serviceAccountRef or service account annotation 'azure.workload.identity/client-id' is missing",
    "/AADSTS900144\\b.{0,120}'client_id'/",
    "'client_id' is required. Please pass it in or set the AZURE_CLIENT_ID environment variable",
    "/Workload [Ii]dentity options are not fully configured.{0,300}Missing required arguments: 'client_id'\\.|workload options are not fully configured.{0,300}Missing required arguments: 'client_id'\\./",
  ].map(withoutClientId),
  // Whatever else it says: that it was tried at all is what the lines of a chain that come after it have to be read by.
  text(
    '/WorkloadIdentityCredential.{0,22}(?:failed|unavail)/',
    'The application tried to exchange its token, and could not.',
    lead('pod-injected', undefined, 'The environment of the pod lacks what the webhook sets.'),
    lead('token-exchange-succeeds', undefined, 'Entra refused the token.'),
  ),
  ...[
    "the requested identity isn't assigned to this resource",
    'The requested identity has not been assigned to this resource',
    'failed to authenticate a system assigned identity',
    '/ManagedIdentityCredential authentication unavailable[,.] ?(?:[Nn]o response|[Nn]o managed identity endpoint|Connection to IMDS endpoint|Multiple attempts failed)/',
    '/ManagedIdentityCredential: (?:Authentication failed\\. Message )?Attempted to use the IMDS endpoint, but it is not available/',
  ].map((fragment) =>
    text(
      fragment,
      "The application asks the metadata endpoint for the node's identity instead of exchanging its token.",
      lead('app-presents-federated-token', 'asks-metadata-endpoint'),
    ),
  ),
  ...[
    `/${host}.{0,400}(?:Max retries exceeded|Connection refused|Connection timed out|Name or service not known|Temporary failure in name resolution|Network is unreachable)/`,
    `/(?:UnknownHostException|EAI_AGAIN|ECONNREFUSED|Name or service not known|Connection refused|Connection timed out|Temporary failure in name resolution|nodename nor servname).{0,40}${host}/`,
    `/${host}.{0,300}(?:no such host|server misbehaving|network is unreachable|no route to host|TLS handshake timeout|: EOF)/`,
  ].map((fragment) =>
    text(
      fragment,
      'The pod gets no answer from the authority: name resolution, a firewall or a policy is in between.',
      lead('authority-reachable', 'egress-blocked'),
      neutral('workload/network-leads-to-the-token-endpoint'),
    ),
  ),
  ...[
    `/${host}.{0,400}(?:x509: |certificate verify failed|CERTIFICATE_VERIFY_FAILED|PKIX path building failed|self.signed certificate|unable to get (?:local )?issuer certificate|SSL connection could not be established)/`,
    `/(?:certificate verify failed|CERTIFICATE_VERIFY_FAILED|PKIX path building failed|self.signed certificate|unable to get (?:local )?issuer certificate).{0,200}${host}/`,
  ].map((fragment) =>
    text(
      fragment,
      'The pod does not trust the certificate that the authority shows: something in between shows its own.',
      lead('authority-reachable', 'tls-intercepted'),
    ),
  ),
]
