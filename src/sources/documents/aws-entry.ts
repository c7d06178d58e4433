/** Recognises what the aws command line prints about who enters an EKS cluster: access entries, node groups, machines, users. */
import { absent, type Fact, type Question } from '../../core/fact.ts'
import { at, isList, isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { type Document, type Recogniser, told } from './document.ts'

const instanceNames = [
  'InstanceId',
  'IamInstanceProfile',
  'PrivateDnsName',
  'InstanceType',
  'SubnetId',
  'MetadataOptions',
]

const keep = (from: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name] ?? null]])))

/** The tags that tell of which cluster a machine is; the others may hold anything. */
const clusterTags = (machine: JsonObject): readonly Json[] =>
  listAt(machine, 'Tags').filter((tag) =>
    /^(?:kubernetes\.io\/cluster\/|eks:cluster-name$)/.test(textAt(tag, 'Key') ?? ''),
  )

/** The launch template that a machine was made from stands in a tag alone. */
function templateOf(machine: JsonObject): JsonObject {
  const tag = listAt(machine, 'Tags').find((one) => textAt(one, 'Key') === 'aws:ec2launchtemplate:id')
  const LaunchTemplateId = textAt(tag, 'Value')
  return LaunchTemplateId === undefined ? {} : { LaunchTemplate: { LaunchTemplateId } }
}

const isMachine = (value: Json): boolean =>
  isObject(value) &&
  /^i-[0-9a-f]{8,17}$/.test(textAt(value, 'InstanceId') ?? '') &&
  (value.MetadataOptions !== undefined || value.PrivateDnsName !== undefined || value.SubnetId !== undefined)

/** One machine, a list of them, or a list of such lists; nothing where anything else is among them. */
function loneMachines(value: Json): readonly Json[] {
  const all = isList(value) ? value.flatMap((one) => (isList(one) ? one : [one])) : [value]
  return all.every(isMachine) ? all : []
}

/** Names that a list has and that were described, each described once. */
type Shelf = { readonly names: Set<string>; readonly described: Map<string, JsonObject>; complete: boolean }
const shelf = (): Shelf => ({ names: new Set(), described: new Map(), complete: false })

export function awsEntry(): Recogniser {
  const entries = shelf()
  const groups = shelf()
  const policies = new Map<string, JsonObject>()
  const machines: JsonObject[] = []
  let machinesSeen = false
  let machinesComplete = false
  const profiles = new Map<string, JsonObject>()
  const users: JsonObject[] = []

  const takeList = (on: Shelf, list: readonly Json[], value: JsonObject): boolean => {
    for (const one of list) if (typeof one === 'string') on.names.add(one)
    on.complete ||= value.nextToken === undefined || value.nextToken === null
    return true
  }
  const takeOne = (on: Shelf, one: JsonObject, key: string): boolean => {
    const name = textAt(one, key)
    if (name === undefined) return false
    on.names.add(name)
    on.described.set(name, one)
    return true
  }

  const takeMachines = (list: readonly Json[]): void => {
    for (const machine of list)
      if (isObject(machine))
        machines.push({ ...keep(machine, instanceNames), Tags: clusterTags(machine), ...templateOf(machine) })
    machinesSeen = true
  }

  const take = ({ value }: Document): boolean => {
    // As --query prints them, without what they stand in.
    const lone = loneMachines(value)
    if (lone.length > 0) {
      takeMachines(lone)
      return true
    }
    if (!isObject(value) || value.apiVersion !== undefined) return false
    const { accessEntry, accessEntries, nodegroup, nodegroups, Reservations, InstanceProfile, User } = value
    if (isObject(accessEntry)) return takeOne(entries, accessEntry, 'principalArn')
    if (isList(accessEntries)) return takeList(entries, accessEntries, value)
    if (isList(value.associatedAccessPolicies)) {
      const principal = textAt(value, 'principalArn')
      if (principal !== undefined) policies.set(principal, value)
      return principal !== undefined
    }
    if (isObject(nodegroup)) return takeOne(groups, nodegroup, 'nodegroupName')
    if (isList(nodegroups)) return takeList(groups, nodegroups, value)
    if (isList(Reservations)) {
      takeMachines(Reservations.flatMap((one) => listAt(one, 'Instances')))
      machinesComplete ||= value.NextToken === undefined || value.NextToken === null
      return true
    }
    if (isObject(InstanceProfile)) {
      const name = textAt(InstanceProfile, 'InstanceProfileName')
      if (name !== undefined) profiles.set(name, InstanceProfile)
      return name !== undefined
    }
    if (isObject(User) && textAt(User, 'UserName') !== undefined) {
      users.push(keep(User, ['UserName', 'Arn', 'Path', 'UserId', 'CreateDate']))
      return true
    }
    return false
  }

  const all = (on: Shelf, key: string, question: Question): Fact<Json> | undefined =>
    on.names.size === 0 && !on.complete ? undefined : told({ [key]: [...on.names], complete: on.complete }, question)

  const one = (on: Shelf, name: string | undefined, key: string, question: Question): Fact<Json> | undefined => {
    const found = on.described.get(name ?? '')
    if (found !== undefined) return told({ [key]: found }, question)
    return on.complete && !on.names.has(name ?? '') ? Object.freeze(absent(question)) : undefined
  }

  /** A machine that is not among the documents may be anywhere. */
  const some = (ids: readonly Json[], question: Question): Fact<Json> | undefined => {
    const Instances = machines.filter(({ InstanceId = '' }) => ids.includes(InstanceId))
    return Instances.length === 0 ? undefined : told({ Reservations: [{ Instances }] }, question)
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    const input = (name: string): string | undefined => textAt(question.input, name)
    switch (question.call) {
      case 'eks:ListAccessEntries':
        return all(entries, 'accessEntries', question)
      case 'eks:DescribeAccessEntry':
        return one(entries, input('principalArn'), 'accessEntry', question)
      case 'eks:ListAssociatedAccessPolicies': {
        const listed = policies.get(input('principalArn') ?? '')
        const more = listed?.nextToken
        return listed === undefined
          ? undefined
          : told({ ...listed, complete: more === undefined || more === null }, question)
      }
      case 'eks:ListNodegroups':
        return all(groups, 'nodegroups', question)
      case 'eks:DescribeNodegroup':
        return one(groups, input('nodegroupName'), 'nodegroup', question)
      case 'ec2:DescribeInstances':
        if (isList(question.input.InstanceIds)) return some(question.input.InstanceIds, question)
        return machinesSeen
          ? told({ Reservations: [{ Instances: machines }], complete: machinesComplete }, question)
          : undefined
      case 'iam:GetInstanceProfile': {
        const profile = profiles.get(input('InstanceProfileName') ?? '')
        const arn = textAt(profile, 'Arn')
        return profile === undefined || (arn !== undefined && arn.split(':')[4] !== input('account'))
          ? undefined
          : told({ InstanceProfile: profile }, question)
      }
      case 'iam:GetUser': {
        const user = users.find(
          (someone) =>
            at(someone, 'UserName') === input('UserName') &&
            (textAt(someone, 'Arn')?.split(':')[4] ?? input('account')) === input('account'),
        )
        return user === undefined ? undefined : told({ User: user }, question)
      }
      default:
        return undefined
    }
  }

  return { take, answer }
}
