/** Objects of further kinds that are judged: a line for each kind, and how those of a run are found. */
import { type Fact, type Question, unknown } from '../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import { keyOfSubject, type Subject, subjectKey } from '../core/subject.ts'
import { isNamespaced, resourceOf } from '../domain/kubernetes-resources.ts'
import { documents, kubernetes } from '../domain/questions.ts'
import {
  knownDrivers,
  misspelt,
  readPersistentVolume,
  readStorageClass,
  type Volume,
} from '../domain/storage-volumes.ts'
import { resources } from '../knowledge/permissions.ts'

export type FurtherKind = {
  readonly kind: string
  /** `document-kind`: no API serves it, it is only ever a file. `documents`: listing it in a cluster would cost more than it tells. */
  readonly only?: 'documents' | 'document-kind'
  /** Which of its objects are judged; left out, all. */
  readonly fits?: (object: Json) => boolean
  /** Keys of the subjects that it belongs to. */
  readonly of?: (object: Json) => readonly string[]
  /** Keys of the objects that it uses: they belong to it, and to whoever uses it in turn. */
  readonly uses?: (object: Json) => readonly string[]
  /** An error text that speaks of one: the cluster answers for it where no such object is there. */
  readonly said?: RegExp
  /** Another kind in which the same is written. */
  readonly or?: string
}

const keyOfRef = (ref: Json | undefined): readonly string[] => {
  const kind = textAt(ref, 'kind')
  const name = textAt(ref, 'name')
  return kind === undefined || name === undefined ? [] : [keyOfSubject({ kind, name })]
}
const refAt = (object: Json, member: string): Json | undefined =>
  isObject(object) && isObject(object.spec) ? object.spec[member] : undefined

/** What the controllers of Cluster API Provider AWS say, in their log or in a condition. */
const capaSaid =
  /AWSCluster|AWSManaged|AWSMachine|awscluster|awsmanaged|awsmachine|controllers\.cluster-api-provider-aws|capa-controller-manager|cluster-api-provider-aws|PrincipalUsage|PrincipalCredential|Failed to get providers for cluster|No such provider known|Failed to retrieve identity credentials|CredentialProviderBuildFailed/

/** What drivers of volumes say of one that they cannot mount, and stores of what they refuse. */
const volumeSaid = new RegExp(
  [
    'unknown `authenticationSource`|podInfoOnMountCompat|Missing role annotation on pod|Failed to detect STS AWS Region',
    '\\[failed to get credential\\]|no key for storage account|mountWithWorkloadIdentityToken|is specified, use service account token',
    '[Kk]ey ?[Bb]ased ?[Aa]uthentication|storageAccounts\\/listKeys|AuthorizationPermissionMismatch|AccountIsDisabled|ContainerNotFound',
    'request is not authorized to perform this operation|failed to authenticate the request|Unable to access|Mount: initialization failed',
    'initial ListObjectsV2|closing writer : googleapi: Error 403|Invalid Credentials\\(host|Bad credentials for bucket|does not have [\\w.]{1,60} access',
    "bucket doesn't exist|Uniform Bucket Level Access|bucket-scan-pending",
  ].join('|'),
)
const claimSaid = /either by (?:the )?external provisioner|not found in the list of registered CSI drivers/
const driverSaid =
  /No signing credentials|EC2 instance identity metadata|service account token is empty|token for audience|could not find token for|Missing service account tokens/

/** What the virtual kubelet of interLink and its plugins say. */
const interLinkSaid =
  /InterLink configuration does not contains|RemoteExecution\(\)|InterLink VK has|CFGMaps\/Secrets not found|unable to retrieve ConfigMaps or Secrets after 5m|no override found|requested expiration of 3153600000/

/**
 * The kinds that are judged beside ServiceAccounts, pods, nodes, roles, Services and webhooks. How a kind is asked for stands in the table of
 * resources (`knowledge/permissions.ts`), what is kept of it among the picks (`domain/kubernetes-objects.ts`).
 */
export const furtherKinds: readonly FurtherKind[] = [
  { kind: 'AWSCluster', uses: (one) => keyOfRef(refAt(one, 'identityRef')), said: capaSaid },
  { kind: 'AWSManagedControlPlane', uses: (one) => keyOfRef(refAt(one, 'identityRef')), said: capaSaid },
  { kind: 'ROSARoleConfig', uses: (one) => keyOfRef(refAt(one, 'identityRef')) },
  { kind: 'AWSClusterControllerIdentity', said: capaSaid },
  { kind: 'AWSClusterRoleIdentity', uses: (one) => keyOfRef(refAt(one, 'sourceIdentityRef')), said: capaSaid },
  { kind: 'AWSClusterStaticIdentity', said: capaSaid },
  { kind: 'AWSIAMConfiguration', only: 'document-kind' },
  { kind: 'Workspace', only: 'document-kind', of: (one) => accountsOfWorkspace(textAt(one, 'metadata', 'name')) },
  {
    kind: 'StorageClass',
    fits: (one) =>
      isOfKnownDriver(readStorageClass(one)) || textAt(one, 'provisioner')?.startsWith('kubernetes.io/') === true,
  },
  {
    kind: 'PersistentVolume',
    fits: (one) => isOfKnownDriver(readPersistentVolume(one)) || at(one, 'spec', 'csi') === undefined,
    of: claimOf,
    said: volumeSaid,
  },
  { kind: 'PersistentVolumeClaim', only: 'documents', said: claimSaid },
  { kind: 'CSIDriver', fits: (one) => knownDrivers.has(textAt(one, 'metadata', 'name') ?? ''), said: driverSaid },
  { kind: 'CloudConfig', only: 'document-kind' },
  { kind: 'IAMRole', only: 'document-kind' },
  { kind: 'InterLinkConfig', only: 'document-kind', said: interLinkSaid, or: 'ConfigMap' },
  {
    kind: 'ConfigMap',
    only: 'documents',
    fits: (one) => at(one, 'cloudConfig') !== undefined || textAt(one, 'data', 'InterLinkConfig.yaml') !== undefined,
  },
  { kind: 'Ingress', only: 'documents' },
]

/** Of the many volumes of a cluster those whose driver says something about an identity. */
function isOfKnownDriver(volume: Volume | undefined): boolean {
  const driver = volume?.driver ?? volume?.inTree?.driver
  return driver !== undefined && (knownDrivers.has(driver) || misspelt[driver] !== undefined)
}
function claimOf(volume: Json): readonly string[] {
  const claim = readPersistentVolume(volume)?.claim
  return claim === undefined ? [] : [keyOfSubject({ kind: 'PersistentVolumeClaim', ...claim })]
}

/** CloudTik's namespace is the workspace's name, and its two ServiceAccounts always have these names. */
const accountsOfWorkspace = (namespace = ''): readonly string[] =>
  ['cloudtik-head-service-account', 'cloudtik-worker-service-account'].map((name) =>
    keyOfSubject({ kind: 'ServiceAccount', namespace, name }),
  )

/** The group by which the API server tells whether it serves a kind; every server has the core and those of Kubernetes itself. */
const optionalGroup = (kind: string): string | undefined => {
  const group = resources[resourceOf(kind)]?.group ?? ''
  return group.includes('.') && !group.endsWith('.k8s.io') ? group : undefined
}

export type Further = {
  readonly subjects: readonly Subject[]
  /** Kinds that may be there and were not seen. */
  readonly unseen: readonly string[]
}

type Look = {
  readonly namespace: string | undefined
  readonly documents: boolean
  /** Kinds that somebody judges; left out, all. */
  readonly kinds?: ReadonlySet<string> | undefined
  readonly ask: (question: Question) => Promise<Fact<Json>>
}

/** The groups that are served, asked once; undefined where nobody says. */
async function servedGroups({ ask }: Look, rows: readonly FurtherKind[]): Promise<ReadonlySet<string> | undefined> {
  if (rows.every(({ kind }) => optionalGroup(kind) === undefined)) return undefined
  const answer = await ask(kubernetes.nonResource('/apis'))
  if (answer.state === 'absent') return new Set()
  return answer.state === 'known'
    ? new Set(listAt(answer.value, 'groups').flatMap((one) => textAt(one, 'name') ?? []))
    : undefined
}

/** Finds them: among documents all that are there; in a cluster those of the kinds that it serves. */
export async function furtherSubjects(look: Look): Promise<Further> {
  const rows = furtherKinds.filter(
    ({ kind, only }) => (look.kinds === undefined || look.kinds.has(kind)) && (look.documents || only !== 'documents'),
  )
  const fromApi = rows.filter(({ only }) => only !== 'document-kind')
  const served = look.documents ? undefined : await servedGroups(look, fromApi)
  const listOf = ({ kind, only }: FurtherKind): Question | undefined => {
    if (only === 'document-kind') return documents.ofKind(kind)
    const group = optionalGroup(kind)
    if (group !== undefined && served !== undefined && !served.has(group)) return undefined
    const resource = resourceOf(kind)
    return kubernetes.list(resource, isNamespaced(resource) ? look.namespace : undefined)
  }
  const found = await Promise.all(
    rows.map(async (row) => {
      const question = listOf(row)
      const answer = question === undefined ? undefined : await look.ask(question)
      return { row, answer }
    }),
  )
  const seen = found.flatMap(({ row, answer }) =>
    answer?.state === 'known' ? listAt(answer.value, 'items').flatMap((one) => subjectOf(row, one) ?? []) : [],
  )
  return {
    subjects: belonging(seen),
    unseen: look.documents
      ? []
      : found.flatMap(({ row, answer }) =>
          answer?.state === 'unknown' && row.only !== 'document-kind' ? row.kind : [],
        ),
  }
}

type Seen = { readonly subject: Subject; readonly uses: readonly string[] }

function subjectOf({ kind, fits, of, uses }: FurtherKind, object: Json): Seen | undefined {
  const name = textAt(object, 'metadata', 'name')
  if (name === undefined || fits?.(object) === false) return undefined
  // A manifest may name a namespace all the same; the API server keeps none.
  const namespace = isNamespaced(resourceOf(kind)) ? textAt(object, 'metadata', 'namespace') : undefined
  const kin = of?.(object) ?? []
  const subject = {
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(kin.length === 0 ? {} : { of: kin }),
  }
  return { subject, uses: uses?.(object) ?? [] }
}

/** The subjects, each with all that use it, over however many steps. */
function belonging(seen: readonly Seen[]): readonly Subject[] {
  const usedBy = new Map<string, string[]>()
  for (const { subject, uses } of seen)
    for (const key of uses) {
      const users = usedBy.get(key)
      if (users === undefined) usedBy.set(key, [subjectKey(subject)])
      else users.push(subjectKey(subject))
    }
  return seen.map(({ subject }) => {
    const own = subjectKey(subject)
    const users = new Set(usedBy.get(own))
    for (const key of users) for (const next of usedBy.get(key) ?? []) users.add(next)
    users.delete(own)
    return users.size === 0 ? subject : { ...subject, of: [...(subject.of ?? []), ...users] }
  })
}

/** The kinds that the cluster answers for: those that could not be listed, and those that an error text speaks of and nobody has seen. */
export function standInKinds({ subjects, unseen }: Further, texts: readonly string[]): readonly string[] {
  const there = new Set(subjects.map(({ kind }) => kind))
  const said = furtherKinds.flatMap(({ kind, said, or = kind }) =>
    said !== undefined && !there.has(kind) && !there.has(or) && texts.some((text) => said.test(text)) ? kind : [],
  )
  return [...new Set([...unseen, ...said])]
}

/** One document of a kind that only documents have, by its name. */
export async function documentNamed(
  kind: string,
  name: string,
  ask: (question: Question) => Fact<Json> | Promise<Fact<Json>>,
): Promise<Fact<Json>> {
  const question = documents.ofKind(kind)
  const answer = await ask(question)
  if (answer.state !== 'known') return answer
  const one = listAt(answer.value, 'items').find((each) => textAt(each, 'metadata', 'name') === name)
  return one === undefined
    ? unknown('not-collected', `${kind} ${name} is not among the documents`, question)
    : { state: 'known', value: one, from: question }
}
