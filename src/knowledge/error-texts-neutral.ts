/** Known error texts about issuers, keys, ServiceAccounts and tokens, which are the same whatever the cloud. */
import type { ErrorText } from '../domain/error-texts.ts'

export const neutralErrorTexts = [
  {
    fragment: 'No OpenIDConnect provider found in your account for https://kubernetes.default.svc',
    leads: [
      { check: 'cluster/issuer-is-public', message: 'cluster-internal' },
      { check: 'aws/oidc-provider-registered' },
    ],
    means: 'The tokens name an issuer that exists only inside the cluster, so no cloud can fetch its keys.',
  },
  {
    fragment: "Couldn't retrieve verification key from your identity provider",
    leads: [
      { check: 'cluster/published-keys-verify-tokens', message: 'keys-not-obtained' },
      {
        check: 'cluster/discovery-is-public',
        when: 'The discovery document or the keys cannot be read anonymously from the internet.',
      },
      {
        check: 'aws/issuer-keys-available-to-sts',
        when: 'The documents can be read and hold the key, and STS still does not get them in time.',
      },
    ],
    means:
      'STS found no key for the token: the key documents cannot be fetched, or the key of the token is not in them.',
  },
  {
    fragment: 'invalid signature, no keys found',
    leads: [{ check: 'cluster/published-keys-verify-tokens', message: 'key-not-published' }],
    means: 'No published key has the key id of the token.',
  },
  {
    fragment: 'Unable to verify the ID Token signature',
    leads: [
      { check: 'cluster/published-keys-verify-tokens', message: 'signature-differs' },
      { check: 'gcp/provider-knows-the-signing-key', message: 'same-id-other-key' },
    ],
    means: 'Google STS found a key of that id, and it does not verify the token.',
  },
  {
    fragment: "Error connecting to the given credential's issuer",
    leads: [
      { check: 'cluster/published-keys-verify-tokens', message: 'keys-not-obtained' },
      { check: 'cluster/discovery-is-public' },
      { check: 'gcp/provider-knows-the-signing-key', message: 'not-obtained' },
    ],
    means: "Google STS could not fetch the issuer's documents.",
  },
  {
    fragment: 'AADSTS7000272: The certificate with identifier',
    leads: [
      { check: 'azure/issuer-publishes-signing-key', message: 'entra-found-no-key' },
      { check: 'cluster/published-keys-verify-tokens', message: 'key-not-published' },
    ],
    means: 'Entra found no published key with the key id of the token.',
  },
  {
    fragment: "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
    leads: [
      { check: 'aws/oidc-provider-thumbprint-matches', message: 'reported-mismatch' },
      { check: 'cluster/issuer-certificate-is-trusted', message: 'thumbprint-not-presented' },
    ],
    means: "The issuer's certificate is under no public CA, and its chain holds none of the provider's thumbprints.",
  },
  {
    fragment: 'Missing a required claim: aud',
    leads: [{ check: 'workload/token-is-for-this-workload', message: 'legacy-token' }],
    means: 'The token has no audience: it is a legacy Secret token, or the default token of the pod.',
  },
  {
    fragment: 'Missing a required claim',
    leads: [{ check: 'workload/token-is-for-this-workload' }],
    means: 'The token lacks a claim that STS reads: it is none of those that TokenRequest makes.',
  },
  {
    fragment: 'Token audience contains more than one audience while authorized party is not present',
    leads: [{ check: 'workload/token-is-for-this-workload', message: 'several-audiences' }],
    means: 'The token is for several audiences; STS takes one.',
  },
  {
    fragment: 'The ID Token provided is not a valid JWT',
    leads: [{ check: 'workload/token-is-for-this-workload', message: 'malformed' }],
    means: 'What was sent as a token is no JWT: another file, a cut one, or an access token.',
  },
  {
    fragment: 'does not match the expected audience',
    leads: [
      { check: 'workload/token-is-for-this-workload', message: 'audience-differs' },
      { check: 'gcp/provider-accepts-token-audience', message: 'refused' },
    ],
    means: 'The token is for another audience than the cloud expects.',
  },
  {
    fragment: 'token audiences … is invalid for the target audiences',
    leads: [{ check: 'workload/token-is-for-this-workload', message: 'audience-differs' }],
    means: 'The API server was shown a token that is for another audience.',
  },
  {
    fragment: 'AADSTS50027: JWT token is invalid or malformed',
    leads: [
      { check: 'azure/token-well-formed-and-current', message: 'malformed' },
      { check: 'workload/token-is-for-this-workload', message: 'malformed' },
    ],
    means: 'What was sent to Entra as a token is no JWT.',
  },
  {
    fragment: 'AADSTS700222: AAD-issued tokens may not be used for federated identity flows',
    leads: [
      { check: 'azure/token-issuer-public', message: 'issuer-is-entra' },
      { check: 'workload/token-is-for-this-workload', message: 'not-a-service-account-token' },
    ],
    means: 'A token of Entra itself was sent where a ServiceAccount token belongs.',
  },
  {
    fragment: "Assertion Issuer: 'https://kubernetes.default.svc",
    leads: [
      { check: 'azure/token-issuer-public', message: 'issuer-internal' },
      { check: 'cluster/issuer-is-public', message: 'cluster-internal' },
    ],
    means: 'The tokens name an issuer that exists only inside the cluster.',
  },
  {
    fragment: "for presented assertion issuer 'https://kubernetes.default.svc",
    leads: [
      { check: 'azure/token-issuer-public', message: 'issuer-internal' },
      { check: 'cluster/issuer-is-public', message: 'cluster-internal' },
    ],
    means: 'The tokens name an issuer that exists only inside the cluster.',
  },
  {
    fragment: '`issuer` claim in OIDC discovery document does not match the issuer specified in the request',
    leads: [{ check: 'cluster/tokens-carry-the-published-issuer' }],
    means: 'The discovery document names another issuer than the tokens or the provider do.',
  },
  {
    fragment: 'token issuer "…" is invalid',
    leads: [{ check: 'cluster/tokens-carry-the-published-issuer', message: 'former-issuer-dropped' }],
    means: 'The API server no longer accepts the issuer of a token that is in use.',
  },
  {
    fragment: 'AADSTS700211: No matching federated identity record found for presented assertion issuer',
    leads: [
      { check: 'azure/federated-credential-matches-issuer', message: 'entra-found-no-issuer' },
      { check: 'cluster/tokens-carry-the-published-issuer' },
    ],
    means: 'No federated identity credential names exactly the issuer of the token.',
  },
  {
    fragment: 'The issuer in ID Token … does not match the expected one',
    leads: [
      { check: 'cluster/tokens-carry-the-published-issuer' },
      { check: 'gcp/provider-issuer-matches-token', message: 'differs' },
    ],
    means: 'The workload identity pool provider names another issuer than the token.',
  },
  {
    fragment: 'AADSTS90061: Request to External OIDC endpoint failed',
    leads: [
      { check: 'azure/issuer-documents-public', message: 'entra-could-not-fetch' },
      { check: 'cluster/discovery-is-public', message: 'unreachable' },
    ],
    means: "Entra could not fetch the issuer's documents.",
  },
  {
    fragment: 'AADSTS50166: Request to External OIDC endpoint failed',
    leads: [
      { check: 'azure/issuer-documents-public', message: 'entra-could-not-fetch' },
      { check: 'cluster/discovery-is-public', message: 'unreachable' },
    ],
    means: "Entra could not fetch the issuer's documents.",
  },
  {
    fragment: 'AADSTS501661: Request to External OIDC endpoint failed',
    leads: [
      { check: 'azure/issuer-documents-public', message: 'entra-could-not-fetch' },
      { check: 'cluster/discovery-is-public', message: 'unreachable' },
    ],
    means: "Entra could not fetch the issuer's documents.",
  },
  {
    fragment: 'error looking up service account …: serviceaccount "…" not found',
    leads: [{ check: 'workload/service-account-exists', message: 'missing' }],
    means: 'The pod names a ServiceAccount that its namespace does not have.',
  },
  {
    fragment: 'ServiceAccount "…" not found',
    leads: [{ check: 'workload/service-account-exists', message: 'missing' }],
    means: 'The pod names a ServiceAccount that its namespace does not have.',
  },
  {
    fragment: "subject 'system:serviceaccount:…:default'",
    leads: [
      { check: 'azure/federated-credential-matches-subject', message: 'entra-found-no-subject' },
      { check: 'workload/service-account-is-used', message: 'runs-as-default' },
    ],
    means: 'The pod runs as the ServiceAccount "default" instead of the one with an identity.',
  },
  {
    fragment: "Assertion Subject: 'system:serviceaccount:…:default'",
    leads: [
      { check: 'azure/token-exchange-succeeds', message: 'entra-found-no-match' },
      { check: 'workload/service-account-is-used', message: 'runs-as-default' },
    ],
    means: 'The pod runs as the ServiceAccount "default" instead of the one with an identity.',
  },
  {
    fragment: 'Service account … not found in the cache',
    leads: [{ check: 'workload/pod-is-newer-than-its-binding', message: 'raced-the-account' }],
    means: 'The webhook had not yet seen the ServiceAccount when the pod was created, and injected nothing.',
  },
  {
    fragment: 'Service account did not have the right annotations or was not found in the cache',
    leads: [{ check: 'workload/pod-is-newer-than-its-binding', message: 'older-than-annotation' }],
    means: 'The ServiceAccount had no role annotation when the pod was created, and nothing was injected.',
  },
  {
    fragment: 'may not specify a duration less than 10 minutes',
    leads: [{ check: 'workload/token-volume-asks-for-the-audience', message: 'lifetime-too-short' }],
    means: 'A token of less than 600 seconds was asked for.',
  },
  {
    fragment: 'may not specify a duration larger than 2^32 seconds',
    leads: [{ check: 'workload/token-volume-asks-for-the-audience', message: 'lifetime-not-accepted' }],
    means: 'A token of more than 2^32 seconds was asked for.',
  },
  {
    fragment: 'AADSTS70023: External OIDC Provider token must have a lifetime',
    leads: [
      { check: 'azure/token-well-formed-and-current', message: 'lifetime-too-long' },
      { check: 'workload/token-volume-asks-for-the-audience', message: 'lifetime-not-accepted' },
    ],
    means: 'Entra does not take a token of this lifetime.',
  },
  {
    fragment: 'token expiration … not valid. Expected value to be between 3600 and 86400',
    leads: [
      { check: 'azure/pod-admitted', message: 'token-expiration-invalid' },
      { check: 'workload/token-volume-asks-for-the-audience', message: 'lifetime-not-accepted' },
    ],
    means: 'The Azure webhook takes lifetimes between 3600 and 86400 seconds only.',
  },
  {
    fragment: 'AADSTS700212: No matching federated identity record found for presented assertion audience',
    leads: [
      { check: 'azure/federated-credential-matches-audience', message: 'entra-found-no-audience' },
      { check: 'workload/token-volume-asks-for-the-audience', message: 'audience-differs' },
    ],
    means: 'The token is for another audience than the federated identity credential.',
  },
  {
    // Cloud Storage names the caller, whoever that is.
    fragment: '/[a-z0-9-]{1,63}@[a-z0-9.-]{1,80}\\.gserviceaccount\\.com does not have [a-zA-Z.]{1,80} access/',
    leads: [
      {
        check: 'workload/caller-is-the-declared-identity',
        when: 'The service account that the text names is not the one that the workload is bound to.',
      },
      { check: 'storage/store-admits-the-identity', message: 'refused' },
    ],
    means: 'The call was made as the service account that the text names, and that may not do what was asked.',
  },
  {
    fragment: 'no azure identity found for request clientID',
    leads: [
      { check: 'azure/app-presents-federated-token', message: 'answered-by-nmi' },
      { check: 'workload/one-mechanism-is-bound', message: 'old-interceptor' },
    ],
    means: 'The NMI of aad-pod-identity, which is retired, still answers for the metadata address.',
  },
] as const satisfies readonly ErrorText[]
