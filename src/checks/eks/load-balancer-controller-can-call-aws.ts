/** Whether the AWS Load Balancer Controller has a role of its own, and need not ask the node where it is. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { controller, hopLimit } from '../../probes/eks/controller.ts'

type Account = { readonly namespace: string; readonly name: string }
type Place = { readonly namespace: string; readonly workload: string; readonly limit: number }

export const check = defineCheck({
  meta: {
    id: 'eks/load-balancer-controller-can-call-aws',
    title: 'The AWS Load Balancer Controller has a role of its own and knows its VPC',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Load balancers',
    why: 'Without a role it falls back on that of its node, and without its VPC it asks instance metadata, which pods mostly cannot reach.',
    fix: {
      safety: 'review',
      does: 'Give its ServiceAccount a role, and set region and vpcId in its arguments or Helm values; the hop limit of the nodes stays as it is.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/lbc-helm.html',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1935',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2627',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3358',
    ],
  },
  only: { probe: controller, otherwise: 'it is not the ServiceAccount of the AWS Load Balancer Controller' },
  needs: { controller },
  wants: { roleReference, hopLimit },
  after: [],
  // The same cause, said of a workload of which nothing else is known.
  covers: ['aws/service-account-names-role'],
  messages: {
    'no-role': ({ namespace, name, role }: Account & { role: string }) =>
      `ServiceAccount ${namespace}/${name} has no role: the controller acts as node role ${role} or not at all`,
    'vpc-from-metadata': ({ limit }: Place) =>
      `the controller asks instance metadata for its VPC, which the hop limit ${limit} keeps from pods; set region and vpcId`,
  },
  remedies: {
    'no-role': ({ namespace, name }) =>
      advice(
        'Make a role with the policy of the controller that trusts this ServiceAccount, name it there, and restart the controller; do not add the policy to the role of the nodes.',
        sh`kubectl annotate serviceaccount/${name} -n ${namespace} eks.amazonaws.com/role-arn=ROLE_ARN`,
        sh`kubectl rollout restart deployment -n ${namespace} aws-load-balancer-controller`,
      ),
    'vpc-from-metadata': ({ namespace, workload }) =>
      advice(
        'Set --aws-region and --aws-vpc-id in its arguments (region and vpcId of the Helm chart); the first command prints the VPC. Leave the hop limit as it is: it keeps pods from the credentials of the node.',
        'aws eks describe-cluster --name CLUSTER --query cluster.resourcesVpcConfig.vpcId',
        sh`kubectl edit ${workload} -n ${namespace}`,
      ),
  },
  judge: ({ have, want, subject }) => {
    if (have.controller.state === 'absent')
      return { status: 'not-applicable', reason: 'it is not the ServiceAccount of the AWS Load Balancer Controller' }
    const { value, from } = have.controller
    const seen: Evidence = { question: from, path: 'spec.template.spec', observed: value.workload }
    if (want.roleReference.state === 'absent' && !value.keys) {
      const data = { namespace: value.namespace, name: subject.name, role: '(not collected)' }
      const none: Evidence = { question: want.roleReference.from, path: 'role', observed: null }
      return { status: 'fail', message: 'no-role', data, evidence: [seen, none] }
    }
    if (want.hopLimit.state === 'known' && want.hopLimit.value < 2) {
      const limit = want.hopLimit.value
      const hops = { question: want.hopLimit.from, path: 'MetadataOptions.HttpPutResponseHopLimit', observed: limit }
      const data = { namespace: value.namespace, workload: value.workload, limit }
      return { status: 'fail', message: 'vpc-from-metadata', data, evidence: [seen, hops] }
    }
    return { status: 'pass', evidence: [seen] }
  },
})
