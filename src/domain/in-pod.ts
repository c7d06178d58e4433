/** What runs beside a container with all that the container was given: an ephemeral container, or the pod of a Job on the same node. */
import { isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'

export type InPodOrder = {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
}

export type Guest = {
  /** The ephemeral container, or the Job. */
  readonly object: JsonObject
  /** What of the container's it could not be given, each a sentence. */
  readonly without: readonly string[]
}

const ownToken = '/var/run/secrets/kubernetes.io/serviceaccount'
const managedBy = { 'app.kubernetes.io/managed-by': 'kubectl-wi' }
/** Labels and annotations by which identity webhooks know their pods; others would make Services send it their requests. */
const ofIdentity = /^(azure\.workload\.identity|eks\.amazonaws\.com|iam\.gke\.io)\//
/** The user of the image that the Containerfile makes. */
const userOfImage = 65_532

export const defaultContainer = 'kubectl.kubernetes.io/default-container'

/** The container that is meant: the one that is named, else as kubectl exec has it; undefined where there is none of that name. */
export function containerMeant(pod: Json, named: string | undefined): JsonObject | undefined {
  const containers = listAt(pod, 'spec', 'containers').filter(isObject)
  const wanted = named ?? textAt(pod, 'metadata', 'annotations', defaultContainer)
  return wanted === undefined ? containers[0] : containers.find((one) => textAt(one, 'name') === wanted)
}

export const containerNames = (pod: Json): readonly string[] =>
  listAt(pod, 'spec', 'containers').flatMap((one) => textAt(one, 'name') ?? [])

const members = (object: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = object[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )

const mountsOf = (container: JsonObject): readonly JsonObject[] => listAt(container, 'volumeMounts').filter(isObject)
const isPartial = (mount: JsonObject): boolean => mount.subPath !== undefined || mount.subPathExpr !== undefined
// It reads tokens and configurations, and has nothing to write into what is the container's.
const readOnly = ({ mountPropagation: _, recursiveReadOnly: __, ...mount }: JsonObject): JsonObject => ({
  ...mount,
  readOnly: true,
})

/** Why what is seen as another user may differ: the container's own is known to its image alone. */
function aboutUser(pod: Json, container: JsonObject): readonly string[] {
  const own = isObject(container.securityContext) ? container.securityContext.runAsUser : undefined
  const spec = isObject(pod) && isObject(pod.spec) ? pod.spec : {}
  const shared = isObject(spec.securityContext) ? spec.securityContext.runAsUser : undefined
  return own === undefined && shared === undefined
    ? [
        `the container runs as the user of its image, and this as user ${userOfImage}: a file's mode may mean another thing to it`,
      ]
    : []
}

const ofImage = (container: JsonObject): string =>
  `what the image of ${textAt(container, 'name') ?? 'the container'} itself brings (its variables, its files) is not seen from beside it: --pod looks there`

function guest(container: JsonObject, { name, image, args }: InPodOrder, mounts: readonly JsonObject[]): JsonObject {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    args,
    ...members(container, ['env', 'envFrom', 'securityContext']),
    volumeMounts: mounts.map(readOnly),
  }
}

const leftOut = (mounts: readonly JsonObject[], why: string): readonly string[] =>
  mounts.map((mount) => `the mount at ${textAt(mount, 'mountPath') ?? '?'}: ${why}`)

/** An ephemeral container inherits neither variables nor mounts, so it is given what the container has. */
export function ephemeralContainer(pod: Json, container: JsonObject, order: InPodOrder): Guest {
  const all = mountsOf(container)
  return {
    object: guest(
      container,
      order,
      all.filter((mount) => !isPartial(mount)),
    ),
    without: [
      ...leftOut(all.filter(isPartial), 'an ephemeral container may mount no part of a volume (subPath)'),
      ...aboutUser(pod, container),
      ofImage(container),
    ],
  }
}

/** Volumes that hold what somebody was given; others are the application's own, and may be mounted once only. */
const given = ['projected', 'secret', 'configMap', 'downwardAPI']
const shared = [
  'serviceAccountName',
  'automountServiceAccountToken',
  'nodeName',
  'securityContext',
  'tolerations',
  'hostNetwork',
  'dnsPolicy',
  'dnsConfig',
  'hostAliases',
  'imagePullSecrets',
  'runtimeClassName',
]

/** So that a quota on the namespace is no reason to refuse it. */
const resources = { requests: { cpu: '10m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } }

const identityMarks = (marks: Json | undefined): JsonObject =>
  isObject(marks) ? Object.fromEntries(Object.entries(marks).filter(([name]) => ofIdentity.test(name))) : {}

/** A Job of one pod like this one; `seconds` is what it may take at most, and what it is kept for where nobody deletes it. */
export function jobLike(
  pod: Json,
  container: JsonObject,
  { seconds, namespace, ...order }: InPodOrder & { readonly seconds: number; readonly namespace: string },
): Guest {
  const spec = isObject(pod) && isObject(pod.spec) ? pod.spec : {}
  const metadata = isObject(pod) && isObject(pod.metadata) ? pod.metadata : {}
  const volumes = listAt(spec, 'volumes')
    .filter(isObject)
    .filter((one) => given.some((kind) => one[kind] !== undefined))
  const names = new Set(volumes.map((one) => textAt(one, 'name')))
  // Admission gives every pod its own.
  const mounts = mountsOf(container).filter((mount) => textAt(mount, 'mountPath') !== ownToken)
  const kept = mounts.filter((mount) => names.has(textAt(mount, 'name')))
  const used = new Set(kept.map((mount) => textAt(mount, 'name')))
  return {
    object: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: order.name, namespace, labels: managedBy },
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: seconds,
        ttlSecondsAfterFinished: seconds,
        template: {
          metadata: {
            labels: { ...managedBy, ...identityMarks(metadata.labels) },
            annotations: identityMarks(metadata.annotations),
          },
          spec: {
            ...members(spec, shared),
            restartPolicy: 'Never',
            volumes: volumes.filter((one) => used.has(textAt(one, 'name'))),
            containers: [{ ...guest(container, { ...order, name: 'exchange-test' }, kept), resources }],
          },
        },
      },
    },
    without: [
      ...leftOut(
        mounts.filter((mount) => !kept.includes(mount)),
        "the volume is the application's own",
      ),
      'NetworkPolicies and Services that select the pod by its labels do not select the pod of the Job',
      ...aboutUser(pod, container),
      ofImage(container),
    ],
  }
}
