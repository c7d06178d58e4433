/** Known error texts of Google's token exchange: credential configurations, tokens, pools and providers, STS itself. */
import type { ErrorText } from '../domain/error-texts.ts'

export const googleExchangeErrorTexts = [
  {
    fragment: 'IAM Service Account Credentials API has not been used in project',
    leads: [{ check: 'gcp/token-endpoints-answer', message: 'credentials-api-disabled' }],
    means: 'The IAM Credentials API, which impersonation needs, is not enabled in the project.',
  },
  {
    fragment: 'Security Token Service API has not been used in project',
    leads: [{ check: 'gcp/token-endpoints-answer', message: 'sts-api-disabled' }],
    means: 'The Security Token Service API, which every exchange needs, is not enabled in the project.',
  },
  {
    fragment: 'The Global STS returned 429 Too Many Requests',
    leads: [{ check: 'gcp/token-endpoints-answer', message: 'throttled' }],
    means: 'Too many clients exchange tokens at once.',
  },
  {
    fragment: 'The request was throttled due to rate limit on the following metrics',
    leads: [{ check: 'gcp/token-endpoints-answer', message: 'throttled' }],
    means: 'Too many clients exchange tokens at once.',
  },
  {
    fragment: 'Failed to generate federated token using STS',
    leads: [{ check: 'gcp/token-endpoints-answer', message: 'timed-out' }],
    means: 'The metadata server got no federated token from STS in time.',
  },
  {
    fragment:
      '/dial tcp.{0,60}(?:sts|iamcredentials)\\.googleapis\\.com.{0,120}(?:i\\/o timeout|connection refused|no route to host)/',
    leads: [{ check: 'gcp/token-endpoints-answer', message: 'blocked' }],
    means: 'A token endpoint of Google does not answer from the pod.',
  },
  {
    fragment:
      '/(?:sts|iamcredentials)\\.googleapis\\.com.{0,160}dial tcp.{0,80}(?:i\\/o timeout|connection refused|no route to host|no such host)/',
    leads: [{ check: 'gcp/token-endpoints-answer', message: 'blocked' }],
    means: 'A token endpoint of Google does not answer from the pod.',
  },
  {
    fragment: 'Invalid value for "audience"',
    leads: [{ check: 'gcp/credential-configuration-is-usable', message: 'audience-refused' }],
    means: 'The audience of the exchange is not the full name of a provider.',
  },
  {
    fragment: `'type' field is "external_account" (expected "service_account")`,
    leads: [{ check: 'gcp/credential-configuration-is-usable', message: 'type-refused' }],
    means: 'The application reads key files only.',
  },
  {
    fragment: 'No valid Identity Pool "credential_source" provided',
    leads: [{ check: 'gcp/credential-configuration-is-usable', message: 'credential-source-ambiguous' }],
    means: 'The configuration names no source of tokens, or several.',
  },
  {
    fragment: 'Missing subject_token_field_name',
    leads: [{ check: 'gcp/credential-configuration-is-usable', message: 'json-field-missing' }],
    means: 'The configuration says JSON and names no field.',
  },
  {
    fragment: 'URL is too long',
    leads: [{ check: 'gcp/credential-configuration-is-usable', message: 'impersonation-url-wrong' }],
    means: 'The impersonation URL is longer than the library takes.',
  },
  {
    fragment: 'lifetimes of more than 1 hour',
    leads: [{ check: 'gcp/credential-configuration-is-usable', message: 'lifetime-too-long' }],
    means: 'A longer life was asked for than the account may give.',
  },
  {
    fragment: 'does not exist, or it is not a file',
    leads: [{ check: 'gcp/workload-tokens-are-mounted', message: 'path-differs' }],
    means: 'The token file is not where the configuration says.',
  },
  {
    fragment: 'open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory',
    leads: [{ check: 'gcp/workload-tokens-are-mounted', message: 'api-token-not-mounted' }],
    means: 'The pod mounts no API token.',
  },
  {
    fragment: 'The target service indicated by the "audience" parameters is invalid',
    leads: [{ check: 'gcp/provider-is-active', message: 'invalid-target' }],
    means: 'The pool or the provider is missing, disabled or deleted.',
  },
  {
    fragment: 'invalid_target',
    leads: [{ check: 'gcp/provider-is-active', message: 'invalid-target' }],
    means: 'The pool or the provider is missing, disabled or deleted.',
  },
  {
    fragment: 'Org Policy violated for value: ',
    leads: [{ check: 'gcp/provider-is-active', message: 'organisation-policy' }],
    means: 'The organisation allows no provider of this issuer.',
  },
  {
    fragment: 'does not match the expected one',
    leads: [{ check: 'gcp/provider-issuer-matches-token', message: 'differs' }],
    means: 'The provider expects another issuer than that of the token.',
  },
  {
    fragment: 'Invalid OIDC issuer URI. The scheme must be https',
    leads: [{ check: 'gcp/provider-issuer-matches-token', message: 'not-https' }],
    means: 'The issuer is no https URL.',
  },
  {
    fragment: 'ID Token issued at null is stale',
    leads: [{ check: 'gcp/token-is-current', message: 'no-issue-time' }],
    means: 'The token does not say when it was issued or ends.',
  },
  {
    fragment: 'Only RSA, EC key types are supported',
    leads: [{ check: 'gcp/provider-knows-the-signing-key', message: 'key-type-unsupported' }],
    means: 'Google takes RSA and EC P-256 keys only.',
  },
  {
    fragment: 'The given credential is rejected by the attribute condition',
    leads: [{ check: 'gcp/provider-admits-token-claims', message: 'rejected' }],
    means: 'The attribute condition of the provider is false for the token.',
  },
  {
    fragment: 'rejected by the attribute condition',
    leads: [{ check: 'gcp/provider-admits-token-claims', message: 'rejected' }],
    means: 'The attribute condition of the provider is false for the token.',
  },
  {
    fragment: 'Could not obtain a value for google.subject',
    leads: [{ check: 'gcp/provider-admits-token-claims', message: 'subject-not-mapped' }],
    means: 'The mapping gives no subject for this token.',
  },
  {
    fragment: 'exceeds the 127 bytes limit',
    leads: [{ check: 'gcp/provider-admits-token-claims', message: 'subject-too-long' }],
    means: 'The mapped subject is too long.',
  },
] as const satisfies readonly ErrorText[]
