/** What every question needs: the RBAC rule, the IAM action, or nothing; and the words that ask for it. */
import type { Question } from '../core/fact.ts'
import { textAt } from '../core/json.ts'

/** Where a Kubernetes resource is served. `wide`: with many subjects it is cheaper to list it once than to get each. */
export type Resource = {
  readonly group: string
  readonly version: string
  readonly namespaced: boolean
  readonly wide?: true
}

const core = (namespaced = true): Resource => ({ group: '', version: 'v1', namespaced })
const of = (group: string, namespaced = true, version = 'v1'): Resource => ({ group, version, namespaced })
const wide = (resource: Resource): Resource => ({ ...resource, wide: true })

/** What it is called where it is served: of two kinds with the same plural, the other has its group in its name here. */
export const pluralOf = (resource: string): string => resource.split('.', 1)[0] ?? resource

export const resources: { readonly [plural: string]: Resource } = {
  serviceaccounts: wide(core()),
  pods: wide(core()),
  namespaces: wide(core(false)),
  nodes: wide(core(false)),
  events: core(),
  services: core(),
  endpoints: core(),
  configmaps: core(),
  secrets: core(),
  persistentvolumes: core(false),
  persistentvolumeclaims: core(),
  deployments: wide(of('apps')),
  statefulsets: wide(of('apps')),
  daemonsets: wide(of('apps')),
  replicasets: wide(of('apps')),
  jobs: wide(of('batch')),
  cronjobs: wide(of('batch')),
  endpointslices: of('discovery.k8s.io'),
  networkpolicies: of('networking.k8s.io'),
  ingresses: of('networking.k8s.io'),
  ingressclasses: of('networking.k8s.io', false),
  certificatesigningrequests: of('certificates.k8s.io', false),
  issuers: of('cert-manager.io'),
  clusterissuers: of('cert-manager.io', false),
  storageclasses: of('storage.k8s.io', false),
  csidrivers: of('storage.k8s.io', false),
  csinodes: of('storage.k8s.io', false),
  mutatingwebhookconfigurations: of('admissionregistration.k8s.io', false),
  validatingwebhookconfigurations: of('admissionregistration.k8s.io', false),
  roles: of('rbac.authorization.k8s.io'),
  rolebindings: of('rbac.authorization.k8s.io'),
  clusterroles: of('rbac.authorization.k8s.io', false),
  clusterrolebindings: of('rbac.authorization.k8s.io', false),
  customresourcedefinitions: of('apiextensions.k8s.io', false),
  certificates: of('cert-manager.io'),
  serviceentries: of('networking.istio.io'),
  secretproviderclasses: of('secrets-store.csi.x-k8s.io'),
  triggerauthentications: of('keda.sh', true, 'v1alpha1'),
  clustertriggerauthentications: of('keda.sh', false, 'v1alpha1'),
  secretstores: of('external-secrets.io'),
  clustersecretstores: of('external-secrets.io', false),
  ciliumnetworkpolicies: of('cilium.io', true, 'v2'),
  ciliumclusterwidenetworkpolicies: of('cilium.io', false, 'v2'),
  'networkpolicies.crd.projectcalico.org': of('crd.projectcalico.org'),
  'globalnetworkpolicies.crd.projectcalico.org': of('crd.projectcalico.org', false),
  providerconfigs: of('aws.upbound.io', false, 'v1beta1'),
  awsclusters: wide(of('infrastructure.cluster.x-k8s.io', true, 'v1beta2')),
  awsclustercontrolleridentities: wide(of('infrastructure.cluster.x-k8s.io', false, 'v1beta2')),
  awsclusterroleidentities: wide(of('infrastructure.cluster.x-k8s.io', false, 'v1beta2')),
  awsclusterstaticidentities: wide(of('infrastructure.cluster.x-k8s.io', false, 'v1beta2')),
  rosaroleconfigs: wide(of('infrastructure.cluster.x-k8s.io', false, 'v1beta2')),
  awsmanagedcontrolplanes: wide(of('controlplane.cluster.x-k8s.io', true, 'v1beta2')),
}

export type Permission =
  | {
      readonly kind: 'rbac'
      readonly verb: string
      /** The plural, with its sub-resource: `serviceaccounts/token`. */
      readonly resource: string
      readonly group: string
      readonly namespace?: string
    }
  | { readonly kind: 'rbac-path'; readonly verb: string; readonly path: string }
  | { readonly kind: 'iam'; readonly action: string; readonly account?: string }
  /** An action of the resource manager, or a permission of Graph. */
  | { readonly kind: 'azure'; readonly action: string }
  | { readonly kind: 'none' }

const none: Permission = { kind: 'none' }
const verbs: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'create'])

/** AWS answers these to anybody who is signed in (GetCallerIdentity) or to nobody in particular (the exchange itself). */
const free: ReadonlySet<string> = new Set(['sts:GetCallerIdentity', 'sts:AssumeRoleWithWebIdentity'])

/** The permission that a question needs. Pure; a question that nobody knows needs nothing that could be named. */
export function permissionOf(question: Question): Permission {
  const { system, call, input } = question
  if (system === 'kubernetes') {
    if (call.startsWith('nonresource ')) {
      const path = call.slice('nonresource '.length, call.lastIndexOf('/'))
      // Whoever is signed in may read these: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
      if (path === '/apis') return none
      return { kind: 'rbac-path', verb: 'get', path }
    }
    const cut = call.lastIndexOf('/')
    const verb = call.slice(cut + 1)
    if (cut < 1 || !verbs.has(verb)) return none
    const resource = call.slice(0, cut)
    const known = resources[resource.split('/')[0] ?? '']
    const namespace = textAt(input, 'namespace')
    const base = { kind: 'rbac', verb, resource: pluralOf(resource), group: known?.group ?? '*' } as const
    return namespace === undefined ? base : { ...base, namespace }
  }
  if (system === 'aws' && !free.has(call)) {
    const account = textAt(input, 'account')
    return account === undefined ? { kind: 'iam', action: call } : { kind: 'iam', action: call, account }
  }
  if (system === 'azure' && !call.startsWith('entra ')) return { kind: 'azure', action: call }
  // Questions of Google Cloud are named after the permission itself; a look inside a pod is no call of its API.
  if (system === 'gcp' && call.includes('.') && !call.includes(' ')) return { kind: 'iam', action: call }
  return none
}

/** What a live source has to ask on the way to an answer, beside the question itself. */
const onTheWay: { readonly [kind: string]: readonly string[] } = {
  'observed errors': ['kubernetes events/list'],
  'oidc signature': ['kubernetes serviceaccounts/token/create'],
  'aws sts:AssumeRoleWithWebIdentity': ['kubernetes serviceaccounts/token/create'],
  'aws iam:GetPolicyVersion': ['aws iam:GetPolicy'],
  // Only EKS knows which of its clusters has this endpoint, where the kubeconfig does not name it.
  'aws eks:DescribeCluster': ['aws eks:ListClusters', 'kubernetes nonresource /version/get'],
  'aws eks:ListPodIdentityAssociations': ['aws eks:DescribeCluster'],
  'aws eks:DescribePodIdentityAssociation': ['aws eks:DescribeCluster'],
  'aws eks:ListAccessEntries': ['aws eks:DescribeCluster'],
  'aws eks:DescribeAccessEntry': ['aws eks:DescribeCluster'],
  'aws eks:ListAssociatedAccessPolicies': ['aws eks:DescribeCluster'],
  'aws eks:ListNodegroups': ['aws eks:DescribeCluster'],
  'aws eks:DescribeNodegroup': ['aws eks:DescribeCluster'],
  'azure entra oauth2/v2.0/token': ['kubernetes serviceaccounts/token/create'],
  'gcp sts exchange': ['kubernetes serviceaccounts/token/create'],
  'gcp sts exchange, storage.testIamPermissions': ['gcp sts exchange'],
  'azure Microsoft.ContainerService/managedClusters/read': ['azure Microsoft.Resources/subscriptions/read'],
  'azure Microsoft.ManagedIdentity/userAssignedIdentities/read': ['azure Microsoft.Resources/subscriptions/read'],
  'azure Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read': [
    'azure Microsoft.ManagedIdentity/userAssignedIdentities/read',
  ],
}

/** A kind of question, and all that a live source asks on the way to its answer. */
export function withWay(kind: string): readonly string[] {
  const found = new Set<string>([kind])
  for (const one of found) for (const next of onTheWay[one] ?? []) found.add(next)
  return [...found]
}

/** Kinds that a live run does not ask: permission for them would show it nothing. */
export const notAskedLive: ReadonlySet<string> = new Set([
  'aws ec2:DescribeLaunchTemplateVersions',
  'aws eks:ListClusters',
  'aws organizations:ListPolicies',
  'aws s3:GetAccountPublicAccessBlock',
  'aws s3:GetBucketOwnershipControls',
  'aws s3:GetBucketPolicy',
  'aws s3:GetBucketPublicAccessBlock',
  'aws s3:GetEncryptionConfiguration',
  'aws s3:ListAllMyBuckets',
  'gcp gkehub.memberships.get',
  'gcp iam.workloadIdentityPoolProviders.list',
  'gcp logging.logEntries.list',
  'gcp serviceusage.services.get',
  'kubernetes configmaps/list',
  'kubernetes pods/exec/create',
])

/** The permission in words: `RBAC: create serviceaccounts/token in namespace shop`; undefined where none is needed. */
export function permissionWords(permission: Permission): string | undefined {
  if (permission.kind === 'rbac-path') {
    const holder = /^\/(\.well-known|openid)\//.test(permission.path)
      ? ' (ClusterRole system:service-account-issuer-discovery)'
      : ''
    return `RBAC: ${permission.verb} on the non-resource URL ${permission.path}${holder}`
  }
  if (permission.kind === 'iam')
    return `IAM: ${permission.action}${permission.account === undefined ? '' : ` in account ${permission.account}`}`
  if (permission.kind === 'azure')
    return permission.action.startsWith('graph ') ? 'Graph: Application.Read.All' : `Azure: ${permission.action}`
  if (permission.kind === 'none') return undefined
  const { verb, resource, group, namespace } = permission
  const named = group === '' || group === '*' ? resource : `${resource}.${group}`
  return `RBAC: ${verb} ${named} in ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`}`
}
