/** By which plural a kind of Kubernetes object is asked for, and whether it lives in a namespace. */

const plurals: { readonly [kind: string]: string } = {
  Endpoints: 'endpoints',
  NetworkPolicy: 'networkpolicies',
  Ingress: 'ingresses',
  CiliumNetworkPolicy: 'ciliumnetworkpolicies',
  CiliumClusterwideNetworkPolicy: 'ciliumclusterwidenetworkpolicies',
  StorageClass: 'storageclasses',
  IngressClass: 'ingressclasses',
  SecretProviderClass: 'secretproviderclasses',
}

/** The plural by which a kind is asked for: ServiceAccount → serviceaccounts. */
export function resourceOf(kind: string, apiVersion = ''): string {
  // Calico has a NetworkPolicy of its own.
  if (kind.endsWith('NetworkPolicy') && /(?:^|\.)projectcalico\.org\//.test(apiVersion))
    return kind === 'NetworkPolicy'
      ? 'networkpolicies.crd.projectcalico.org'
      : 'globalnetworkpolicies.crd.projectcalico.org'
  const known = Object.hasOwn(plurals, kind) ? plurals[kind] : undefined
  if (known !== undefined) return known
  const lower = kind.toLowerCase()
  if (/[^aeiou]y$/.test(lower)) return `${lower.slice(0, -1)}ies`
  return /(?:s|x|ch|sh)$/.test(lower) ? `${lower}es` : `${lower}s`
}

const clusterScoped: ReadonlySet<string> = new Set([
  'namespaces',
  'nodes',
  'persistentvolumes',
  'storageclasses',
  'csidrivers',
  'csinodes',
  'providerconfigs',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'clusterroles',
  'clusterrolebindings',
  'customresourcedefinitions',
  'clusterissuers',
  'clustertriggerauthentications',
  'clustersecretstores',
  'apiservices',
  'priorityclasses',
  'ingressclasses',
  'runtimeclasses',
  'certificatesigningrequests',
  'ciliumclusterwidenetworkpolicies',
  'globalnetworkpolicies.crd.projectcalico.org',
  'validatingadmissionpolicies',
  'mutatingadmissionpolicies',
  'awsclustercontrolleridentities',
  'awsclusterroleidentities',
  'awsclusterstaticidentities',
  'rosaroleconfigs',
])

/** Whether objects of this resource live in a namespace; what is not known to be cluster-wide does. */
export const isNamespaced = (resource: string): boolean => !clusterScoped.has(resource)
