/** The metadata service of a node's machine does not answer pods. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { at, textAt } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { machine, machineRole, machinesConcern, templateMetadata } from '../../probes/eks/machines.ts'

type OnMachine = { readonly instance: string }

const show =
  "aws ec2 describe-instances --query 'Reservations[].Instances[].[InstanceId,MetadataOptions.HttpPutResponseHopLimit,MetadataOptions.HttpTokens]' --output table"
const where =
  'in the launch template of the node group (managed node groups of EKS: their own launch template; Karpenter: metadataOptions of the EC2NodeClass), and make the nodes anew'
const first =
  'Before that, give every workload that calls AWS an identity of its own; those on the host network are not affected.'

export const check = defineCheck({
  meta: {
    id: 'aws/instance-metadata-closed',
    title: "Pods cannot take the node's role from instance metadata",
    severity: 'warning',
    scope: 'node',
    cloud: 'aws',
    section: 'Nodes',
    why: "While pods reach the metadata of their machine, each of them may act as the node, and a broken identity goes unnoticed as long as the node's role can do the same.",
    fix: {
      safety: 'manual',
      does: 'Set a hop limit of 1 and required session tokens in the launch template of the nodes.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html',
      'https://github.com/aws/containers-roadmap/issues/1109',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3358',
    ],
  },
  only: { probe: machinesConcern, otherwise: 'no machine of EC2 was asked about' },
  needs: { machine },
  wants: { templateMetadata, machineRole },
  after: [],
  messages: {
    'hop-limit-open': ({ instance, hops, role }: OnMachine & { hops: number; role: string }) =>
      `instance ${instance} answers metadata over ${hops} hops, so every pod may take role ${role}`,
    'session-tokens-optional': ({ instance }: OnMachine) =>
      `instance ${instance} answers metadata without a session token (HttpTokens optional)`,
  },
  remedies: {
    'hop-limit-open': () =>
      advice(`Set HttpPutResponseHopLimit to 1 and HttpTokens to required ${where}. ${first}`, show),
    'session-tokens-optional': () =>
      advice(`Set HttpTokens to required and HttpPutResponseHopLimit to 1 ${where}. ${first}`, show),
  },
  judge: ({ have, want: { templateMetadata, machineRole } }) => {
    if (have.machine.state === 'absent') return { status: 'not-applicable', reason: 'the node is no machine of EC2' }
    const { id: instance, metadata, whole, profile } = have.machine.value
    const ofTemplate = templateMetadata.state === 'known' ? templateMetadata.value : undefined
    const options = metadata ?? ofTemplate
    const question = metadata === undefined ? templateMetadata.from : have.machine.from
    const tokens = textAt(options, 'HttpTokens')
    const hops = at(options, 'HttpPutResponseHopLimit')
    const seen = (member: string, observed: string | number, expected: string | number): Evidence => ({
      question,
      path: `MetadataOptions.${member}`,
      observed,
      ...(observed === expected ? {} : { expected }),
    })
    if (textAt(options, 'HttpEndpoint') === 'disabled')
      return { status: 'pass', evidence: [seen('HttpEndpoint', 'disabled', 'disabled')] }
    if (whole && profile === undefined) return { status: 'not-applicable', reason: 'the machine has no role' }
    const evidence: readonly Evidence[] = [
      ...(typeof hops === 'number' ? [seen('HttpPutResponseHopLimit', hops, 1)] : []),
      ...(tokens === undefined ? [] : [seen('HttpTokens', tokens, 'required')]),
    ]
    const role =
      machineRole.state === 'known'
        ? machineRole.value
        : `of instance profile ${profile?.split('/').at(-1) ?? 'PROFILE'}`
    if (typeof hops === 'number' && hops > 1)
      return { status: 'fail', message: 'hop-limit-open', data: { instance, hops, role }, evidence }
    // Without a session there is no PUT whose answer the hop limit would stop.
    if (tokens === 'optional')
      return { status: 'fail', message: 'session-tokens-optional', data: { instance }, evidence }
    if (tokens === 'required' && hops === 1) return { status: 'pass', evidence }
    return {
      status: 'undecided',
      lacks: `the metadata options of instance ${instance} were not seen`,
      lift: 'aws ec2 describe-instances > instances.json',
      evidence,
    }
  },
})
