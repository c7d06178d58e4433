/** The identity webhook is installed once and fails closed. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { isManaged, mechanismNames } from '../../domain/webhooks.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { webhookReplicas } from '../../probes/cluster/webhook-replicas.ts'
import { mutatingWebhooks, webhookConfiguration } from '../../probes/cluster/webhooks.ts'

const secondInstallation =
  /mutatingwebhookconfigurations\.admissionregistration\.k8s\.io "azure-wi-webhook-mutating-webhook-configuration" is forbidden/

type Hook = { readonly webhook: string; readonly configuration: string }
const edit = ({ configuration }: Hook): string => sh`kubectl edit mutatingwebhookconfiguration ${configuration}`

export const check = defineCheck({
  meta: {
    id: 'cluster/webhook-is-dependable',
    title: 'The identity webhook is installed once, and pods wait for it',
    severity: 'warning',
    scope: 'object',
    kinds: ['MutatingWebhookConfiguration'],
    cloud: 'any',
    section: 'Webhook',
    why: 'A webhook that fails open lets pods start without their identity while it is down; two of them undo what the other did.',
    fix: {
      safety: 'review',
      does: 'Set failurePolicy Fail together with an objectSelector, or reinvocationPolicy IfNeeded, or two replicas, in the chart of a self-installed webhook; have a duplicate removed by whoever installed it.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/709',
      'https://github.com/Azure/azure-workload-identity/issues/1023',
      'https://github.com/Azure/azure-workload-identity/issues/856',
      'https://github.com/Azure/azure-workload-identity/issues/791',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/61',
    ],
  },
  needs: {},
  wants: { webhookConfiguration, mutatingWebhooks, webhookReplicas, observedErrors },
  after: ['cluster/webhook-is-configured'],
  messages: {
    'fails-open': ({ webhook }: Hook) =>
      `webhook ${webhook} has failurePolicy Ignore: while it is down, pods start without their identity and often with the node's`,
    'installed-twice': ({ mechanism, first, second }: Hook & { mechanism: string; first: string; second: string }) =>
      `${mechanism} is injected by ${first} and by ${second}; they overwrite each other's caBundle and pods`,
    'never-reinvoked': ({ webhook }: Hook) =>
      `webhook ${webhook} has reinvocationPolicy Never, so containers that later webhooks add get no identity`,
    'single-replica': ({ webhook, count }: Hook & { count: number; namespace: string }) =>
      `webhook ${webhook} fails closed and has ${count} replica: no selected pod starts while it restarts`,
  },
  remedies: {
    'fails-open': (data) =>
      advice(
        `Set failurePolicy Fail in the chart of ${data.webhook}, together with an objectSelector that only pods with an identity match, so that nothing else waits for it.`,
        edit(data),
      ),
    'installed-twice': ({ first, second }) =>
      advice(
        `Keep one of ${first} and ${second}, and have whoever installed the other remove it with the tool that put it there.`,
        'kubectl get mutatingwebhookconfigurations --show-labels',
        'kubectl get deployments -A',
      ),
    'never-reinvoked': (data) => advice(`Set reinvocationPolicy IfNeeded in the chart of ${data.webhook}.`, edit(data)),
    'single-replica': ({ webhook, namespace }) =>
      advice(
        `Give the Deployment behind ${webhook} two replicas in its chart, on different nodes.`,
        sh`kubectl get deployments -n ${namespace}`,
      ),
  },
  judge: ({ want, subject }) => {
    const { webhookConfiguration: configured, mutatingWebhooks: all, webhookReplicas: replicas, observedErrors } = want
    if (subject.kind !== 'MutatingWebhookConfiguration' || configured.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no identity webhook' }
    if (configured.state === 'unknown') return { status: 'undecided', lacks: 'the webhook was not seen' }
    const errors = observedErrors.state === 'known' ? observedErrors.value : []
    const { name: configuration, webhooks } = configured.value
    const hooks = webhooks.filter(({ injects, onPods }) => injects !== undefined && onPods)
    const evidence: Evidence[] = []
    let own = 0
    for (const hook of hooks) {
      const named = { webhook: hook.name, configuration }
      const see = (member: string, observed: string | number, expected: string | number): Evidence => ({
        question: configured.from,
        path: `items["${configuration}"].webhooks[${hook.index}].${member}`,
        observed,
        expected,
      })
      const managed = isManaged(hook)
      if (hook.failsOpen && !managed)
        return {
          status: 'fail',
          message: 'fails-open',
          data: named,
          evidence: [see('failurePolicy', 'Ignore', 'Fail')],
        }
      const others = all.state === 'known' ? all.value.items.filter(({ name }) => name !== configuration) : []
      const twin = others.find((one) =>
        one.webhooks.some(({ injects, onPods }) => onPods && injects !== 'other' && injects === hook.injects),
      )
      const refused = hook.injects === 'Azure' ? errors.find(({ text }) => secondInstallation.test(text)) : undefined
      if (twin !== undefined || refused !== undefined)
        return {
          status: 'fail',
          message: 'installed-twice',
          data: {
            ...named,
            mechanism: mechanismNames[hook.injects ?? 'other'],
            first: configuration,
            second: twin?.name ?? 'an installation that may not write it',
          },
          evidence: [
            {
              question: all.from,
              path: 'items[].metadata.name',
              observed: [configuration, ...(twin ? [twin.name] : [])],
            },
            ...(refused === undefined
              ? []
              : [{ question: observedErrors.from, path: refused.place, observed: refused.text }]),
          ],
        }
      if (managed) continue
      own += 1
      if (!hook.reinvoked && hook.whole)
        return {
          status: 'fail',
          message: 'never-reinvoked',
          data: named,
          evidence: [see('reinvocationPolicy', 'Never', 'IfNeeded')],
        }
      const count = replicas.state === 'known' ? replicas.value.get(hook.name) : undefined
      if (count === 1)
        return {
          status: 'fail',
          message: 'single-replica',
          data: { ...named, count, namespace: hook.service?.namespace ?? 'default' },
          evidence: [{ question: replicas.from, path: 'spec.replicas', observed: count, expected: 2 }],
        }
      if (hook.service !== undefined && count === undefined)
        return { status: 'undecided', lacks: `the Deployment behind ${hook.name} was not seen` }
      if (!hook.reinvoked) return { status: 'undecided', lacks: `the reinvocationPolicy of ${hook.name} was not seen` }
      evidence.push(see('failurePolicy', 'Fail', 'Fail'))
    }
    if (own > 0 && (all.state !== 'known' || !all.value.complete))
      return { status: 'undecided', lacks: 'whether there is a second webhook was not seen', evidence }
    return own > 0
      ? { status: 'pass', evidence }
      : {
          status: 'not-applicable',
          reason: 'EKS runs the webhook, which fails open by design; nobody but EKS can change it',
        }
  },
})
