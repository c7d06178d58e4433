/** Whether every container of a labelled pod has the identity environment and the token. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, type Place, placeOf, restart } from '../../domain/advice.ts'
import { azureAudience, azureClientAnnotation, bindingAudience } from '../../domain/audiences.ts'
import {
  fileVariable,
  isInjected,
  ownContainers,
  skipAnnotation,
  skipped,
  useLabel,
  usesBinding,
} from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import { writtenAt } from '../../domain/workloads.ts'
import { errorsIn, held, ofError, quote } from '../../probes/azure/evidence.ts'
import { podView } from '../../probes/azure/pods.ts'
import { saying } from '../../probes/azure/said.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { azureWebhooks } from '../../probes/azure/webhook.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Data = Place & { readonly pod: string }
type OfContainer = Data & { readonly container: string }

/** Containers that others put beside an application and that want no identity of Azure: meshes, secrets of Vault, agents of observers, Knative. */
const guests =
  /^(?:istio-(?:proxy|init|validation)|linkerd-(?:proxy|init|network-validator)|vault-agent(?:-init)?|consul-(?:dataplane|connect-inject-init)|opentelemetry-auto-instrumentation(?:-[a-z]+)?|datadog-(?:lib-[a-z]+-init|init-apm-inject|agent-injected)|queue-proxy)$/

const again = (data: Data): string => {
  const { words, commands } = restart(data)
  return advice(
    `${words[0]?.toUpperCase()}${words.slice(1)}: the webhook acts only while a pod is created.`,
    ...commands,
  )
}

export const check = defineCheck({
  meta: {
    id: 'azure/pod-injected',
    title: 'Every container of the pod has the identity environment and the token volume',
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Workload',
    why: 'A container without them knows neither its identity nor where its token lies, and falls back to the node or to nothing.',
    fix: {
      safety: 'review',
      does: 'Restart the owning workload (kubectl rollout restart). Never delete a pod that nothing recreates.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/709',
      'https://github.com/Azure/azure-workload-identity/issues/790',
      'https://github.com/Azure/azure-workload-identity/issues/791',
      'https://github.com/Azure/azure-workload-identity/issues/1231',
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/pkg/webhook/webhook.go',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, serviceAccount, azureWebhooks, errorsOfPod },
  after: ['azure/pod-labelled', 'azure/webhook-installed', 'azure/webhook-selects-pod', 'azure/webhook-serving'],
  covers: ['workload/pod-is-newer-than-its-binding'],
  messages: {
    'created-before-setup': ({
      pod,
      observed,
      what,
      since,
    }: Data & { observed: string; what: string; since: string }) =>
      `pod ${pod} was created ${observed}, before ${what} at ${since}; pods are changed only while they are created`,
    'container-skipped': ({ observed, pod, container }: OfContainer & { observed: string }) =>
      `annotation ${skipAnnotation}=${observed} of pod ${pod} leaves out container ${container}`,
    'sidecar-added-later': ({ container, pod, siblings }: OfContainer & { siblings: string }) =>
      `container ${container} of pod ${pod} lacks the identity environment that ${siblings} have; it was added after the webhook ran`,
    'not-injected': ({ container, pod, audience }: OfContainer & { audience: string }) =>
      `container ${container} of labelled pod ${pod} has neither ${fileVariable} nor a projected token for ${audience}`,
    'environment-missing': ({ error }: Data & { error: string }) =>
      `the application misses the identity environment: ${error}`,
  },
  remedies: {
    'created-before-setup': again,
    'container-skipped': ({ container, workload, namespace }) =>
      advice(
        `Take ${container} out of ${skipAnnotation} in the pod template of ${workload}, and make its pods anew.`,
        sh`kubectl get ${workload} -n ${namespace} -o yaml`,
      ),
    'sidecar-added-later': (data) =>
      advice(
        'Have the webhook called again for containers that come later (reinvocationPolicy IfNeeded, webhook v1.0.0 or later), and make the pods anew.',
        'kubectl get mutatingwebhookconfigurations -o yaml',
        ...restart(data).commands,
      ),
    'not-injected': again,
    'environment-missing': (data) =>
      advice(
        'See whether the pod carries the label and the variables (the command prints them); where it has the label and not the variables, make it anew.',
        sh`kubectl get pods -n ${data.namespace} -l ${`${useLabel}=true`} -o yaml`,
      ),
  },
  judge: ({ want: { podView, serviceAccount, azureWebhooks, errorsOfPod }, subject }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const pod = view?.born
    const told = saying(errorsIn(errorsOfPod), 'azure/pod-injected', 'environment-missing')
    if (pod === undefined) {
      if (told !== undefined && (view?.templates.length ?? 0) === 0)
        return {
          status: 'fail',
          message: 'environment-missing',
          data: { ...placeOf(subject), pod: subject.name, error: quote(told.text) },
          evidence: [ofError(told)],
        }
      return view?.noPods === true
        ? { status: 'not-applicable', reason: 'no pod runs as the ServiceAccount' }
        : { status: 'undecided', lacks: 'the pod was not seen', lift: 'kubectl get pods -A -o yaml' }
    }
    const data: Data = { workload: workloadOf(pod), namespace: pod.namespace, pod: pod.name }
    const labelled = pod.labels[useLabel] === 'true'
    const own = ownContainers(pod)
    const having = own.filter((one) => isInjected(pod, one))
    const lacking = own.filter((one) => !isInjected(pod, one) && !guests.test(one.name))
    const skips = skipped(pod)
    const audience = usesBinding(pod) ? bindingAudience : azureAudience
    const evidence: readonly Evidence[] = having.map(({ name, env }) => ({
      question: podView.from,
      path: `spec.containers["${name}"].env["${fileVariable}"]`,
      observed: env[fileVariable] ?? null,
    }))
    const fail = (container: string): Evidence => ({
      question: podView.from,
      path: `spec.containers["${container}"].env["${fileVariable}"]`,
      observed: null,
      expected: 'a path below a projected token',
    })
    if (!labelled) {
      if (having.length > 0) return { status: 'pass', evidence }
      return told === undefined
        ? { status: 'not-applicable', reason: 'the pod asks no webhook for an identity' }
        : {
            status: 'fail',
            message: 'environment-missing',
            data: { ...data, error: quote(told.text) },
            evidence: [ofError(told)],
          }
    }
    const [first] = lacking.filter(({ name }) => !skips.has(name))
    const left = lacking.filter(({ name }) => skips.has(name))
    if (pod.uid === undefined)
      return having.length > 0 && first === undefined && left.length === 0
        ? { status: 'pass', evidence }
        : {
            status: 'undecided',
            lacks: 'a manifest: what the webhook adds when the pod is created was not seen',
            lift: sh`kubectl get pod ${pod.name} -n ${pod.namespace} -o yaml`,
          }
    if (first === undefined) {
      const [only] = left
      // Whoever leaves out a sidecar means it; where nothing is left, or the application complains, it is the fault.
      if (only !== undefined && (having.length === 0 || told !== undefined))
        return {
          status: 'fail',
          message: 'container-skipped',
          data: { ...data, container: only.name, observed: pod.annotations[skipAnnotation] ?? '' },
          evidence: [
            {
              question: podView.from,
              path: `metadata.annotations["${skipAnnotation}"]`,
              observed: pod.annotations[skipAnnotation] ?? '',
            },
            ...(told === undefined ? [] : [ofError(told)]),
          ],
        }
      return { status: 'pass', evidence }
    }
    if (having.length > 0 && !(fileVariable in first.env))
      return {
        status: 'fail',
        message: 'sidecar-added-later',
        data: { ...data, container: first.name, siblings: having.map(({ name }) => name).join(', ') },
        evidence: [fail(first.name), ...evidence],
      }
    // A variable without the volume it speaks of is a matter of the file.
    if (fileVariable in first.env)
      return {
        status: 'not-applicable',
        reason: `container ${first.name} has the variable; whether its file is there is another check's word`,
      }
    const account = held(serviceAccount)
    const setUp = [
      ...(held(azureWebhooks)?.hooks ?? []).map(({ configuration }) => ({
        what: `webhook configuration ${configuration.name}`,
        since: configuration.created,
      })),
      {
        what: `annotation ${azureClientAnnotation}`,
        since: account === undefined ? undefined : writtenAt(account, azureClientAnnotation)?.time,
      },
    ]
    const before = setUp.find(({ since }) => since !== undefined && pod.created !== undefined && pod.created < since)
    if (before?.since !== undefined && before.what.startsWith('webhook'))
      return {
        status: 'fail',
        message: 'created-before-setup',
        data: { ...data, observed: pod.created ?? '', what: before.what, since: before.since },
        evidence: [
          {
            question: podView.from,
            path: 'metadata.creationTimestamp',
            observed: pod.created ?? '',
            expected: `after ${before.since}`,
          },
          fail(first.name),
        ],
      }
    return {
      status: 'fail',
      message: 'not-injected',
      data: { ...data, container: first.name, audience },
      evidence: [fail(first.name), ...(told === undefined ? [] : [ofError(told)])],
    }
  },
})
