/** The kinds that the lab's API server serves, and how a request path names them. */
import { type JsonObject, textAt } from '../core/json.ts'

export type Resource = {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  /** Reviews are answered and not kept. */
  readonly review: boolean
}

/** plural, kind, short names; a star before the plural: without a namespace; a question mark: a review. */
const built: { readonly [groupVersion: string]: readonly (readonly [string, string, ...string[]])[] } = {
  v1: [
    ['*namespaces', 'Namespace', 'ns'],
    ['*nodes', 'Node', 'no'],
    ['*persistentvolumes', 'PersistentVolume', 'pv'],
    ['persistentvolumeclaims', 'PersistentVolumeClaim', 'pvc'],
    ['pods', 'Pod', 'po'],
    ['serviceaccounts', 'ServiceAccount', 'sa'],
    ['services', 'Service', 'svc'],
    ['endpoints', 'Endpoints', 'ep'],
    ['configmaps', 'ConfigMap', 'cm'],
    ['secrets', 'Secret'],
    ['events', 'Event', 'ev'],
    ['replicationcontrollers', 'ReplicationController', 'rc'],
  ],
  'apps/v1': [
    ['deployments', 'Deployment', 'deploy'],
    ['statefulsets', 'StatefulSet', 'sts'],
    ['daemonsets', 'DaemonSet', 'ds'],
    ['replicasets', 'ReplicaSet', 'rs'],
  ],
  'batch/v1': [
    ['jobs', 'Job'],
    ['cronjobs', 'CronJob', 'cj'],
  ],
  'rbac.authorization.k8s.io/v1': [
    ['roles', 'Role'],
    ['rolebindings', 'RoleBinding'],
    ['*clusterroles', 'ClusterRole'],
    ['*clusterrolebindings', 'ClusterRoleBinding'],
  ],
  'admissionregistration.k8s.io/v1': [
    ['*mutatingwebhookconfigurations', 'MutatingWebhookConfiguration'],
    ['*validatingwebhookconfigurations', 'ValidatingWebhookConfiguration'],
  ],
  'storage.k8s.io/v1': [
    ['*storageclasses', 'StorageClass', 'sc'],
    ['*csidrivers', 'CSIDriver'],
    ['*csinodes', 'CSINode'],
  ],
  'discovery.k8s.io/v1': [['endpointslices', 'EndpointSlice']],
  'networking.k8s.io/v1': [
    ['networkpolicies', 'NetworkPolicy', 'netpol'],
    ['ingresses', 'Ingress', 'ing'],
    ['*ingressclasses', 'IngressClass'],
  ],
  'certificates.k8s.io/v1': [['*certificatesigningrequests', 'CertificateSigningRequest', 'csr']],
  'authentication.k8s.io/v1': [
    ['?tokenreviews', 'TokenReview'],
    ['?selfsubjectreviews', 'SelfSubjectReview'],
  ],
  'authorization.k8s.io/v1': [
    ['?selfsubjectaccessreviews', 'SelfSubjectAccessReview'],
    ['?selfsubjectrulesreviews', 'SelfSubjectRulesReview'],
  ],
}

const groupVersionOf = (text: string): { readonly group: string; readonly version: string } => {
  const [first = '', second] = text.split('/')
  return second === undefined ? { group: '', version: first } : { group: first, version: second }
}

const builtIn: readonly Resource[] = Object.entries(built).flatMap(([groupVersion, kinds]) =>
  kinds.map(([marked, kind, ...shortNames]) => ({
    ...groupVersionOf(groupVersion),
    plural: marked.replace(/^[*?]/, ''),
    kind,
    namespaced: !/^[*?]/.test(marked),
    shortNames,
    review: marked.startsWith('?'),
  })),
)

const pluralOf = (kind: string): string => {
  const lower = kind.toLowerCase()
  if (/(s|x|ch|sh)$/.test(lower)) return `${lower}es`
  return /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`
}

/** The built-in kinds, and whatever custom kinds the case's objects are of. */
export function resourcesFor(objects: readonly JsonObject[]): readonly Resource[] {
  const all = new Map(builtIn.map((one) => [`${one.group}/${one.kind}`, one]))
  for (const object of objects) {
    const kind = textAt(object, 'kind') ?? ''
    const { group, version } = groupVersionOf(textAt(object, 'apiVersion') ?? '')
    const known = all.get(`${group}/${kind}`)
    const namespaced = textAt(object, 'metadata', 'namespace') !== undefined
    if (known === undefined)
      all.set(`${group}/${kind}`, {
        group,
        version,
        plural: pluralOf(kind),
        kind,
        namespaced,
        shortNames: [],
        review: false,
      })
  }
  return [...all.values()]
}

export type Target = {
  readonly resource: Resource
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
}

/** What a path below /api or /apis names; undefined where the server has no such resource. */
export function targetOf(path: string, resources: readonly Resource[]): Target | undefined {
  const [top, ...rest] = path.split('/').slice(1).map(unescaped)
  const [group, version, ...below] = top === 'api' ? ['', ...rest] : top === 'apis' ? rest : []
  // /api/v1/namespaces/shop is a namespace, /api/v1/namespaces/shop/pods what is in it.
  const inside = below[0] === 'namespaces' && below.length > 2 && below[2] !== 'status' && below[2] !== 'finalize'
  const [plural, name, subresource, ...more] = inside ? below.slice(2) : below
  if (more.length > 0) return undefined
  const resource = resources.find((one) => one.group === group && one.version === version && one.plural === plural)
  if (resource === undefined || (inside && !resource.namespaced)) return undefined
  return {
    resource,
    ...(inside && below[1] !== undefined ? { namespace: below[1] } : {}),
    ...(name === undefined || name === '' ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  }
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const apiVersionOf = ({ group, version }: Pick<Resource, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`
