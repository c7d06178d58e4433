/** Whether the Azure webhook's selectors admit the pod and its namespace. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place } from '../../domain/advice.ts'
import { hasFile, ownContainers, useLabel } from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import { type Expression, unmet, wordsOf } from '../../domain/webhooks.ts'
import { held } from '../../probes/azure/evidence.ts'
import { enforcedNamespace } from '../../probes/azure/namespace.ts'
import { podView, toJudge } from '../../probes/azure/pods.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { addOnRelease, azureWebhooks, type Hook } from '../../probes/azure/webhook.ts'
import { selectedNamespace } from '../../probes/cluster/webhook-namespace.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

type Data = Place & { readonly configuration: string; readonly observed: string; readonly expected: string }

const enforcer = 'admissions.enforcer/disabled'
const isSelfInstalled = ({ configuration, webhook }: Hook): boolean =>
  configuration.annotations['meta.helm.sh/release-name'] !== addOnRelease &&
  (configuration.annotations['meta.helm.sh/release-name'] !== undefined || webhook.service?.namespace !== 'kube-system')
const askWords = ({ key, operator, values }: Expression): string =>
  operator === 'In' && values.length === 1
    ? `${key}=${values[0]}`
    : wordsOf({ labels: {}, expressions: [{ key, operator, values }] })

export const check = defineCheck({
  meta: {
    id: 'azure/webhook-selects-pod',
    title: "The webhook's selectors admit the pod and its namespace",
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Webhook',
    why: 'A pod that the selectors leave out is admitted as it is, without environment and token, and no event says so.',
    fix: {
      safety: 'manual',
      does: 'Move the workload to another namespace, or set the label that the selector asks for. Never widen the admission webhook into kube-system.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/525',
      'https://github.com/notaryproject/ratify/issues/1121',
      'https://azure.github.io/azure-workload-identity/docs/known-issues.html',
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/deploy/azure-wi-webhook.yaml',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, azureWebhooks, selectedNamespace, enforcedNamespace },
  after: ['azure/pod-labelled', 'azure/webhook-installed'],
  covers: ['cluster/webhook-selects-the-pod'],
  messages: {
    'namespace-excluded-by-aks': ({ namespace, configuration, observed }: Data) =>
      `AKS keeps self-installed webhooks out of namespace ${namespace}: ${configuration} has ${enforcer}=${observed}, expected true`,
    'namespace-not-selected': ({ configuration, expected, namespace, observed }: Data) =>
      `namespaceSelector of ${configuration} wants ${expected}, namespace ${namespace} has ${observed}`,
    'pod-not-selected': ({ configuration, expected, workload, observed }: Data) =>
      `objectSelector of ${configuration} wants ${expected}, the pod template of ${workload} has ${observed}`,
  },
  remedies: {
    'namespace-excluded-by-aks': ({ namespace, configuration }) =>
      advice(
        `Move the workload out of ${namespace} into a namespace of its own, or use the add-on of AKS, which serves it. The command shows whom the webhook belongs to.`,
        sh`kubectl get mutatingwebhookconfiguration ${configuration} -o yaml`,
      ),
    'namespace-not-selected': ({ namespace, expected }) =>
      advice(
        `Run the workload in a namespace that the webhook selects (${expected}), or have whoever owns ${namespace} label it so, or set mutatingWebhookNamespaceSelector in the chart.`,
        'kubectl get namespaces --show-labels',
      ),
    'pod-not-selected': (data) =>
      advice(
        `Set what the selector asks for (${data.expected}) among the labels in ${editTemplate(data).where}.`,
        ...editTemplate(data).commands,
      ),
  },
  judge: ({ want: { podView, azureWebhooks, selectedNamespace, enforcedNamespace } }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const asking = (view === undefined ? [] : toJudge(view)).filter(({ labels }) => labels[useLabel] === 'true')
    const [pod] = asking
    if (pod === undefined)
      return view === undefined || (toJudge(view).length === 0 && !view.noPods)
        ? { status: 'undecided', lacks: 'no pod or pod template was seen' }
        : { status: 'not-applicable', reason: 'no pod asks the webhook for an identity' }
    if (azureWebhooks.state !== 'known' || azureWebhooks.value.hooks.length === 0)
      return azureWebhooks.state === 'known' && azureWebhooks.value.complete
        ? { status: 'not-applicable', reason: 'the webhook is not installed' }
        : {
            status: 'undecided',
            lacks: 'the webhook was not seen',
            lift: 'kubectl get mutatingwebhookconfigurations -o yaml',
          }
    const { hooks } = azureWebhooks.value
    if (asking.every((one) => ownContainers(one).some(hasFile)))
      return {
        status: 'pass',
        evidence: [
          {
            question: podView.from,
            path: `${pod.kind}/${pod.name} spec.containers[].env`,
            observed: 'AZURE_FEDERATED_TOKEN_FILE',
          },
        ],
      }
    const enforced = held(enforcedNamespace)
    const misses = hooks.map((hook): { readonly hook: Hook; readonly miss?: Miss } => {
      const { configuration, webhook } = hook
      const told = configuration.annotations[enforcer] ?? configuration.labels[enforcer]
      if (enforced !== undefined && !enforced.isArc && isSelfInstalled(hook) && told !== 'true')
        return {
          hook,
          miss: {
            message: 'namespace-excluded-by-aks',
            path: `metadata.annotations["${enforcer}"]`,
            observed: told ?? 'none',
            expected: 'true',
          },
        }
      const { namespaceSelector, objectSelector } = webhook
      const byName = namespaceSelector.expressions.length + Object.keys(namespaceSelector.labels).length > 0
      const labels = held(selectedNamespace)
      if (byName && labels === undefined)
        return { hook, miss: { message: 'unseen', path: 'namespaceSelector', observed: '', expected: '' } }
      const place = byName && labels !== undefined ? unmet(namespaceSelector, labels) : undefined
      if (place !== undefined)
        return {
          hook,
          miss: {
            message: 'namespace-not-selected',
            path: 'namespaceSelector',
            observed: labelWords(labels?.[place.key], place.key),
            expected: askWords(place),
          },
        }
      for (const one of asking) {
        const object = unmet(objectSelector, one.labels)
        if (object !== undefined && object.key !== useLabel)
          return {
            hook,
            miss: {
              message: 'pod-not-selected',
              path: 'objectSelector',
              observed: labelWords(one.labels[object.key], object.key),
              expected: askWords(object),
            },
          }
      }
      return { hook }
    })
    const hit = misses.find(({ miss }) => miss === undefined)
    if (hit !== undefined)
      return {
        status: 'pass',
        evidence: [
          {
            question: azureWebhooks.from,
            path: `items["${hit.hook.configuration.name}"].webhooks[].objectSelector`,
            observed: wordsOf(hit.hook.webhook.objectSelector),
          },
        ],
      }
    const open = misses.find(({ miss }) => miss?.message === 'unseen')
    const [first] = misses
    if (open !== undefined || first?.miss === undefined || first.miss.message === 'unseen')
      return {
        status: 'undecided',
        lacks: 'the labels of the namespace were not seen',
        lift: 'kubectl get namespaces -o yaml',
      }
    const { message, path, observed, expected } = first.miss
    const configuration = first.hook.configuration.name
    const evidence: readonly Evidence[] = [
      { question: azureWebhooks.from, path: `items["${configuration}"].${path}`, observed, expected },
    ]
    const data: Data = { workload: workloadOf(pod), namespace: pod.namespace, configuration, observed, expected }
    return { status: 'fail', message, data, evidence }
  },
})

type Miss = {
  readonly message: 'namespace-excluded-by-aks' | 'namespace-not-selected' | 'pod-not-selected' | 'unseen'
  readonly path: string
  readonly observed: string
  readonly expected: string
}
const labelWords = (value: string | undefined, key: string): string =>
  value === undefined ? `no label ${key}` : `${key}=${value}`
