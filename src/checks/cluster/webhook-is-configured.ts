/** The webhook that injects identity is configured. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { type Injects, mechanismNames } from '../../domain/webhooks.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { webhookAskers } from '../../probes/cluster/webhook-askers.ts'
import { mutatingWebhooks } from '../../probes/cluster/webhooks.ts'

const notFound =
  /mutatingwebhookconfigurations\.admissionregistration\.k8s\.io "(?:pod-identity-webhook|azure-wi-webhook-mutating-webhook-configuration)" not found/
const list = 'kubectl get mutatingwebhookconfigurations -o yaml'
const read = (configuration: string): string =>
  sh`kubectl get mutatingwebhookconfiguration ${configuration} -o yaml > webhook.yaml`

const installing: { readonly [mechanism: string]: string } = {
  [mechanismNames.AWS]:
    'Install what injects the role: on EKS the managed pod-identity-webhook, which the service puts there for new clusters (open a case with AWS where it is gone); elsewhere the chart amazon-eks-pod-identity-webhook with cert-manager.',
  [mechanismNames.Azure]:
    'Install what injects the identity: on AKS by az aks update --enable-workload-identity, elsewhere by the chart workload-identity-webhook.',
}

export const check = defineCheck({
  meta: {
    id: 'cluster/webhook-is-configured',
    title: 'The webhook that injects identity is configured',
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Webhook',
    why: 'An annotation gives a pod nothing by itself: a mutating webhook adds the variables and the token when the pod is created, and without one nothing does.',
    fix: {
      safety: 'review',
      does: 'Install the webhook of the mechanism, or give it the rule for the creation of pods; then restart the workloads whose pods were made without it. Never restart all of them at once.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/135',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/68',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/108',
      'https://github.com/Azure/azure-workload-identity/issues/1231',
      'https://github.com/Azure/azure-workload-identity/issues/1465',
    ],
  },
  needs: {},
  wants: { mutatingWebhooks, webhookAskers, observedErrors },
  after: [],
  messages: {
    missing: ({ count, mechanism }: { count: number; mechanism: string; first: string }) =>
      `${count} ${count === 1 ? 'ServiceAccount or pod asks' : 'ServiceAccounts or pods ask'} for ${mechanism}, and no mutating webhook on pods injects it`,
    'no-pod-create-rule': ({ webhook, configuration }: { webhook: string; configuration: string }) =>
      `webhook ${webhook} of ${configuration} has no rule for CREATE of v1 pods`,
    'old-api-version': ({ configuration, version }: { configuration: string; version: string }) =>
      `${configuration} is stored as admissionregistration.k8s.io/${version}; re-create it as v1`,
  },
  remedies: {
    missing: ({ mechanism, first }) =>
      advice(
        `${installing[mechanism] ?? 'Install the webhook that injects the identity.'} Then restart what was made without it, ${first} for one. The first command shows which webhooks there are.`,
        list,
      ),
    'no-pod-create-rule': ({ webhook, configuration }) =>
      advice(
        `Give ${webhook} the rule apiGroups [""], apiVersions [v1], operations [CREATE], resources [pods], as its chart writes it, and restart what was made meanwhile.`,
        sh`kubectl edit mutatingwebhookconfiguration ${configuration}`,
      ),
    'old-api-version': ({ configuration }) =>
      advice(
        'Write apiVersion admissionregistration.k8s.io/v1 with sideEffects None and admissionReviewVersions [v1] into the manifest (webhook.yaml), better by the present version of its chart, and apply it.',
        read(configuration),
        'kubectl apply -f webhook.yaml',
      ),
  },
  judge: ({ want: { mutatingWebhooks, webhookAskers, observedErrors } }) => {
    const { asked, open } = webhookAskers.state === 'known' ? webhookAskers.value : ({ asked: [], open: true } as const)
    const errors = observedErrors.state === 'known' ? observedErrors.value : []
    const refused = errors.find(({ text }) => notFound.test(text))
    const told: readonly Evidence[] =
      refused === undefined ? [] : [{ question: observedErrors.from, path: refused.place, observed: refused.text }]
    if (asked.length === 0)
      return open
        ? { status: 'undecided', lacks: 'whether a ServiceAccount or pod asks for an injected identity was not seen' }
        : { status: 'not-applicable', reason: 'no ServiceAccount or pod that is judged asks for an injected identity' }
    const missing = (mechanism: Injects, lacking: readonly string[], evidence: readonly Evidence[]) =>
      ({
        status: 'fail',
        message: 'missing',
        data: { count: lacking.length, mechanism: mechanismNames[mechanism], first: lacking[0] ?? '' },
        evidence: [
          ...evidence,
          { question: webhookAskers.from, path: 'items[].metadata.annotations', observed: lacking.slice(0, 20) },
          ...told,
        ],
      }) as const

    if (mutatingWebhooks.state !== 'known') {
      const lost = asked.find(({ lacking }) => lacking.length > 0)
      return refused !== undefined && lost !== undefined
        ? missing(lost.mechanism, lost.lacking, [])
        : { status: 'undecided', lacks: 'the mutating webhooks were not seen', lift: list, evidence: told }
    }
    const { items, complete } = mutatingWebhooks.value
    const evidence: Evidence[] = []
    let unsettled = false
    let served = 0
    for (const { mechanism, lacking } of asked) {
      // One that is known to inject something, for whom is not known, may well be it.
      const found = items.flatMap((configuration) =>
        configuration.webhooks
          .filter(({ injects }) => injects === mechanism || injects === 'other')
          .map((webhook) => ({ configuration, webhook })),
      )
      const acting = found.find(({ webhook }) => webhook.onPods)
      const [idle] = found
      const names: Evidence = {
        question: mutatingWebhooks.from,
        path: 'items[].webhooks[].name',
        observed: found.map(({ webhook }) => webhook.name),
      }
      if (acting !== undefined) {
        const { name, version } = acting.configuration
        if (version !== 'v1')
          return {
            status: 'fail',
            message: 'old-api-version',
            data: { configuration: name, version },
            evidence: [
              {
                question: mutatingWebhooks.from,
                path: `items["${name}"].apiVersion`,
                observed: version,
                expected: 'v1',
              },
            ],
          }
        served += 1
        evidence.push(names)
      } else if (idle !== undefined)
        return {
          status: 'fail',
          message: 'no-pod-create-rule',
          data: { webhook: idle.webhook.name, configuration: idle.configuration.name },
          evidence: [{ ...names, path: `items["${idle.configuration.name}"].webhooks[].rules` }],
        }
      else if (complete && lacking.length > 0) return missing(mechanism, lacking, [names])
      else if (!complete || open) unsettled = true
    }
    if (unsettled)
      return {
        status: 'undecided',
        lacks: 'not all webhooks, or not all pods that ask for an identity, were seen',
        lift: list,
        evidence,
      }
    return served > 0
      ? { status: 'pass', evidence }
      : {
          status: 'not-applicable',
          reason: 'the pods that ask carry the variables and the token, and no webhook adds them',
        }
  },
})
