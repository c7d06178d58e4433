/** Namespaces of AKS itself, from which it keeps other people's webhooks away; and what a pod's own namespace asks of its pods. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { proxyAnnotation } from '../../domain/azure-pods.ts'
import { type AzureCluster, azureCluster } from './cluster.ts'
import { podView } from './pods.ts'
import { namespaceLabels } from './webhook.ts'

/** https://learn.microsoft.com/azure/aks/faq#can-admission-controller-webhooks-impact-kube-system-and-internal-aks-namespaces */
const internal: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'gatekeeper-system',
  'calico-system',
  'tigera-operator',
  'app-routing-system',
  'aks-istio-system',
  'aks-command',
])

/** The cluster, where the subject lives in a namespace of AKS; absent for every other one. */
export const enforcedNamespace = defineProbe({
  id: 'azure/enforced-namespace',
  about: 'whether AKS keeps webhooks out of the namespace',
  scope: 'pod',
  needs: {},
  wants: { azureCluster },
  ask: (_have, { azureCluster }, { subject }): Fact<AzureCluster> =>
    internal.has(subject.namespace ?? '') ? azureCluster : absent(azureCluster.from),
})

/** The level of Pod Security that the namespace enforces; asked only where a privileged init container is to be injected. */
export const enforcedLevel = defineProbe({
  id: 'azure/enforced-level',
  about: 'the level of Pod Security of the namespace',
  scope: 'pod',
  needs: {},
  wants: { podView },
  ask: async (_have, { podView }, inquiry): Promise<Fact<string>> => {
    const view = podView.state === 'known' ? podView.value : undefined
    const all = view === undefined ? [] : [...(view.born === undefined ? [] : [view.born]), ...view.templates]
    const proxied = all.find(({ annotations }) => proxyAnnotation in annotations)
    if (proxied === undefined) return absent(podView.from)
    const labels = await namespaceLabels.ask(
      {},
      {},
      { ...inquiry, subject: { ...inquiry.subject, namespace: proxied.namespace } },
    )
    if (labels.state !== 'known') return labels
    const level = labels.value['pod-security.kubernetes.io/enforce']
    return level === undefined ? absent(labels.from) : known(level, labels.from)
  },
})
