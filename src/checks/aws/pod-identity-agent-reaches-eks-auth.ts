/** The Pod Identity agent may and can call EKS Auth. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { eksAuthCallIn } from '../../domain/agent-answers.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { agentUsers, eksAuthErrors } from '../../probes/aws/pod-identity-agent.ts'

const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'eks-auth:AssumeRoleForPodIdentity', Resource: '*' }],
})

export const check = defineCheck({
  meta: {
    id: 'aws/pod-identity-agent-reaches-eks-auth',
    title: 'The Pod Identity agent may and can call EKS Auth',
    severity: 'error',
    scope: 'node',
    cloud: 'aws',
    section: 'Pod Identity',
    why: 'The agent fetches the credentials of pods from EKS with the role of its node, and waits one second for the answer.',
    fix: {
      safety: 'review',
      does: 'Attach a policy with the one action to the role of the node; open the way to EKS Auth by an interface endpoint or NAT.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html',
      'https://github.com/aws/secrets-store-csi-driver-provider-aws/issues/465',
      'https://github.com/aws/eks-pod-identity-agent/tree/d4dc0f3',
    ],
  },
  needs: {},
  wants: { eksAuthErrors, agentUsers },
  after: ['aws/pod-identity-agent-running'],
  messages: {
    'node-role-not-allowed': ({ role }: { role: string }) =>
      `node role ${role} does not allow eks-auth:AssumeRoleForPodIdentity`,
    'eks-auth-unreachable': ({ host, error }: { host: string; error: string }) =>
      `the agent gets no answer from ${host} ("${error}")`,
  },
  remedies: {
    'node-role-not-allowed': ({ role }) =>
      advice(
        `Allow role ${role} the one action that the agent needs (AmazonEKSWorkerNodePolicy contains it too).`,
        sh`aws iam put-role-policy --role-name ${role} --policy-name eks-pod-identity-agent --policy-document ${policy}`,
      ),
    'eks-auth-unreachable': ({ host }) =>
      advice(
        `Open the way from the nodes to TCP port 443 of ${host}: NAT, or an interface endpoint for com.amazonaws.REGION.eks-auth with private DNS; proxy variables of the agent count as well.`,
        sh`aws ec2 describe-vpc-endpoints --filters ${'Name=service-name,Values=*.eks-auth'}`,
      ),
  },
  judge: ({ want: { eksAuthErrors, agentUsers } }) => {
    const calls = (eksAuthErrors.state === 'known' ? eksAuthErrors.value : []).flatMap((error) => {
      const call = eksAuthCallIn(error.text)
      return call === undefined ? [] : [{ call, error }]
    })
    const evidence = calls.map(({ error }) => ofError(error))
    for (const { call } of calls)
      if (call.outcome === 'not-allowed')
        return { status: 'fail', message: 'node-role-not-allowed', data: { role: call.role }, evidence }
    for (const { call, error } of calls)
      if (call.outcome === 'no-answer')
        return {
          status: 'fail',
          message: 'eks-auth-unreachable',
          data: { host: call.host, error: wordsOf(error.text) },
          evidence,
        }
    if (calls.length > 0) return { status: 'pass', evidence }
    return agentUsers.state === 'known'
      ? { status: 'not-applicable', reason: 'no call of the agent to EKS was seen' }
      : { status: 'not-applicable', reason: 'no pod was seen that asks a Pod Identity agent' }
  },
})
