/** A node as its cloud knows it, or not yet: its providerID, the taint that it waits with, the machine behind it. */
import { absent, defineProbe, type Fact, known, onward, type Question, type Soon } from '../../core/fact.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import { hasTaint, shutDown, uninitialized, virtualNode } from '../../domain/kubernetes-cloud-picks.ts'
import { aws, kubernetes, seen } from '../../domain/questions.ts'
import { clock } from '../cluster/clock.ts'
import { judged } from '../cluster/judged.ts'
import { type ObservedError, observedErrors } from '../cluster/observed-errors.ts'
import { declared } from './plan.ts'

export type CloudNode = {
  readonly name: string
  readonly providerId: string
  readonly waits: boolean
  readonly shutDown: boolean
  readonly created?: number
  /** Milliseconds since 1970: the newest heartbeat. */
  readonly heard?: number
  /** It was read from a manifest, to which nobody has added anything yet. */
  readonly manifest: boolean
}

const time = (text: string | undefined): number | undefined => {
  const at = Date.parse(text ?? '')
  return Number.isNaN(at) ? undefined : at
}

function read(node: Json, name: string): CloudNode {
  const beats = listAt(node, 'status', 'conditions').flatMap((one) => time(textAt(one, 'lastHeartbeatTime')) ?? [])
  const created = time(textAt(node, 'metadata', 'creationTimestamp'))
  return {
    name,
    providerId: textAt(node, 'spec', 'providerID') ?? '',
    waits: hasTaint(node, uninitialized),
    shutDown: hasTaint(node, shutDown),
    ...(created === undefined ? {} : { created }),
    ...(beats.length === 0 ? {} : { heard: Math.max(...beats) }),
    manifest: textAt(node, 'metadata', 'uid') === undefined && created === undefined,
  }
}

/** Absent where only pods on it were asked about, and for a virtual node. */
const cloudNode = defineProbe({
  id: 'cloud-provider/node',
  about: 'the node as its cloud knows it',
  scope: 'node',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<CloudNode>> => {
    const question = kubernetes.get('nodes', undefined, subject.name)
    if (subject.kind !== 'Node' || subject.whole !== true) return absent(question)
    return onward(ask(question), (answer): Fact<CloudNode> => {
      // A node of which only the machine was collected is judged by others.
      if (answer.state !== 'known' || hasTaint(answer.value, virtualNode)) return absent(question)
      return known(read(answer.value, subject.name), question)
    })
  },
})

const ours =
  /registered without the cloud taint|failed to get (?:instance metadata|provider ID) for node|cloudprovider\.kubernetes\.io\/uninitialized/
/** `This node ip-10-0-1-2 is registered without…`, `failed to get instance metadata for node ip-10-0-1-2: …`, `failed to get provider ID for node ip-10-0-1-2 at …` */
const named = /[Tt]his node ([\w.-]{1,253}) is registered|(?:metadata|provider ID) for node ([\w.-]{1,253}?):? /

/** What was said of the node; of what names none, the only one. The cluster stands in for nodes that nobody has seen. */
export const saidOfNode = defineProbe({
  id: 'cloud-provider/said-of-node',
  about: 'what the cloud controller manager says of the node',
  scope: 'node',
  needs: {},
  wants: { observedErrors, judged },
  ask: (_have, { observedErrors, judged }, { subject }): Fact<readonly ObservedError[]> => {
    const all = observedErrors.state === 'known' ? observedErrors.value.filter(({ text }) => ours.test(text)) : []
    if (all.length === 0 || judged.state !== 'known') return absent(seen.errors())
    const { byKey, alone } = judged.value
    const own = all.filter(({ text }) => {
      const [, first, second] = named.exec(text) ?? []
      const name = first ?? second
      const there = name !== undefined && byKey.has(`Node ${name}`)
      return subject.kind === 'Node' ? name === subject.name || (name === undefined && alone('node')) : !there
    })
    return own.length === 0 ? absent(seen.errors()) : known(own, seen.errors())
  },
})

/** Whether any node carries a providerID; absent where none was seen to. */
export const otherNodes = defineProbe({
  id: 'cloud-provider/other-nodes',
  about: 'whether other nodes carry a providerID',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { ask }): Soon<Fact<boolean>> => {
    const question = kubernetes.list('nodes')
    return onward(
      ask(question),
      (answer): Fact<boolean> =>
        answer.state === 'known' &&
        listAt(answer.value, 'items').some((one) => (textAt(one, 'spec', 'providerID') ?? '') !== '')
          ? known(true, question)
          : absent(question),
    )
  },
})

/** Whether the node of a cloud was asked about, or something was said of one. */
export const nodeConcerns = defineProbe({
  id: 'cloud-provider/node-concerns',
  about: 'whether a cloud is to initialise the node',
  scope: 'node',
  needs: {},
  wants: { cloudNode, saidOfNode, declared, otherNodes },
  ask: (_have, { cloudNode, saidOfNode, declared, otherNodes }): Fact<true> => {
    const node = cloudNode.state === 'known' ? cloudNode.value : undefined
    if (saidOfNode.state === 'known') return known(true, saidOfNode.from)
    const concerns =
      node !== undefined &&
      !node.manifest &&
      (node.waits ||
        node.shutDown ||
        node.providerId !== '' ||
        declared.state === 'known' ||
        otherNodes.state === 'known')
    return concerns ? known(true, cloudNode.from) : absent(cloudNode.from)
  },
})

export { cloudNode }

export type Machine = {
  readonly id: string
  readonly dns: readonly string[]
  readonly cluster?: string
  readonly tagged: boolean
  readonly from: Question
}

const machineId = /(i-[0-9a-f]{8,17})/

/** The machine that was collected for a node that waits: found by its address in the name, or the only one that no node is called after. */
export const nodesMachine = defineProbe({
  id: 'cloud-provider/machine',
  about: 'the machine behind the node',
  scope: 'node',
  needs: {},
  wants: { cloudNode, declared },
  ask: async (_have, { cloudNode, declared }, { ask }): Promise<Fact<Machine>> => {
    const question = aws.instances()
    const node = cloudNode.state === 'known' ? cloudNode.value : undefined
    const ofAws = declared.state !== 'known' || ['aws', 'external'].includes(declared.value.provider)
    // Only of a node that its cloud has not taken in does it matter why.
    if (node === undefined || !node.waits || !ofAws) return absent(question)
    const [answer, nodes] = await Promise.all([ask(question), ask(kubernetes.list('nodes'))])
    if (answer.state !== 'known') return absent(question)
    const machines = listAt(answer.value, 'Reservations').flatMap((one) => listAt(one, 'Instances'))
    const names = new Set(
      (nodes.state === 'known' ? listAt(nodes.value, 'items') : []).map((one) => textAt(one, 'metadata', 'name')),
    )
    const isNamed = (one: Json): boolean => dnsOf(one).includes(node.name)
    const own =
      machines.find(isNamed) ??
      machines.find((one) => textAt(one, 'InstanceId') === machineId.exec(node.name)?.[1]) ??
      only(machines.filter((one) => !dnsOf(one).some((dns) => names.has(dns))))
    return own === undefined ? absent(question) : known(readMachine(own, question), question)
  },
})

const only = <T>(all: readonly T[]): T | undefined => (all.length === 1 ? all[0] : undefined)

function dnsOf(machine: Json): readonly string[] {
  const dns = textAt(machine, 'PrivateDnsName') ?? ''
  const domain = dns.slice(dns.indexOf('.') + 1)
  const id = textAt(machine, 'InstanceId') ?? ''
  // With resource names the host is called after the machine: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-naming.html
  return dns === '' ? [] : [dns, `${id}.${domain}`]
}

function readMachine(machine: Json, from: Question): Machine {
  const tags = listAt(machine, 'Tags').map((tag) => [textAt(tag, 'Key') ?? '', textAt(tag, 'Value') ?? ''] as const)
  const cluster = tags.find(([key]) => key.startsWith('kubernetes.io/cluster/'))
  const named = tags.find(([key]) => /^(?:KubernetesCluster|eks:cluster-name|aws:eks:cluster-name)$/.test(key))?.[1]
  return {
    id: textAt(machine, 'InstanceId') ?? '',
    dns: dnsOf(machine),
    ...(named === undefined ? {} : { cluster: named }),
    tagged: cluster !== undefined || tags.some(([key]) => key === 'KubernetesCluster'),
    from,
  }
}

/** Milliseconds that a node has waited, at least; the clock is asked only where heartbeats do not tell. Absent where it does not wait. */
export const waited = defineProbe({
  id: 'cloud-provider/waited',
  about: 'how long the node has waited for its cloud',
  scope: 'node',
  needs: {},
  wants: { cloudNode, clock },
  ask: (_have, { cloudNode, clock }): Fact<number> => {
    if (cloudNode.state !== 'known' || !cloudNode.value.waits) return absent(cloudNode.from)
    const { created, heard } = cloudNode.value
    if (created === undefined) return absent(cloudNode.from)
    const times = [heard, clock.state === 'known' ? clock.value : undefined].flatMap((one) =>
      one === undefined ? [] : one - created,
    )
    return times.length === 0 ? absent(cloudNode.from) : known(Math.max(...times), cloudNode.from)
  },
})
