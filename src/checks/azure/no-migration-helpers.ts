/** Whether the pod has left behind what helped with the migration from aad-pod-identity. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import { podIdentityLabel, proxyAnnotation, proxyContainer } from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import { errorsIn, held, ofError, quote, speaking } from '../../probes/azure/evidence.ts'
import { podView } from '../../probes/azure/pods.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { interceptors } from '../../probes/workload/interceptors.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'

type Data = Place & { readonly pod: string; readonly observed: string }

const passed = /dial tcp 169\.254\.169\.254:80: (?:connect: )?connection refused/
const pathIn = /https?:\/\/169\.254\.169\.254(\/[\w./-]{1,100})/

const dropProxy = (data: Data): string =>
  advice(
    `Take ${proxyAnnotation} out of ${editTemplate(data).where} (its value does not matter), and use an SDK that knows workload identity: Azure.Identity 1.9.0 in C#, Go azidentity 1.3.0, Java 1.9.0, JavaScript 3.2.0, Python 1.13.0 or later.`,
    ...editTemplate(data).commands,
  )

export const check = defineCheck({
  meta: {
    id: 'azure/no-migration-helpers',
    title: 'The pod depends on nothing that was meant for the migration from aad-pod-identity',
    severity: 'warning',
    scope: 'pod',
    cloud: 'azure',
    section: 'Workload',
    why: 'The proxy sidecar keeps Jobs running and answers token requests only; the NMI of aad-pod-identity answers for identities that are no more.',
    fix: {
      safety: 'manual',
      does: 'Remove the label or annotation from the pod template, once the SDK is new enough. Never remove NMI while other pods may need it.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/773',
      'https://github.com/Azure/azure-workload-identity/issues/1135',
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/pkg/webhook/webhook.go',
      'https://github.com/kubernetes-sigs/external-dns/issues/4149',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, errorsOfPod, interceptors },
  after: [],
  messages: {
    'proxy-keeps-job-running': ({ pod, job }: Data & { job: string }) =>
      `azwi-proxy is an ordinary container of Job pod ${pod} and never exits, so Job ${job} never completes`,
    'proxy-injected-by-any-value': ({ workload, observed }: Data) =>
      `${proxyAnnotation} of ${workload} is "${observed}" and still injects the proxy; only removing the key stops it`,
    'proxy-passes-metadata-through': ({ path, error }: Data & { path: string; error: string }) =>
      `the application asks ${path} through azwi-proxy, which answers only token requests: ${error}`,
    'pod-identity-label': ({ workload, observed }: Data) =>
      `${workload} still carries label aadpodidbinding=${observed}`,
    'nmi-present': ({ observed }: Data & { space: string }) =>
      `DaemonSet ${observed} (aad-pod-identity NMI) still intercepts 169.254.169.254 on the nodes of this pod`,
  },
  remedies: {
    'proxy-keeps-job-running': dropProxy,
    'proxy-injected-by-any-value': dropProxy,
    'proxy-passes-metadata-through': dropProxy,
    'pod-identity-label': (data) =>
      advice(
        `Take label ${podIdentityLabel} out of ${editTemplate(data).where}; it means nothing to workload identity.`,
        ...editTemplate(data).commands,
      ),
    'nmi-present': ({ observed, space }) =>
      advice(
        'Find out with the command which pods still go by aad-pod-identity; when none does, have whoever installed it uninstall it.',
        'kubectl get pods -A -l aadpodidbinding',
        sh`kubectl get daemonset ${observed} -n ${space}`,
      ),
  },
  judge: ({ want: { podView, errorsOfPod, interceptors }, subject }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const pods = view === undefined ? [] : [...(view.born === undefined ? [] : [view.born]), ...view.templates]
    const told = speaking(errorsIn(errorsOfPod), passed)
    const [first] = pods
    const base: Data = {
      ...(first === undefined ? placeOf(subject) : { workload: workloadOf(first), namespace: first.namespace }),
      pod: first?.name ?? 'not collected',
      observed: '',
    }
    const see = (name: string, path: string, observed: string): Evidence => ({
      question: podView.from,
      path: `${name} ${path}`,
      observed,
    })
    for (const pod of pods) {
      const data = { ...base, workload: workloadOf(pod), pod: pod.name }
      const job = pod.owner?.kind === 'Job' ? pod.owner.name : pod.kind === 'Job' ? pod.name : undefined
      if (job !== undefined && pod.containers.some(({ name, role }) => name === proxyContainer && role === 'container'))
        return {
          status: 'fail',
          message: 'proxy-keeps-job-running',
          data: { ...data, job },
          evidence: [see(pod.name, 'spec.containers', proxyContainer)],
        }
    }
    for (const pod of pods) {
      const value = pod.annotations[proxyAnnotation]
      if (value !== undefined && value.toLowerCase() !== 'true')
        return {
          status: 'fail',
          message: 'proxy-injected-by-any-value',
          data: { ...base, workload: workloadOf(pod), observed: value },
          evidence: [see(pod.name, `metadata.annotations["${proxyAnnotation}"]`, value)],
        }
    }
    if (told !== undefined)
      return {
        status: 'fail',
        message: 'proxy-passes-metadata-through',
        data: { ...base, path: pathIn.exec(told.text)?.[1] ?? '169.254.169.254', error: quote(told.text) },
        evidence: [ofError(told)],
      }
    for (const pod of pods) {
      const value = pod.labels[podIdentityLabel]
      if (value !== undefined)
        return {
          status: 'fail',
          message: 'pod-identity-label',
          data: { ...base, workload: workloadOf(pod), observed: value },
          evidence: [see(pod.name, `metadata.labels["${podIdentityLabel}"]`, value)],
        }
    }
    const nmi = held(interceptors)
    if (nmi?.name.startsWith('NMI'))
      return {
        status: 'fail',
        message: 'nmi-present',
        data: { ...base, observed: nmi.daemonSet, space: nmi.namespace },
        evidence: [{ question: interceptors.from, path: `items["${nmi.daemonSet}"]`, observed: nmi.namespace }],
      }
    return first === undefined
      ? view?.noPods === true
        ? { status: 'not-applicable', reason: 'no pod runs as the ServiceAccount' }
        : { status: 'undecided', lacks: 'no pod or pod template was seen' }
      : { status: 'pass', evidence: [see(first.name, 'metadata.labels', Object.keys(first.labels).join(', '))] }
  },
})
