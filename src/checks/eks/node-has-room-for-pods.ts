/** A node runs fewer pods than it admits. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { addressesFor, mostPods } from '../../domain/eks-pod-limits.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { awsNode, nodeShape, vpcCni } from '../../probes/eks/nodes.ts'
import { podsByNode, roomConcerns, roomErrors } from '../../probes/eks/pods-on-nodes.ts'

type Full = { readonly node: string; readonly pods: number; readonly maxPods: number }
type Under = { readonly node: string; readonly maxPods: number; readonly limit: number }

const ways =
  'Add nodes, use a larger instance type, or switch on prefix delegation in the VPC CNI together with a higher maxPods'
const settings = 'kubectl set env daemonset/aws-node -n kube-system --list'

export const check = defineCheck({
  meta: {
    id: 'eks/node-has-room-for-pods',
    title: 'The node has room for one more pod',
    severity: 'info',
    scope: 'node',
    cloud: 'aws',
    section: 'Nodes',
    why: 'A node admits so many pods and no more, whatever CPU and memory are left; the next one stays Pending.',
    fix: {
      safety: 'manual',
      does: 'Add nodes, use a larger instance type, or switch on prefix delegation with a higher maxPods.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html',
      'https://github.com/awslabs/amazon-eks-ami',
      'https://container.training/',
    ],
  },
  only: { probe: roomConcerns, otherwise: 'no node of AWS was asked about' },
  needs: {},
  wants: { awsNode, podsByNode, vpcCni, nodeShape, roomErrors },
  after: ['eks/max-pods-fits-the-addresses'],
  messages: {
    full: ({ node, pods, maxPods }: Full) => `node ${node} runs ${pods} of ${maxPods} pods; one more does not fit`,
    'under-the-addresses': ({ node, maxPods, limit }: Under) =>
      `node ${node} admits ${maxPods} pods; with prefix delegation on, ${limit} would fit`,
    'too-many-pods': ({ count }: { count: number }) =>
      `${count} ${count === 1 ? 'node' : 'nodes'} refused a pod: too many pods`,
  },
  remedies: {
    full: () => advice(`${ways}.`, 'kubectl get pods -A -o wide', settings),
    'under-the-addresses': ({ limit }) =>
      advice(
        `Set maxPods to ${limit} in the kubelet's configuration of the node group or launch template, and make the nodes anew.`,
        settings,
      ),
    'too-many-pods': () =>
      advice(
        `${ways}.`,
        'kubectl get nodes -o custom-columns=NAME:.metadata.name,PODS:.status.allocatable.pods',
        'kubectl get pods -A -o wide',
      ),
  },
  judge: ({ want: { awsNode, podsByNode, vpcCni, nodeShape, roomErrors } }) => {
    const errors = roomErrors.state === 'known' ? roomErrors.value : []
    const said = errors.map(ofError)
    const node = awsNode.state === 'known' ? awsNode.value : undefined
    const counted = podsByNode.state === 'known' ? podsByNode.value : undefined
    const pods = node === undefined ? 0 : (counted?.counts.get(node.name) ?? 0)
    if (node?.compute === 'fargate' && errors.length === 0)
      return { status: 'not-applicable', reason: 'Fargate makes a node for each pod' }
    const evidence: Evidence[] = []
    if (node?.maxPods !== undefined) {
      const { name, maxPods } = node
      evidence.push({ question: awsNode.from, path: 'status.allocatable.pods', observed: maxPods })
      evidence.push({ question: podsByNode.from, path: `items[spec.nodeName=${name}]`, observed: pods })
      if (pods >= maxPods)
        return {
          status: 'fail',
          message: 'full',
          data: { node: name, pods, maxPods },
          evidence: [...evidence, ...said],
        }
      const cni = vpcCni.state === 'known' && vpcCni.value.state === 'seen' ? vpcCni.value : undefined
      if (cni?.mode.prefixes === true && nodeShape.state === 'known' && nodeShape.value.nitro) {
        const limit = Math.min(mostPods(nodeShape.value), addressesFor(nodeShape.value, cni.mode))
        if (limit > maxPods)
          return {
            status: 'fail',
            message: 'under-the-addresses',
            data: { node: name, maxPods, limit },
            evidence: [
              { question: awsNode.from, path: 'status.allocatable.pods', observed: maxPods, expected: limit },
              { question: vpcCni.from, path: 'spec.template.spec.containers[aws-node].env', observed: cni.mode },
              ...said,
            ],
          }
      }
    }
    const [error] = errors
    if (error !== undefined)
      return { status: 'fail', message: 'too-many-pods', data: { count: countIn(error.text) }, evidence: said }
    if (node?.maxPods === undefined)
      return {
        status: 'undecided',
        lacks: 'how many pods the node admits was not seen',
        lift: 'kubectl get nodes -o yaml > nodes.yaml',
      }
    // A list that could not be asked for is told of as such.
    if (counted?.complete === false)
      return {
        status: 'undecided',
        lacks: 'not all pods were seen',
        lift: 'kubectl get pods -A -o yaml > pods.yaml',
        evidence,
      }
    if (vpcCni.state === 'known' && vpcCni.value.state === 'not-seen')
      return {
        status: 'undecided',
        lacks: 'the settings of the VPC CNI were not seen',
        lift: vpcCni.value.lift,
        evidence,
      }
    return { status: 'pass', evidence }
  },
})

/** `0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods.` */
const countIn = (text: string): number => Number(/(\d{1,6}) Too many pods/i.exec(text)?.[1] ?? 1)
