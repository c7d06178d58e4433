/** The pod was created after its identity was set up. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, type Place, restart } from '../../domain/advice.ts'
import { bindingOf, injectedValue } from '../../domain/injected-identity.ts'
import { sh } from '../../domain/shell-words.ts'
import { writtenAt } from '../../domain/workloads.ts'
import { actingWebhook, siblingsInjected } from '../../probes/workload/injection-times.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { pod } from '../../probes/workload/pod.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

/** Within this time after its ServiceAccount a pod can miss the webhook's cache. */
const raceSeconds = 2

const anew = (data: Place): string => {
  const { words, commands } = restart(data)
  return advice(
    `${words.charAt(0).toUpperCase()}${words.slice(1)}: the webhook acts only when a pod is created.`,
    ...commands,
  )
}

/** Said by the webhook itself, of the ServiceAccount of a pod that it was shown. */
const notInCache = /Service account .{0,300}not found in the cache/i

export const check = defineCheck({
  meta: {
    id: 'workload/pod-is-newer-than-its-binding',
    title: 'The pod was created after its identity was set up',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Workload',
    why: 'Identity webhooks act when a pod is created and never again; what is set up later reaches only later pods.',
    fix: {
      safety: 'review',
      does: 'Restart the one owner of the pod (kubectl rollout restart) and nothing more; never delete a pod that nothing recreates.',
    },
    links: [
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2627',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/83',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/174',
      'https://github.com/Azure/azure-workload-identity/issues/709',
      'https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html',
    ],
  },
  needs: { pod, serviceAccount },
  wants: { actingWebhook, siblingsInjected, errorsOfPod },
  after: ['workload/service-account-exists', 'cluster/webhook-is-configured'],
  messages: {
    'older-than-annotation': (data: Place & { pod: string; podTime: string; name: string; annotationTime: string }) =>
      `pod ${data.pod} was created ${data.podTime}, ServiceAccount ${data.name} was annotated ${data.annotationTime}; nothing was injected`,
    'older-than-webhook': (
      data: Place & { pod: string; podTime: string; configuration: string; webhookTime: string },
    ) =>
      `pod ${data.pod} was created ${data.podTime}, the webhook ${data.configuration} ${data.webhookTime}; nothing was injected`,
    'raced-the-account': ({ pod, seconds }: Place & { pod: string; seconds: number }) =>
      `pod ${pod} was created ${seconds} s after its ServiceAccount, before the webhook had seen the account; later pods are injected`,
    'changed-since': (data: Place & { pod: string; injected: string; name: string; current: string }) =>
      `pod ${data.pod} was injected with ${data.injected}; ServiceAccount ${data.name} now says ${data.current}`,
  },
  remedies: {
    'older-than-annotation': anew,
    'older-than-webhook': anew,
    'raced-the-account': anew,
    'changed-since': anew,
  },
  judge: ({ have, want }) => {
    if (have.pod.state === 'absent') return { status: 'not-applicable', reason: 'the pod does not exist' }
    if (have.serviceAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount does not exist' }
    const one = have.pod.value
    const account = have.serviceAccount.value
    const place: Place = { workload: workloadOf(one), namespace: one.namespace }
    if (one.uid === undefined) return { status: 'not-applicable', reason: 'the pod is a manifest and not created yet' }
    const binding = bindingOf(one, account)
    if (binding === undefined)
      return {
        status: 'not-applicable',
        reason: 'no webhook injects an identity for this ServiceAccount into this pod',
      }

    const { annotation, variable, value } = binding
    const written = writtenAt(account, annotation)?.time
    const annotationPath = `metadata.annotations["${annotation}"]`
    const injected = injectedValue(one, variable)
    const evidence: Evidence[] = [
      { question: have.pod.from, path: 'metadata.creationTimestamp', observed: one.created ?? null },
      { question: have.serviceAccount.from, path: annotationPath, observed: written ?? value },
    ]
    const isLater = (time: string | undefined): boolean =>
      one.created !== undefined && time !== undefined && Date.parse(time) > Date.parse(one.created)
    if (injected.state === 'seen') {
      // The webhook of Azure hands on what it reads, and a GUID is the same in any case.
      const plain = (text: string): string => (variable === 'AZURE_CLIENT_ID' ? text.trim().toLowerCase() : text)
      const differing = injected.values.find((found) => plain(found) !== plain(value))
      if (differing === undefined) return { status: 'pass', evidence }
      const differs: Evidence = {
        question: have.pod.from,
        path: `env ${variable}`,
        observed: differing,
        expected: value,
        words: { observed: 'the pod has', expected: 'the ServiceAccount says' },
      }
      // Written before the pod was created: then somebody set the variable in the template, and a restart changes nothing.
      return written !== undefined && one.created !== undefined && !isLater(written)
        ? { status: 'pass', evidence: [...evidence, differs] }
        : {
            status: 'fail',
            message: 'changed-since',
            data: { ...place, pod: one.name, injected: differing, name: account.name, current: value },
            evidence: [...evidence, differs],
          }
    }
    if (injected.state === 'hidden')
      return {
        status: 'undecided',
        lacks: `the value of ${variable} in pod ${one.name} is not in the pod itself`,
        evidence,
      }

    // An account that was made later was certainly annotated later.
    const annotated = written ?? (isLater(account.created) ? account.created : undefined)
    if (annotated !== undefined && isLater(annotated) && one.created !== undefined)
      return {
        status: 'fail',
        message: 'older-than-annotation',
        data: { ...place, pod: one.name, podTime: one.created, name: account.name, annotationTime: annotated },
        evidence,
      }
    const webhook = want.actingWebhook.state === 'known' ? want.actingWebhook.value : undefined
    if (webhook?.created !== undefined && isLater(webhook.created) && one.created !== undefined)
      return {
        status: 'fail',
        message: 'older-than-webhook',
        data: {
          ...place,
          pod: one.name,
          podTime: one.created,
          configuration: webhook.configuration,
          webhookTime: webhook.created,
        },
        evidence: [
          ...evidence,
          { question: want.actingWebhook.from, path: 'metadata.creationTimestamp', observed: webhook.created },
        ],
      }
    const seconds =
      one.created === undefined || account.created === undefined
        ? undefined
        : (Date.parse(one.created) - Date.parse(account.created)) / 1000
    const laterOnes = want.siblingsInjected.state === 'known' && want.siblingsInjected.value
    const said =
      want.errorsOfPod.state === 'known' ? want.errorsOfPod.value.find(({ text }) => notInCache.test(text)) : undefined
    if (seconds !== undefined && seconds >= 0 && seconds <= raceSeconds && (laterOnes || said !== undefined))
      return {
        status: 'fail',
        message: 'raced-the-account',
        data: { ...place, pod: one.name, seconds },
        evidence: [
          ...evidence,
          { question: have.serviceAccount.from, path: 'metadata.creationTimestamp', observed: account.created ?? null },
          ...(said === undefined ? [] : [{ question: want.errorsOfPod.from, path: said.place, observed: said.text }]),
        ],
      }
    if (written !== undefined && webhook?.created !== undefined && one.created !== undefined)
      return { status: 'pass', evidence }
    return {
      status: 'undecided',
      lacks: `nothing was injected into pod ${one.name}, and whether it is older than its binding cannot be told without the times of both`,
      lift: sh`kubectl get sa ${account.name} -n ${account.namespace} -o yaml --show-managed-fields`,
      evidence,
    }
  },
})
