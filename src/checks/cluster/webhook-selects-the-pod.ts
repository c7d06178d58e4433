/** The identity webhook's selectors match the pod. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, restart } from '../../domain/advice.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { skipLabel } from '../../domain/aws-injection.ts'
import { conditionHolds } from '../../domain/match-conditions.ts'
import { sh } from '../../domain/shell-words.ts'
import { type Expression, unmet, type Webhook, wordsOf } from '../../domain/webhooks.ts'
import type { Pod, Texts } from '../../domain/workloads.ts'
import { unbornPods } from '../../probes/aws/injection.ts'
import { selectedNamespace } from '../../probes/cluster/webhook-namespace.ts'
import { mutatingWebhooks } from '../../probes/cluster/webhooks.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { pod } from '../../probes/workload/pod.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const azureLabel = 'azure.workload.identity/use'
/** What AKS writes into the selectors of others' webhooks: https://learn.microsoft.com/azure/aks/faq#can-i-use-admission-controller-webhooks-on-aks */
const enforced: ReadonlySet<string> = new Set(['control-plane', 'kubernetes.azure.com/managedby'])

const labelsIn = (labels: Texts): string =>
  Object.entries(labels)
    .slice(0, 10)
    .map(([key, value]) => `${key}=${value}`)
    .join(',') || 'no labels'

type Aimed = { readonly webhook: string; readonly asks: string }
type OfPod = Place & Aimed & { readonly pod: string }

/** `key=value` where one label is what the selector asks for; nothing where it asks that one be gone. */
const askedLabel = ({ key, operator, values }: Expression): string =>
  operator === 'In' && values[0] !== undefined ? `${key}=${values[0]}` : operator === 'Exists' ? `${key}=true` : ''
const change = (asks: string, key: string): string => asks || `${key} removed`

export const check = defineCheck({
  meta: {
    id: 'cluster/webhook-selects-the-pod',
    title: "The identity webhook's selectors match the pod",
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Webhook',
    why: 'A pod that the selectors leave out is admitted as it is, without variables and token, and no event says so.',
    fix: {
      safety: 'review',
      does: 'Give the pod template the one label that the selector asks for; never widen a selector, never open kube-system to a webhook.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/525',
      'https://github.com/notaryproject/ratify/issues/1121',
      'https://azure.github.io/azure-workload-identity/docs/known-issues.html',
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/deploy/azure-wi-webhook.yaml',
    ],
  },
  needs: {},
  wants: { mutatingWebhooks, pod, unbornPods, serviceAccount, selectedNamespace },
  after: ['cluster/webhook-is-configured'],
  messages: {
    'namespace-is-exempt': ({ namespace, configuration }: Aimed & { namespace: string; configuration: string }) =>
      `AKS keeps self-installed webhooks out of ${namespace} unless ${configuration} carries admissions.enforcer/disabled`,
    'namespace-not-selected': (data: Aimed & { namespace: string; labels: string; selector: string }) =>
      `namespace ${data.namespace} (${data.labels}) does not match the namespaceSelector of ${data.webhook}: ${data.selector}`,
    'object-not-selected': (data: OfPod & { labels: string; selector: string }) =>
      `pod ${data.pod} (${data.labels}) does not match the objectSelector of ${data.webhook}: ${data.selector}`,
    'condition-excludes': ({ name, webhook, pod }: OfPod & { name: string }) =>
      `matchCondition ${name} of ${webhook} is false for pod ${pod}`,
  },
  remedies: {
    'namespace-is-exempt': ({ namespace, configuration }) =>
      advice(
        `Move the workload out of ${namespace} into a namespace of its own; or carry variables and token in its manifest. The first command shows what keeps ${configuration} away.`,
        sh`kubectl get mutatingwebhookconfiguration ${configuration} -o yaml`,
      ),
    'namespace-not-selected': ({ namespace, asks, webhook }) =>
      asks === '' || /^kube-/.test(namespace)
        ? advice(
            `Run the workload in a namespace that ${webhook} selects; its selector is left as it is.`,
            'kubectl get namespaces --show-labels',
          )
        : advice(
            `Have whoever owns namespace ${namespace} label it ${asks}, if its pods may all have identities, and make the pods anew; else run the workload in a namespace that is selected.`,
            sh`kubectl label namespace ${namespace} ${asks}`,
          ),
    'object-not-selected': (data) => {
      const { where, commands } = editTemplate(data)
      return advice(
        `Set ${data.asks || 'the labels that the selector asks for'} among the labels in ${where}.`,
        ...commands,
      )
    },
    'condition-excludes': (data) => {
      const { words, commands } = restart(data)
      return advice(
        `Read condition ${data.name}, change in the pod template what it speaks of if that was not meant, and ${words}. Leave the condition to whoever installed ${data.webhook}.`,
        'kubectl get mutatingwebhookconfigurations -o yaml',
        ...commands,
      )
    },
  },
  judge: ({ want: { mutatingWebhooks, pod, unbornPods, serviceAccount, selectedNamespace } }) => {
    const unborn = unbornPods.state === 'known' ? unbornPods.value : undefined
    if (pod.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone' }
    const one = pod.state === 'known' ? pod.value : unborn?.templates[0]
    if (one === undefined)
      return unborn?.noPods === true
        ? { status: 'not-applicable', reason: 'no pod runs as the ServiceAccount' }
        : { status: 'undecided', lacks: 'the pod was not seen' }
    if (one.phase === 'Succeeded' || one.phase === 'Failed')
      return { status: 'not-applicable', reason: 'the pod has ended' }
    const role = serviceAccount.state === 'known' && Boolean(serviceAccount.value.annotations[roleAnnotation])
    const mechanism = one.labels[azureLabel] === 'true' ? 'Azure' : role ? 'AWS' : undefined
    if (mechanism === undefined)
      return serviceAccount.state === 'unknown'
        ? { status: 'undecided', lacks: 'whether the ServiceAccount names a role was not seen' }
        : { status: 'not-applicable', reason: 'neither the pod nor its ServiceAccount asks a webhook for an identity' }
    if (mechanism === 'AWS' && skipLabel in one.labels)
      return { status: 'not-applicable', reason: 'a label of the pod keeps the webhook away' }
    if (mutatingWebhooks.state !== 'known') return { status: 'undecided', lacks: 'the mutating webhooks were not seen' }
    const hooks = mutatingWebhooks.value.items.flatMap((configuration) =>
      configuration.webhooks
        .filter(({ injects, onPods }) => injects === mechanism && onPods)
        .map((webhook) => ({ webhook, configuration })),
    )
    const [first] = hooks
    // Whether there should be one is the word of webhook-is-configured.
    if (first === undefined)
      return mutatingWebhooks.value.complete || hasIt(one, mechanism)
        ? { status: 'not-applicable', reason: 'no webhook that injects this identity is here to select the pod' }
        : { status: 'undecided', lacks: 'no webhook that injects this identity was seen' }
    const labels = selectedNamespace.state === 'known' ? selectedNamespace.value : undefined
    const question = mutatingWebhooks.from
    const looks = hooks.map(({ webhook, configuration }) => ({
      webhook,
      configuration,
      miss: missOf(webhook, one, labels, selectedNamespace.state === 'unknown'),
    }))
    const evidenceOf = (webhook: Webhook, path: string, observed: string, expected?: string): readonly Evidence[] => [
      {
        question,
        path: `webhooks["${webhook.name}"].${path}`,
        observed,
        ...(expected === undefined ? {} : { expected }),
      },
    ]
    const hit = looks.find(({ miss }) => miss === undefined)
    if (hit !== undefined)
      return {
        status: 'pass',
        evidence: evidenceOf(hit.webhook, 'objectSelector', wordsOf(hit.webhook.objectSelector)),
      }
    const open = looks.find(({ miss }) => miss?.by === 'unseen')
    const miss = looks[0]?.miss
    if (open !== undefined || miss === undefined || miss.by === 'unseen')
      return {
        status: 'undecided',
        lacks: open?.miss?.by === 'unseen' ? open.miss.what : 'the selectors could not be evaluated',
      }
    if (hasIt(one, mechanism))
      return { status: 'not-applicable', reason: 'the pod carries its variables although no webhook selects it' }
    const { webhook, configuration } = first
    const { namespace } = one
    const owner = { pod: one.name, workload: workloadOf(one), namespace, webhook: webhook.name }
    if (miss.by === 'namespace') {
      const asks = askedLabel(miss.asks)
      const selector = wordsOf(webhook.namespaceSelector)
      const seen = evidenceOf(webhook, 'namespaceSelector', selector, labelsIn(labels ?? {}))
      const byAks = webhook.namespaceSelector.expressions.some(({ key }) => key === 'kubernetes.azure.com/managedby')
      if (byAks && enforced.has(miss.asks.key) && !('admissions.enforcer/disabled' in configuration.annotations))
        return {
          status: 'fail',
          message: 'namespace-is-exempt',
          data: { namespace, configuration: configuration.name, webhook: webhook.name, asks },
          evidence: seen,
        }
      return {
        status: 'fail',
        message: 'namespace-not-selected',
        data: { namespace, labels: labelsIn(labels ?? {}), webhook: webhook.name, selector, asks },
        evidence: seen,
      }
    }
    if (miss.by === 'condition')
      return {
        status: 'fail',
        message: 'condition-excludes',
        data: { ...owner, name: miss.name, asks: '' },
        evidence: evidenceOf(webhook, `matchConditions["${miss.name}"].expression`, miss.expression),
      }
    if (miss.asks.key === azureLabel || miss.asks.key === skipLabel)
      return { status: 'not-applicable', reason: `label ${miss.asks.key} of the pod keeps the webhook away` }
    const selector = wordsOf(webhook.objectSelector)
    return {
      status: 'fail',
      message: 'object-not-selected',
      data: { ...owner, labels: labelsIn(one.labels), selector, asks: change(askedLabel(miss.asks), miss.asks.key) },
      evidence: evidenceOf(webhook, 'objectSelector', selector, labelsIn(one.labels)),
    }
  },
})

const hasIt = ({ containers }: Pod, mechanism: 'AWS' | 'Azure'): boolean =>
  containers.some(({ env }) =>
    mechanism === 'Azure'
      ? 'AZURE_FEDERATED_TOKEN_FILE' in env
      : 'AWS_WEB_IDENTITY_TOKEN_FILE' in env || 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE' in env,
  )

type Miss =
  | { readonly by: 'namespace' | 'object'; readonly asks: Expression }
  | { readonly by: 'condition'; readonly name: string; readonly expression: string }
  | { readonly by: 'unseen'; readonly what: string }

/** Why a webhook is not called for this pod; undefined where it is. */
function missOf(webhook: Webhook, pod: Pod, namespace: Texts | undefined, hidden: boolean): Miss | undefined {
  const { namespaceSelector, objectSelector, conditions } = webhook
  const byName = namespaceSelector.expressions.length + Object.keys(namespaceSelector.labels).length > 0
  if (byName && namespace === undefined)
    return { by: 'unseen', what: hidden ? 'the labels of the namespace were not seen' : 'the namespace is gone' }
  const place = byName && namespace !== undefined ? unmet(namespaceSelector, namespace) : undefined
  if (place !== undefined) return { by: 'namespace', asks: place }
  const object = unmet(objectSelector, pod.labels)
  if (object !== undefined) return { by: 'object', asks: object }
  const told = conditions.map((one) => ({
    ...one,
    holds: conditionHolds(one.expression, { pod, namespace: pod.namespace }),
  }))
  const closed = told.find(({ holds }) => holds === false)
  if (closed !== undefined) return { by: 'condition', name: closed.name, expression: closed.expression }
  const open = told.find(({ holds }) => holds === undefined)
  return open === undefined
    ? undefined
    : { by: 'unseen', what: `matchCondition ${open.name} of ${webhook.name} cannot be evaluated here` }
}
