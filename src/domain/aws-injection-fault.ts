/** Why a pod lacks the variables or the token of its role: the first cause that holds. */
import { injectedInto, isByWebhook, skipLabel, skippedContainers } from './aws-injection.ts'
import type { Container, Pod } from './workloads.ts'

/** What decides between the causes, as far as it was seen. Times are ISO 8601. */
export type InjectionHistory = {
  /** How the ServiceAccount is bound; undefined where it was not seen. */
  readonly bound?: {
    readonly via: 'annotation' | 'association' | 'config-map'
    /** Empty where an association's role was not seen. */
    readonly role: string
  }
  readonly serviceAccountCreated?: string
  readonly annotated?: string
  readonly associated?: string
  readonly webhook?: { readonly configuration: string; readonly created?: string }
  readonly annotationPrefix?: string
  /** Keys of the webhook's ConfigMap. */
  readonly mapKeys: readonly string[]
  /** Another pod of the same ServiceAccount is injected. */
  readonly siblingsInjected: boolean
  /** What the API server logged when it could not call the webhook. */
  readonly failedOpen?: { readonly webhook: string; readonly cause: string }
  /** An SDK in this pod said that it found no credentials. */
  readonly misses: boolean
}

type Pods = { readonly pod: string }
type Containers = { readonly container: string }
/** What the sentence of each cause says, by the names of its placeholders. */
export type InjectionFaultData = {
  readonly 'label-opts-out': Pods
  readonly 'container-skipped': Containers
  readonly 'role-variable-missing': Containers
  readonly 'role-differs': Containers & { readonly observed: string; readonly expected: string }
  readonly 'created-before-annotation': Pods & { readonly created: string; readonly annotated: string }
  readonly 'created-before-association': Pods & { readonly created: string; readonly association: string }
  readonly 'created-before-webhook': Pods & {
    readonly created: string
    readonly configuration: string
    readonly configured: string
  }
  readonly 'prefix-differs': { readonly observed: string; readonly expected: string }
  readonly 'map-key-unsupported': { readonly key: string }
  readonly 'webhook-failed-open': { readonly webhook: string; readonly cause: string }
  readonly 'created-with-service-account': Pods & { readonly delta: string }
  readonly 'linux-path-on-windows': Pods
  readonly 'ephemeral-container': Containers
  readonly 'added-after-webhook': Containers
  readonly 'not-injected': Containers
}

/** A union on `message`. */
export type InjectionFault = {
  readonly [K in keyof InjectionFaultData]: {
    readonly message: K
    readonly data: InjectionFaultData[K]
    /** In the pod. */
    readonly path: string
  }
}[keyof InjectionFaultData]

const containerPath = ({ role, name }: Container): string =>
  `spec.${role === 'init' ? 'initContainers' : role === 'ephemeral' ? 'ephemeralContainers' : 'containers'}["${name}"].env`

const before = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && Date.parse(one) < Date.parse(other)

/** Containers of meshes and the like, which do nothing in a cloud under the pod's identity: leaving one out is meant, or does no harm. */
const sidecar =
  /^(?:istio-(?:proxy|init|validation)|linkerd-(?:proxy|init|network-validator|debug)|kuma-(?:sidecar|init|validation)|consul-(?:dataplane|connect-inject-init)|envoy|envoy-sidecar|proxyinit|vault-agent|vault-agent-init|datadog-(?:init|lib)-.*|opentelemetry-auto-instrumentation.*|install-oneagent|aws-guardduty-agent.*)$/

/** Those who would use the identity: neither debugging nor a mesh. */
const workers = (pod: Pod): readonly Container[] => {
  const all = pod.containers.filter(({ role }) => role === 'container')
  const own = all.filter(({ name }) => !sidecar.test(name))
  return own.length === 0 ? all : own
}

/** What a manifest shows already: the marks by which the pod's author keeps the webhook away. */
export function optOut(pod: Pod, misses: boolean): InjectionFault | undefined {
  const lacking = pod.containers.filter((one) => one.role !== 'ephemeral' && injectedInto(one) === 'none')
  if (lacking.length === 0) return undefined
  if (skipLabel in pod.labels)
    return { message: 'label-opts-out', data: { pod: pod.name }, path: `metadata.labels["${skipLabel}"]` }
  const skipped = skippedContainers(pod)
  const kept = lacking.filter(({ name }) => skipped.has(name))
  const [first] = kept
  if (first === undefined) return undefined
  // Sidecars are skipped on purpose; that nobody is left who could use the role is not.
  const left = workers(pod).filter(({ name }) => !skipped.has(name))
  return left.length === 0 || misses
    ? {
        message: 'container-skipped',
        data: { container: first.name },
        path: 'metadata.annotations["eks.amazonaws.com/skip-containers"]',
      }
    : undefined
}

const roleName = (arn: string): string => arn.split('/').at(-1) ?? arn

/** Variables that are there but lead elsewhere. */
function wronglySet(pod: Pod, { bound }: InjectionHistory): InjectionFault | undefined {
  for (const one of pod.containers) {
    const { env, name } = one
    if (
      'AWS_WEB_IDENTITY_TOKEN_FILE' in env &&
      !('AWS_ROLE_ARN' in env) &&
      !one.envFrom &&
      injectedInto(one) === 'partial'
    )
      return { message: 'role-variable-missing', data: { container: name }, path: containerPath(one) }
  }
  for (const one of pod.containers) {
    const observed = one.env.AWS_ROLE_ARN
    if (
      typeof observed !== 'string' ||
      bound === undefined ||
      bound.role === '' ||
      injectedInto(one) !== 'web-identity'
    )
      continue
    // A webhook with --compose-role-arn makes an ARN of the name.
    const same = bound.role.includes(':') ? observed === bound.role : roleName(observed) === roleName(bound.role)
    if (!same)
      return {
        message: 'role-differs',
        data: { container: one.name, observed, expected: bound.role },
        path: containerPath(one),
      }
  }
  return undefined
}

/** Whether a key that the webhook does not understand is meant for this ServiceAccount. */
export function unsupportedKey(keys: readonly string[], namespace: string, name: string): string | undefined {
  return keys.find((key) => {
    const parts = key.split('/')
    if (parts.length === 2 && (parts[0] === '*' || !/[*?]/.test(parts[0] ?? '')) && !/[*?]/.test(parts[1] ?? ''))
      return false
    const [wantedNamespace, wantedName] = parts.length === 2 ? parts : key.includes(':') ? key.split(':') : ['*', key]
    return fits(wantedNamespace ?? '', namespace) && fits(wantedName ?? '', name)
  })
}

/** A star at the end, or alone, as people write it. */
const fits = (pattern: string, value: string): boolean =>
  pattern === '*' || pattern === value || (pattern.endsWith('*') && value.startsWith(pattern.slice(0, -1)))

function historical(pod: Pod, history: InjectionHistory): InjectionFault | undefined {
  const { bound, webhook, annotated, associated } = history
  const created = pod.created ?? 'not collected'
  const path = 'metadata.creationTimestamp'
  // No annotation is older than the object that it stands on.
  const { serviceAccountCreated: born } = history
  const written = before(pod.created, born) ? `not before ${born}` : annotated
  if (bound?.via === 'annotation' && (before(pod.created, annotated) || before(pod.created, born)))
    return { message: 'created-before-annotation', data: { pod: pod.name, created, annotated: written ?? '' }, path }
  if (bound?.via === 'association' && before(pod.created, associated))
    return {
      message: 'created-before-association',
      data: { pod: pod.name, created, association: associated ?? '' },
      path,
    }
  if (webhook !== undefined && before(pod.created, webhook.created)) {
    const { configuration, created: configured } = webhook
    return {
      message: 'created-before-webhook',
      data: { pod: pod.name, created, configuration, configured: configured ?? '' },
      path,
    }
  }
  if (
    bound?.via === 'annotation' &&
    history.annotationPrefix !== undefined &&
    history.annotationPrefix !== 'eks.amazonaws.com'
  )
    return {
      message: 'prefix-differs',
      data: { observed: history.annotationPrefix, expected: 'eks.amazonaws.com' },
      path: '--annotation-prefix',
    }
  const key =
    bound?.via === 'annotation' ? undefined : unsupportedKey(history.mapKeys, pod.namespace, pod.serviceAccount)
  if (key !== undefined) return { message: 'map-key-unsupported', data: { key }, path: 'data.config' }
  if (history.failedOpen !== undefined) return { message: 'webhook-failed-open', data: history.failedOpen, path: 'log' }
  const age =
    pod.created === undefined ? Number.NaN : Date.parse(pod.created) - Date.parse(history.serviceAccountCreated ?? '')
  if (age >= 0 && age < 2000 && history.siblingsInjected)
    return { message: 'created-with-service-account', data: { pod: pod.name, delta: `${age / 1000} s` }, path }
  return undefined
}

/** The Windows path is set by nodeSelector only: https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/handler/handler.go */
function onWindows(pod: Pod): InjectionFault | undefined {
  const file = pod.containers.map(
    ({ env }) => env.AWS_WEB_IDENTITY_TOKEN_FILE ?? env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
  )
  const linux = file.some((path) => typeof path === 'string' && path.startsWith('/'))
  const windows = pod.affinityOs.length > 0 && pod.affinityOs.every((os) => os === 'windows')
  return windows && linux && pod.nodeSelector['kubernetes.io/os'] !== 'windows'
    ? { message: 'linux-path-on-windows', data: { pod: pod.name }, path: 'spec.affinity.nodeAffinity' }
    : undefined
}

/** Containers of a live pod that have no variables although nobody skipped them. */
export const lackingContainers = (pod: Pod): readonly Container[] => {
  const skipped = skippedContainers(pod)
  return pod.containers.filter((one) => !skipped.has(one.name) && ['none', 'partial'].includes(injectedInto(one)))
}

/** Why this live pod, whose ServiceAccount is bound, lacks its identity; undefined where it has it. */
export function injectionFault(pod: Pod, history: InjectionHistory): InjectionFault | undefined {
  const early = optOut(pod, history.misses) ?? wronglySet(pod, history)
  if (early !== undefined) return early
  const lacking = lackingContainers(pod)
  const nobody = pod.containers.every((one) => injectedInto(one) === 'none')
  const regular = lacking.filter(({ role, name }) => role !== 'ephemeral' && (nobody || !sidecar.test(name)))
  const past = nobody && regular.length > 0 ? historical(pod, history) : undefined
  if (past !== undefined) return past
  const windows = onWindows(pod)
  if (windows !== undefined) return windows
  // What somebody once looked around with stays in the pod, and says nothing of its workload.
  const debug = history.misses ? lacking.find(({ role }) => role === 'ephemeral') : undefined
  if (debug !== undefined && regular.length === 0)
    return { message: 'ephemeral-container', data: { container: debug.name }, path: containerPath(debug) }
  const [first] = regular
  if (first === undefined) return undefined
  return {
    message: isByWebhook(pod) ? 'added-after-webhook' : 'not-injected',
    data: { container: first.name },
    path: containerPath(first),
  }
}
