/** The credential configuration is complete, names a provider and is accepted by the application. */
import { defineCheck } from '../../core/check.ts'
import { at } from '../../core/json.ts'
import { faultOfConfiguration, isFleet, tokenFileOf } from '../../domain/gcp-credentials.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, ofHeard, quoted } from '../../probes/gcp/heard.ts'
import { googleConfiguration } from '../../probes/gcp/objects.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/credential-configuration-is-usable',
    title: 'The credential configuration is complete, names a provider and is accepted by the application',
    severity: 'error',
    scope: 'object',
    kinds: ['CredentialConfiguration', 'Cluster'],
    cloud: 'gcp',
    section: 'Federation',
    why: 'Libraries of Google read from this file where the token lies, where it is exchanged and as whom; one wrong line ends in an error that names none of them.',
    fix: {
      safety: 'safe',
      does: 'Write the one wrong field of the configuration anew from what was seen; never invent a provider, never point it to a host outside googleapis.com.',
    },
    links: [
      'https://github.com/google-github-actions/auth/issues/60',
      'https://github.com/google-github-actions/auth/issues/211',
      'https://github.com/google-github-actions/auth/issues/293',
      'https://github.com/google-github-actions/auth/issues/521',
      'https://github.com/google-github-actions/setup-gcloud/issues/546',
      'https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md',
      'https://github.com/external-secrets/external-secrets/issues/1038',
      'https://github.com/googleapis/google-auth-library-java/issues/1198',
      'https://github.com/googleapis/google-auth-library-nodejs',
      'https://cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation',
    ],
  },
  only: { probe: googleConfiguration, otherwise: 'it is no credential configuration' },
  needs: { googleConfiguration },
  wants: {},
  after: [],
  messages: {
    'audience-names-a-pool': say('audience {audience} names a pool; expected {audience}/providers/PROVIDER'),
    'audience-names-an-attribute': say(
      'audience {audience} is the path of an IAM member ({selector}); expected //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
    ),
    'audience-names-a-gke-pool': say(
      'audience {audience} names the GKE pool {pool}, which has no providers; on GKE drop the configuration and use the metadata server',
    ),
    'audience-has-project-id': say('audience {audience} has project id {observed}; expected the project number'),
    'audience-of-another-universe': say('audience {audience} has host {observed}; expected {expected}'),
    'audience-not-filled-in': say('audience is {audience}: empty, or a variable that nothing expanded'),
    'audience-refused': say(
      'STS refused audience {audience}, which is not the full name of a provider; expected //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
    ),
    'subject-token-type-wrong': say(
      'subject_token_type is {observed}; expected urn:ietf:params:oauth:token-type:jwt for a Kubernetes token',
    ),
    'credential-source-ambiguous': say(
      'credential_source has {present}; expected exactly one of file, url, certificate',
    ),
    'json-field-missing': say('{configuration}: credential_source.format is json without subject_token_field_name'),
    'azure-instance-metadata': say(
      'credential_source.url is {url}, the Azure instance metadata service, but pods with Azure workload identity get their token as a file; expected credential_source.file',
    ),
    'impersonation-url-wrong': say(
      'service_account_impersonation_url is {observed}; expected https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/EMAIL:generateAccessToken with "-" and at most 256 characters',
    ),
    'lifetime-too-long': say(
      'impersonated tokens are asked to live {seconds} s; without an organisation policy for {account} the limit is 3600',
    ),
    'foreign-endpoint': say(
      '{field} points to {observed}; expected {expected}. A configuration from elsewhere can send the token of this cluster to anybody',
    ),
    'type-refused': say(
      'the application accepts credentials of type service_account only and refuses external_account; upgrade {application} or let it use the metadata server',
    ),
  },
  remedies: {
    'audience-names-a-pool': advise(
      'Write the configuration anew from the provider that is meant, as gcloud does it.',
      'gcloud iam workload-identity-pools create-cred-config projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER --credential-source-file={file} --output-file={configuration}.json',
    ),
    'audience-names-an-attribute': advise(
      'Write the configuration anew from the provider that is meant, as gcloud does it.',
      'gcloud iam workload-identity-pools create-cred-config projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER --credential-source-file={file} --output-file={configuration}.json',
    ),
    'audience-names-a-gke-pool': advise(
      'Take the configuration out of the workload; on GKE the metadata server gives it its tokens, and a GKE pool has no providers.',
      'kubectl get configmaps -A',
    ),
    'audience-has-project-id': advise(
      'Write the configuration anew from the provider that is meant, as gcloud does it.',
      'gcloud iam workload-identity-pools create-cred-config projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER --credential-source-file={file} --output-file={configuration}.json',
    ),
    'audience-of-another-universe': advise(
      'Write the audience with host {expected}, as STS of this universe wants it.',
      'gcloud iam workload-identity-pools providers list --workload-identity-pool=POOL --location=global',
    ),
    'audience-not-filled-in': advise(
      'Write the configuration anew from the provider that is meant, as gcloud does it.',
      'gcloud iam workload-identity-pools create-cred-config projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER --credential-source-file={file} --output-file={configuration}.json',
    ),
    'audience-refused': advise(
      'Write the configuration anew from the provider that is meant, as gcloud does it.',
      'gcloud iam workload-identity-pools create-cred-config projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER --credential-source-file={file} --output-file={configuration}.json',
    ),
    'subject-token-type-wrong': advise(
      'Set subject_token_type of {configuration} to urn:ietf:params:oauth:token-type:jwt.',
    ),
    'credential-source-ambiguous': advise(
      'Leave exactly one of file, url and certificate in credential_source of {configuration}: file, for a token of Kubernetes.',
    ),
    'json-field-missing': advise(
      'Set credential_source.format of {configuration} to type text, as the token of a projected volume is; or name subject_token_field_name.',
    ),
    'azure-instance-metadata': advise(
      'Set credential_source.file of {configuration} to the projected token in the place of the url, usually /var/run/secrets/azure/tokens/azure-identity-token.',
    ),
    'impersonation-url-wrong': advise(
      'Set service_account_impersonation_url of {configuration} to https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/EMAIL:generateAccessToken with the e-mail of the account.',
      'gcloud iam service-accounts list --format=value(email)',
    ),
    'lifetime-too-long': advise(
      'Set token_lifetime_seconds of {configuration} to 3600 or less; longer takes an organisation policy for {account}.',
    ),
    'foreign-endpoint': advise(
      'Take {field} out of {configuration} until it is known who wrote it; then set it to the address of Google.',
    ),
    'type-refused': advise(
      'Update {application} to a version that reads external_account, or let it use the metadata server without any file.',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleConfiguration.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no credential configuration' }
    const { world, configuration, heard } = have.googleConfiguration.value
    const { from } = have.googleConfiguration
    const [text] = heard
    const ofApplication = heard.find(({ message }) => message === 'type-refused')
    if (configuration === undefined) {
      if (text === undefined) return { status: 'not-applicable', reason: 'it is no credential configuration' }
      const data = {
        configuration: 'credentials',
        file: '',
        audience: 'that was sent',
        application: 'the application',
        observed: 'refused',
        present: 'none or several',
        seconds: 'more than 3600',
        account: '',
      }
      const evidence = heard.map(ofHeard)
      // What a configuration in hand shows is said of that one.
      if (
        world.configurations.length > 0 &&
        world.configurations.some((one) => faultOfConfiguration(one) !== undefined)
      )
        return { status: 'not-applicable', reason: 'the configuration itself shows what is wrong' }
      switch (text.message) {
        case 'audience-refused':
        case 'type-refused':
        case 'credential-source-ambiguous':
        case 'json-field-missing':
        case 'impersonation-url-wrong':
        case 'lifetime-too-long':
          return { status: 'fail', message: text.message, data, evidence }
        default:
          return { status: 'undecided', lacks: quoted(text), evidence }
      }
    }
    const data = { configuration: subject.name, file: tokenFileOf(configuration) ?? '/var/run/service-account/token' }
    if (isFleet(configuration)) return { status: 'not-applicable', reason: 'it is the configuration of a fleet' }
    const fault = faultOfConfiguration(configuration)
    if (fault !== undefined) {
      const evidence = [
        evidenceOf(from, `${subject.name}: ${fault.path}`, at(configuration.body, ...fault.path.split('.')) ?? null),
        ...heard.map(ofHeard),
      ]
      const message = faults.find((one) => one === fault.message)
      if (message !== undefined) return { status: 'fail', message, data: { ...data, ...fault.data }, evidence }
    }
    const evidence = [evidenceOf(from, `${subject.name}: audience`, at(configuration.body, 'audience') ?? null)]
    if (ofApplication !== undefined)
      return {
        status: 'fail',
        message: 'type-refused',
        data: { ...data, application: 'the application' },
        evidence: [...evidence, ofHeard(ofApplication)],
      }
    return { status: 'pass', evidence }
  },
})

const faults = [
  'audience-names-a-pool',
  'audience-names-an-attribute',
  'audience-names-a-gke-pool',
  'audience-has-project-id',
  'audience-of-another-universe',
  'audience-not-filled-in',
  'audience-refused',
  'subject-token-type-wrong',
  'credential-source-ambiguous',
  'json-field-missing',
  'azure-instance-metadata',
  'impersonation-url-wrong',
  'lifetime-too-long',
  'foreign-endpoint',
] as const
