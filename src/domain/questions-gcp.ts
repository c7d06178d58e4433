/** What may be asked of Google Cloud, and the form of each answer. */
import type { Question } from '../core/fact.ts'
import { ask, type TokenName } from './asking.ts'

/** Whose token is minted, for which audience, and whom it is exchanged for. */
export type GoogleExchange = TokenName & { readonly provider: string; readonly account?: string }

/** What workloads do with a bucket: read, list, write, delete, and ask about it. */
export const bucketPermissions: readonly string[] = [
  'storage.objects.get',
  'storage.objects.list',
  'storage.objects.create',
  'storage.objects.delete',
  'storage.buckets.get',
]

/**
 * Google Cloud, in the form in which gcloud prints it (`--format json`). Names are whole: an account by its e-mail, a provider by
 * `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`, a project by its id or number. A source that may not look
 * answers unknown, never absent; absent is a NOT_FOUND answer.
 */
export const gcp = {
  /**
   * → the cluster being examined: `{name, location, selfLink, workloadIdentityConfig?: {workloadPool}, autopilot?: {enabled}, currentMasterVersion?,
   * networkConfig?: {datapathProvider?}, privateClusterConfig?: {enablePrivateNodes?}, nodePools?: […as nodePools()]}`.
   */
  cluster: (): Question => ask('gcp', 'container.clusters.get'),
  /**
   * → `{nodePools: [{name, config: {workloadMetadataConfig?, nodeMetadata?, serviceAccount?}, maxPodsConstraint?}…], complete}` of the cluster
   * being examined: those in the cluster's own answer, and those that were described one by one.
   */
  nodePools: (): Question => ask('gcp', 'container.clusters.get', { part: 'nodePools' }),
  /** → `{clusters: [{name, location?, workloadPool?}…], complete}` of the project of the cluster being examined. */
  clusters: (): Question => ask('gcp', 'container.clusters.list'),
  /** → `{email, uniqueId?, disabled?}`; absent only for a NOT_FOUND. */
  serviceAccount: (email: string): Question => ask('gcp', 'iam.serviceAccounts.get', { email }),
  /** → `{bindings: [{role, members: […], condition?: {expression, …}}…], etag?, version?}`, asked for with policy version 3. */
  serviceAccountPolicy: (email: string): Question => ask('gcp', 'iam.serviceAccounts.getIamPolicy', { email }),
  /** → a policy of the same form. */
  projectPolicy: (project: string): Question => ask('gcp', 'resourcemanager.projects.getIamPolicy', { project }),
  /** → a policy of the same form. */
  bucketPolicy: (bucket: string): Question => ask('gcp', 'storage.buckets.getIamPolicy', { bucket }),
  /** → `{name, uniformBucketLevelAccess?: boolean}`. */
  bucket: (bucket: string): Question => ask('gcp', 'storage.buckets.get', { bucket }),
  /** → `{projectId, projectNumber}`. */
  project: (project: string): Question => ask('gcp', 'resourcemanager.projects.get', { project }),
  /** → `{name, includedPermissions: […]}` of a custom role, `projects/P/roles/R` or `organizations/O/roles/R`. */
  role: (role: string): Question => ask('gcp', 'iam.roles.get', { role }),
  /** → `{name, state?, disabled?, expireTime?}`; a pool is a resource of its own, which may be disabled while its provider answers. */
  pool: (name: string): Question => ask('gcp', 'iam.workloadIdentityPools.get', { name }),
  /** → `{name, state?, disabled?, expireTime?, attributeMapping?, attributeCondition?, oidc?: {issuerUri, allowedAudiences?, jwksJson?}}`. */
  provider: (name: string): Question => ask('gcp', 'iam.workloadIdentityPoolProviders.get', { name }),
  /** → `{providers: [{name, oidc: {issuerUri, allowedAudiences?, jwksJson?}, state}…], complete}`. */
  workloadIdentityPoolProviders: (): Question => ask('gcp', 'iam.workloadIdentityPoolProviders.list'),
  /** → `{services: [{name: 'iamcredentials.googleapis.com', project, state: 'ENABLED' | 'DISABLED'}…], complete}`. */
  services: (): Question => ask('gcp', 'serviceusage.services.get'),
  /** → `{name, project, membership}` of the fleet membership of the cluster being examined, and `pool` where it tells one. */
  membership: (): Question => ask('gcp', 'gkehub.memberships.get'),
  /**
   * → `{granted?: [{member, role?, time}…], node499?: [{node, count}…]}`: grants in the audit log of the last minutes, and how often a metadata
   * server answered 499; asked only where a refusal makes the first matter.
   */
  logs: (): Question => ask('gcp', 'logging.logEntries.list'),
  /**
   * → what was seen from inside the container of a pod, without a token or a credential: `{address?, email?, flavor?, token?: {status, expiresIn?},
   * clusterName?, resolves?: boolean, reached?: [{host, error?}…], tokenFile?: {path, readable, user?, mode?, claims?}, container?}`. Opt-in: unknown
   * (not-asked) where nobody wanted a look inside.
   */
  podProbe: (namespace: string, pod: string): Question => ask('gcp', 'pod-probe', { namespace, pod }),
  /**
   * → `{outcome: 'exchanged', principal?, account?}` or `{outcome: 'refused', step: 'exchange' | 'impersonation', status, code, text}`: a minted token,
   * exchanged at STS under `provider` (the name of a provider, or `identitynamespace:POOL:URL`), then for a token of `account`. Absent where the
   * ServiceAccount does not exist. No token is in it.
   */
  exchange: (order: GoogleExchange): Question => ask('gcp', 'sts exchange', { ...order }),
  /** → `{permissions: […]}`: which of `bucketPermissions` the identity of this exchange has on the bucket, in its own words (testIamPermissions). */
  bucketAccess: (order: GoogleExchange, bucket: string): Question =>
    ask('gcp', 'sts exchange, storage.testIamPermissions', { ...order, bucket }),
  /**
   * → `{policies: [{resource, policy}…], accounts: [email…], buckets: [name…], configurations: [{name, configuration}…], gke: boolean}`: what a folder holds of
   * Google Cloud, whatever its name; resource is `serviceAccounts/EMAIL`, `projects/ID` or `buckets/NAME`. Live there is nothing of the kind.
   */
  collected: (): Question => ask('gcp', 'collected'),
} as const
