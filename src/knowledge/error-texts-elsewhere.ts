/** Known error texts that look like a broken web identity and are another trouble: named so that nothing is blamed wrongly. */
import type { ErrorText } from '../domain/error-texts.ts'

export const neighbouringErrorTexts = [
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
    // The wording is of the documentation: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    fragment: 'GlobalEndpointTokenVersion',
    leads: [{ check: 'aws/sts-region-active', message: 'global-token-refused' }],
    means: 'Sessions of the global STS endpoint do not count in an opt-in region.',
  },
  {
    fragment: 'RegionDisabledException',
    leads: [{ check: 'aws/sts-region-active', message: 'region-disabled' }],
    means: 'The region of the STS endpoint is not active in the account.',
  },
  {
    fragment: 'dial tcp 169.254.169.254:80: i/o timeout',
    leads: [
      { check: 'workload/network-leads-to-the-token-endpoint' },
      { check: 'gcp/pod-can-reach-metadata-server', message: 'timed-out' },
    ],
    means: 'The metadata address does not answer from the pod.',
  },
  {
    fragment: 'Failed to generate federated token using STS: context deadline exceeded',
    leads: [
      { check: 'workload/network-leads-to-the-token-endpoint' },
      { check: 'gcp/token-endpoints-answer', message: 'timed-out' },
    ],
    means: 'The token endpoint of the cloud does not answer from the pod.',
  },
  {
    fragment: 'bind: address already in use',
    leads: [
      {
        check: 'aws/pod-identity-agent-running',
        message: 'port-taken',
        when: 'The text is of the Pod Identity agent, about one of its addresses.',
      },
    ],
    means: 'Something else listens on the address already.',
  },
  {
    fragment: "at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64",
    leads: [{ check: 'aws/session-request-valid', message: 'session-name-too-long' }],
    means: 'The session name is longer than 64 characters.',
  },
  {
    fragment: "at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern",
    leads: [{ check: 'aws/session-request-valid', message: 'session-name-characters' }],
    means: 'The session name has characters that STS does not take.',
  },
  {
    fragment: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role',
    leads: [{ check: 'aws/session-request-valid', message: 'duration-above-role-maximum' }],
    means: 'A longer session was asked for than the role allows.',
  },
  {
    fragment: 'exceeds the 1 hour session limit for roles assumed by role chaining',
    leads: [
      { check: 'aws/session-request-valid', message: 'chained-session-too-long' },
      {
        check: 'capa/identity-spec-is-valid',
        message: 'chained-session-too-long',
        when: 'The controllers of Cluster API Provider AWS asked for it.',
      },
    ],
    means: 'A session of a chained role lasts at most one hour.',
  },
  {
    fragment: 'PackedPolicyTooLarge',
    leads: [{ check: 'aws/session-request-valid', message: 'session-policy-too-large' }],
    means: 'Session policies and tags are together too large.',
  },
  {
    fragment: 'invalid endpoint host, "169.254.170.23", only loopback hosts are allowed',
    leads: [{ check: 'aws/sdk-supports-mechanism', message: 'pod-identity-host-refused' }],
    means: 'The SDK is too old for EKS Pod Identity.',
  },
  {
    fragment: '169.254.170.23 is not a valid container metadata service hostname',
    leads: [{ check: 'aws/sdk-supports-mechanism', message: 'pod-identity-host-refused' }],
    means: 'The SDK is too old for EKS Pod Identity.',
  },
  {
    fragment: 'is not a valid container metadata service hostname',
    leads: [{ check: 'aws/sdk-supports-mechanism', message: 'container-host-refused' }],
    means: 'The SDK takes no credentials from the host that AWS_CONTAINER_CREDENTIALS_FULL_URI names.',
  },
  {
    fragment: 'Can only retrieve metadata from these hosts',
    leads: [{ check: 'aws/sdk-supports-mechanism' }],
    means: 'The SDK takes no credentials from the host that AWS_CONTAINER_CREDENTIALS_FULL_URI names.',
  },
  {
    fragment: 'has an invalid host. Host should resolve to a loopback address',
    leads: [{ check: 'aws/sdk-supports-mechanism' }],
    means: 'The SDK takes no credentials from the host that AWS_CONTAINER_CREDENTIALS_FULL_URI names.',
  },
  {
    fragment: 'only loopback hosts are allowed',
    leads: [{ check: 'aws/sdk-supports-mechanism' }],
    means: 'The SDK takes no credentials from the host that AWS_CONTAINER_CREDENTIALS_FULL_URI names.',
  },
  {
    fragment: 'Can only retrieve metadata from a loopback address or one of these hosts',
    leads: [{ check: 'aws/sdk-supports-mechanism' }],
    means: 'The SDK takes no credentials from the host that AWS_CONTAINER_CREDENTIALS_FULL_URI names.',
  },
  {
    fragment: "To use web identity tokens, the 'sts' service module must be on the class path",
    leads: [{ check: 'aws/sdk-supports-mechanism', message: 'sts-module-missing' }],
    means: 'The Java program lacks the STS module, without which the SDK passes web identity over.',
  },
  {
    // Version 1 of the SDK speaks of profiles, of web identity as well.
    fragment: 'To use assume role profiles the aws-java-sdk-sts module must be on the class path',
    leads: [{ check: 'aws/sdk-supports-mechanism', message: 'sts-module-missing' }],
    means: 'The Java program lacks the STS module, without which the SDK passes web identity over.',
  },
  {
    fragment: 'x509: certificate is valid for …, not sts.',
    leads: [{ check: 'aws/sts-endpoint-reachable', message: 'name-points-elsewhere' }],
    means: 'The name of STS leads to somebody else.',
  },
  {
    fragment: 'because no VPC endpoint policy allows the sts:AssumeRoleWithWebIdentity action',
    leads: [{ check: 'aws/sts-endpoint-reachable', message: 'endpoint-policy-refuses' }],
    means: 'The VPC endpoint for STS does not let the exchange through.',
  },
  {
    fragment: 'An error occurred (Unknown) when calling the AssumeRoleWithWebIdentity operation',
    leads: [{ check: 'aws/sts-endpoint-reachable', message: 'endpoint-overridden' }],
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
  ...(
    [
      ['because no identity-based policy allows the', 'identity-policy-does-not-allow'],
      ['because no resource-based policy allows the', 'resource-policy-does-not-allow'],
      ['because no permissions boundary allows the', 'boundary-does-not-allow'],
      ['because no session policy allows the', 'session-policy-does-not-allow'],
      ['because no VPC endpoint policy allows the', 'endpoint-policy-does-not-allow'],
      ['because no service control policy allows the', 'organization-does-not-allow'],
      ['because no resource control policy allows the', 'organization-does-not-allow'],
      ['with an explicit deny in', 'explicit-deny'],
    ] as const
  ).map(
    ([fragment, message]): ErrorText => ({
      fragment,
      leads: [{ check: 'aws/role-permits-action', message }],
      means: 'The workload has its identity; the identity may not do what was asked.',
    }),
  ),
  ...[
    'iam:CreateOpenIDConnectProvider',
    'iam:AddClientIDToOpenIDConnectProvider',
    'iam:UpdateAssumeRolePolicy',
    'eks:CreatePodIdentityAssociation',
    'eks:UpdatePodIdentityAssociation',
  ].map(
    (action): ErrorText => ({
      fragment: `is not authorized to perform: ${action} on`,
      leads: [{ check: 'aws/operator-may-set-up-identity' }],
      means: 'Whoever sets the identity up may not do this part of it.',
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
    fragment: 'Access to KMS is not allowed',
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
    leads: [{ check: 'aws/operator-may-set-up-identity', message: 'issuer-unreachable-for-iam' }],
    means: 'IAM could not fetch the certificate of the issuer while the provider was being created.',
  },
] as const satisfies readonly ErrorText[]
