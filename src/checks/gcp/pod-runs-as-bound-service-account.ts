/** The pod runs as the ServiceAccount that is bound to a Google identity. */
import { defineCheck } from '../../core/check.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleNeighbours } from '../../probes/gcp/beside.ts'
import { evidenceOf } from '../../probes/gcp/heard.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/pod-runs-as-bound-service-account',
    title: 'The pod runs as the ServiceAccount that is bound to a Google identity',
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Workload',
    why: 'A pod that names no ServiceAccount runs as default, and whatever was bound to the one that was made for it goes unused.',
    fix: {
      safety: 'review',
      does: 'Set serviceAccountName in the pod template of the owner, which rolls the workload; never annotate or bind the ServiceAccount default.',
    },
    links: ['https://github.com/GoogleCloudPlatform/kubernetes-engine-samples/issues/10'],
  },
  only: { probe: googleNeighbours, otherwise: 'no ServiceAccount of the namespace is bound to Google' },
  needs: { googleNeighbours },
  wants: {},
  after: [],
  covers: ['workload/service-account-is-used'],
  messages: {
    'runs-as-default': say(
      'pod {pod} runs as ServiceAccount default, which no grant names; {bound} in the same namespace is the one that is annotated or bound',
    ),
    'runs-as-other': say(
      'pod {pod} runs as {actual}, which no grant names; expected {bound}, the only bound ServiceAccount of {namespace}',
    ),
  },
  remedies: {
    'runs-as-default': advise(
      'Set serviceAccountName: {bound} in the pod template of {workload}, where that is the identity that was meant for it.',
      'kubectl set serviceaccount {workload} {bound} -n {namespace}',
    ),
    'runs-as-other': advise(
      'Set serviceAccountName: {bound} in the pod template of {workload}, where that is the identity that was meant for it.',
      'kubectl set serviceaccount {workload} {bound} -n {namespace}',
    ),
  },
  judge: ({ have }) => {
    if (have.googleNeighbours.state === 'absent')
      return { status: 'not-applicable', reason: 'no ServiceAccount of the namespace is bound to Google' }
    const { pod, bound, used, complete } = have.googleNeighbours.value
    const { from } = have.googleNeighbours
    const actual = pod.serviceAccount
    const evidence = [evidenceOf(from, 'spec.serviceAccountName', actual, bound.join(' or '))]
    if (bound.includes(actual)) return { status: 'pass', evidence }
    const [only] = bound
    // Some other pod runs as the bound one, so it was not meant for this pod.
    if (used.length > 0)
      return { status: 'not-applicable', reason: 'the ServiceAccount that is bound to Google is used by another pod' }
    if (only === undefined || bound.length > 1)
      return {
        status: 'undecided',
        lacks: `which of ${bound.join(', ')} the pod was meant to run as is not written anywhere`,
        evidence,
      }
    if (!complete)
      return {
        status: 'undecided',
        lacks: 'not all pods and ServiceAccounts of the namespace were seen',
        lift: 'kubectl get pods,serviceaccounts -o yaml',
        evidence,
      }
    const data = { pod: pod.name, namespace: pod.namespace, workload: workloadOf(pod), bound: only, actual }
    return { status: 'fail', message: actual === 'default' ? 'runs-as-default' : 'runs-as-other', data, evidence }
  },
})
