/** Known error texts of Google Cloud: the metadata server of GKE, IAM, storage and the libraries. */
import type { ErrorText } from '../domain/error-texts.ts'

export const googleErrorTexts = [
  {
    fragment: 'Failed to fetch identity pool and identity provider details required for bucket access check',
    leads: [{ check: 'gcp/client-waits-for-metadata-server', message: 'asked-before-ready' }],
    means: 'The sidecar asked the metadata server before that was ready.',
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
    fragment: '/from the Google Compute Engine ?metadata service\\. Status: 404/',
    leads: [
      { check: 'gcp/client-waits-for-metadata-server', when: 'The pod was in its first seconds.' },
      { check: 'gcp/node-runs-metadata-server', when: 'The GKE metadata server of the node does not work.' },
      { check: 'gcp/service-account-admits-workload', when: 'The Google service account does not admit the workload.' },
    ],
    means: 'The metadata server gave no identity to the pod.',
  },
  {
    fragment: 'trying to get security access token from Compute Engine metadata for the default service account',
    leads: [
      { check: 'gcp/node-runs-metadata-server', when: 'The GKE metadata server of the node does not work.' },
      { check: 'gcp/service-account-admits-workload', when: 'The Google service account does not admit the workload.' },
    ],
    means: 'The metadata server gave no token to the pod.',
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
