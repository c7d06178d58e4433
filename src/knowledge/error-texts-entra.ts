/** Known error texts of Entra itself: the codes, and the sentences behind them. */
import type { CheckId } from '../core/check.ts'
import type { ErrorText, Lead } from '../domain/error-texts.ts'

export const lead = (check: string, message?: string, when?: string): Lead => ({
  check: `azure/${check}` satisfies CheckId,
  ...(message === undefined ? {} : { message }),
  ...(when === undefined ? {} : { when }),
})
export const text = (fragment: string, means: string, first: Lead, ...others: readonly Lead[]): ErrorText => ({
  fragment,
  means,
  leads: [first, ...others],
})
export const neutral = (check: CheckId, message?: string): Lead =>
  message === undefined ? { check } : { check, message }

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
    'The subject of a credential differs from that of the token in upper and lower case only. Compare sub with the subject of the credential, letter by letter.',
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
    'The tenant that was asked has no identity with this client id: it was deleted, lives in another tenant, or was never one. Compare the client id with the identity, and the tenant with its home.',
    lead('identity-exists-in-tenant', 'not-found'),
    lead('service-account-names-identity', 'resource-id', 'The identifier is a whole resource id.'),
  ),
  text(
    'AADSTS7000112',
    'The service principal of the identity is disabled. Compare accountEnabled of the service principal with true.',
    lead('identity-exists-in-tenant', 'disabled'),
  ),
  ...['AADSTS90002', 'AADSTS900021', 'AADSTS900023'].map((code) =>
    text(
      code,
      'There is no such tenant at the authority that was asked: the tenant id is wrong, or the cloud is. Compare AZURE_TENANT_ID with the tenant of the identity, and AZURE_AUTHORITY_HOST with the authority of its cloud.',
      lead('authority-is-tenant-cloud', 'tenant-not-found'),
    ),
  ),
  ...['AADSTS900382', 'AADSTS90038'].map((code) =>
    text(
      code,
      'The authority that was asked belongs to another cloud than the tenant. Compare AZURE_AUTHORITY_HOST with the authority of the cloud that the identity lives in.',
      lead('authority-is-tenant-cloud', 'cross-cloud'),
    ),
  ),
  text(
    'AADSTS50027',
    'What was sent as the assertion is no JWT as it stands. Compare it with the file that AZURE_FEDERATED_TOKEN_FILE names: three parts, no space or newline around them.',
    lead('token-well-formed-and-current', 'malformed'),
  ),
  text(
    'AADSTS70023',
    'The token lives longer than Entra accepts, or has no time of issue. Compare exp minus iat of the token with 25 h, and look whether iat is there.',
    lead('token-well-formed-and-current', 'lifetime-too-long'),
  ),
  text(
    'AADSTS700024',
    'The assertion was used outside its valid time: it had expired, or the clocks disagree. Compare nbf and exp of the token with the current time in the text; an application that keeps its first token sends an old one.',
    lead('token-well-formed-and-current', 'outside-validity'),
  ),
  ...['AADSTS700222', 'AADSTS700229'].map((code) =>
    text(
      code,
      'A token of Entra itself was sent where the ServiceAccount token belongs. Compare iss of what is sent with the issuer of the cluster.',
      lead('token-issuer-public', 'issuer-is-entra'),
    ),
  ),
  ...['AADSTS90061', 'AADSTS50166', 'AADSTS501661'].map((code) =>
    text(
      code,
      "Entra could not read the issuer's discovery document or keys. Compare what the issuer answers to anybody on the internet (.well-known/openid-configuration, then jwks_uri) with 200 and JSON.",
      ...documents,
    ),
  ),
  text(
    'AADSTS7000272',
    'The issuer publishes no key with the id of the one that signed the token. Compare kid in the header of the token with the keys at jwks_uri.',
    lead('issuer-publishes-signing-key', 'entra-found-no-key'),
  ),
  ...['AADSTS1002012', 'AADSTS70011', 'AADSTS500011'].map((code) =>
    text(
      code,
      'The scope that the application asks for is none of an existing resource, or does not end in /.default. Compare it with the resource identifier, such as https://storage.azure.com/.default.',
      lead('token-exchange-succeeds', 'scope-invalid'),
    ),
  ),
  text(
    'AADSTS53003',
    'A Conditional Access policy for workload identities blocks the exchange. Compare the sign-in of the service principal in the log of Entra with the policies that include it.',
    lead('token-exchange-succeeds', 'conditional-access'),
  ),
  text(
    'AADSTS50005',
    'Conditional Access refuses the login of the person who sets things up; this is not about the workload. Compare whoever is signed in (az account show) with who may write federated credentials.',
    lead('federated-credential-accepted', 'blocked-by-conditional-access'),
  ),
  ...['AADSTS7002137', 'AADSTS700021', 'AADSTS700023', 'AADSTS700027'].map((code) =>
    text(
      code,
      'Entra refuses the assertion, which is not of the kind that Kubernetes signs. Compare iss and sub of what is sent with those of the projected ServiceAccount token.',
      refused,
    ),
  ),
  ...['AADSTS7000215', 'AADSTS7000222'].map((code) =>
    text(
      code,
      'A client secret was sent, and it is wrong or has expired: the federated token was not used. Compare the environment of the pod (AZURE_CLIENT_SECRET) with what the webhook sets.',
      lead('pod-environment-agrees', 'client-secret-shadows', 'A secret stands in the environment of the pod.'),
      refused,
    ),
  ),
  text(
    '/AADSTS\\d/',
    'Entra refuses the exchange. Compare issuer, subject and audience of the token with the credentials of the identity.',
    refused,
  ),
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
    'No matching federated identity record found for presented assertion. Assertion Issuer:',
    'No federated credential of the identity matches the token; Entra does not say what differs.',
    lead('token-exchange-succeeds', 'entra-found-no-match'),
  ),
  text(
    "/Application with identifier '[^']{1,400}' was not found in the directory/",
    'The tenant that was asked has no identity with this client id.',
    lead('identity-exists-in-tenant', 'not-found'),
  ),
  text(
    'Client assertion is not within its valid time range',
    'The token had expired when it was sent, or was not yet valid.',
    lead('token-well-formed-and-current', 'outside-validity'),
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

export const entraErrorTexts: readonly ErrorText[] = [...codes, ...wholeTexts]
