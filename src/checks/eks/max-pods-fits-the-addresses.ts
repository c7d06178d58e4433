/** A node admits no more pods than its interfaces and its subnet have addresses for. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { addressesFor, everyMode, mostPods } from '../../domain/eks-pod-limits.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { nodeSubnets } from '../../probes/eks/machines.ts'
import { awsNode, nodeShape, vpcCni } from '../../probes/eks/nodes.ts'
import { addressErrors, addressesConcern } from '../../probes/eks/pods-on-nodes.ts'

type OnNode = { readonly node: string }
type Over = OnNode & {
  readonly type: string
  readonly maxPods: number
  readonly limit: number
  /** What prefix delegation would give; 0 where the machine takes no prefixes. */
  readonly prefixes: number
}

const limits = 'kubectl get nodes -o custom-columns=NAME:.metadata.name,PODS:.status.allocatable.pods'
const settings = 'kubectl set env daemonset/aws-node -n kube-system --list'
/** A prefix is 16 addresses in a row. */
const prefix = 16

const lower = ({ type, limit, prefixes }: Over): string =>
  advice(
    `Set maxPods to ${limit} for nodes of type ${type} in the kubelet's configuration of their node group or launch template, and make the nodes anew.${
      prefixes > limit ? ` With prefix delegation switched on in the VPC CNI, ${prefixes} would fit.` : ''
    }`,
    limits,
    settings,
  )

export const check = defineCheck({
  meta: {
    id: 'eks/max-pods-fits-the-addresses',
    title: 'Each node admits as many pods as its interfaces carry addresses for',
    severity: 'warning',
    scope: 'node',
    cloud: 'aws',
    section: 'Nodes',
    why: 'The VPC CNI gives every pod an address of the VPC; a node that admits more pods than it has addresses leaves the rest without a network.',
    fix: {
      safety: 'manual',
      does: 'Set the maxPods that fits, or switch on prefix delegation in the VPC CNI and make the nodes anew.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html',
      'https://github.com/aws/amazon-vpc-cni-k8s/issues/890',
      'https://github.com/aws/amazon-vpc-cni-k8s/issues/1245',
      'https://github.com/awslabs/amazon-eks-ami',
    ],
  },
  only: { probe: addressesConcern, otherwise: 'no node of AWS was asked about' },
  needs: {},
  wants: { awsNode, nodeShape, vpcCni, nodeSubnets, addressErrors },
  after: [],
  messages: {
    'subnet-exhausted': ({ subnet, free, node }: OnNode & { subnet: string; free: number }) =>
      `subnet ${subnet} has ${free} free addresses; pods on ${node} wait for one`,
    'over-the-addresses': ({ node, type, maxPods, limit }: Over) =>
      `node ${node} (${type}) admits ${maxPods} pods; its interfaces carry addresses for ${limit}`,
    'custom-networking': ({ node, type, maxPods, limit }: Over) =>
      `node ${node} (${type}) admits ${maxPods} pods; with custom networking its interfaces carry addresses for ${limit}`,
    'no-address-left': ({ node, reason }: OnNode & { reason: string }) =>
      `pods on ${node} could not get an address: ${reason}`,
  },
  remedies: {
    'subnet-exhausted': ({ subnet }) =>
      advice(
        `Free addresses in subnet ${subnet}, or give the cluster more: another CIDR range of the VPC with subnets of its own, used by new node groups or by custom networking.`,
        sh`aws ec2 describe-subnets --subnet-ids ${subnet}`,
        'kubectl get pods -A -o wide',
      ),
    'over-the-addresses': lower,
    'custom-networking': lower,
    'no-address-left': () =>
      advice(
        'Look how many addresses the VPC CNI has on the node and how many the subnet has left; lower maxPods of the nodes, switch on prefix delegation, or use a larger subnet.',
        settings,
        limits,
        'aws ec2 describe-subnets --query "Subnets[].[SubnetId,AvailabilityZone,AvailableIpAddressCount]"',
      ),
  },
  judge: ({ want: { awsNode, nodeShape, vpcCni, nodeSubnets, addressErrors }, subject }) => {
    const errors = addressErrors.state === 'known' ? addressErrors.value : []
    const said = errors.map(ofError)
    const cni = vpcCni.state === 'known' ? vpcCni.value : undefined
    const mode = cni?.state === 'seen' ? cni.mode : undefined
    const node = awsNode.state === 'known' ? awsNode.value : undefined
    const name = subject.kind === 'Node' ? subject.name : 'a node'

    const subnets = nodeSubnets.state === 'known' ? nodeSubnets.value : []
    const needed = mode?.prefixes === true ? prefix : 1
    const [empty] = subnets
    if (empty !== undefined && errors.length > 0 && subnets.every(({ free }) => free < needed))
      return {
        status: 'fail',
        message: 'subnet-exhausted',
        data: {
          subnet: subnets.map(({ id }) => id).join(' and '),
          free: Math.max(...subnets.map(({ free }) => free)),
          node: name,
        },
        evidence: [
          {
            question: nodeSubnets.from,
            path: 'Subnets[].AvailableIpAddressCount',
            observed: subnets.map(({ free }) => free),
            expected: `${needed} or more`,
          },
          ...said,
        ],
      }

    const seen: Evidence[] = []
    let undecided = 'the node was not seen'
    let lift = 'kubectl get nodes -o yaml > nodes.yaml'
    if (node !== undefined && node.compute !== 'machine' && errors.length === 0)
      return { status: 'not-applicable', reason: 'the VPC CNI does not give out the addresses of its pods' }
    // Another CNI takes addresses from elsewhere.
    if (vpcCni.state === 'absent' && errors.length === 0)
      return { status: 'not-applicable', reason: 'there is no VPC CNI (DaemonSet aws-node)' }
    if (node?.maxPods !== undefined && node.compute === 'machine' && vpcCni.state !== 'absent') {
      const { maxPods, type = '' } = node
      seen.push({ question: awsNode.from, path: 'status.allocatable.pods', observed: maxPods })
      undecided = `how many addresses an instance of type ${type} carries was not seen`
      lift = nodeShape.state === 'unknown' ? (nodeShape.lift ?? lift) : lift
      const shape = nodeShape.state === 'known' ? nodeShape.value : undefined
      if (shape !== undefined) {
        const limits = (mode === undefined ? everyMode : [mode]).map((one) => addressesFor(shape, one))
        const limit = Math.max(...limits)
        const prefixes = shape.nitro
          ? Math.min(mostPods(shape), addressesFor(shape, { prefixes: true, custom: mode?.custom === true }))
          : 0
        const evidence: readonly Evidence[] = [
          { question: awsNode.from, path: 'status.allocatable.pods', observed: maxPods, expected: `at most ${limit}` },
          ...(mode === undefined
            ? []
            : [{ question: vpcCni.from, path: 'spec.template.spec.containers[aws-node].env', observed: mode }]),
          ...said,
        ]
        if (maxPods > limit) {
          const data = { node: node.name, type, maxPods, limit, prefixes }
          return mode?.custom === true
            ? { status: 'fail', message: 'custom-networking', data, evidence }
            : { status: 'fail', message: 'over-the-addresses', data, evidence }
        }
        if (maxPods <= Math.min(...limits) && errors.length === 0) return { status: 'pass', evidence }
        undecided = 'the mode of the VPC CNI was not seen, and it decides how many addresses there are'
        lift = cni?.state === 'not-seen' ? cni.lift : lift
      }
    }
    const [error] = errors
    if (error !== undefined)
      return {
        status: 'fail',
        message: 'no-address-left',
        data: { node: name, reason: reasonIn(error.text) },
        evidence: [...said, ...seen],
      }
    return { status: 'undecided', lacks: undecided, lift, evidence: seen }
  },
})

/** The words of the CNI, without what containerd wraps around them. */
const reasonIn = (text: string): string =>
  /failed to assign an IP address to container(?:: [^"\n]{1,120})?/i.exec(text)?.[0] ?? 'no address was left'
