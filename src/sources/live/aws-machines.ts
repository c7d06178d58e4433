/** The machines of nodes as EC2 tells of them: their metadata options, their subnets, what their types carry. */
import { type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt, textsAt } from '../../core/json.ts'
import { unseen } from './aws-answers.ts'
import type { AwsClients } from './aws-clients.ts'

type Asking = (question: Question, signal?: AbortSignal) => Promise<Fact<Json>>

const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })
const printed = (value: object): Json => JSON.parse(JSON.stringify(value))
const regionOf = (question: Question): string => textAt(question.input, 'region') ?? ''

/** A filter passes over what is not there, where a list of ids would be refused as a whole. */
const machines =
  (clients: AwsClients): Asking =>
  async (question, signal) => {
    const ids = textsAt(question.input, 'InstanceIds')
    if (ids.length === 0)
      return unknown(
        'not-collected',
        'machines are asked about by the ids that nodes have, never all of an account',
        question,
        'aws ec2 describe-instances as a document with -f',
      )
    try {
      const { DescribeInstancesCommand } = await import('@aws-sdk/client-ec2')
      const ec2 = await clients.ec2(regionOf(question))
      const Reservations: Json[] = []
      let NextToken: string | undefined
      do {
        const answer = await ec2.send(
          new DescribeInstancesCommand({
            Filters: [{ Name: 'instance-id', Values: [...ids] }],
            MaxResults: 1000,
            NextToken,
          }),
          sending(signal),
        )
        for (const { Instances = [] } of answer.Reservations ?? []) {
          const shown = Instances.map(
            ({ InstanceId, InstanceType, PrivateDnsName, SubnetId, IamInstanceProfile, MetadataOptions }) => ({
              InstanceId,
              InstanceType,
              PrivateDnsName,
              SubnetId,
              IamInstanceProfile,
              MetadataOptions,
            }),
          )
          Reservations.push(printed({ Instances: shown }))
        }
        NextToken = answer.NextToken
      } while (NextToken !== undefined && NextToken !== '' && Reservations.length < ids.length)
      return known({ Reservations }, question)
    } catch (error) {
      return unseen(error, question)
    }
  }

const subnets =
  (clients: AwsClients): Asking =>
  async (question, signal) => {
    const id = textAt(question.input, 'SubnetId')
    if (id === undefined)
      return unknown(
        'not-collected',
        'the subnet of the node is not known',
        question,
        'aws ec2 describe-subnets as a document with -f',
      )
    try {
      const { DescribeSubnetsCommand } = await import('@aws-sdk/client-ec2')
      const ec2 = await clients.ec2(regionOf(question))
      const { Subnets = [] } = await ec2.send(
        new DescribeSubnetsCommand({ Filters: [{ Name: 'subnet-id', Values: [id] }] }),
        sending(signal),
      )
      const shown = Subnets.map(({ SubnetId, AvailabilityZone, AvailableIpAddressCount, CidrBlock, VpcId }) => ({
        SubnetId,
        AvailabilityZone,
        AvailableIpAddressCount,
        CidrBlock,
        VpcId,
      }))
      return known({ Subnets: printed(shown) }, question)
    } catch (error) {
      return unseen(error, question)
    }
  }

const types =
  (clients: AwsClients): Asking =>
  async (question, signal) => {
    try {
      const { DescribeInstanceTypesCommand } = await import('@aws-sdk/client-ec2')
      const ec2 = await clients.ec2(regionOf(question))
      const { InstanceTypes = [] } = await ec2.send(
        new DescribeInstanceTypesCommand({
          Filters: [{ Name: 'instance-type', Values: [textAt(question.input, 'InstanceType') ?? ''] }],
        }),
        sending(signal),
      )
      const shown = InstanceTypes.map(({ InstanceType, Hypervisor, BareMetal, VCpuInfo, NetworkInfo }) => ({
        InstanceType,
        Hypervisor,
        BareMetal,
        VCpuInfo,
        NetworkInfo,
      }))
      return known({ InstanceTypes: printed(shown) }, question)
    } catch (error) {
      return unseen(error, question)
    }
  }

export const machineCalls = (clients: AwsClients): { readonly [call: string]: Asking } => ({
  'ec2:DescribeInstances': machines(clients),
  'ec2:DescribeSubnets': subnets(clients),
  'ec2:DescribeInstanceTypes': types(clients),
})
