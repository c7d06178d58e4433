/** What one error text of Google Cloud says by itself: the check and message that it leads to, and the values in it. */
import type { CheckId } from '../core/check.ts'

export type Said = {
  readonly check: CheckId
  readonly message: string
  readonly values: { readonly [name: string]: string }
}

const rules: readonly (readonly [RegExp, string, string])[] = [
  [
    /IAM Service Account Credentials API has not been used in project (?<project>\d+)/,
    'token-endpoints-answer',
    'credentials-api-disabled',
  ],
  [
    /(?:Security Token Service API|sts\.googleapis\.com).{0,60}has not been used in project (?<project>\d+)/,
    'token-endpoints-answer',
    'sts-api-disabled',
  ],
  [
    /Failed to fetch identity pool and identity provider details required for bucket access check.{0,600}169\.254\.169\.254:80: i\/o timeout/,
    'client-waits-for-metadata-server',
    'asked-before-ready',
  ],
  [
    /(?:Global STS returned 429|throttled due to rate limit on the following metrics)(?:.{0,200}'(?<metric>[^']{1,60})')?/,
    'token-endpoints-answer',
    'throttled',
  ],
  [/Token exchange requests/, 'token-endpoints-answer', 'throttled'],
  [/Failed to generate federated token using STS: (?<error>.{0,200})/, 'token-endpoints-answer', 'timed-out'],
  [
    /(?:dial tcp|connect to|Failed to connect to).{0,60}(?<host>(?:sts|iamcredentials)\.googleapis\.com).{0,120}(?<error>i\/o timeout|connection refused|no route to host|timed out)/,
    'token-endpoints-answer',
    'blocked',
  ],
  [
    /(?<host>(?:sts|iamcredentials)\.googleapis\.com).{0,160}dial tcp.{0,80}(?<error>i\/o timeout|connection refused|no route to host|no such host)/,
    'token-endpoints-answer',
    'blocked',
  ],
  [
    /(?:service-accounts\/|serviceAccounts\/)(?<account>[^/\s:"]+@[^/\s:"]+).{0,300}iam\.serviceAccounts\.signBlob/,
    'identity-may-call-target-api',
    'account-may-not-sign',
  ],
  [/iam\.serviceAccounts\.signBlob/, 'identity-may-call-target-api', 'account-may-not-sign'],
  [
    /service-?accounts\/(?<account>[^/\s"]+@[^/\s":]+)(?:\/token|:generateAccessToken).{0,400}(?:Permission 'iam\.serviceAccounts\.getAccessToken' denied on resource|IAM returned 403 Forbidden: The caller does not have permission)/i,
    'service-account-admits-workload',
    'denied',
  ],
  [
    /Permission '?iam\.serviceAccounts\.getAccessToken'? denied on resource|IAM returned 403 Forbidden: The caller does not have permission|Unable to acquire impersonated credentials|could be caused by a missing IAM policy binding on the target IAM service account/,
    'service-account-admits-workload',
    'denied',
  ],
  [
    /iam\.serviceAccounts\.getOpenIdToken|[Uu]nable to generate (?:access|identity) token; IAM returned 403|A Forbidden error was returned while attempting to retrieve an access ?token for the Compute Engine built-in service account|Server response does not contain a JSON object\. Status code is: Forbidden/,
    'service-account-admits-workload',
    'denied',
  ],
  [
    /Gaia id not found for email:? '?(?<email>[^\s/"'@]+@[^\s"',]+\.gserviceaccount\.com)/,
    'google-service-account-is-active',
    'missing',
  ],
  [
    /[Ss]ervice account (?:projects\/[^/\s]+\/serviceAccounts\/)?'?(?<email>[^\s/"'@]+@[^\s"',]+\.gserviceaccount\.com)'? does not exist/,
    'google-service-account-is-active',
    'missing',
  ],
  [/Gaia id not found for email|Unknown service account/, 'google-service-account-is-active', 'missing'],
  [
    /(?:[Gg]enerate Google Cloud access token for (?<account>[^\s:]+)|serviceAccounts\/(?:[^\s:"/]+@[^\s:"/]+):generate(?:Access|Id)Token).{0,600}The caller does not have permission/,
    'service-account-admits-workload',
    'denied',
  ],
  [/Identity Pool does not exist \((?<pool>[^)]+)\)/, 'workload-pool-exists', 'identity-pool-does-not-exist'],
  [
    /\((?<namespace>[^/()\s]+)\/(?<serviceAccount>[^)\s]+)\) is not annotated with a target Google service account/,
    'direct-identity-suffices',
    'id-token-needs-account',
  ],
  [/requires that Uniform Bucket Level Access be enabled/, 'direct-identity-suffices', 'bucket-needs-uniform-access'],
  [/Invalid form of account ID (?<email>[^\s"',]+)/, 'direct-identity-suffices', 'email-is-no-account'],
  [
    /(?<service>[a-z]+\.googleapis\.com).{0,300}Expected OAuth 2 access token, login cookie or other valid authentication credential/,
    'direct-identity-suffices',
    'service-refuses-federated-tokens',
  ],
  [
    /Request is prohibited by organization's policy.{0,200}vpcServiceControls|VPC_SERVICE_CONTROLS|SECURITY_POLICY_VIOLATED/,
    'direct-identity-suffices',
    'perimeter-rule-not-applied',
  ],
  [
    /(?<account>[^\s"'(]+@[^\s"']+gserviceaccount\.com) does not have (?<permission>storage\.buckets\.get) access/,
    'identity-may-read-bucket',
    'bucket-metadata-missing',
  ],
  [/does not have storage\.buckets\.get access/, 'identity-may-read-bucket', 'bucket-metadata-missing'],
  [
    /\/namespaces\/(?<principal>\S+) with additional claims does not have (?<permission>storage\.[\w.]+) access/,
    'identity-may-read-bucket',
    'direct-identity-lacks-permission',
  ],
  [
    /(?<principal>Caller|principal:\/\/\S+) does not have (?<permission>storage\.[\w.]+) access/,
    'identity-may-read-bucket',
    'direct-identity-lacks-permission',
  ],
  [
    /(?<account>[^\s"'(]+@[^\s"']+gserviceaccount\.com) does not have (?<permission>storage\.[\w.]+) access/,
    'identity-may-read-bucket',
    'account-lacks-permission',
  ],
  [
    /Permission '(?<permission>storage\.[\w.]+)' denied on resource/,
    'identity-may-read-bucket',
    'account-lacks-permission',
  ],
  [/Invalid value for \\{0,3}"?audience/, 'credential-configuration-is-usable', 'audience-refused'],
  [
    /\(expected "?service_account"?\)|Type is external_account, expected one of|'type' value 'external_account' not recognized|Unrecognized credential type external_account|credentials type '?"?external_account'?"? is not supported|unknown credential type: "?external_account/,
    'credential-configuration-is-usable',
    'type-refused',
  ],
  [
    /No valid Identity Pool \\{0,3}"?credential_source\\{0,3}"? provided/,
    'credential-configuration-is-usable',
    'credential-source-ambiguous',
  ],
  [/Missing subject_token_field_name/, 'credential-configuration-is-usable', 'json-field-missing'],
  [/URL is too long/, 'credential-configuration-is-usable', 'impersonation-url-wrong'],
  [/lifetimes of more than 1 hour/, 'credential-configuration-is-usable', 'lifetime-too-long'],
  [/The file at (?<configured>\S+) does not exist, or it is not a file/, 'workload-tokens-are-mounted', 'path-differs'],
  [
    /open (?<path>\/var\/run\/secrets\/kubernetes\.io\/serviceaccount\/token): no such file or directory/,
    'workload-tokens-are-mounted',
    'api-token-not-mounted',
  ],
  [
    /invalid_target|The target service indicated by the \\{0,3}"?audience\\{0,3}"? parameters is invalid/,
    'provider-is-active',
    'invalid-target',
  ],
  [/Org Policy violated for value: '(?<provider>[^']+)'/, 'provider-is-active', 'organisation-policy'],
  [
    /issuer in ID Token (?<tokenIssuer>\S+) does not match the expected (?:ones?|one in config)?:? ?(?<issuerUri>[^\s"',]*)/,
    'provider-issuer-matches-token',
    'differs',
  ],
  [
    /Invalid OIDC issuer URI\. The scheme must be https|The scheme must be https/,
    'provider-issuer-matches-token',
    'not-https',
  ],
  [
    /audience in ID Token \[(?<observed>[^\]]*)\] does not match the expected audience/,
    'provider-accepts-token-audience',
    'refused',
  ],
  [/ID Token issued at (?<issuedAt>\d+) is stale to sign-in/, 'token-is-current', 'stale'],
  [/issued at null is stale/, 'token-is-current', 'no-issue-time'],
  [/access token lifetime cannot exceed 3600 seconds/, 'token-is-current', 'issued-in-future'],
  [/Error connecting to the given credential's issuer/, 'provider-knows-the-signing-key', 'not-obtained'],
  [/Unable to verify the ID Token signature/, 'provider-knows-the-signing-key', 'same-id-other-key'],
  [/Input JWK is not in a valid json format/, 'provider-knows-the-signing-key', 'uploaded-keys-malformed'],
  [
    /Only RSA, EC key types are supported|contains corrupted key material/,
    'provider-knows-the-signing-key',
    'key-type-unsupported',
  ],
  [/rejected by the attribute condition/, 'provider-admits-token-claims', 'rejected'],
  [/Could not obtain a value for google\.subject/, 'provider-admits-token-claims', 'subject-not-mapped'],
  [/exceeds the 127 bytes limit/, 'provider-admits-token-claims', 'subject-too-long'],
  [
    /ip \\{0,3}"?(?<ip>[0-9a-fA-F.:]+)\\{0,3}"? not recorded in the snapshot/,
    'pod-is-served-by-metadata-server',
    'source-address-unknown',
  ],
  [/Unable to find pod: generic::not_found/, 'pod-is-served-by-metadata-server', 'source-address-unknown'],
  [/Missing required header \\{0,3}"?Metadata-Flavor/, 'pod-is-served-by-metadata-server', 'flavor-header-missing'],
  [/incorrect Metadata-Flavor header/, 'pod-is-served-by-metadata-server', 'answered-by-another-server'],
  [
    /generic::not_found: no child \\{0,3}"(?<path>[^"\\]+)\\{0,3}"/,
    'pod-is-served-by-metadata-server',
    'path-not-served',
  ],
  [/GCE metadata \\{0,3}"(?<path>[^"\\]+)\\{0,3}" not defined/, 'pod-is-served-by-metadata-server', 'path-not-served'],
  [/metadata server is concealed/, 'node-runs-metadata-server', 'metadata-concealed'],
  [/Workload Identity Federation is not enabled on node/, 'node-runs-metadata-server', 'label-missing'],
  [
    /idbindtoken.{0,300}404|404.{0,200}idbindtoken/i,
    'identity-namespace-names-this-cluster',
    'token-binding-not-found',
  ],
  [
    /(?:KSA (?<namespace>[^:\s]+):(?<serviceAccount>\S+) )?doesn't have MPI annotation, using Identity Namespace \\{0,3}"(?<pool>[^"\\]+)/,
    'annotation-agrees-with-grants',
    'annotation-not-seen',
  ],
  [/has invalid google service account email/, 'annotation-names-a-service-account', 'not-an-email'],
  [/member (?<member>\S+) is of an unknown type/, 'iam-members-are-well-formed', 'unknown-type'],
  [
    /ACCESS_TOKEN_SCOPE_INSUFFICIENT|Request had insufficient authentication scopes/,
    'identity-may-call-target-api',
    'scope-too-narrow',
  ],
  [/Unable to detect a Project Id/, 'identity-may-call-target-api', 'project-not-readable'],
  [
    /Caller does not have required permission to use project (?<project>[\w:.-]+)|serviceusage\.services\.use.{0,120}(?:project )?(?<other>[a-z][\w-]{4,28})?/,
    'identity-may-call-target-api',
    'quota-project-refused',
  ],
  [
    /169\.254\.169\.254.{0,400}(?:i\/o timeout|timed out|timeout)|(?:i\/o timeout|timed out|timeout).{0,400}169\.254\.169\.254/i,
    'pod-can-reach-metadata-server',
    'timed-out',
  ],
  [
    /Compute Engine Metadata server unavailable on attempt \d+ of \d+/,
    'client-waits-for-metadata-server',
    'gives-up-too-early',
  ],
  [
    /Permission ['"]?(?<permission>(?!storage\.|iam\.serviceAccounts\.get(?:Access|OpenId)Token)[a-z]+\.[A-Za-z]+\.[A-Za-z.]*[A-Za-z])['"]? denied(?: (?:on|for) resource:? ['"]?(?<resource>[^\s'"(]+))?/,
    'identity-may-call-target-api',
    'permission-denied',
  ],
  [
    /[Mm]issing permission (?<permission>(?!storage\.)[a-z]+\.[A-Za-z]+\.[A-Za-z]+) on resource (?<resource>[\w/:-]+)/,
    'identity-may-call-target-api',
    'permission-denied',
  ],
  [
    /(?:does not have|Required) '?(?<permission>(?!storage\.)[a-z]+\.[A-Za-z]+\.[A-Za-z]+)'? permission(?: (?:in|for|on) (?:project |'?)(?<resource>[\w/:-]+))?/,
    'identity-may-call-target-api',
    'permission-denied',
  ],
  [/MetadataLookupWarning/, 'client-waits-for-metadata-server', 'remembers-absence'],
]

/** Paths that the GKE metadata server has: https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity#metadata_server */
const served =
  /^(?:instance\/(?:id|hostname|zone|attributes\/cluster-(?:name|location|uid)|service-accounts(?:\/.*)?)|project\/(?:project-id|numeric-project-id))\/?$/

/** The first rule that fits, as one text says it; undefined where it names no cause of Google's. */
export function googleTextOf(text: string): Said | undefined {
  const plain = text
    .slice(0, 20_000)
    .replace(/(?:\\[ntr]|\s)+/g, ' ')
    .replace(/\\+(?=["'])/g, '')
  for (const [expression, slug, message] of rules) {
    const found = expression.exec(plain)
    if (found === null) continue
    const values: { [name: string]: string } = {}
    for (const [name, value] of Object.entries(found.groups ?? {})) if (value !== undefined) values[name] = value
    if (message === 'path-not-served' && served.test(values.path ?? '')) continue
    return { check: `gcp/${slug}`, message, values }
  }
  const denied = /IAM_PERMISSION_DENIED/.test(plain)
    ? /"?permission"?:\s*"?(?<permission>[a-z]+\.[\w.]*\w)/.exec(plain)?.groups?.permission
    : undefined
  if (denied === undefined || denied.startsWith('storage.') || denied === 'iam.serviceAccounts.getAccessToken')
    return undefined
  const resource = /"?resource"?:\s*"?([^"\s\]]+)/.exec(plain)?.[1]
  return {
    check: 'gcp/identity-may-call-target-api',
    message: 'permission-denied',
    values: { permission: denied, ...(resource === undefined ? {} : { resource }) },
  }
}
