/** Whether the pod template carries the label by which the webhook finds its pods. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, podsOf } from '../../domain/advice.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { isSelfMade, onlyByDriver, useLabel } from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import type { Pod } from '../../domain/workloads.ts'
import { errorsIn, held, ofError } from '../../probes/azure/evidence.ts'
import { podView, toJudge } from '../../probes/azure/pods.ts'
import { saying } from '../../probes/azure/said.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { webhookIsOld } from '../../probes/azure/webhook.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

/** What an application says that was given nothing of the environment. */
type Data = Place & {
  readonly serviceAccount: string
  readonly observed: string
  readonly clientId: string
  readonly path: string
}

const rolls = /^(?:deployment|statefulset|daemonset)\//
const patch = ({ workload, namespace }: Place): readonly string[] => {
  const template = { template: { metadata: { labels: { [useLabel]: 'true' } } } }
  if (rolls.test(workload))
    return [sh`kubectl patch ${workload} -n ${namespace} -p ${JSON.stringify({ spec: template })}`]
  return workload.startsWith('cronjob/')
    ? [
        sh`kubectl patch ${workload} -n ${namespace} -p ${JSON.stringify({ spec: { jobTemplate: { spec: template } } })}`,
      ]
    : []
}
const label = (data: Data): string =>
  advice(
    `Set the label ${useLabel}: "true" in ${editTemplate(data).where}, under template.metadata.labels; a controller then rolls out new pods.`,
    ...patch(data),
    podsOf(data),
  )

export const check = defineCheck({
  meta: {
    id: 'azure/pod-labelled',
    title: 'The pod template carries the label azure.workload.identity/use: "true"',
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Workload',
    why: 'Since v1.0.0 the API server sends the webhook only pods with this label and exactly this value; all others start without identity, and no event says so.',
    fix: {
      safety: 'review',
      does: 'Set the label on the pod template of the Deployment, StatefulSet, DaemonSet or CronJob, which rolls out new pods. Never delete a Job or recreate what has an immutable selector.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/1185',
      'https://github.com/Azure/azure-workload-identity/issues/754',
      'https://github.com/Azure/AKS/issues/3546',
      'https://github.com/Azure/azure-workload-identity/issues/751',
      'https://github.com/Azure/azure-workload-identity/issues/1025',
      'https://github.com/external-secrets/external-secrets/issues/2436',
      'https://github.com/notaryproject/ratify/issues/629',
      'https://azure.github.io/azure-workload-identity/docs/troubleshooting.html',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, serviceAccount, webhookIsOld, errorsOfPod },
  after: [],
  messages: {
    'label-on-workload': ({ workload, path, observed }: Data) =>
      `label ${useLabel} is on ${workload} itself, ${path} has ${observed}; the webhook only sees pods`,
    'label-on-service-account': ({ serviceAccount, workload, observed }: Data) =>
      `label ${useLabel} is on ServiceAccount ${serviceAccount} only, the pod template of ${workload} has ${observed}; since webhook v1.0.0 only the pod's label counts`,
    'label-value': ({ workload, observed }: Data) =>
      `label ${useLabel} of the pod template of ${workload} is "${observed}", expected "true"`,
    'label-in-selector': ({ workload, observed }: Data) =>
      `spec.selector.matchLabels of ${workload} holds ${useLabel}=${observed}; the selector is immutable, so put the label under the pod template only`,
    'label-missing': ({ workload, serviceAccount, clientId }: Data) =>
      `the pod template of ${workload} has no label ${useLabel}, expected "true"; ServiceAccount ${serviceAccount} names identity ${clientId}`,
  },
  remedies: {
    'label-on-workload': label,
    'label-on-service-account': label,
    'label-value': label,
    'label-in-selector': (data) =>
      advice(
        `Take ${useLabel} out of spec.selector and the common labels of ${data.workload}, and set it under template.metadata.labels only; nothing that exists has to be deleted for that.`,
        podsOf(data),
      ),
    'label-missing': label,
  },
  judge: ({ want: { podView, serviceAccount, webhookIsOld, errorsOfPod } }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const account = held(serviceAccount)
    const errors = errorsIn(errorsOfPod)
    const told =
      saying(errors, 'azure/pod-injected', 'environment-missing') ??
      saying(errors, 'azure/service-account-names-identity', 'unset-in-application')
    const pods = view === undefined ? [] : [...toJudge(view), ...view.idle]
    if (view?.noPods === true && pods.length === 0)
      return { status: 'not-applicable', reason: 'no pod runs as the ServiceAccount' }
    // Before v1.0.0 the webhook went by the label of the ServiceAccount.
    if (held(webhookIsOld) === true)
      return {
        status: 'not-applicable',
        reason: 'this webhook is older than v1.0.0 and does not go by the label of pods',
      }
    const clientId = account?.annotations[azureClientAnnotation]
    const evidence: Evidence[] = []
    let unsettled = false
    for (const pod of pods) {
      const template = view?.templates.find(({ outer }) => outer !== undefined)
      const outer = pod.outer ?? template?.outer
      const workload = workloadOf(pod)
      const observed = pod.labels[useLabel]
      const path =
        pod.kind === 'CronJob'
          ? 'spec.jobTemplate.spec.template.metadata.labels'
          : pod.outer
            ? 'spec.template.metadata.labels'
            : 'metadata.labels'
      const data: Data = {
        workload,
        namespace: pod.namespace,
        serviceAccount: pod.serviceAccount,
        observed: observed ?? 'none',
        clientId: clientId ?? 'not collected',
        path,
      }
      const seen = (where: string, value: string | null, expected = 'true'): Evidence => ({
        question: podView.from,
        path: `${pod.kind}/${pod.name} ${where}["${useLabel}"]`,
        observed: value,
        expected,
      })
      const ofPod = seen(path, observed ?? null)
      const inSelector = outer?.selects[useLabel]
      if (inSelector !== undefined && outer?.born === false)
        return {
          status: 'fail',
          message: 'label-in-selector',
          data: { ...data, observed: inSelector },
          evidence: [seen('spec.selector.matchLabels', inSelector, 'under the pod template only')],
        }
      if (observed === 'true') {
        evidence.push(ofPod)
        continue
      }
      if (isSelfMade(pod)) continue
      if (observed !== undefined) return { status: 'fail', message: 'label-value', data, evidence: [ofPod] }
      const outerLabel = outer?.labels[useLabel]
      if (outerLabel !== undefined)
        return {
          status: 'fail',
          message: 'label-on-workload',
          data: { ...data, workload: ownerName(pod, template) },
          evidence: [seen('metadata.labels', outerLabel), ofPod],
        }
      if (onlyByDriver(pod) && told === undefined) continue
      const ofAccount = account?.labels[useLabel]
      if (ofAccount !== undefined)
        return {
          status: 'fail',
          message: 'label-on-service-account',
          data,
          evidence: [
            { question: serviceAccount.from, path: `metadata.labels["${useLabel}"]`, observed: ofAccount },
            ofPod,
          ],
        }
      if (clientId || told !== undefined)
        return {
          status: 'fail',
          message: 'label-missing',
          data,
          evidence: [
            ofPod,
            ...(clientId === undefined
              ? []
              : [
                  {
                    question: serviceAccount.from,
                    path: `metadata.annotations["${azureClientAnnotation}"]`,
                    observed: clientId,
                  },
                ]),
            ...(told === undefined ? [] : [ofError(told)]),
          ],
        }
      if (account === undefined) unsettled = true
    }
    if (evidence.length > 0 && !unsettled && view?.unseen !== undefined)
      return {
        status: 'undecided',
        lacks: `the pod carries it; whether the other pod templates of the ServiceAccount do was not seen: ${view.unseen.detail}`,
        ...(view.unseen.lift === undefined ? {} : { lift: view.unseen.lift }),
        evidence,
      }
    if (evidence.length > 0 && !unsettled) return { status: 'pass', evidence }
    if (pods.length === 0 || unsettled)
      return {
        status: 'undecided',
        lacks:
          pods.length === 0
            ? 'no pod or pod template was seen'
            : 'whether the ServiceAccount names an identity was not seen',
      }
    return { status: 'not-applicable', reason: 'its pods ask no webhook for an identity' }
  },
})

const ownerName = (pod: Pod, template: Pod | undefined): string =>
  pod.outer === undefined && template !== undefined ? workloadOf(template) : workloadOf(pod)
