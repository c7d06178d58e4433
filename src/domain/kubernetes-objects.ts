/** Which fields of Kubernetes objects a check may see: everything else, Secret data above all, is dropped where it is read. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import { each, isPicked } from './kubernetes-alike.ts'
import { pickCertificates } from './kubernetes-certificates.ts'
import { pickCloudConfig, pickNode } from './kubernetes-cloud-picks.ts'
import { furtherPicks } from './kubernetes-further-picks.ts'
import { googlePicks, pickGoogleMap, pickMetadataServer } from './kubernetes-google.ts'
import { type Draft, keep, members, type Pick, part, parts, specOf } from './kubernetes-pick.ts'
import { pickPodSpec } from './kubernetes-pod-spec.ts'
import { settingsIn } from './kubernetes-settings.ts'
import { configOptions } from './mounter-words.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** One list of names for all entries that share what they own. */
const ownedNames = new WeakMap<JsonObject, readonly Json[]>()

function namesIn(owned: JsonObject): readonly Json[] {
  const held = ownedNames.get(owned)
  if (held !== undefined) return held
  const names = Object.keys(owned)
    .filter((key) => key.startsWith('f:'))
    .map((key) => key.slice(2))
  if (isPicked(owned)) ownedNames.set(owned, names)
  return names
}

export const pickOwner = (from: JsonObject): JsonObject => keep(from, ['kind', 'name', 'uid', 'controller'])

function pickAnnotations(annotations: JsonObject): JsonObject {
  // The copy that kubectl keeps of what was applied holds every field that is dropped elsewhere.
  if (annotations[lastApplied] === undefined) return annotations
  const { [lastApplied]: _, ...rest } = annotations
  return rest
}

/** Who owns which annotations, and since when; of a pod, of which there are many, only who owns any: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
function pickManagedFields(entries: readonly Json[], ownersOnly: boolean): readonly Json[] {
  const owned = ({ fieldsV1 }: JsonObject): Json | undefined => {
    const meta = isObject(fieldsV1) ? fieldsV1['f:metadata'] : undefined
    return isObject(meta) ? meta['f:annotations'] : undefined
  }
  const owners = ownersOnly
    ? entries.filter((entry) => isObject(entry) && (owned(entry) !== undefined || entry.annotations !== undefined))
    : entries
  return each(owners, (entry) => {
    const annotations = entry.annotations
    const names = owned(entry)
    const draft = keep(entry, ['manager', 'operation', 'time'])
    // What `collect` has written is picked already.
    if (isList(annotations)) draft.annotations = annotations
    else draft.annotations = isObject(names) ? namesIn(names) : []
    return draft
  })
}

const metadataNames = ['name', 'generateName', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'labels']

function pickMetadata(metadata: JsonObject, kind = ''): JsonObject {
  const draft = keep(metadata, metadataNames)
  const { annotations, ownerReferences, managedFields } = metadata
  if (isObject(annotations)) draft.annotations = pickAnnotations(annotations)
  if (isList(ownerReferences)) draft.ownerReferences = each(ownerReferences, pickOwner)
  if (isList(managedFields)) draft.managedFields = pickManagedFields(managedFields, kind === 'Pod')
  return draft
}

function pickTemplate(template: Json | undefined): JsonObject {
  if (!isObject(template)) return {}
  const { metadata, spec } = template
  return {
    ...(isObject(metadata) ? { metadata: pickMetadata(metadata) } : {}),
    ...(isObject(spec) ? { spec: pickPodSpec(spec) } : {}),
  }
}

const killedForMemory = (state: Json | undefined): boolean =>
  isObject(state) && isObject(state.terminated) && state.terminated.reason === 'OOMKilled'

const outOfMemory = (statuses: Json | undefined): readonly Json[] =>
  isList(statuses)
    ? each(
        statuses.filter((one) => isObject(one) && (killedForMemory(one.lastState) || killedForMemory(one.state))),
        ({ name, restartCount }) => ({
          ...(name === undefined ? {} : { name }),
          ...(typeof restartCount === 'number' ? { restartCount } : {}),
          lastState: { terminated: { reason: 'OOMKilled' } },
        }),
      )
    : []

const sidecar = 'gke-gcsfuse-sidecar'
const mounts = (one: Json): boolean => isObject(one) && (one.mounters !== undefined || one.name === sidecar)
/** Of a pod that mounts by itself, which of its containers are ready: the mounter in the foreground is alive as long as its container is. */
function readiness({ containers, initContainers }: JsonObject, status: JsonObject): JsonObject {
  if (!(isList(containers) && containers.some(mounts)) && !(isList(initContainers) && initContainers.some(mounts)))
    return {}
  const read = (listed: Json | undefined): readonly Json[] =>
    isList(listed) ? each(listed, ({ name = null, ready = false }) => ({ name, ready })) : []
  const all = [...read(status.containerStatuses), ...read(status.initContainerStatuses)]
  return all.length === 0 ? {} : { readiness: all }
}

function withLimits(spec: JsonObject): JsonObject {
  const { containers } = pickPodSpec(spec)
  if (!isList(containers) || !isList(spec.containers)) return {}
  const limits = new Map(
    spec.containers.flatMap((one) => (isObject(one) && isObject(one.resources) ? [[one.name, one.resources]] : [])),
  )
  return {
    containers: each(containers, (one) => {
      const limit = part(limits.get(one.name)?.limits, ['memory'])
      return limit.memory === undefined ? one : { ...one, resources: { limits: limit } }
    }),
  }
}

const pod: Pick = ({ metadata, spec, status }, draft) => {
  if (isObject(spec)) draft.spec = pickPodSpec(spec)
  if (!isObject(status)) return
  const health = pickMetadataServer(metadata, status)
  if (health !== undefined) {
    draft.status = health
    return
  }
  const killed = outOfMemory(status.containerStatuses)
  if (killed.length === 0) {
    if (status.phase !== undefined)
      draft.status = { phase: status.phase, ...(isObject(draft.spec) ? readiness(draft.spec, status) : {}) }
    return
  }
  // Of the few that were killed for memory, how much they may have.
  draft.status = { ...(status.phase === undefined ? {} : { phase: status.phase }), containerStatuses: killed }
  if (isObject(spec)) draft.spec = { ...pickPodSpec(spec), ...withLimits(spec) }
}

const workload: Pick = ({ spec }, draft) => {
  if (!isObject(spec)) return
  draft.spec = keep(spec, ['replicas', 'selector', 'suspend', 'activeDeadlineSeconds'])
  if (spec.template !== undefined) draft.spec = { ...draft.spec, template: pickTemplate(spec.template) }
}

const cronJob: Pick = ({ spec }, draft) => {
  if (!isObject(spec)) return
  const { jobTemplate } = spec
  const job = isObject(jobTemplate) ? jobTemplate.spec : undefined
  draft.spec = {
    ...keep(spec, ['schedule', 'suspend']),
    ...(isObject(job) ? { jobTemplate: { spec: { template: pickTemplate(job.template) } } } : {}),
  }
}

/** The webhook's own map of ServiceAccounts; any other ConfigMap may hold anything, so its data stays where it is. */
const configMapsRead: ReadonlySet<string> = new Set(['pod-identity-webhook', 'azure-wi-webhook-config'])
/** Who may enter an EKS cluster: https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html */
const awsAuthMaps = ['mapRoles', 'mapUsers', 'mapAccounts'] as const

/** The names of what is in it, never a value; what was picked before has them already. */
function pickKeys(from: JsonObject, members: readonly string[], draft: Draft): void {
  if (isList(from.keys)) draft.keys = from.keys.filter((one) => typeof one === 'string')
  else
    draft.keys = members.flatMap((member) => {
      const values = from[member]
      return isObject(values) ? Object.keys(values) : []
    })
}

const configMap: Pick = (from, draft) => {
  const { metadata, data } = from
  pickKeys(from, ['data', 'binaryData'], draft)
  const options = isList(from.mounterOptions) ? from.mounterOptions : configOptions(data)
  if (options.length > 0) draft.mounterOptions = options
  pickCloudConfig(from, draft)
  if (data === undefined || !isObject(metadata) || typeof metadata.name !== 'string') return
  if (configMapsRead.has(metadata.name)) draft.data = data
  else if (metadata.name === 'aws-auth') draft.data = part(data, awsAuthMaps)
  // The certificates of the API server's own authority, the same in every namespace.
  else if (metadata.name === 'kube-root-ca.crt') draft.data = part(data, ['ca.crt'])
  else if (metadata.name.endsWith('-virtual-kubelet-config')) draft.data = part(data, ['InterLinkConfig.yaml'])
  else if (isObject(data)) {
    const google = pickGoogleMap(metadata.name, data)
    if (google !== undefined) draft.data = google
  }
}

/** Of a store of external-secrets what either cloud needs of it. */
const secretStore: Pick = (from, draft) => {
  furtherPicks.SecretStore?.(from, draft)
  googlePicks.SecretStore?.(from, draft)
}

const picks: { readonly [kind: string]: Pick } = {
  Pod: pod,
  Deployment: (from, draft) => {
    workload(from, draft)
    if (isObject(from.status)) draft.status = keep(from.status, ['replicas', 'readyReplicas'])
  },
  StatefulSet: workload,
  DaemonSet: (from, draft) => {
    workload(from, draft)
    if (isObject(from.status)) draft.status = keep(from.status, ['desiredNumberScheduled', 'numberReady'])
  },
  ReplicaSet: workload,
  ReplicationController: workload,
  Job: workload,
  CronJob: cronJob,
  PodTemplate: ({ template }, draft) => {
    draft.template = pickTemplate(template)
  },
  ServiceAccount: (from, draft) => {
    keep(from, ['automountServiceAccountToken'], draft)
    if (isList(from.secrets)) draft.secrets = parts(from.secrets, ['name'])
    if (isList(from.imagePullSecrets)) draft.imagePullSecrets = parts(from.imagePullSecrets, ['name'])
  },
  MutatingWebhookConfiguration: members('webhooks'),
  ValidatingWebhookConfiguration: members('webhooks'),
  ConfigMap: configMap,
  Secret: (from, draft) => {
    keep(from, ['type'], draft)
    pickKeys(from, ['data', 'stringData'], draft)
    const settings = settingsIn(from)
    if (settings !== undefined) draft.settings = settings
    const certificates = isObject(from.data) ? pickCertificates(from.data) : {}
    if (Object.keys(certificates).length > 0) draft.data = certificates
    pickCloudConfig(from, draft)
  },
  Service: (from, draft) => {
    specOf('type', 'clusterIP', 'clusterIPs', 'externalName', 'selector', 'ports', 'loadBalancerClass')(from, draft)
    if (isObject(from.status) && from.status.loadBalancer !== undefined)
      draft.status = part(from.status, ['loadBalancer'])
  },
  Endpoints: ({ subsets }, draft) => {
    draft.subsets = parts(subsets, ['addresses', 'notReadyAddresses', 'ports'])
  },
  EndpointSlice: ({ endpoints, ports }, draft) => {
    draft.endpoints = parts(endpoints, ['addresses', 'conditions'])
    if (ports !== undefined) draft.ports = ports
  },
  Certificate: ({ spec, status }, draft) => {
    draft.spec = part(spec, ['secretName', 'duration', 'isCA'])
    if (isObject(status)) draft.status = { conditions: parts(status.conditions, ['type', 'status', 'reason']) }
  },
  Namespace: ({ status }, draft) => {
    draft.status = part(status, ['phase'])
  },
  ...googlePicks,
  Node: pickNode,
  // How Crossplane's AWS providers get their credentials.
  ProviderConfig: ({ spec }, draft) => {
    if (isObject(spec)) draft.spec = { credentials: part(spec.credentials, ['source']) }
  },
  CSIDriver: members('spec'),
  ...furtherPicks,
  SecretStore: secretStore,
  ClusterSecretStore: secretStore,
  ClusterRole: members('rules'),
  ClusterRoleBinding: members('roleRef', 'subjects'),
  RoleBinding: members('roleRef', 'subjects'),
  Event: (from, draft) => {
    keep(from, ['reason', 'type', 'message', 'note', 'lastTimestamp', 'eventTime', 'count'], draft)
    const about = from.involvedObject ?? from.regarding
    if (about !== undefined) draft.involvedObject = part(about, ['kind', 'namespace', 'name', 'uid'])
  },
}

/**
 * The object with only what a check may look at; unchanged parts by reference. `typed` names what the items of a typed list
 * leave out. Pure, and fast enough for every pod of a large cluster: nothing that is dropped is walked.
 */
export function pickObject(
  object: JsonObject,
  typed?: { readonly apiVersion: string; readonly kind: string },
): JsonObject {
  const { metadata } = object
  const kind = typeof object.kind === 'string' ? object.kind : (typed?.kind ?? '')
  const draft: Draft = {
    apiVersion: typeof object.apiVersion === 'string' ? object.apiVersion : (typed?.apiVersion ?? ''),
    kind,
    metadata: isObject(metadata) ? pickMetadata(metadata, kind) : {},
  }
  const pick = Object.hasOwn(picks, kind) ? picks[kind] : undefined
  pick?.(object, draft)
  return draft
}
