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
})

export const sdkErrorTexts: readonly ErrorText[] = [
  noCredentials('Could not load credentials from any providers', 'The AWS SDK for JavaScript'),
  noCredentials('Missing credentials in config', 'The AWS SDK for JavaScript'),
  noCredentials('Unable to load credentials from any of the providers in the chain', 'The AWS SDK for Java'),
  noCredentials('Unable to load AWS credentials from any provider in the chain', 'The AWS SDK for Java'),
  noCredentials('no EC2 IMDS role found', 'The AWS SDK for Go'),
  noCredentials('EC2MetadataError: failed to make EC2Metadata request', 'The AWS SDK for Go'),
  {
    fragment: 'An IAM role must be associated with service account',
    leads: [{ check: 'aws/service-account-names-role' }],
    means: 'The AWS provider of the Secrets Store CSI driver found no role on the ServiceAccount of the pod.',
  },
]
