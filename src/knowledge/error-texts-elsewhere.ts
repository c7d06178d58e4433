/** Known error texts that look like a broken web identity and are another trouble: named so that nothing is blamed wrongly. */
import type { ErrorText } from '../domain/error-texts.ts'

export const neighbouringErrorTexts = [
  {
    fragment: 'Token expired: current date/time … must be before the expiration date/time',
    leads: [{ check: 'workload/token-is-fresh' }],
    means: 'The token had expired before it was sent: the client keeps an old copy, or the file is not renewed.',
  },
  {
    fragment: 'ExpiredTokenException',
    leads: [{ check: 'workload/token-is-fresh' }],
    means: 'The token had expired before it was sent: the client keeps an old copy, or the file is not renewed.',
  },
  {
    fragment: 'service account token has expired',
    leads: [{ check: 'workload/token-is-fresh' }],
    means: 'The API server was shown a token that has expired.',
  },
  {
    fragment: 'service account token is not valid yet',
    leads: [{ check: 'cluster/clocks-agree' }],
    means: 'The clock of the API server is behind that of whoever issued the token.',
  },
  {
    fragment: 'IDPCommunicationError',
    leads: [{ check: 'aws/issuer-keys-available-to-sts' }, { check: 'cluster/discovery-is-public' }],
    means: 'STS could not reach the issuer; the call may be repeated.',
  },
  {
    fragment: '(with ACL="public-read"): AccessDenied',
    leads: [{ check: 'aws/issuer-keys-available-to-sts' }],
    means: 'The bucket that should hold the issuer documents takes no public ACL.',
  },
  {
    fragment: 'RegionDisabledException',
    leads: [{ check: 'aws/sts-region-active' }],
    means: 'The region of the STS endpoint is not active in the account.',
  },
  {
    fragment: "at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64",
    leads: [{ check: 'aws/session-request-valid', message: 'session-name-too-long' }],
    means: 'The session name is longer than 64 characters.',
  },
  {
    fragment: "at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern",
    leads: [{ check: 'aws/session-request-valid' }],
    means: 'The session name has characters that STS does not take.',
  },
  {
    fragment: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role',
    leads: [{ check: 'aws/session-request-valid' }],
    means: 'A longer session was asked for than the role allows.',
  },
  {
    fragment: 'exceeds the 1 hour session limit for roles assumed by role chaining',
    leads: [{ check: 'aws/session-request-valid' }],
    means: 'A session of a chained role lasts at most one hour.',
  },
  {
    fragment: 'PackedPolicyTooLarge',
    leads: [{ check: 'aws/session-request-valid' }],
    means: 'Session policies and tags are together too large.',
  },
  {
    fragment: 'token: permission denied',
    leads: [{ check: 'workload/token-file-is-readable' }],
    means: 'The process may not read its token file.',
  },
  {
    fragment: 'open /var/run/secrets/…: permission denied',
    leads: [{ check: 'workload/token-file-is-readable' }],
    means: 'The process may not read its token file.',
  },
  {
    fragment: 'open /var/run/secrets/…/token: no such file or directory',
    leads: [{ check: 'workload/token-file-is-readable' }],
    means: 'The token file that the variables name is not mounted.',
  },
  {
    fragment: "ENOENT: no such file or directory, open '/var/run/secrets/",
    leads: [{ check: 'workload/token-file-is-readable' }],
    means: 'The token file that the variables name is not mounted.',
  },
  {
    fragment: 'unable to read file at /var/run/secrets/',
    leads: [{ check: 'workload/token-file-is-readable' }],
    means: 'The token file that the variables name cannot be read.',
  },
  {
    fragment: 'only loopback hosts are allowed',
    leads: [{ check: 'aws/sdk-supports-mechanism' }],
    means: 'The SDK is too old for EKS Pod Identity.',
  },
  {
    fragment: 'Can only retrieve metadata from a loopback address or one of these hosts',
    leads: [{ check: 'aws/sdk-supports-mechanism' }],
    means: 'The SDK is too old for EKS Pod Identity.',
  },
  {
    fragment: "To use web identity tokens, the 'sts' service module must be on the class path",
    leads: [{ check: 'aws/sdk-supports-mechanism' }],
    means: 'The Java program lacks the STS module, without which the SDK passes web identity over.',
  },
  {
    fragment: 'Connect timeout on endpoint URL: "http://169.254.170.23/v1/credentials"',
    leads: [{ check: 'aws/pod-reaches-pod-identity-agent' }, { check: 'aws/pod-identity-agent-running' }],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: '(ResourceNotFoundException)',
    leads: [{ check: 'aws/pod-identity-association-exists', message: 'reported-not-found' }],
    means: 'EKS Pod Identity knows no association for the ServiceAccount.',
  },
  {
    fragment: '(AccessDeniedException)',
    leads: [{ check: 'aws/trust-policy-admits-pod-identity' }],
    means: 'EKS Pod Identity may not assume the role of the association.',
  },
  {
    fragment: '[fd00:ec2::23]:80: bind: cannot assign requested address',
    leads: [{ check: 'aws/pod-identity-agent-running' }],
    means: 'The EKS Pod Identity agent cannot start on a node without IPv6.',
  },
  {
    fragment: 'sts.amazonaws.com/: dial tcp …: i/o timeout',
    leads: [{ check: 'aws/sts-endpoint-reachable' }],
    means: 'The global STS endpoint does not answer from the pod.',
  },
  {
    fragment: 'https://sts.…: dial tcp …:443: i/o timeout',
    leads: [{ check: 'aws/sts-endpoint-reachable' }, { check: 'workload/network-leads-to-the-token-endpoint' }],
    means: 'The STS endpoint does not answer from the pod.',
  },
  {
    fragment: '/lookup sts\\.[a-z0-9-]{1,40}\\.amazonaws\\.com(?:\\.cn)?\\b.{0,200}no such host/',
    leads: [{ check: 'aws/sts-endpoint-reachable' }],
    means: 'There is no STS endpoint of this name, or the pod has no name resolution.',
  },
  {
    fragment: 'an AWS region is required, but was not found',
    leads: [{ check: 'aws/sts-endpoint-reachable' }],
    means: 'The SDK was not told which region to call.',
  },
  {
    fragment: 'An error occurred (Unknown) when calling the AssumeRoleWithWebIdentity operation',
    leads: [{ check: 'aws/sts-endpoint-reachable' }],
    means: 'Something other than STS answered: an overridden endpoint, or a proxy.',
  },
  {
    fragment: 'is not authorized to perform: sts:AssumeRole on resource',
    leads: [{ check: 'aws/role-chain-allowed', message: 'assume-role-denied' }],
    means: 'The workload has an identity, and that may not assume the second role.',
  },
  {
    fragment: 'not authorized to perform: sts:TagSession on resource',
    leads: [{ check: 'aws/role-chain-allowed', message: 'tag-session-denied' }],
    means: 'Session tags travel along the chain, and the second role does not allow them.',
  },
  {
    fragment: 'is not authorized to perform: iam:PassRole on',
    leads: [{ check: 'aws/operator-may-set-up-identity', message: 'pass-role-denied' }],
    means: 'Whoever sets the identity up may not pass the role.',
  },
  {
    fragment: 'is not authorized to perform: iam:TagOpenIDConnectProvider on',
    leads: [{ check: 'aws/operator-may-set-up-identity', message: 'tag-provider-denied' }],
    means: 'Whoever sets the identity up may not tag the OIDC provider.',
  },
  ...[
    'because no identity-based policy allows the',
    'because no resource-based policy allows the',
    'because no permissions boundary allows the',
    'because no session policy allows the',
    'because no VPC endpoint policy allows the',
    'because no service control policy allows the',
    'with an explicit deny in',
  ].map(
    (fragment): ErrorText => ({
      fragment,
      leads: [{ check: 'aws/role-permits-action' }],
      means: 'The workload has its identity; the identity may not do what was asked.',
    }),
  ),
  {
    // Older services and SDKs leave out the reason.
    fragment: 'is not authorized to perform:',
    leads: [
      { check: 'aws/role-permits-action' },
      {
        check: 'aws/workload-uses-own-role',
        when: 'The caller that the text names is not the role of the ServiceAccount.',
      },
    ],
    means: 'The call was made under the identity that the text names, and that may not do what was asked.',
  },
  {
    fragment: 'The ciphertext refers to a customer master key that does not exist',
    leads: [{ check: 'aws/role-may-use-bucket', message: 'key-not-allowed' }],
    means: 'The identity may not use the key that the objects are encrypted with.',
  },
  {
    fragment: 'Cannot exceed quota for ACLSizePerRole',
    leads: [{ check: 'aws/iam-quotas-left', message: 'reported-trust-policy-full' }],
    means: 'The trust policy has become longer than IAM stores.',
  },
  {
    fragment: 'Cannot exceed quota for OpenIdConnectProvidersPerAccount',
    leads: [{ check: 'aws/iam-quotas-left', message: 'reported-providers-at-quota' }],
    means: 'The account has as many IAM OIDC providers as it may have.',
  },
  {
    fragment: 'OpenIdIdpCommunicationError',
    leads: [{ check: 'aws/operator-may-set-up-identity' }],
    means: 'IAM could not fetch the certificate of the issuer while the provider was being created.',
  },
  {
    fragment: 'Failed calling webhook, failing open',
    leads: [{ check: 'cluster/webhook-answers' }],
    means: 'The API server could not call an admission webhook, and went on without it.',
  },
  {
    fragment: 'failed calling webhook "…x509: certificate signed by unknown authority',
    leads: [{ check: 'cluster/webhook-ca-bundle-verifies' }],
    means: "The CA bundle of the webhook configuration does not verify the webhook's certificate.",
  },
  {
    fragment: 'failed calling webhook "…x509: certificate has expired or is not yet valid',
    leads: [{ check: 'cluster/webhook-ca-bundle-verifies' }],
    means: "The webhook's certificate is out of date.",
  },
  {
    fragment: 'failed calling webhook "…no endpoints available for service',
    leads: [{ check: 'cluster/webhook-answers' }],
    means: 'The webhook has no running pod behind its Service.',
  },
  {
    fragment: 'AADSTS700024: Client assertion is not within its valid time range',
    leads: [{ check: 'workload/token-is-fresh' }, { check: 'cluster/clocks-agree' }],
    means: 'The token had expired, or the clocks disagree.',
  },
] as const satisfies readonly ErrorText[]
