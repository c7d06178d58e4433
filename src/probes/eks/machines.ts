/** The machines of EC2 that nodes run on, and the subnets that pods on them get their addresses from. */
import { absent, defineProbe, type Fact, known, onward, type Soon, type Unknown, unknown } from '../../core/fact.ts'
import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { aws } from '../../domain/questions.ts'
import { awsNode, nodeOf, unlistedNodes, vpcCni } from './nodes.ts'
import { addressErrors } from './pods-on-nodes.ts'

const lift = 'aws ec2 describe-instances > instances.json, with credentials of the account and region of the node'

const machinesIn = (answer: Json): readonly JsonObject[] =>
  listAt(answer, 'Reservations')
    .flatMap((one) => listAt(one, 'Instances'))
    .filter(isObject)

/** How many are asked about at once. */
const most = 200

type Machines = {
  readonly found: ReadonlyMap<string, JsonObject>
  readonly unseen: ReadonlyMap<string, Unknown>
}

/** A few questions for all nodes that were asked about, however many there are. */
const machines = defineProbe({
  id: 'eks/machines',
  about: 'the machines of the nodes',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, { subjects, ask }): Promise<Fact<Machines>> => {
    const nodes = await Promise.all(
      subjects
        .filter(({ kind, whole }) => kind === 'Node' && whole === true)
        .map(async ({ name }) => {
          const fact = await nodeOf(name, ask)
          return fact.state === 'known' ? fact.value : undefined
        }),
    )
    const byRegion = new Map<string, string[]>()
    for (const node of nodes) {
      if (node?.machine === undefined) continue
      const ids = byRegion.get(node.region) ?? []
      ids.push(node.machine)
      byRegion.set(node.region, ids)
    }
    const questions = [...byRegion].flatMap(([region, ids]) =>
      Array.from({ length: Math.ceil(ids.length / most) }, (_, batch) =>
        aws.machines(region, ids.slice(batch * most, (batch + 1) * most)),
      ),
    )
    const found = new Map<string, JsonObject>()
    const unseen = new Map<string, Unknown>()
    await Promise.all(
      questions.map(async (question) => {
        const answer = await ask(question)
        if (answer.state === 'known')
          for (const one of machinesIn(answer.value)) found.set(textAt(one, 'InstanceId') ?? '', one)
        else if (answer.state === 'unknown')
          for (const id of listAt(question.input.InstanceIds ?? null))
            if (typeof id === 'string') unseen.set(id, answer)
      }),
    )
    return known({ found, unseen }, aws.instances())
  },
})

export type Machine = {
  readonly id: string
  readonly region: string
  readonly subnet?: string
  /** ARN of the instance profile: without one there is no role to take. */
  readonly profile?: string
  readonly template?: string
  readonly metadata?: JsonObject
  /** The account would show a profile, had the machine one. */
  readonly whole: boolean
}

/** Absent for what is no machine; a machine that EC2 does not show is in another account or region, hence unknown. */
export const machine = defineProbe({
  id: 'eks/machine',
  about: 'the machine of the node',
  scope: 'node',
  needs: {},
  wants: { awsNode, machines },
  ask: (_have, { awsNode, machines }): Fact<Machine> => {
    const question = aws.instances()
    if (awsNode.state !== 'known' || machines.state !== 'known') return absent(question)
    const { machine: id, region, compute } = awsNode.value
    if (compute === 'fargate' || compute === 'auto') return absent(question)
    if (id === undefined) return unknown('malformed', 'the node does not say which machine it is', question, lift)
    const one = machines.value.found.get(id)
    if (one === undefined)
      return (
        machines.value.unseen.get(id) ??
        unknown('not-collected', `EC2 does not show machine ${id} to these credentials`, question, lift)
      )
    const subnet = textAt(one, 'SubnetId')
    const profile = textAt(one, 'IamInstanceProfile', 'Arn')
    const template = textAt(one, 'LaunchTemplate', 'LaunchTemplateId')
    const metadata = at(one, 'MetadataOptions')
    return known(
      {
        id,
        region,
        whole: metadata !== undefined && subnet !== undefined,
        ...(subnet === undefined ? {} : { subnet }),
        ...(profile === undefined ? {} : { profile }),
        ...(template === undefined ? {} : { template }),
        ...(isObject(metadata) ? { metadata } : {}),
      },
      aws.machines(region, [id]),
    )
  },
})

/** What the launch template says of the metadata of its machines; looked for only where the machine itself was shown without. */
export const templateMetadata = defineProbe({
  id: 'eks/template-metadata',
  about: 'the metadata options of the launch template',
  scope: 'node',
  needs: {},
  wants: { machine },
  ask: (_have, { machine }, { ask }): Soon<Fact<JsonObject>> => {
    const question = aws.launchTemplate('', '')
    if (machine.state !== 'known' || machine.value.metadata !== undefined) return absent(question)
    const { region, template } = machine.value
    if (template === undefined) return absent(question)
    return onward(ask(aws.launchTemplate(region, template)), (fact): Fact<JsonObject> => {
      if (fact.state !== 'known') return fact
      const versions = listAt(fact.value, 'LaunchTemplateVersions')
      // Which version the machine was made from was not shown; only where all say the same is that its own.
      const options = versions.map((one) => at(one, 'LaunchTemplateData', 'MetadataOptions'))
      const [first] = options
      const same = options.every((one) => JSON.stringify(one) === JSON.stringify(first))
      return isObject(first) && same
        ? known(first, fact.from)
        : unknown(
            'malformed',
            'the launch template does not tell which metadata options the machine has',
            fact.from,
            lift,
          )
    })
  },
})

export type Subnet = { readonly id: string; readonly free: number }

/** Of a node whose pods wait for an address: the subnets that they could get one from; absent where nothing was said. */
export const nodeSubnets = defineProbe({
  id: 'eks/node-subnets',
  about: 'the free addresses of the subnets of the node',
  scope: 'node',
  needs: {},
  wants: { awsNode, addressErrors, vpcCni },
  ask: async (_have, { awsNode, addressErrors, vpcCni }, { ask }): Promise<Fact<readonly Subnet[]>> => {
    const none = aws.subnets('')
    if (awsNode.state !== 'known' || addressErrors.state !== 'known') return absent(none)
    const { machine: id, region, zone } = awsNode.value
    const custom = vpcCni.state === 'known' && vpcCni.value.state === 'seen' && vpcCni.value.mode.custom
    const answer = id === undefined ? undefined : await ask(aws.machines(region, [id]))
    const own =
      answer?.state === 'known'
        ? textAt(machinesIn(answer.value).find((one) => textAt(one, 'InstanceId') === id) ?? null, 'SubnetId')
        : undefined
    // With custom networking pods live in other subnets than their node; those of its zone are all that is known of them.
    const question = own === undefined || custom ? aws.subnets(region) : aws.subnets(region, own)
    const fact = await ask(question)
    if (fact.state !== 'known') return fact
    const fits = listAt(fact.value, 'Subnets').filter((one) =>
      own === undefined || custom ? textAt(one, 'AvailabilityZone') === zone : textAt(one, 'SubnetId') === own,
    )
    const subnets = fits.flatMap((one) => {
      const name = textAt(one, 'SubnetId')
      const free = at(one, 'AvailableIpAddressCount')
      return name === undefined || typeof free !== 'number' ? [] : { id: name, free }
    })
    return subnets.length === 0
      ? unknown(
          'not-collected',
          'the subnet of the node was not seen',
          question,
          'aws ec2 describe-subnets > subnets.json',
        )
      : known(subnets, question)
  },
})

/** Whether there is a machine to speak of. */
export const machinesConcern = defineProbe({
  id: 'eks/machines-concern',
  about: 'whether the node is one of AWS',
  scope: 'node',
  needs: {},
  wants: { awsNode, unlistedNodes },
  ask: (_have, { awsNode, unlistedNodes }, { subject }): Fact<true> => {
    if (subject.kind === 'Cluster' && unlistedNodes.state === 'unknown') return unlistedNodes
    return awsNode.state === 'known' ? known(true, awsNode.from) : awsNode
  },
})

/** The role that the machine has, by its instance profile. Never unknown: the name of the profile says as much. */
export const machineRole = defineProbe({
  id: 'eks/machine-role',
  about: 'the role of the machine',
  scope: 'node',
  needs: {},
  wants: { machine },
  ask: (_have, { machine }, { ask }): Soon<Fact<string>> => {
    const question = aws.instanceProfile('', '')
    const [, account, name] =
      machine.state === 'known'
        ? (/^arn:[^:]*:iam::(\d{12}):instance-profile\/(?:.*\/)?([^/]+)$/.exec(machine.value.profile ?? '') ?? [])
        : []
    if (account === undefined || name === undefined) return absent(question)
    return onward(ask(aws.instanceProfile(account, name)), (fact): Fact<string> => {
      const profile = fact.state === 'known' ? at(fact.value, 'InstanceProfile') : undefined
      const role = textAt(profile, 'Roles', 0, 'RoleName') ?? textAt(profile, 'Roles', 0, 'Arn')?.split('/').at(-1)
      return role === undefined ? absent(fact.from) : known(role, fact.from)
    })
  },
})
