/** The Pod Identity agent runs on the pod's node. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import {
  agentDaemonSet,
  agentErrors,
  agentPods,
  agentUsers,
  type Compute,
  compute,
} from '../../probes/aws/pod-identity-agent.ts'

type OnNode = { readonly node: string }
const listAgents = 'kubectl get pods -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent -o wide'

/** https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html#pod-id-restrictions */
const withoutAgent: { readonly [compute in Compute]?: string } = {
  fargate: 'Fargate',
  windows: 'a Windows node',
  elsewhere: 'a node outside EKS',
}

export const check = defineCheck({
  meta: {
    id: 'aws/pod-identity-agent-running',
    title: "The Pod Identity agent runs on the pod's node",
    severity: 'error',
    scope: 'node',
    cloud: 'aws',
    section: 'Pod Identity',
    why: 'Pods with EKS Pod Identity ask an agent on their own node for credentials; where none runs, nobody answers.',
    fix: {
      safety: 'review',
      does: 'Install the add-on eks-pod-identity-agent, or have it listen on IPv4 only; move workloads away from compute that has no agent.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html',
      'https://github.com/aws/eks-pod-identity-agent/issues/16',
      'https://github.com/aws/eks-pod-identity-agent/issues/26',
      'https://github.com/aws/containers-roadmap/issues/2274',
    ],
  },
  needs: {},
  wants: { agentUsers, compute, agentDaemonSet, agentPods, agentErrors },
  after: [],
  messages: {
    'compute-unsupported': ({ node, compute }: OnNode & { compute: string }) =>
      `${node} is ${compute}, where there is no Pod Identity agent; IRSA works there`,
    'ipv6-disabled': (_: OnNode) => 'the agent cannot listen on [fd00:ec2::23]:80: IPv6 is switched off on its node',
    'port-taken': ({ node, address, error }: OnNode & { address: string; error: string }) =>
      `the agent on ${node} cannot listen on ${address}: ${error}`,
    'not-installed': ({ cluster }: OnNode & { cluster: string }) =>
      `cluster ${cluster} has no DaemonSet eks-pod-identity-agent`,
    'not-ready': ({ node, reason }: OnNode & { reason: string }) => `the agent on ${node} is not ready: ${reason}`,
  },
  remedies: {
    'compute-unsupported': ({ node }) =>
      advice(
        `Bind the workloads on ${node} by IRSA (an annotation with the role on the ServiceAccount, and a trust policy for the cluster's OIDC provider), or let them run on Linux nodes of EC2.`,
      ),
    'ipv6-disabled': () =>
      advice(
        'Have the agent listen on IPv4 only, or switch IPv6 on again on the nodes. CLUSTER is the name of the EKS cluster.',
        sh`aws eks update-addon --cluster-name CLUSTER --addon-name eks-pod-identity-agent --configuration-values ${'{"agent":{"additionalArgs":{"-b":"169.254.170.23"}}}'}`,
      ),
    'port-taken': ({ node, address }) =>
      advice(
        `Find what else listens on ${address} on ${node} (another agent for credentials, or a pod on the host network) and move it away; the agent then starts by itself.`,
        'kubectl get pods -A -o wide',
      ),
    'not-installed': ({ cluster }) =>
      advice(
        `Install the add-on in cluster ${cluster}.`,
        sh`aws eks create-addon --cluster-name ${cluster} --addon-name eks-pod-identity-agent`,
      ),
    'not-ready': ({ node }) =>
      advice(
        `Look into the pod of the agent on ${node}: its events and its log say what keeps it.`,
        listAgents,
        'kubectl logs -n kube-system -l app.kubernetes.io/name=eks-pod-identity-agent',
      ),
  },
  judge: ({ want: { agentUsers, compute, agentDaemonSet, agentPods, agentErrors }, subject }) => {
    const node = subject.kind === 'Node' ? subject.name : 'its node'
    const errors = agentErrors.state === 'known' ? agentErrors.value : []
    const evidence: readonly Evidence[] = [
      ...(compute.state === 'known'
        ? [{ question: compute.from, path: 'metadata.labels', observed: compute.value }]
        : []),
      ...(agentDaemonSet.state === 'known'
        ? [
            {
              question: agentDaemonSet.from,
              path: 'items',
              observed: agentDaemonSet.value.items.map(({ name }) => name),
            },
          ]
        : []),
      ...errors.map(ofError),
    ]
    const unsupported = compute.state === 'known' ? withoutAgent[compute.value] : undefined
    if (unsupported !== undefined)
      return { status: 'fail', message: 'compute-unsupported', data: { node, compute: unsupported }, evidence }
    if (errors.some(({ text }) => /cannot assign requested address/.test(text)))
      return { status: 'fail', message: 'ipv6-disabled', data: { node }, evidence }
    const taken = errors.find(({ text }) => /address already in use/.test(text))
    if (taken !== undefined)
      return {
        status: 'fail',
        message: 'port-taken',
        data: {
          node,
          address: /\[fd00:ec2::23\]:80/.test(taken.text) ? '[fd00:ec2::23]:80' : '169.254.170.23:80',
          error: wordsOf(taken.text),
        },
        evidence,
      }
    if (agentUsers.state !== 'known')
      return { status: 'not-applicable', reason: 'no pod was seen that asks a Pod Identity agent' }
    // Built into the nodes of Auto Mode.
    if (compute.state === 'known' && compute.value === 'auto') return { status: 'pass', evidence }
    if (agentDaemonSet.state !== 'known') return { status: 'pass', evidence }
    const [agent] = agentDaemonSet.value.items
    if (agent === undefined) {
      // A node of Auto Mode needs none, so what the node is has to be known.
      if (!agentDaemonSet.value.complete || compute.state !== 'known')
        return {
          status: 'undecided',
          lacks: 'not all DaemonSets of kube-system, or not the labels of the node, were seen',
          lift: 'kubectl get daemonsets,pods -n kube-system -o yaml',
          evidence,
        }
      return { status: 'fail', message: 'not-installed', data: { node, cluster: agentUsers.value.cluster }, evidence }
    }
    const desired = agent.desired ?? 0
    if (desired > 0 && agent.ready === 0)
      return {
        status: 'fail',
        message: 'not-ready',
        data: { node, reason: `none of its ${desired} pods is ready` },
        evidence,
      }
    const pods = agentPods.state === 'known' ? agentPods.value : undefined
    const stuck = pods?.items.find(({ phase }) => phase !== undefined && phase !== 'Running')
    if (stuck !== undefined && pods?.items.every(({ phase }) => phase !== 'Running') === true)
      return {
        status: 'fail',
        message: 'not-ready',
        data: { node, reason: `its pod ${stuck.name} is ${stuck.phase ?? 'not there'}` },
        evidence,
      }
    if (pods?.complete === true && pods.items.length === 0 && compute.state === 'known')
      return {
        status: 'fail',
        message: 'not-ready',
        data: { node, reason: `no pod of DaemonSet ${agent.name} is there` },
        evidence,
      }
    if (agent.desired === undefined || agent.ready === undefined || agent.ready < agent.desired)
      return {
        status: 'undecided',
        lacks: `whether the pod of DaemonSet ${agent.name} on ${node} is ready was not seen`,
        lift: 'kubectl get daemonset eks-pod-identity-agent -n kube-system -o yaml',
        evidence,
      }
    return { status: 'pass', evidence }
  },
})
