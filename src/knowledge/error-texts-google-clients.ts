/** Known error texts of Google's client libraries and services, in the words that each of them has for the same trouble. */
import type { ErrorText, Lead } from '../domain/error-texts.ts'

const same = (
  means: string,
  first: Lead,
  fragments: readonly string[],
  ...others: readonly Lead[]
): readonly ErrorText[] => fragments.map((fragment) => ({ fragment, means, leads: [first, ...others] }))

export const googleClientErrorTexts: readonly ErrorText[] = [
  ...same(
    'The metadata server got no token for the workload: its Google service account does not admit it, or there is none.',
    { check: 'gcp/service-account-admits-workload', message: 'denied' },
    [
      "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource",
      'iam.serviceAccounts.getOpenIdToken',
      '/[Uu]nable to generate (?:access|identity) token; IAM returned 403/',
      '/A Forbidden error was returned while attempting to retrieve an access ?token for the Compute Engine built-in service account/',
      '/enerate Google Cloud access token for .{0,300}The caller does not have permission/',
      '/:generate(?:Access|Id)Token.{0,300}The caller does not have permission/',
      'Server response does not contain a JSON object. Status code is: Forbidden',
    ],
  ),
  ...same(
    'The metadata server has no such account for the pod, or is not the one of GKE.',
    { check: 'gcp/client-waits-for-metadata-server', when: 'The pod was in its first seconds.' },
    ['/A Not Found error was returned while attempting to retrieve an access ?token for the Compute Engine/'],
    { check: 'gcp/node-runs-metadata-server', when: 'The GKE metadata server of the node does not work.' },
    { check: 'gcp/google-service-account-is-active', when: 'There is no Google service account of that name.' },
  ),
  ...same(
    'There is no Google service account of that name.',
    { check: 'gcp/google-service-account-is-active', message: 'missing' },
    [
      'Gaia id not found for email',
      'Unknown service account',
      '/[Ss]ervice account \\S{3,200}gserviceaccount\\.com.? does not exist/',
    ],
  ),
  ...same(
    'The application is built for keys of service accounts, and does not know external_account.',
    { check: 'gcp/credential-configuration-is-usable', message: 'type-refused' },
    [
      'Type is external_account, expected one of',
      "'type' value 'external_account' not recognized",
      'Unrecognized credential type external_account',
      '/credentials type .?external_account.? is not supported/',
      'unknown credential type: "external_account',
    ],
  ),
  ...same(
    'The token was asked for with scopes that are too narrow.',
    { check: 'gcp/identity-may-call-target-api', message: 'scope-too-narrow' },
    ['Request had insufficient authentication scopes'],
    { check: 'gcp/node-runs-metadata-server', when: 'The pod got the token of its node.' },
  ),
  ...same(
    'The identity may not do what was asked.',
    { check: 'gcp/identity-may-call-target-api', message: 'permission-denied' },
    [
      '/Permission .?[a-z]{2,40}\\.[\\w.]{3,80}.? denied/',
      '/issing permission [a-z]{2,40}\\.[\\w.]{3,80} on resource/',
      '/does not have [a-z]{2,40}\\.[\\w.]{3,80} permission/',
      "/Required '[a-z]{2,40}\\.[\\w.]{3,80}' permission/",
    ],
  ),
]
