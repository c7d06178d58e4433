/** Recognises what the aws command line prints about what machines are made of: launch templates, subnets, instance types. */
import type { Fact, Question } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { type Document, type Recogniser, told } from './document.ts'

const keep = (from: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name] ?? null]])))

/** Of a template only what it says of metadata: its user data may hold anything. */
function version(one: JsonObject): JsonObject {
  const data = one.LaunchTemplateData
  return {
    ...keep(one, ['LaunchTemplateId', 'VersionNumber', 'DefaultVersion']),
    LaunchTemplateData: isObject(data) ? keep(data, ['MetadataOptions']) : {},
  }
}

export function awsMachines(): Recogniser {
  const templates: JsonObject[] = []
  const subnets: JsonObject[] = []
  const types: JsonObject[] = []

  const take = ({ value }: Document): boolean => {
    if (!isObject(value) || value.apiVersion !== undefined) return false
    const { LaunchTemplateVersions, Subnets, InstanceTypes } = value
    if (isList(LaunchTemplateVersions)) templates.push(...LaunchTemplateVersions.filter(isObject).map(version))
    if (isList(Subnets))
      subnets.push(
        ...Subnets.filter(isObject).map((one) =>
          keep(one, ['SubnetId', 'AvailabilityZone', 'AvailableIpAddressCount', 'CidrBlock', 'VpcId']),
        ),
      )
    if (isList(InstanceTypes))
      types.push(
        ...InstanceTypes.filter(isObject).map((one) =>
          keep(one, ['InstanceType', 'Hypervisor', 'BareMetal', 'VCpuInfo', 'NetworkInfo']),
        ),
      )
    return isList(LaunchTemplateVersions) || isList(Subnets) || isList(InstanceTypes)
  }

  /** Those of this name; what was not collected may still be there. */
  const some = (
    key: string,
    all: readonly JsonObject[],
    member: string,
    name: string | undefined,
    question: Question,
  ): Fact<Json> | undefined => {
    const found = all.filter((one) => name === undefined || textAt(one, member) === name)
    return found.length === 0 ? undefined : told({ [key]: found }, question)
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    const input = (name: string): string | undefined => textAt(question.input, name)
    switch (question.call) {
      case 'ec2:DescribeLaunchTemplateVersions':
        return some('LaunchTemplateVersions', templates, 'LaunchTemplateId', input('LaunchTemplateId'), question)
      case 'ec2:DescribeSubnets':
        return some('Subnets', subnets, 'SubnetId', input('SubnetId'), question)
      case 'ec2:DescribeInstanceTypes':
        return some('InstanceTypes', types, 'InstanceType', input('InstanceType'), question)
      default:
        return undefined
    }
  }

  return { take, answer }
}
