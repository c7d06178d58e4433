/** The nodes that were asked about, as far as they are machines of EC2, and how pods on them get their addresses. */
import { absent, defineProbe, type Fact, type Inquiry, known, onward, reading, type Soon } from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import type { CniMode, Shape } from '../../domain/eks-pod-limits.ts'
import { aws, kubernetes } from '../../domain/questions.ts'
import { readWorkload } from '../../domain/workload-objects.ts'
import { typeShapeOf } from '../../knowledge/eks-addresses.ts'
import { cluster } from '../aws/cluster.ts'

export type AwsNode = {
  readonly name: string
  /** `i-0123456789abcdef0`; left out for what is no machine. */
  readonly machine?: string
  readonly zone?: string
  readonly region: string
  readonly type?: string
  /** How many pods the kubelet admits. */
  readonly maxPods?: number
  readonly compute: 'machine' | 'fargate' | 'auto' | 'windows'
}

/** `aws:///eu-west-1a/i-0123456789abcdef0`, of Fargate `aws:///eu-west-1a/…/fargate-ip-…`. */
const providerId = /^aws:\/\/\/([a-z0-9-]+)\/(\S+)$/
/** Names that EC2 gives to machines: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-naming.html */
const machineName = /^(?:ip-[\d-]+|i-[0-9a-f]+)\.(?:ec2|([a-z0-9-]+)\.compute)\.internal$/
const regionOf = (zone: string): string => /^[a-z]{2}(?:-[a-z]+)+-\d+/.exec(zone)?.[0] ?? zone

/** Nothing where the node is not one of AWS. */
function readAwsNode(node: Json, name: string): AwsNode | undefined {
  const [, zone, rest] = providerId.exec(textAt(node, 'spec', 'providerID') ?? '') ?? []
  const label = (key: string): string | undefined => textAt(node, 'metadata', 'labels', key)
  const type = label('node.kubernetes.io/instance-type') ?? label('beta.kubernetes.io/instance-type')
  const named = machineName.exec(name)
  if (zone === undefined && (textAt(node, 'spec', 'providerID') !== undefined || named === null)) return undefined
  const pods = at(node, 'status', 'allocatable', 'pods')
  const maxPods = pods === undefined ? Number.NaN : Number(pods)
  const machine = /^i-[0-9a-f]{8,17}$/.exec(rest ?? '')?.[0]
  const compute = label('eks.amazonaws.com/compute-type')
  return {
    name,
    ...(machine === undefined ? {} : { machine }),
    ...(zone === undefined ? {} : { zone }),
    region:
      label('topology.kubernetes.io/region') ?? (zone === undefined ? (named?.[1] ?? 'us-east-1') : regionOf(zone)),
    ...(type === undefined ? {} : { type }),
    ...(Number.isInteger(maxPods) ? { maxPods } : {}),
    compute:
      compute === 'fargate' || compute === 'auto'
        ? compute
        : label('kubernetes.io/os') === 'windows'
          ? 'windows'
          : 'machine',
  }
}

/** A machine that was collected without its node: EC2 tells the node's name. */
function readMachine(answer: Json, name: string): AwsNode | undefined {
  const one = listAt(answer, 'Reservations')
    .flatMap((reservation) => listAt(reservation, 'Instances'))
    .find((instance) => textAt(instance, 'PrivateDnsName') === name)
  const machine = textAt(one, 'InstanceId')
  if (machine === undefined) return undefined
  const type = textAt(one, 'InstanceType')
  const region = machineName.exec(name)?.[1] ?? 'us-east-1'
  return { name, machine, region, compute: 'machine', ...(type === undefined ? {} : { type }) }
}

/** Absent where it is no node of AWS. */
export function nodeOf(name: string, ask: Inquiry['ask']): Soon<Fact<AwsNode>> {
  const question = kubernetes.get('nodes', undefined, name)
  return onward(ask(question), (fact): Soon<Fact<AwsNode>> => {
    if (fact.state === 'absent') return fact
    if (fact.state === 'known') {
      const node = readAwsNode(fact.value, name)
      return node === undefined ? absent(question) : known(node, question)
    }
    if (fact.why !== 'not-collected') return fact
    return onward(ask(aws.instances()), (machines): Fact<AwsNode> => {
      const node = machines.state === 'known' ? readMachine(machines.value, name) : undefined
      return node === undefined ? fact : known(node, machines.from)
    })
  })
}

/** Absent where it is no node of AWS, or only pods on it were asked about. */
export const awsNode = defineProbe({
  id: 'eks/node',
  about: 'the node: its machine, its type, how many pods it admits',
  scope: 'node',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<AwsNode>> =>
    subject.kind === 'Node' && subject.whole === true
      ? nodeOf(subject.name, ask)
      : absent(kubernetes.get('nodes', undefined, subject.name)),
})

/** Where the nodes could not be listed: absent unless the cluster is one of EKS, since the check would concern nobody else. */
export const unlistedNodes = defineProbe({
  id: 'eks/unlisted-nodes',
  about: 'the nodes of the cluster',
  scope: 'cluster',
  needs: {},
  wants: { cluster },
  ask: (_have, { cluster }, { subject, ask }): Soon<Fact<Json>> => {
    const question = kubernetes.list('nodes')
    const stands = subject.standsFor?.includes('node') === true
    return stands && cluster.state === 'known' ? ask(question) : absent(question)
  },
})

export type Cni =
  | { readonly state: 'seen'; readonly mode: CniMode }
  | { readonly state: 'not-seen'; readonly lift: string }

const isTrue = (value: string | null | undefined): boolean => value === 'true' || value === '1'

/** How the VPC CNI was told to give out addresses; absent where it is not there. Never unknown: not to have seen it is one of the answers. */
export const vpcCni = defineProbe({
  id: 'eks/vpc-cni',
  about: 'the settings of the VPC CNI (DaemonSet aws-node)',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { ask }): Soon<Fact<Cni>> => {
    const question = kubernetes.get('daemonsets', 'kube-system', 'aws-node')
    return onward(ask(question), (fact): Fact<Cni> => {
      if (fact.state === 'absent') return fact
      const lift =
        (fact.state === 'unknown' ? fact.lift : undefined) ??
        'kubectl get daemonset aws-node -n kube-system -o yaml > aws-node.yaml'
      const containers = fact.state === 'known' ? (readWorkload(fact.value)?.containers ?? []) : []
      const env = containers.find(({ name, role }) => role === 'container' && name === 'aws-node')?.env ?? {}
      const settings = ['ENABLE_PREFIX_DELEGATION', 'AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG', 'ENABLE_IPv6'].map(
        (name) => env[name],
      )
      // It never goes without variables, and one that is filled in from elsewhere does not tell.
      if (Object.keys(env).length === 0 || settings.includes(null)) return known({ state: 'not-seen', lift }, question)
      const [prefixes, custom, six] = settings
      // With IPv6 there are only prefixes: https://docs.aws.amazon.com/eks/latest/userguide/cni-ipv6.html
      return known(
        { state: 'seen', mode: { prefixes: isTrue(prefixes) || isTrue(six), custom: isTrue(custom) && !isTrue(six) } },
        question,
      )
    })
  },
})

const shapeIn = (answer: Json, type: string): Shape | undefined => {
  const one = listAt(answer, 'InstanceTypes').find((item) => textAt(item, 'InstanceType') === type)
  const interfaces =
    at(listAt(one, 'NetworkInfo', 'NetworkCards')[0], 'MaximumNetworkInterfaces') ??
    at(one, 'NetworkInfo', 'MaximumNetworkInterfaces')
  const addresses = at(one, 'NetworkInfo', 'Ipv4AddressesPerInterface')
  const vcpus = at(one, 'VCpuInfo', 'DefaultVCpus')
  if (typeof interfaces !== 'number' || typeof addresses !== 'number' || typeof vcpus !== 'number') return undefined
  const nitro = textAt(one, 'Hypervisor') === 'nitro' || at(one, 'BareMetal') === true
  return { interfaces, addresses, vcpus, nitro }
}

/** EC2 is asked only about a type that is newer than this program. */
export const nodeShape = defineProbe({
  id: 'eks/node-shape',
  about: 'the interfaces and addresses of the instance type',
  scope: 'node',
  needs: {},
  wants: { awsNode },
  ask: (_have, { awsNode }, { ask }): Soon<Fact<Shape>> => {
    if (awsNode.state !== 'known' || awsNode.value.type === undefined || awsNode.value.compute !== 'machine')
      return absent(aws.instanceType('', ''))
    const { type, region } = awsNode.value
    const own = typeShapeOf(type)
    if (own !== undefined) return known(own, awsNode.from)
    return onward(ask(aws.instanceType(region, type)), (fact) => reading(fact, (answer) => shapeIn(answer, type)))
  },
})
