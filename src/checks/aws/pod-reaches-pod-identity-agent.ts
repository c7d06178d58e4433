/** The pod reaches the Pod Identity agent at its link-local address. */
import { defineCheck } from '../../core/check.ts'
import { advice, type Place, placeOf } from '../../domain/advice.ts'
import { agentCallIn } from '../../domain/agent-answers.ts'
import { asksPodIdentityAgent } from '../../domain/aws-injection.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { errorsOfPod, saidOfPod } from '../../probes/workload/observed-errors.ts'
import { pod } from '../../probes/workload/pod.ts'

type Called = Place & { readonly address: string }

const look = ({ workload, namespace }: Place): string =>
  sh`kubectl exec ${workload} -n ${namespace} -- curl -s -m 5 -o /dev/null -w ${'%{http_code}'} http://169.254.170.23/v1/credentials`

export const check = defineCheck({
  meta: {
    id: 'aws/pod-reaches-pod-identity-agent',
    title: 'The pod reaches the Pod Identity agent at its link-local address',
    severity: 'error',
    scope: 'pod',
    cloud: 'aws',
    section: 'Pod Identity',
    why: 'SDKs fetch credentials from the agent at 169.254.170.23 on the same node; rules that shield instance metadata often cover all of 169.254.0.0/16.',
    fix: {
      safety: 'manual',
      does: 'Leave open in the firewalls of the nodes what pods need: TCP port 80 of 169.254.170.23 and fd00:ec2::23.',
    },
    links: [
      'https://github.com/aws-samples/containers-blog-maelstrom/issues/123',
      'https://github.com/aws/eks-pod-identity-agent/tree/d4dc0f3',
    ],
  },
  only: { probe: saidOfPod, otherwise: 'no call of the pod to its agent was seen' },
  needs: {},
  wants: { errorsOfPod, pod },
  after: ['aws/pod-identity-agent-running', 'workload/network-leads-to-the-token-endpoint'],
  messages: {
    'invalid-address': ({ address }: Called) =>
      `the agent refused a call to ${address}; only 169.254.170.23 and fd00:ec2::23 are answered`,
    'no-answer': ({ address, error }: Called & { error: string }) =>
      `no answer from ${address} ("${error}"): a packet filter on the node, or no agent there`,
  },
  remedies: {
    'invalid-address': (data) =>
      advice(
        `Have ${data.workload} call the agent by its own address: take what rewrites or proxies ${data.address} out of the way, and AWS_CONTAINER_CREDENTIALS_FULL_URI out of the pod template so that the webhook sets it.`,
        look(data),
      ),
    'no-answer': (data) =>
      advice(
        `See whether the agent answers from ${data.workload} now (any status is an answer, 000 is none); if not, leave TCP port 80 of 169.254.170.23 and fd00:ec2::23 open in the packet filters of its node.`,
        look(data),
      ),
  },
  judge: ({ want: { errorsOfPod, pod }, subject }) => {
    if (pod.state === 'absent') return { status: 'not-applicable', reason: 'the pod does not exist' }
    const place = placeOf(subject)
    const calls = (errorsOfPod.state === 'known' ? errorsOfPod.value : []).flatMap((error) => {
      const call = agentCallIn(error.text)
      return call === undefined ? [] : [{ ...call, error }]
    })
    const evidence = calls.map(({ error }) => ofError(error))
    const wrong = calls.find(({ outcome }) => outcome === 'refused-address')
    if (wrong !== undefined)
      return { status: 'fail', message: 'invalid-address', data: { ...place, address: wrong.address }, evidence }
    const silent = calls.find(({ outcome }) => outcome === 'no-answer')
    if (silent !== undefined)
      return {
        status: 'fail',
        message: 'no-answer',
        data: { ...place, address: silent.address, error: wordsOf(silent.error.text) },
        evidence,
      }
    if (calls.length > 0) return { status: 'pass', evidence }
    return pod.state === 'known' && asksPodIdentityAgent(pod.value)
      ? { status: 'not-applicable', reason: 'no call of the pod to its agent was seen' }
      : { status: 'not-applicable', reason: 'the pod was not seen to ask a Pod Identity agent' }
  },
})
