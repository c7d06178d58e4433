/** Known error texts of Google Cloud: the metadata server of GKE, STS, IAM, storage and the libraries. */
import type { ErrorText } from '../domain/error-texts.ts'

export const googleErrorTexts = [
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
    fragment: 'Failed to fetch identity pool and identity provider details required for bucket access check',
    leads: [{ check: 'gcp/client-waits-for-metadata-server', message: 'asked-before-ready' }],
    means: 'The sidecar asked the metadata server before that was ready.',
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
    fragment: 'iam.serviceAccounts.signBlob',
    leads: [{ check: 'gcp/identity-may-call-target-api', message: 'account-may-not-sign' }],
    means: 'The account may not sign for itself.',
  },
  {
    fragment: "Permission 'iam.serviceAccounts.getAccessToken' denied on resource",
    leads: [{ check: 'gcp/service-account-admits-workload', message: 'denied' }],
    means: 'The Google service account does not let the workload act as it, or there is no such account.',
  },
  {
    fragment: 'Permission iam.serviceAccounts.getAccessToken denied on resource',
    leads: [{ check: 'gcp/service-account-admits-workload', message: 'denied' }],
    means: 'The Google service account does not let the workload act as it, or there is no such account.',
  },
  {
    fragment: 'IAM returned 403 Forbidden: The caller does not have permission',
    leads: [{ check: 'gcp/service-account-admits-workload', message: 'denied' }],
    means: 'The Google service account does not let the workload act as it.',
  },
  {
    fragment: 'This error could be caused by a missing IAM policy binding on the target IAM service account',
    leads: [{ check: 'gcp/service-account-admits-workload', message: 'denied' }],
    means: 'The Google service account does not let the workload act as it.',
  },
  {
    fragment: 'Unable to acquire impersonated credentials',
    leads: [{ check: 'gcp/service-account-admits-workload', message: 'denied' }],
    means: 'The Google service account does not let the workload act as it.',
  },
  {
    fragment: 'Identity Pool does not exist (',
    leads: [{ check: 'gcp/workload-pool-exists', message: 'identity-pool-does-not-exist' }],
    means: 'No cluster of the project has this workload pool yet.',
  },
  {
    fragment:
      'is not annotated with a target Google service account, which is a requirement for retrieving Identity Tokens',
    leads: [{ check: 'gcp/direct-identity-suffices', message: 'id-token-needs-account' }],
    means: 'ID tokens are given to annotated ServiceAccounts only.',
  },
  {
    fragment: 'is not annotated with a target Google service account',
    leads: [{ check: 'gcp/direct-identity-suffices', message: 'id-token-needs-account' }],
    means: 'ID tokens are given to annotated ServiceAccounts only.',
  },
  {
    fragment: 'requires that Uniform Bucket Level Access be enabled',
    leads: [
      { check: 'gcp/direct-identity-suffices', message: 'bucket-needs-uniform-access' },
      { check: 'storage/store-admits-the-identity', message: 'uniform-access-off' },
    ],
    means: 'A direct identity is admitted only by buckets with uniform bucket-level access.',
  },
  {
    fragment: 'Invalid form of account ID',
    leads: [{ check: 'gcp/direct-identity-suffices', message: 'email-is-no-account' }],
    means: 'The client takes the name of a pool for a service account.',
  },
  {
    fragment: 'Expected OAuth 2 access token, login cookie or other valid authentication credential',
    leads: [{ check: 'gcp/direct-identity-suffices', message: 'service-refuses-federated-tokens' }],
    means: 'The token was not taken: it had ended, or the service takes no federated tokens.',
  },
  {
    fragment: "Request is prohibited by organization's policy. vpcServiceControls",
    leads: [{ check: 'gcp/direct-identity-suffices', message: 'perimeter-rule-not-applied' }],
    means: 'A perimeter of VPC Service Controls is in the way.',
  },
  {
    fragment: 'VPC_SERVICE_CONTROLS',
    leads: [{ check: 'gcp/direct-identity-suffices', message: 'perimeter-rule-not-applied' }],
    means: 'A perimeter of VPC Service Controls is in the way.',
  },
  {
    fragment: 'does not have storage.buckets.get access',
    leads: [{ check: 'gcp/identity-may-read-bucket', message: 'bucket-metadata-missing' }],
    means: 'The identity reads objects, and not the bucket itself.',
  },
  {
    fragment: 'with additional claims does not have storage.',
    leads: [{ check: 'gcp/identity-may-read-bucket', message: 'direct-identity-lacks-permission' }],
    means: 'The request went out as a direct identity, which the bucket does not admit.',
  },
  {
    fragment: 'does not have storage.',
    leads: [{ check: 'gcp/identity-may-read-bucket', message: 'account-lacks-permission' }],
    means: 'The identity that the text names is not admitted by the bucket.',
  },
  {
    fragment: "Permission 'storage.objects.list' denied on resource",
    leads: [{ check: 'gcp/identity-may-read-bucket', message: 'account-lacks-permission' }],
    means: 'The identity may not list the objects of the bucket.',
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
  {
    fragment: 'Unable to find pod: generic::not_found',
    leads: [{ check: 'gcp/pod-is-served-by-metadata-server', message: 'source-address-unknown' }],
    means: 'The metadata server does not know the caller by its address.',
  },
  {
    fragment: 'not recorded in the snapshot',
    leads: [{ check: 'gcp/pod-is-served-by-metadata-server', message: 'source-address-unknown' }],
    means: 'The metadata server does not know the caller by its address.',
  },
  {
    fragment: 'Missing required header "Metadata-Flavor"',
    leads: [{ check: 'gcp/pod-is-served-by-metadata-server', message: 'flavor-header-missing' }],
    means: 'The client does not send the header that the metadata server wants.',
  },
  {
    fragment: 'Missing required header',
    leads: [{ check: 'gcp/pod-is-served-by-metadata-server', message: 'flavor-header-missing' }],
    means: 'The client does not send the header that the metadata server wants.',
  },
  {
    fragment: 'incorrect Metadata-Flavor header',
    leads: [{ check: 'gcp/pod-is-served-by-metadata-server', message: 'answered-by-another-server' }],
    means: 'Something else than the metadata server answered.',
  },
  {
    fragment: 'generic::not_found: no child',
    leads: [{ check: 'gcp/pod-is-served-by-metadata-server', message: 'path-not-served' }],
    means: 'The metadata server of GKE does not have what was asked for.',
  },
  {
    fragment: '/GCE metadata "[^"]{1,200}" not defined/',
    leads: [{ check: 'gcp/pod-is-served-by-metadata-server', message: 'path-not-served' }],
    means: 'The metadata server of GKE does not have what was asked for.',
  },
  {
    fragment: 'check if the metadata server is concealed',
    leads: [{ check: 'gcp/node-runs-metadata-server', message: 'metadata-concealed' }],
    means: 'The node pool conceals metadata.',
  },
  {
    fragment: 'metadata server is concealed',
    leads: [{ check: 'gcp/node-runs-metadata-server', message: 'metadata-concealed' }],
    means: 'The node pool conceals metadata.',
  },
  {
    fragment: 'Workload Identity Federation is not enabled on node',
    leads: [
      { check: 'gcp/node-runs-metadata-server', message: 'label-missing' },
      { check: 'storage/gcsfuse-volume-can-authenticate', message: 'node-not-enabled' },
    ],
    means: 'The node has no GKE metadata server.',
  },
  {
    fragment: 'idbindtoken',
    leads: [{ check: 'gcp/identity-namespace-names-this-cluster', message: 'token-binding-not-found' }],
    means: 'STS knows no cluster or pool of the name that was given.',
  },
  {
    fragment: "doesn't have MPI annotation, using Identity Namespace",
    leads: [{ check: 'gcp/annotation-agrees-with-grants', message: 'annotation-not-seen' }],
    means: 'The metadata server saw no annotation on the ServiceAccount.',
  },
  {
    fragment: 'has invalid google service account email',
    leads: [{ check: 'gcp/annotation-names-a-service-account', message: 'not-an-email' }],
    means: 'The annotation holds no e-mail of a service account.',
  },
  {
    fragment: 'is of an unknown type',
    leads: [{ check: 'gcp/iam-members-are-well-formed' }],
    means: 'IAM does not know what kind of member this is.',
  },
  {
    fragment: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    leads: [{ check: 'gcp/identity-may-call-target-api', message: 'scope-too-narrow' }],
    means: 'The token was asked for with scopes that are too narrow.',
  },
  {
    fragment: 'IAM_PERMISSION_DENIED',
    leads: [{ check: 'gcp/identity-may-call-target-api', message: 'permission-denied' }],
    means: 'The identity may not do what was asked.',
  },
  {
    fragment: 'Unable to detect a Project Id in the current environment',
    leads: [{ check: 'gcp/identity-may-call-target-api', message: 'project-not-readable' }],
    means: 'The client cannot find out its project.',
  },
  {
    fragment: 'Unable to detect a Project Id',
    leads: [{ check: 'gcp/identity-may-call-target-api', message: 'project-not-readable' }],
    means: 'The client cannot find out its project.',
  },
  {
    fragment: 'Caller does not have required permission to use project',
    leads: [{ check: 'gcp/identity-may-call-target-api', message: 'quota-project-refused' }],
    means: 'The identity may not bill its calls to that project.',
  },
  {
    fragment: '/Compute Engine Metadata server unavailable on attempt \\d{1,3} of \\d{1,3}/',
    leads: [{ check: 'gcp/client-waits-for-metadata-server', message: 'gives-up-too-early' }],
    means: 'The client gave up before the metadata server answered.',
  },
  {
    fragment: 'MetadataLookupWarning',
    leads: [{ check: 'gcp/client-waits-for-metadata-server', message: 'remembers-absence' }],
    means: 'The client found no metadata server, and does not look again.',
  },
  {
    fragment: '/169.254.169.254.{0,400}[Tt]ime[d o]/',
    leads: [{ check: 'gcp/pod-can-reach-metadata-server', message: 'timed-out' }],
    means: 'The metadata server does not answer.',
  },
  {
    fragment: '/[Tt]imed? ?out.{0,400}169.254.169.254/',
    leads: [{ check: 'gcp/pod-can-reach-metadata-server', message: 'timed-out' }],
    means: 'The metadata server does not answer.',
  },
] as const satisfies readonly ErrorText[]
