/** The Azure identity webhook: its configurations, what stands behind it, who waits for it, and who runs it. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon, unknown } from '../../core/fact.ts'
import { at, textAt } from '../../core/json.ts'
import { hasFile, isSelfMade, ownContainers, podAsks, useLabel } from '../../domain/azure-pods.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Configuration, Webhook } from '../../domain/webhooks.ts'
import { readWorkload } from '../../domain/workload-objects.ts'
import type { Pod } from '../../domain/workloads.ts'
import { pods, podTemplates } from '../cluster/pods.ts'
import { type Service, webhookService } from '../cluster/webhook-service.ts'
import { mutatingWebhooks } from '../cluster/webhooks.ts'
import { listed } from '../lists.ts'
import { type AzureCluster, azureCluster } from './cluster.ts'
import { podView, toJudge } from './pods.ts'
import { azureInUse } from './use.ts'

export const webhookName = 'mutation.azure-workload-identity.io'
export const deploymentName = 'azure-wi-webhook-controller-manager'
export const addOnRelease = 'aks-managed-workload-identity'

export type Hook = { readonly configuration: Configuration; readonly webhook: Webhook }
export type Hooks = { readonly hooks: readonly Hook[]; readonly count: number; readonly complete: boolean }

/** Absent where nobody uses Azure. */
export const azureWebhooks = defineProbe({
  id: 'azure/webhooks',
  about: 'the Azure identity webhook',
  scope: 'cluster',
  needs: { azureInUse },
  wants: { mutatingWebhooks },
  only: 'azureInUse',
  ask: (_have, { mutatingWebhooks }): Fact<Hooks> => {
    if (mutatingWebhooks.state !== 'known') return mutatingWebhooks
    const { items, complete } = mutatingWebhooks.value
    const hooks = items.flatMap((configuration) =>
      configuration.webhooks
        .filter(({ name, injects }) => name === webhookName || injects === 'Azure')
        .map((webhook) => ({ configuration, webhook })),
    )
    return known({ hooks, count: items.length, complete }, mutatingWebhooks.from)
  },
})

/** What is behind the first of them; absent where there is none, or it was not called by Service. */
export const azureWebhookService = defineProbe({
  id: 'azure/webhook-service',
  about: 'the Service behind the Azure webhook, its endpoints and pods',
  scope: 'cluster',
  needs: { azureWebhooks },
  wants: {},
  ask: ({ azureWebhooks }, _want, inquiry): Soon<Fact<Service>> => {
    const hook = azureWebhooks.state === 'known' ? azureWebhooks.value.hooks[0] : undefined
    if (hook?.webhook.service === undefined) return absent(azureWebhooks.from)
    return webhookService.ask({ webhookConfiguration: known(hook.configuration, azureWebhooks.from) }, {}, inquiry)
  },
})

export type Waiting = {
  /** Pods and templates that carry the label. */
  readonly asking: readonly string[]
  /** Those of them that have not got the environment. */
  readonly lacking: readonly string[]
  /** Pods that ask for an identity and need nobody to inject it. */
  readonly selfMade: number
  /** Somebody's pods were not seen. */
  readonly open: boolean
}

const waits = (pod: Pod): boolean => pod.labels[useLabel] === 'true'

/** Never unknown: what was not seen makes it open. */
export const azureWaiting = defineProbe({
  id: 'azure/waiting',
  about: 'who waits for the Azure webhook',
  scope: 'cluster',
  needs: { azureInUse },
  wants: { pods, podTemplates },
  only: 'azureInUse',
  ask: (_have, { pods, podTemplates }, { subjects }): Fact<Waiting> => {
    const asking: string[] = []
    const lacking: string[] = []
    let selfMade = 0
    let open = subjects.some(({ kind, standsFor }) => kind === 'Cluster' && standsFor !== undefined)
    const spaces = new Set<string>()
    for (const { kind, namespace } of subjects)
      if (namespace !== undefined && (kind === 'ServiceAccount' || kind === 'Pod')) spaces.add(namespace)
    const judged = new Set(
      subjects.flatMap(({ kind, namespace, name }) => (kind === 'ServiceAccount' ? [`${namespace}/${name}`] : [])),
    )
    for (const namespace of spaces) {
      const shelf = pods.state === 'known' ? pods.value.get(namespace) : undefined
      const templates = podTemplates.state === 'known' ? podTemplates.value.get(namespace) : undefined
      if (shelf?.fact.state !== 'known' && templates?.fact.state !== 'known') open = true
      const own = shelf?.fact.state === 'known' ? shelf.fact.value.items : []
      const made = templates?.fact.state === 'known' ? templates.fact.value.items : []
      for (const pod of [...own, ...made]) {
        if (!judged.has(`${namespace}/${pod.serviceAccount}`) || pod.leaving || pod.phase === 'Succeeded') continue
        const name = `${pod.kind.toLowerCase()} ${namespace}/${pod.name}`
        if (!waits(pod)) {
          if (podAsks(pod) && isSelfMade(pod)) selfMade += 1
          continue
        }
        asking.push(name)
        if (!ownContainers(pod).some(hasFile)) lacking.push(name)
      }
    }
    return known({ asking, lacking, selfMade, open }, kubernetes.list('pods'))
  },
})

/** Namespaces in which the webhook's Deployment runs; absent where there is no webhook to look after. */
export const webhookDeployments = defineProbe({
  id: 'azure/webhook-deployments',
  about: "the webhook's Deployments",
  scope: 'cluster',
  needs: { azureWebhooks },
  wants: {},
  ask: ({ azureWebhooks }, _want, { ask }): Soon<Fact<readonly string[]>> => {
    const question = kubernetes.list('deployments')
    if (azureWebhooks.state === 'absent' || azureWebhooks.value.hooks.length === 0) return absent(question)
    return onward(ask(question), (fact): Fact<readonly string[]> => {
      const list = listed(fact, readWorkload)
      if (list.state !== 'known') return list
      const found = list.value.items.filter(({ name }) => name === deploymentName).map(({ namespace }) => namespace)
      return found.length > 1 || list.value.complete
        ? known([...new Set(found)].sort(), question)
        : unknown('not-collected', 'not all Deployments were seen', question, 'kubectl get deployments -A -o yaml')
    })
  },
})

/** Whether the Deployment behind the webhook that is called is there to be restarted; asked only by whoever would do so. */
export const calledDeployment = defineProbe({
  id: 'azure/called-deployment',
  about: 'the Deployment of the webhook that is called',
  scope: 'cluster',
  needs: { azureWebhooks },
  wants: {},
  ask: ({ azureWebhooks }, _want, { ask }): Soon<Fact<{ readonly namespace: string }>> => {
    const hook = azureWebhooks.state === 'known' ? azureWebhooks.value.hooks[0] : undefined
    const namespace = hook?.webhook.service?.namespace
    if (namespace === undefined) return absent(azureWebhooks.from)
    return onward(ask(kubernetes.get('deployments', namespace, deploymentName)), (fact) =>
      reading(fact, () => ({ namespace })),
    )
  },
})

/** The namespace's labels, for who asks whether it enforces a level of Pod Security. */
export const namespaceLabels = defineProbe({
  id: 'azure/namespace-labels',
  about: 'the labels of the namespace',
  scope: 'service-account',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<{ readonly [key: string]: string }>> => {
    const question = kubernetes.get('namespaces', undefined, subject.namespace ?? '')
    if (subject.namespace === undefined) return absent(question)
    return onward(ask(question), (fact): Fact<{ readonly [key: string]: string }> => {
      if (fact.state !== 'known') return fact
      const labels = at(fact.value, 'metadata', 'labels')
      const found: { [key: string]: string } = {}
      if (typeof labels === 'object' && labels !== null)
        for (const key of Object.keys(labels)) found[key] = textAt(labels, key) ?? ''
      return known(found, question)
    })
  },
})

/** Whether the webhook is older than v1.0.0 and goes by the ServiceAccount's label; absent where all pods carry it themselves. */
export const webhookIsOld = defineProbe({
  id: 'azure/webhook-is-old',
  about: 'whether the webhook goes by the labels of pods',
  scope: 'pod',
  needs: {},
  wants: { podView, azureWebhooks },
  ask: (_have, { podView, azureWebhooks }): Fact<boolean> => {
    const pods = podView.state === 'known' ? toJudge(podView.value) : []
    if (pods.length === 0 || pods.every(waits)) return absent(podView.from)
    if (azureWebhooks.state !== 'known') return azureWebhooks
    const { hooks } = azureWebhooks.value
    const byLabel = ({ webhook: { objectSelector } }: Hook): boolean =>
      useLabel in objectSelector.labels || objectSelector.expressions.some(({ key }) => key === useLabel)
    return known(hooks.length > 0 && hooks.every((hook) => hook.webhook.whole && !byLabel(hook)), azureWebhooks.from)
  },
})

/** The cluster, whose add-on would bring the webhook; absent where the webhook is there. */
export const addOnCluster = defineProbe({
  id: 'azure/add-on-cluster',
  about: 'whether the add-on of the cluster is enabled',
  scope: 'cluster',
  needs: {},
  wants: { azureWebhooks, azureCluster },
  ask: (_have, { azureWebhooks, azureCluster }): Fact<AzureCluster> =>
    azureWebhooks.state === 'known' && azureWebhooks.value.hooks.length > 0 ? absent(azureCluster.from) : azureCluster,
})
