/** Which of a pod's credentials each family of SDKs takes first, and what thereby stands before the identity that the pod was given. */

export type CloudName = 'aws' | 'gcp' | 'azure'
export type Way =
  | 'environment-keys'
  | 'profile'
  | 'web-identity'
  | 'container-credentials'
  | 'key-file'
  | 'user-file'
  | 'external-account'
  | 'metadata-server'
  | 'narrowed'
  | 'client-secret'
  | 'federated-token'
  | 'managed-identity'

/** What a pod shows of its credentials: names, never values. */
export type Glance = {
  /** The variables that are set to something. */
  readonly set: ReadonlySet<string>
  /** What AWS's two files say for the profile that is in force: the names of its settings. */
  readonly profile?: { readonly name: string; readonly files: readonly string[]; readonly settings: readonly string[] }
  /** The file that Google's libraries load, and its `type`; without one where it could not be read. */
  readonly google?: { readonly path: string; readonly type?: string }
  /** Whether a metadata server of Google answers. */
  readonly metadata?: boolean
  /** What AZURE_TOKEN_CREDENTIALS says. */
  readonly azureChoice?: string
}

export type Found = {
  readonly way: Way
  /** The variables and files by which the pod has it. */
  readonly by: readonly string[]
}

export type CloudOrder = {
  readonly cloud: CloudName
  /** Each family with what of the pod's it would take, first one first. */
  readonly families: readonly { readonly family: string; readonly takes: readonly Found[] }[]
  /** The workload identity that the pod was given. */
  readonly given?: Found
  /** Whoever takes something else than that first. */
  readonly shadows: readonly { readonly by: Found; readonly families: readonly string[] }[]
}

/** Workload identities, as opposed to what somebody has put there by hand. */
const given: ReadonlySet<Way> = new Set([
  'web-identity',
  'container-credentials',
  'external-account',
  'metadata-server',
  'federated-token',
  'managed-identity',
])

/** All that was looked for, for a pod that has none of it. */
export const lookedFor: { readonly [cloud in CloudName]: readonly string[] } = {
  aws: [
    'AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY',
    'a profile in ~/.aws or AWS_SHARED_CREDENTIALS_FILE',
  ],
  gcp: [
    'GOOGLE_APPLICATION_CREDENTIALS',
    'application_default_credentials.json of gcloud',
    'the metadata server (GCE_METADATA_HOST, else 169.254.169.254)',
  ],
  azure: [
    'AZURE_FEDERATED_TOKEN_FILE with AZURE_CLIENT_ID and AZURE_TENANT_ID',
    'AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH',
    'IDENTITY_ENDPOINT, MSI_ENDPOINT',
  ],
}

type Ranks = { readonly [family: string]: readonly Way[] }

const assumesRole = (profile: Glance['profile']): boolean => {
  const has = (name: string): boolean => profile?.settings.includes(name) === true
  return has('role_arn') && !has('web_identity_token_file') && (has('source_profile') || has('credential_source'))
}

/**
 * botocore `create_credential_resolver`, Go v2 `resolveCredentialChain`, Java v2 `DefaultCredentialsProvider`, JavaScript v3 `defaultProvider`:
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
const awsRanks = ({ set, profile }: Glance): Ranks => {
  const profileChosen = set.has('AWS_PROFILE')
  const most = ['environment-keys', 'web-identity', 'profile', 'container-credentials'] as const
  return {
    Go: most,
    Java: most,
    // With AWS_PROFILE it passes over the keys; files come before the token file.
    JavaScript: [
      ...(profileChosen ? [] : (['environment-keys'] as const)),
      'profile',
      'web-identity',
      'container-credentials',
    ],
    // A profile that assumes a role out of another one comes before the token file, one with keys behind it.
    Python: assumesRole(profile) ? ['environment-keys', 'profile', 'web-identity', 'container-credentials'] : most,
  }
}
/** https://cloud.google.com/docs/authentication/application-default-credentials */
const googleRanks: Ranks = {
  'Google client libraries': ['key-file', 'user-file', 'external-account', 'metadata-server'],
}
/** https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains */
const azureRanks: Ranks = {
  DefaultAzureCredential: ['narrowed', 'client-secret', 'federated-token', 'managed-identity'],
}
/**
 * What is left of the chain where AZURE_TOKEN_CREDENTIALS names a part of it; whatever else it names is a developer's own sign-in.
 * https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains#exclude-a-credential-type-category
 */
const azureParts: { readonly [choice: string]: readonly Way[] } = {
  prod: ['client-secret', 'federated-token', 'managed-identity'],
  environmentcredential: ['client-secret'],
  workloadidentitycredential: ['federated-token'],
  managedidentitycredential: ['managed-identity'],
}

const credentialSettings = [
  'aws_access_key_id',
  'role_arn',
  'credential_process',
  'sso_session',
  'sso_account_id',
  'web_identity_token_file',
]

function awsWays({ set, profile }: Glance): readonly Found[] {
  const found: Found[] = []
  const keys = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
  const web = ['AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN']
  if (keys.every((name) => set.has(name)))
    found.push({ way: 'environment-keys', by: [...keys, 'AWS_SESSION_TOKEN'].filter((name) => set.has(name)) })
  // A token file without a role is given all the same: every SDK stumbles over it.
  if (set.has('AWS_WEB_IDENTITY_TOKEN_FILE'))
    found.push({ way: 'web-identity', by: web.filter((name) => set.has(name)) })
  if (profile?.settings.some((one) => credentialSettings.includes(one)) === true)
    found.push({ way: 'profile', by: [`profile ${profile.name} in ${profile.files.join(' and ')}`] })
  const container = ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'].filter((name) =>
    set.has(name),
  )
  if (container.length > 0) found.push({ way: 'container-credentials', by: container })
  return found
}

function googleWays({ google, metadata }: Glance): readonly Found[] {
  const found: Found[] = []
  if (google !== undefined) {
    const way =
      google.type === 'external_account'
        ? 'external-account'
        : google.type === 'authorized_user'
          ? 'user-file'
          : 'key-file'
    found.push({ way, by: [google.path] })
  }
  if (metadata === true) found.push({ way: 'metadata-server', by: ['the metadata server'] })
  return found
}

function azureWays({ set, azureChoice }: Glance): readonly Found[] {
  const found: Found[] = []
  const named = set.has('AZURE_CLIENT_ID') && set.has('AZURE_TENANT_ID')
  const secrets = ['AZURE_CLIENT_SECRET', 'AZURE_CLIENT_CERTIFICATE_PATH', 'AZURE_PASSWORD'].filter((name) =>
    set.has(name),
  )
  if (named && secrets.length > 0) found.push({ way: 'client-secret', by: secrets })
  const federated = ['AZURE_FEDERATED_TOKEN_FILE', 'AZURE_CLIENT_ID', 'AZURE_TENANT_ID']
  if (set.has('AZURE_FEDERATED_TOKEN_FILE'))
    found.push({ way: 'federated-token', by: federated.filter((name) => set.has(name)) })
  const managed = ['IDENTITY_ENDPOINT', 'MSI_ENDPOINT'].filter((name) => set.has(name))
  if (managed.length > 0) found.push({ way: 'managed-identity', by: managed })
  if (!azureChoice) return found
  const kept = azureParts[azureChoice.toLowerCase()] ?? []
  const left = found.filter(({ way }) => kept.includes(way))
  const passedOver = found.find(({ way }) => given.has(way) && !kept.includes(way))
  // What was given stays what was given; it is the variable that keeps every SDK from it.
  return passedOver === undefined
    ? left
    : [{ way: 'narrowed', by: [`AZURE_TOKEN_CREDENTIALS=${azureChoice}`] }, ...left, passedOver]
}

function ordered(cloud: CloudName, ways: readonly Found[], ranks: Ranks): readonly CloudOrder[] {
  if (ways.length === 0) return []
  const families = Object.entries(ranks).map(([family, rank]) => ({
    family,
    takes: rank.flatMap((way) => ways.filter((one) => one.way === way)),
  }))
  const own = families
    .flatMap(({ takes }) => takes.filter(({ way }) => given.has(way)))
    .sort((a, b) => ways.indexOf(a) - ways.indexOf(b))[0]
  const first = new Map<Found, string[]>()
  for (const { family, takes } of families) {
    const [taken] = takes
    if (own === undefined || taken === undefined || taken === own) continue
    first.set(taken, [...(first.get(taken) ?? []), family])
  }
  const shadows = [...first].map(([by, names]) => ({ by, families: names }))
  return [{ cloud, families, shadows, ...(own === undefined ? {} : { given: own }) }]
}

/** One entry for each cloud of which the pod has any credentials. */
export const credentialOrder = (glance: Glance): readonly CloudOrder[] => [
  ...ordered('aws', awsWays(glance), awsRanks(glance)),
  ...ordered('gcp', googleWays(glance), googleRanks),
  ...ordered('azure', azureWays(glance), azureRanks),
]
