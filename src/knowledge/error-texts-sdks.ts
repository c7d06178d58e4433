/** Known error texts of AWS SDKs, and of what is built on them, that found no credentials at all. */
import type { ErrorText } from '../domain/error-texts.ts'

const noCredentials = (fragment: string, whose: string): ErrorText => ({
  fragment,
  leads: [
    {
      check: 'aws/pod-is-injected',
      when: 'The ServiceAccount names a role, and the pod carries neither its variables nor its token.',
    },
    { check: 'aws/service-account-names-role', when: 'The ServiceAccount names no role.' },
  ],
  means: `${whose} found no credentials at all in the pod.`,
  sumsUp: true,
})

export const sdkErrorTexts: readonly ErrorText[] = [
  noCredentials('Unable to locate credentials', 'The AWS SDK'),
  {
    fragment: 'NoCredentialProviders: no valid providers in chain',
    leads: [
      { check: 'aws/service-account-names-role' },
      {
        check: 'aws/pod-is-injected',
        when: 'The ServiceAccount names a role, and the pod carries neither its variables nor its token.',
      },
    ],
    means: 'The AWS SDK for Go found no credentials at all in the pod.',
    sumsUp: true,
  },
  noCredentials('Could not load credentials from any providers', 'The AWS SDK for JavaScript'),
  noCredentials('Missing credentials in config', 'The AWS SDK for JavaScript'),
  noCredentials('Unable to load credentials from any of the providers in the chain', 'The AWS SDK for Java'),
  noCredentials('Unable to load AWS credentials from any provider in the chain', 'The AWS SDK for Java'),
  noCredentials('You must specify a value for roleArn and roleSessionName', 'The AWS SDK for Java'),
  noCredentials('No AWS Credentials provided by', 'The S3A connector of Hadoop'),
  noCredentials('No identity could be resolved from the chain: CredentialsProviderChain', 'The AWS SDK for Kotlin'),
  noCredentials('no providers in chain provided credentials', 'The AWS SDK for Rust'),
  noCredentials('SigningStageError { kind: MissingCredentials }', 'The AWS SDK for Rust'),
  noCredentials('unable to sign request without credentials set', 'The AWS SDK for Ruby'),
  noCredentials('Error retrieving credentials from the instance profile metadata serv', 'The AWS SDK for PHP'),
  noCredentials('Unable to get IAM security credentials from EC2 Instance Metadata Service', 'The AWS SDK for .NET'),
  noCredentials('Failed to resolve AWS credentials. The credential providers used to search', 'The AWS SDK for .NET'),
  noCredentials('no EC2 IMDS role found', 'The AWS SDK for Go'),
  noCredentials('EC2RoleRequestError: no EC2 instance role found', 'The AWS SDK for Go'),
  noCredentials('EC2MetadataError: failed to make EC2Metadata request', 'The AWS SDK for Go'),
  noCredentials('No valid credential sources found', "Terraform's AWS provider"),
  {
    fragment: 'unable to read web identity token file in pod: open : no such file or directory',
    leads: [
      {
        check: 'aws/pod-is-injected',
        when: 'The ServiceAccount names a role, and the pod does not carry its variables.',
      },
      { check: 'aws/service-account-names-role', when: 'The ServiceAccount names no role.' },
    ],
    means: 'The AWS provider of Crossplane was given no token file: AWS_WEB_IDENTITY_TOKEN_FILE is not set in its pod.',
  },
  {
    fragment: 'an IAM role must be associated with service account',
    leads: [{ check: 'aws/service-account-names-role' }],
    means: 'External Secrets Operator found no role on the ServiceAccount that a store names.',
  },
  {
    fragment: 'An IAM role must be associated with service account',
    leads: [{ check: 'aws/service-account-names-role' }],
    means: 'The AWS provider of the Secrets Store CSI driver found no role on the ServiceAccount of the pod.',
  },
]
