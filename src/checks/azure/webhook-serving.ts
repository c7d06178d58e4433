/** Whether the Azure identity webhook answers the API server. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { held, ofError, quote } from '../../probes/azure/evidence.ts'
import { azureInUse } from '../../probes/azure/use.ts'
import { addOnRelease, azureWebhookService, azureWebhooks, deploymentName } from '../../probes/azure/webhook.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'

type Data = { readonly namespace: string; readonly configuration: string; readonly addOn: string }
type Failed = Data & { readonly error: string }

const ours = /mutation\.azure-workload-identity\.io|azure-wi-webhook-webhook-service/
const unreachable =
  /dial tcp ([\d.:[\]a-f]{3,60}):9443: (?:i\/o timeout|connect: [a-z ]{3,40})|context deadline exceeded|\bEOF\b|connection refused/
const tls = /x509: .{3,200}|server gave HTTP response to HTTPS client|tls: .{3,100}/

/** A self-installed one is restarted; what the add-on runs is put right by reconciling the cluster. */
const again = ({ namespace, addOn }: Data): readonly string[] =>
  addOn === 'yes'
    ? ['az aks update -g GROUP -n CLUSTER']
    : [sh`kubectl rollout restart deployment/${deploymentName} -n ${namespace}`]

export const check = defineCheck({
  meta: {
    id: 'azure/webhook-serving',
    title: 'The workload identity webhook answers the API server',
    severity: 'error',
    scope: 'cluster',
    cloud: 'azure',
    section: 'Webhook',
    why: 'While it does not answer, labelled pods are refused, or start without identity where it fails open.',
    fix: {
      safety: 'review',
      does: 'Restart Deployment azure-wi-webhook-controller-manager of a self-installed webhook, or reconcile the cluster (az aks update) where the add-on runs it. Never set failurePolicy to Ignore, never delete its certificate.',
    },
    links: [
      'https://github.com/Azure/AKS/issues/5686',
      'https://github.com/Azure/AKS/issues/4139',
      'https://github.com/Azure/AKS/issues/3897',
      'https://github.com/Azure/azure-workload-identity/issues/863',
      'https://github.com/Azure/azure-workload-identity/issues/611',
      'https://github.com/Azure/azure-workload-identity/issues/781',
      'https://github.com/Azure/azure-workload-identity/issues/1608',
    ],
  },
  only: { probe: azureInUse, otherwise: 'nothing here is bound to Azure' },
  needs: {},
  wants: { azureWebhooks, azureWebhookService, observedErrors },
  after: ['azure/webhook-installed'],
  covers: ['cluster/webhook-answers', 'cluster/webhook-ca-bundle-verifies'],
  messages: {
    'no-endpoints': (data: Data & { service: string; observed: number; failurePolicy: string; consequence: string }) =>
      `Service ${data.namespace}/${data.service} has ${data.observed} ready endpoints, expected at least 1; with failurePolicy ${data.failurePolicy} labelled pods are ${data.consequence}`,
    unreachable: ({ address, error, namespace }: Failed & { address: string }) =>
      `the API server can not reach webhook pod ${address}: ${error}; open control plane to nodes on TCP 9443 and allow ingress on 9443 in namespace ${namespace}`,
    'tls-broken': ({ configuration, error }: Failed) =>
      `the webhook does not present a certificate that caBundle of ${configuration} trusts: ${error}`,
    overloaded: ({
      pod,
      observed,
      limit,
      restarts,
    }: Data & { pod: string; observed: string; limit: string; restarts: number }) =>
      `webhook pod ${pod} was last terminated with ${observed} (memory limit ${limit}, ${restarts} restarts)`,
    'call-failed': ({ error }: Failed) =>
      `the API server reports that calling mutation.azure-workload-identity.io failed: ${error}`,
  },
  remedies: {
    'no-endpoints': (data) =>
      advice('Get the webhook running again: see why its pods are not ready, then restart it.', ...again(data)),
    unreachable: ({ namespace }) =>
      advice(
        'Let the control plane reach the nodes on TCP 9443 (firewall, security group), and let a NetworkPolicy of the namespace take ingress on 9443.',
        sh`kubectl get networkpolicies -n ${namespace} -o yaml`,
      ),
    'tls-broken': (data) =>
      advice(
        'Have the webhook write its certificate anew: restart it, and see that one installation alone owns the configuration.',
        ...again(data),
      ),
    overloaded: (data) =>
      advice(
        'Raise the memory limit of the webhook in its chart; where the add-on runs it, reconcile the cluster and report it to Azure.',
        ...again(data),
      ),
    'call-failed': (data) =>
      advice(
        'Look at the pods and endpoints of the webhook, then restart it.',
        sh`kubectl get pods,endpointslices -n ${data.namespace} -o wide`,
        ...again(data),
      ),
  },
  judge: ({ want: { azureWebhooks, azureWebhookService, observedErrors } }) => {
    const hook = held(azureWebhooks)?.hooks[0]
    const service = held(azureWebhookService)
    const behind = service?.behind[0]
    const errors = (held(observedErrors) ?? []).filter(({ text }) => ours.test(text))
    const [error] = errors
    const space = hook?.webhook.service?.namespace
    const release = hook?.configuration.annotations['meta.helm.sh/release-name']
    const isAddOn = release === addOnRelease || (release === undefined && space === 'kube-system')
    const named = /azure-wi-webhook-webhook-service\.([a-z0-9-]{1,63})\.svc/.exec(
      errors.map(({ text }) => text).join(' '),
    )?.[1]
    const data: Data = {
      namespace: space ?? named ?? 'azure-workload-identity-system',
      configuration: hook?.configuration.name ?? 'azure-wi-webhook-mutating-webhook-configuration',
      addOn: isAddOn ? 'yes' : 'no',
    }
    const told: readonly Evidence[] = errors.slice(0, 3).map(ofError)
    const name = behind?.client.name ?? hook?.webhook.service?.name ?? 'azure-wi-webhook-webhook-service'
    const noEndpoints = errors.some(({ text }) => /no endpoints available for service/.test(text))
    const policy = hook?.webhook.failurePolicy
    if (behind?.ready === 0 || (noEndpoints && behind?.ready === undefined))
      return {
        status: 'fail',
        message: 'no-endpoints',
        data: {
          ...data,
          service: name,
          observed: behind?.ready ?? 0,
          failurePolicy: policy ?? 'not collected',
          consequence: policy === 'Ignore' ? 'admitted without identity' : 'refused',
        },
        evidence: [
          {
            question: azureWebhookService.from,
            path: `endpointslices of ${name}`,
            observed: behind?.ready ?? 0,
            expected: 1,
          },
          ...told,
        ],
      }
    for (const one of errors) {
      const broken = tls.exec(one.text.replace(/\s+/g, ' '))?.[0]
      if (broken !== undefined)
        return { status: 'fail', message: 'tls-broken', data: { ...data, error: broken }, evidence: [ofError(one)] }
    }
    if (
      hook !== undefined &&
      hook.webhook.caBundle === '' &&
      hook.webhook.service !== undefined &&
      !hook.configuration.manifest
    )
      return {
        status: 'fail',
        message: 'tls-broken',
        data: { ...data, error: 'caBundle is empty' },
        evidence: [
          {
            question: azureWebhooks.from,
            path: `items["${data.configuration}"].webhooks[${hook.webhook.index}].clientConfig.caBundle`,
            observed: '',
          },
        ],
      }
    for (const one of errors) {
      const found = unreachable.exec(one.text.replace(/\s+/g, ' '))
      if (found === null) continue
      // Slow is not unreachable; a pod that was killed for its memory explains it better.
      if (behind?.killed[0] !== undefined) break
      return {
        status: 'fail',
        message: 'unreachable',
        data: { ...data, address: found[1] === undefined ? name : `${found[1]}:9443`, error: found[0] },
        evidence: [ofError(one)],
      }
    }
    const killed = behind?.killed[0]
    if (killed !== undefined)
      return {
        status: 'fail',
        message: 'overloaded',
        data: { ...data, ...killed, observed: 'OOMKilled' },
        evidence: [
          {
            question: azureWebhookService.from,
            path: `pods["${killed.pod}"].status.containerStatuses[].lastState.terminated.reason`,
            observed: 'OOMKilled',
          },
        ],
      }
    if (error !== undefined)
      return { status: 'fail', message: 'call-failed', data: { ...data, error: quote(error.text) }, evidence: told }
    if (hook === undefined)
      return azureWebhooks.state === 'known' && azureWebhooks.value.complete
        ? { status: 'not-applicable', reason: 'the webhook is not installed' }
        : {
            status: 'undecided',
            lacks: 'the webhook was not seen',
            lift: 'kubectl get mutatingwebhookconfigurations -o yaml',
          }
    if (hook.webhook.service === undefined)
      return hook.webhook.url === undefined
        ? { status: 'undecided', lacks: 'whom the API server calls was not seen' }
        : { status: 'not-applicable', reason: 'the webhook is called by URL, outside of the cluster' }
    if (behind?.ready === undefined || service?.unseen !== undefined)
      return {
        status: 'undecided',
        lacks: service?.unseen?.detail ?? `the endpoints of Service ${data.namespace}/${name} were not seen`,
        lift: sh`kubectl get services,endpointslices,pods -n ${data.namespace} -o yaml`,
      }
    return {
      status: 'pass',
      evidence: [{ question: azureWebhookService.from, path: `endpointslices of ${name}`, observed: behind.ready }],
    }
  },
})
