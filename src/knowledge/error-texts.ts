/** Known error texts: a fragment of each, the checks that it leads to (most likely cause first), and what it means. */
import type { CheckId } from '../core/check.ts'
import type { ErrorText } from '../domain/error-texts.ts'
import { azureErrorTexts } from './error-texts-azure.ts'
import { clusterErrorTexts, controlPlaneErrorTexts } from './error-texts-cluster.ts'
import { eksErrorTexts } from './error-texts-eks.ts'
import { neighbouringErrorTexts } from './error-texts-elsewhere.ts'
import { googleErrorTexts } from './error-texts-gcp.ts'
import { googleClientErrorTexts } from './error-texts-google-clients.ts'
import { googleExchangeErrorTexts } from './error-texts-google-sts.ts'
import { capaErrorTexts, cloudtikErrorTexts } from './error-texts-integrations.ts'
import { cloudProviderErrorTexts, interLinkErrorTexts } from './error-texts-integrations-cloud.ts'
import { neutralErrorTexts } from './error-texts-neutral.ts'
import { podIdentityErrorTexts } from './error-texts-pod-identity.ts'
import { sdkErrorTexts } from './error-texts-sdks.ts'
import { storageErrorTexts } from './error-texts-storage.ts'
import { stsErrorTexts } from './error-texts-sts.ts'
import { tokenErrorTexts } from './error-texts-token.ts'

/** Texts of STS, IAM, the AWS SDKs and the pod identity webhook about web identity. */
const awsErrorTexts = [
  {
    fragment: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    leads: [
      {
        check: 'aws/trust-policy-admits-service-account',
        when: "No statement of the role's trust policy admits the token: wrong subject, audience, provider or operator.",
      },
      {
        check: 'aws/role-exists',
        message: 'missing',
        when: 'There is no role of this name in the account: STS answers the same.',
      },
      {
        check: 'aws/sts-exchanges-token',
        message: 'denied',
        when: 'The trust policy was not seen, or admits the token and something above it denies.',
      },
    ],
    means:
      'STS found the provider and accepted the token, but may not give this role to its subject; it says the same when the role does not exist.',
  },
  {
    fragment: 'No OpenIDConnect provider found in your account for',
    leads: [
      { check: 'aws/oidc-provider-registered', message: 'reported-missing' },
      {
        check: 'aws/sts-region-active',
        when: 'The provider is registered, byte for byte, and the region of the STS endpoint is not active in the account.',
      },
    ],
    means: 'The account of the role has no IAM OIDC provider for exactly the issuer in the token.',
  },
  {
    fragment: 'No OpenIDConnect provider found',
    leads: [
      { check: 'aws/oidc-provider-registered', message: 'reported-missing' },
      {
        check: 'aws/sts-region-active',
        when: 'The provider is registered, byte for byte, and the region of the STS endpoint is not active in the account.',
      },
    ],
    means: 'The account of the role has no IAM OIDC provider for exactly the issuer in the token.',
  },
  {
    fragment: 'Incorrect token audience',
    leads: [
      { check: 'aws/oidc-provider-accepts-audience', message: 'reported-rejected' },
      {
        check: 'workload/token-volume-asks-for-the-audience',
        when: 'The provider lists the right client id, and the pod asks for a token of another audience.',
      },
    ],
    means: 'The audience of the token is not among the client ids of the IAM OIDC provider.',
  },
  {
    fragment: 'Request ARN is invalid',
    leads: [{ check: 'aws/role-arn-valid', message: 'reported-invalid' }],
    means: 'The role ARN that was sent to STS is not well formed.',
  },
  {
    fragment: 'arn is invalid:',
    leads: [{ check: 'aws/role-arn-valid', message: 'reported-invalid' }],
    means: 'The pod identity webhook read a role ARN that is not well formed, and injected it all the same.',
  },
  {
    fragment: 'NoSuchEntity',
    leads: [{ check: 'aws/role-exists', message: 'missing' }],
    means: 'IAM does not know an object of this name in the account.',
  },
  {
    fragment: 'Failed calling webhook, failing open pod-identity-webhook.amazonaws.com: failed calling webhook',
    leads: [
      { check: 'aws/pod-is-injected', message: 'webhook-failed-open' },
      { check: 'cluster/webhook-answers' },
      { check: 'cluster/webhook-ca-bundle-verifies', when: 'The text ends in an x509 error.' },
    ],
    means: 'The API server could not call the pod identity webhook, and admitted the pod without identity.',
  },
  {
    fragment: 'Failed calling webhook, failing open iam-for-pods.amazonaws.com: failed calling webhook',
    leads: [
      { check: 'aws/pod-is-injected', message: 'webhook-failed-open' },
      { check: 'cluster/webhook-ca-bundle-verifies', when: 'The text ends in an x509 error.' },
    ],
    means: "The API server could not call EKS's own webhook, and admitted the pod without identity.",
  },
  {
    fragment: 'is configured to assume role with web identity but has no role ARN configured',
    leads: [{ check: 'aws/pod-is-injected', message: 'role-variable-missing' }],
    means: 'AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not.',
  },
  {
    fragment: 'MalformedPolicyDocument',
    leads: [{ check: 'aws/trust-policy-well-formed', message: 'reported-malformed' }],
    means: 'IAM refused to store a policy.',
  },
  {
    fragment: 'Condition can contain only one colon',
    leads: [{ check: 'aws/trust-policy-well-formed', message: 'scheme-in-key' }],
    means: 'A condition key contains https://; it starts with the issuer without the scheme.',
  },
  {
    fragment: 'Federated principals must be valid domain names or SAML metadata ARNs',
    leads: [{ check: 'aws/trust-policy-well-formed', message: 'federated-malformed' }],
    means: 'Principal.Federated is an ARN, but no well-formed one of an OIDC or SAML provider.',
  },
  {
    fragment: 'Invalid principal in policy:',
    leads: [{ check: 'aws/trust-policy-well-formed', message: 'principal-does-not-exist' }],
    means: 'The policy names a principal that does not exist, or not yet.',
  },
  {
    fragment: 'MalformedPolicyDocument: Invalid principal in policy',
    leads: [{ check: 'aws/trust-policy-well-formed', message: 'principal-does-not-exist' }],
    means: 'The policy names a principal that does not exist, or not yet.',
  },
  {
    fragment: 'IDPRejectedClaim',
    leads: [{ check: 'aws/sts-exchanges-token', message: 'claim-rejected' }],
    means: 'The identity provider rejected the token.',
  },
  {
    // [instance profile session]: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    fragment:
      '/User: arn:aws[a-z-]{0,20}:sts::[^: ]{0,40}:assumed-role\\/[^\\/ ]{1,80}\\/i-[0-9a-z]{1,40} is not authorized to perform/',
    leads: [
      { check: 'aws/workload-uses-own-role', message: 'node-role-used' },
      { check: 'workload/caller-is-the-declared-identity' },
    ],
    means: "The call was made as the node's role: the workload did not get its own identity.",
  },
] as const satisfies readonly ErrorText[]

/** Where a text leads that a workload writes when it could get no credentials at all. */
const withoutCredentials: ReadonlySet<string> = new Set([
  'aws/issuer-keys-available-to-sts',
  'aws/pod-identity-agent-running',
  'aws/pod-is-injected',
  'aws/pod-reaches-pod-identity-agent',
  'aws/sdk-supports-mechanism',
  'aws/service-account-names-role',
  'aws/session-request-valid',
  'aws/sts-endpoint-reachable',
  'aws/sts-region-active',
  'azure/pod-injected',
  'azure/service-account-names-identity',
  'azure/token-well-formed-and-current',
  'cluster/clocks-agree',
  'workload/network-leads-to-the-token-endpoint',
  'workload/token-file-is-readable',
  'workload/token-is-fresh',
])

/** What a text of this fragment means, where it says that somebody got no credentials; undefined for every other. */
export const meansNoCredentials = (fragment: string): string | undefined =>
  errorTexts.find((one) => one.fragment === fragment && withoutCredentials.has(one.leads[0].check))?.means

/** All known texts; those that belong to other checks keep theirs from being read as one of the first. */
export const errorTexts: readonly ErrorText[] = [
  ...awsErrorTexts,
  ...sdkErrorTexts,
  ...neutralErrorTexts,
  ...tokenErrorTexts,
  ...podIdentityErrorTexts,
  ...clusterErrorTexts,
  ...controlPlaneErrorTexts,
  ...googleErrorTexts,
  ...googleExchangeErrorTexts,
  ...googleClientErrorTexts,
  ...neighbouringErrorTexts,
  ...stsErrorTexts,
  ...eksErrorTexts,
  ...capaErrorTexts,
  ...cloudtikErrorTexts,
  ...storageErrorTexts,
  ...cloudProviderErrorTexts,
  ...interLinkErrorTexts,
  ...azureErrorTexts,
]

/** The fragments of the texts that lead to a check. */
export const fragmentsOf = (check: CheckId): ReadonlySet<string> =>
  new Set(errorTexts.filter(({ leads }) => leads.some((lead) => lead.check === check)).map(({ fragment }) => fragment))

/** The fragments that lead to a check, each with the message that the text alone proves, where there is one. */
export const messagesSaid = (check: CheckId): ReadonlyMap<string, string | undefined> =>
  new Map(
    errorTexts.flatMap(({ fragment, leads }) => {
      const lead = leads.find((one) => one.check === check)
      return lead === undefined ? [] : [[fragment, lead.message] as const]
    }),
  )

/** The fragments of the texts that lead to a check of Azure's. */
export const azureFragments: ReadonlySet<string> = new Set(
  errorTexts
    .filter(({ leads }) => leads.some(({ check }) => check.startsWith('azure/')))
    .map(({ fragment }) => fragment),
)
