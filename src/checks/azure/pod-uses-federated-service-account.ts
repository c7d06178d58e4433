/** Whether the pod runs as the ServiceAccount that was set up for it. */
import { defineCheck } from '../../core/check.ts'
import { advice, editTemplate, type Place, patchSpec } from '../../domain/advice.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { fileVariable, isSelfMade, namesClient, ownContainers, useLabel } from '../../domain/azure-pods.ts'
import { candidates } from '../../probes/azure/account.ts'
import { held } from '../../probes/azure/evidence.ts'
import { podView, toJudge } from '../../probes/azure/pods.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Data = Place & { readonly observed: string; readonly candidates: string }

const rename = (data: Data): string => {
  const [only = '', second] = data.candidates.split(', ')
  return second === undefined
    ? advice(
        `Set serviceAccountName: ${only} in ${editTemplate(data).where}, if that is the identity it should have; this makes new pods, and changes what they may do in Kubernetes too.`,
        ...patchSpec(data, { serviceAccountName: only }),
      )
    : advice(
        `Set serviceAccountName to the one of ${data.candidates} that the workload should run as, in ${editTemplate(data).where}.`,
        ...editTemplate(data).commands,
      )
}

export const check = defineCheck({
  meta: {
    id: 'azure/pod-uses-federated-service-account',
    title: 'The pod runs as the ServiceAccount that was set up for it',
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Workload',
    why: "The token that is exchanged is that of the pod's own ServiceAccount; another one in the same namespace, however well set up, plays no part.",
    fix: {
      safety: 'review',
      does: "Set serviceAccountName in the workload's pod template, where there is exactly one candidate. Never annotate the default ServiceAccount.",
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/691',
      'https://github.com/Azure/azure-workload-identity/issues/1116',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, serviceAccount, candidates },
  after: [],
  covers: ['workload/service-account-is-used'],
  messages: {
    'default-service-account': ({ workload, namespace, candidates }: Data) =>
      `${workload} sets no serviceAccountName and runs as ${namespace}/default; ${candidates} in the same namespace name an identity`,
    'other-service-account': ({ workload, observed, candidates }: Data) =>
      `${workload} runs as ServiceAccount ${observed}, which names no identity; ${candidates} in the same namespace do`,
  },
  remedies: { 'default-service-account': rename, 'other-service-account': rename },
  judge: ({ want: { podView, serviceAccount, candidates } }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const pods = (view === undefined ? [] : toJudge(view)).filter(({ labels }) => labels[useLabel] === 'true')
    const [pod] = pods
    const account = held(serviceAccount)
    const clientId = account?.annotations[azureClientAnnotation]
    const from = serviceAccount.from
    if (clientId)
      return {
        status: 'pass',
        evidence: [{ question: from, path: `metadata.annotations["${azureClientAnnotation}"]`, observed: clientId }],
      }
    if (pod === undefined)
      return view === undefined || (toJudge(view).length === 0 && !view.noPods)
        ? { status: 'undecided', lacks: 'no pod or pod template was seen' }
        : { status: 'not-applicable', reason: 'no pod asks the webhook for an identity' }
    // Of a pod that exists, what the webhook put in and what its manifest says looks alike.
    const isWritten = pod.uid === undefined && isSelfMade(pod)
    if (isWritten || pods.every((one) => ownContainers(one).some(namesClient)))
      return {
        status: 'pass',
        evidence: [
          {
            question: podView.from,
            path: `${pod.kind}/${pod.name} spec.containers[].env`,
            observed: 'AZURE_CLIENT_ID',
          },
        ],
      }
    // An injected pod without the variable shows that there was no annotation when it was made.
    const proves =
      ownContainers(pod).some(({ env }) => fileVariable in env && !('AZURE_CLIENT_ID' in env)) && pod.uid !== undefined
    const others = held(candidates) ?? []
    if (serviceAccount.state === 'unknown' && !proves)
      return { status: 'undecided', lacks: `ServiceAccount ${pod.namespace}/${pod.serviceAccount} was not seen` }
    if (others.length === 0)
      return {
        status: 'not-applicable',
        reason: 'no other ServiceAccount of the namespace was seen to name an identity',
      }
    const isDefault = pod.serviceAccount === 'default'
    return {
      status: 'fail',
      message: isDefault ? 'default-service-account' : 'other-service-account',
      data: {
        workload: workloadOf(pod),
        namespace: pod.namespace,
        observed: pod.serviceAccount,
        candidates: others.slice(0, 5).join(', '),
      },
      evidence: [
        {
          question: podView.from,
          path: `${pod.kind}/${pod.name} spec.serviceAccountName`,
          observed: pod.serviceAccount,
          expected: others.slice(0, 5),
        },
        { question: candidates.from, path: 'items[].metadata.annotations', observed: others.slice(0, 5) },
      ],
    }
  },
})
