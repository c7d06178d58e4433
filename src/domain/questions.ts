/** Everything that may be asked, each question named after the permission it needs, and the form of its answer. */
import type { Question } from '../core/fact.ts'
import { ask, type TokenName } from './asking.ts'

export type { TokenName } from './asking.ts'
// All questions are to be found here; those of these two clouds stand in files of their own only for their length.
export { azure } from './questions-azure.ts'
export { bucketPermissions, type GoogleExchange, gcp } from './questions-gcp.ts'

/**
 * What another machine's clock shows (ISO 8601, from its Date header) when our own showed `at`, the middle of the round trip; neither is
 * surer than by `within` seconds. Only the difference of two such clocks tells something.
 */
export type Clock = { readonly date: string; readonly at: string; readonly within: number }

/**
 * Kubernetes. Objects come as the API serves them, with only the fields that a check may look at (`kubernetes-objects.ts`).
 * A list is `{items: [object…], complete: boolean}`: complete only where the API server, or a typed list, says that there are
 * no others; single manifests say nothing about what else there is.
 */
export const kubernetes = {
  /** → the object. `resource` is the plural: serviceaccounts, pods, namespaces, deployments, …  */
  get: (resource: string, namespace: string | undefined, name: string): Question =>
    ask('kubernetes', `${resource}/get`, namespace === undefined ? { name } : { namespace, name }),
  /** → `{items, complete}`; all namespaces without one. */
  list: (resource: string, namespace?: string): Question =>
    ask('kubernetes', `${resource}/list`, namespace === undefined ? {} : { namespace }),
  /** → the JSON at this path as the API server itself answers it: /version, /.well-known/openid-configuration, /openid/v1/jwks. */
  nonResource: (path: string): Question => ask('kubernetes', `nonresource ${path}/get`),
  /** → `{header, claims, expirationTimestamp}` of a token minted for this audience; its signature is never part of an answer. */
  token: (token: TokenName): Question => ask('kubernetes', 'serviceaccounts/token/create', { ...token }),
  /** → `{date, at, within}`: the API server's own time, as `Clock` tells it; whoever is refused everything else still gets it. */
  clock: (): Question => ask('kubernetes', 'clock'),
  /** → `{pods: [{namespace, name, node, date, at, within}…]}`: clocks inside containers; only where somebody had them looked at. */
  podClocks: (): Question => ask('kubernetes', 'pods/exec/create', { look: 'clock' }),
  /** → `{date, at, within, node?}`: the clock inside one pod, asked of a shell in it; only where that was asked for. */
  podClock: (namespace: string, name: string): Question =>
    ask('kubernetes', 'pods/exec/create', { look: 'clock', namespace, name }),
  /**
   * → `{context?, cluster?, server?, namespace?}` of the kubeconfig in use; needs no permission. Of a collected one also `user` and, where it
   * runs a credential plugin, `exec: {command?, apiVersion?, clusterName?, region?, role?, profile?}`.
   */
  currentContext: (): Question => ask('kubernetes', 'config'),
} as const

/** Files of kinds that no API serves: configurations of tools, as they were handed over. */
export const documents = {
  /**
   * → `{items: [{kind, metadata: {name}, file, …}…]}`: the documents of this kind, each with what its recogniser keeps of it
   * (`sources/documents/configurations.ts`); named by their file where they have no name. Absent on a live cluster.
   */
  ofKind: (kind: string): Question => ask('document', kind),
  /** → one of those, by its name; no source is asked for it, and a plan changes it in the answer above. */
  named: (kind: string, name: string): Question => ask('document', kind, { name }),
} as const

/** The issuer as the world sees it: fetched anonymously, from the machine that the doctor runs on. */
export const oidc = {
  /**
   * → `{url, status, contentType, location?, seconds?, document?}` for any HTTP answer (document: the parsed JSON body, if it is JSON; seconds: how
   * long it took, where that was one or more), or
   * `{url, failure: {kind: 'name-not-found' | 'refused' | 'tls' | 'too-large' | 'not-https', detail}}` where the network
   * itself has answered. Unknown (unreachable, timeout) where this host cannot tell. Among documents an empty issuer stands for the only one.
   */
  discovery: (issuer: string): Question => ask('oidc', 'discovery', { issuer }),
  /** → `{documents: [{issuer, url?, document}…]}`: the discovery documents that were collected, whatever their issuer; none on a live cluster. */
  documents: (): Question => ask('oidc', 'documents'),
  /** → the same form for a JWKS at this URI; the empty text asks for the only JWKS that was collected. */
  keys: (uri: string): Question => ask('oidc', 'jwks', { uri }),
  /**
   * → `{host, chain: [{subject, issuer, notBefore, notAfter, names: […], selfSigned, fingerprintSha1}…], trusted: boolean, problem?}`:
   * the certificates that the host presents, leaf first, verified with the public root list only; problem is OpenSSL's code
   * (UNABLE_TO_GET_ISSUER_CERT_LOCALLY, CERT_HAS_EXPIRED, ERR_TLS_CERT_ALTNAME_INVALID, SELF_SIGNED_CERT_IN_CHAIN, …).
   */
  certificates: (host: string, port: number): Question => ask('oidc', 'certificates', { host, port }),
  /** → `{date, at, within}`: the time of whoever answers at this https address, as `Clock` tells it. */
  clock: (url: string): Question => ask('oidc', 'clock', { url }),
  /** → `{addresses: [text…]}`; absent where the name does not exist. */
  addresses: (host: string): Question => ask('oidc', 'addresses', { host }),
  /** → `{verified: boolean, reason?}`: whether a key published at `uri` verifies the signature of this ServiceAccount's token. */
  signature: (uri: string, token: TokenName): Question => ask('oidc', 'signature', { uri, ...token }),
} as const

/**
 * AWS, in the form in which the aws command line prints it. `account` is the account in which to look (12 digits); left out,
 * that of the credentials. A source that is signed in to another account answers unknown, never absent.
 */
export const aws = {
  /** → `{Account, Arn, UserId}`. */
  callerIdentity: (): Question => ask('aws', 'sts:GetCallerIdentity'),
  /** → `{cluster}` of the cluster being examined. */
  cluster: (): Question => ask('aws', 'eks:DescribeCluster'),
  /**
   * → `{Role: {RoleName, Arn?, AssumeRolePolicyDocument, MaxSessionDuration?, …}, duplicates?: [{path, member, line, kept}…]}`;
   * the document is decoded JSON; duplicates are members that stand twice in the text of a file.
   */
  role: (account: string | undefined, RoleName: string): Question =>
    ask('aws', 'iam:GetRole', account === undefined ? { RoleName } : { account, RoleName }),
  /** → `{Roles: [{RoleName, Arn?}…], complete: boolean}`. */
  roles: (account?: string): Question => ask('aws', 'iam:ListRoles', account === undefined ? {} : { account }),
  /** → `{OpenIDConnectProviderList: [{Arn}…], complete: boolean}`; the only way to know that a provider is absent. */
  oidcProviders: (account?: string): Question =>
    ask('aws', 'iam:ListOpenIDConnectProviders', account === undefined ? {} : { account }),
  /** → `{Url (without scheme), ClientIDList, ThumbprintList?}`; absent only where that account's list is complete without it. */
  oidcProvider: (OpenIDConnectProviderArn: string): Question =>
    ask('aws', 'iam:GetOpenIDConnectProvider', { OpenIDConnectProviderArn }),
  /**
   * → `{outcome: 'exchanged', assumedRole, subject?, audience?, endpoint}` or `{outcome: 'refused', code, message, status, endpoint}`.
   * The token is minted by TokenRequest and the credentials are dropped at once; neither is part of an answer.
   */
  exchange: (token: TokenName, roleArn: string): Question =>
    ask('aws', 'sts:AssumeRoleWithWebIdentity', { ...token, roleArn }),
  /** → `{Policies: [{Id, Name, Content}…]}`: resource control policies, for management and delegated accounts only. */
  resourceControlPolicies: (): Question =>
    ask('aws', 'organizations:ListPolicies', { Filter: 'RESOURCE_CONTROL_POLICY' }),
  /** → `{PolicyNames: [text…], complete}`: the policies that stand in the role itself. */
  rolePolicies: (account: string, RoleName: string): Question =>
    ask('aws', 'iam:ListRolePolicies', { account, RoleName }),
  /** → `{PolicyDocument}`, decoded. */
  rolePolicy: (account: string, RoleName: string, PolicyName: string): Question =>
    ask('aws', 'iam:GetRolePolicy', { account, RoleName, PolicyName }),
  /** → `{AttachedPolicies: [{PolicyName, PolicyArn}…], complete}`. */
  attachedRolePolicies: (account: string, RoleName: string): Question =>
    ask('aws', 'iam:ListAttachedRolePolicies', { account, RoleName }),
  /** → `{PolicyVersion: {Document}}`: the default version, decoded. */
  policy: (account: string, PolicyArn: string): Question => ask('aws', 'iam:GetPolicyVersion', { account, PolicyArn }),
  /** → `{clusters: [{name, issuer?}…], complete}` of one region; asked only where IAM takes no more providers. */
  clusters: (region: string): Question => ask('aws', 'eks:ListClusters', { region }),
  /** → `{SummaryMap: {AssumeRolePolicySizeQuota?, Providers?, …}}`; asked only where a quota is near. */
  accountSummary: (account?: string): Question =>
    ask('aws', 'iam:GetAccountSummary', account === undefined ? {} : { account }),
  /**
   * → `{EvaluationResults: [{EvalActionName, EvalResourceName?, EvalDecision: 'allowed' | 'implicitDeny' | 'explicitDeny'}…]}`: what the
   * policies of this role or user, its boundary and the organization would say; asked only about a call that was refused.
   */
  simulation: (account: string, PolicySourceArn: string, ActionName: string, ResourceArn: string): Question =>
    ask('aws', 'iam:SimulatePrincipalPolicy', { account, PolicySourceArn, ActionName, ResourceArn }),
  /** → `{associations: [{namespace, serviceAccount, associationArn?, associationId?, roleArn?}…], complete}` of the cluster being examined. */
  podIdentityAssociations: (): Question => ask('aws', 'eks:ListPodIdentityAssociations'),
  /**
   * → `{association: {namespace, serviceAccount, roleArn, targetRoleArn?, externalId?, disableSessionTags?, …}}`; only here does
   * the role stand: the list leaves it out.
   */
  podIdentityAssociation: (associationId: string): Question =>
    ask('aws', 'eks:DescribePodIdentityAssociation', { associationId }),
  /** → `{accessEntries: [ARN…], complete}` of the cluster being examined. */
  accessEntries: (): Question => ask('aws', 'eks:ListAccessEntries'),
  /** → `{accessEntry: {principalArn, type?, kubernetesGroups?, createdAt?, …}}`. */
  accessEntry: (principalArn: string): Question => ask('aws', 'eks:DescribeAccessEntry', { principalArn }),
  /** → `{principalArn, associatedAccessPolicies: [{policyArn, accessScope: {type, namespaces?}}…], complete}` of one access entry. */
  accessPolicies: (principalArn: string): Question => ask('aws', 'eks:ListAssociatedAccessPolicies', { principalArn }),
  /** → `{nodegroups: [name…], complete}` of the cluster being examined. */
  nodegroups: (): Question => ask('aws', 'eks:ListNodegroups'),
  /** → `{nodegroup: {nodegroupName, nodeRole, amiType?, …}}`. */
  nodegroup: (nodegroupName: string): Question => ask('aws', 'eks:DescribeNodegroup', { nodegroupName }),
  /** → `{Reservations: [{Instances: […]}…], complete}`: the machines that were collected. */
  instances: (): Question => ask('aws', 'ec2:DescribeInstances'),
  /** → `{Reservations: [{Instances: […]}…]}` of those of these machines that the account in this region has; the others may be elsewhere. */
  machines: (region: string, InstanceIds: readonly string[]): Question =>
    ask('aws', 'ec2:DescribeInstances', { region, InstanceIds }),
  /** → `{LaunchTemplateVersions: [{LaunchTemplateId, VersionNumber, DefaultVersion, LaunchTemplateData}…]}`: those of one template. */
  launchTemplate: (region: string, LaunchTemplateId: string): Question =>
    ask('aws', 'ec2:DescribeLaunchTemplateVersions', { region, LaunchTemplateId }),
  /** → `{Subnets: [{SubnetId, AvailabilityZone, AvailableIpAddressCount}…]}`; without a SubnetId all that were collected. */
  subnets: (region: string, SubnetId?: string): Question =>
    ask('aws', 'ec2:DescribeSubnets', SubnetId === undefined ? { region } : { region, SubnetId }),
  /** → `{InstanceTypes: [{InstanceType, Hypervisor?, BareMetal?, VCpuInfo, NetworkInfo}…]}`; asked only about a type that is not known. */
  instanceType: (region: string, InstanceType: string): Question =>
    ask('aws', 'ec2:DescribeInstanceTypes', { region, InstanceType }),
  /** → `{InstanceProfile: {InstanceProfileName, Arn, Roles: [{RoleName, Arn}…]}}`. */
  instanceProfile: (account: string, InstanceProfileName: string): Question =>
    ask('aws', 'iam:GetInstanceProfile', { account, InstanceProfileName }),
  /** → `{PublicAccessBlockConfiguration: {BlockPublicAcls?, IgnorePublicAcls?, BlockPublicPolicy?, RestrictPublicBuckets?}}`; absent where the bucket has none. */
  bucketPublicAccess: (Bucket: string): Question => ask('aws', 's3:GetBucketPublicAccessBlock', { Bucket }),
  /** → the same for all buckets of the account of the credentials; from documents only. */
  accountPublicAccess: (): Question => ask('aws', 's3:GetAccountPublicAccessBlock'),
  /** → `{OwnershipControls: {Rules: [{ObjectOwnership}]}}`; absent where the bucket has none. */
  bucketOwnership: (Bucket: string): Question => ask('aws', 's3:GetBucketOwnershipControls', { Bucket }),
  /** → `{Policy}`, decoded; absent where the bucket has none. Asked only about a bucket that was refused. */
  bucketPolicy: (Bucket: string): Question => ask('aws', 's3:GetBucketPolicy', { Bucket }),
  /** → `{ServerSideEncryptionConfiguration: {Rules: [{ApplyServerSideEncryptionByDefault: {SSEAlgorithm, KMSMasterKeyID?}}]}}`. */
  bucketEncryption: (Bucket: string): Question => ask('aws', 's3:GetEncryptionConfiguration', { Bucket }),
  /** → `{Buckets: [{Name}…], complete}` of the account of the credentials; from documents only. */
  buckets: (): Question => ask('aws', 's3:ListAllMyBuckets'),
  /** → `{User: {UserName, Arn, CreateDate?}}`. */
  user: (account: string, UserName: string): Question => ask('aws', 'iam:GetUser', { account, UserName }),
} as const

/** What has been seen besides. */
export const seen = {
  /**
   * → `{errors: [{text, fragment, file?, line?, subject?: {kind, namespace?, name}}…]}`: known error texts (`knowledge/error-texts.ts`)
   * in logs and events, each with the longest fragment that fits it. Never unknown: no log means that nothing was observed.
   */
  errors: (): Question => ask('observed', 'errors'),
  /** → `{tokens: [{file, header, claims, malformed?}…]}`: tokens and claims among the documents; empty on a live cluster. */
  tokens: (): Question => ask('observed', 'tokens'),
  /** → the time as ISO 8601 text: now when live, the time of collection in a bundle, else unknown. */
  now: (): Question => ask('clock', 'now'),
} as const
