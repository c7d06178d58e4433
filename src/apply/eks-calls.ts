/** Writes to EKS: Pod Identity associations and access entries. */
import { type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { AwsClients } from '../sources/live/aws-clients.ts'
import { addonCalls } from './addon-calls.ts'
import type { AwsCall, Look } from './aws-writer.ts'

const text = (input: JsonObject, name: string): string => textAt(input, name) ?? ''
const to = (call: string, input: JsonObject): Change => ({ system: 'aws', call: `eks:${call}`, input })
const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })
const placeOf = (input: JsonObject) => ({
  clusterName: text(input, 'clusterName'),
  namespace: text(input, 'namespace'),
  serviceAccount: text(input, 'serviceAccount'),
})

type Bound = { readonly associationId: string; readonly roleArn: string }

/** EKS keeps at most one association for a ServiceAccount. */
async function association(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Bound | undefined> {
  const { ListPodIdentityAssociationsCommand, DescribePodIdentityAssociationCommand } = await import(
    '@aws-sdk/client-eks'
  )
  const eks = await clients.eks()
  const place = placeOf(input)
  const { associations = [] } = await eks.send(new ListPodIdentityAssociationsCommand(place), sending(signal))
  const associationId = associations[0]?.associationId
  if (associationId === undefined) return undefined
  const { clusterName } = place
  const answer = await eks.send(
    new DescribePodIdentityAssociationCommand({ clusterName, associationId }),
    sending(signal),
  )
  return { associationId, roleArn: answer.association?.roleArn ?? '' }
}

const lookAtAssociation = async (input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> => ({
  now: (await association(input, clients, signal))?.roleArn,
})

async function lookAtEntry(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> {
  const { DescribeAccessEntryCommand } = await import('@aws-sdk/client-eks')
  const eks = await clients.eks()
  const order = { clusterName: text(input, 'clusterName'), principalArn: text(input, 'principalArn') }
  try {
    const { accessEntry } = await eks.send(new DescribeAccessEntryCommand(order), sending(signal))
    return { now: entry(accessEntry?.type ?? '', accessEntry?.kubernetesGroups ?? []) }
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return { now: undefined }
    throw error
  }
}

/** EKS gives the types of nodes their groups by itself. */
const entry = (type: string, groups: readonly string[]): Json =>
  type === 'STANDARD' ? { type, groups: [...groups].sort() } : { type }
const entryOf = (input: JsonObject): Json => entry(text(input, 'type'), textsAt(input, 'kubernetesGroups'))

export const eksCalls: { readonly [call: string]: AwsCall } = {
  ...addonCalls,
  'eks:CreatePodIdentityAssociation': {
    look: lookAtAssociation,
    before: () => undefined,
    after: (input) => text(input, 'roleArn'),
    undo: (input) => to('DeletePodIdentityAssociation', input),
    write: async (input, clients, signal) => {
      const { CreatePodIdentityAssociationCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const order = { ...placeOf(input), roleArn: text(input, 'roleArn') }
      await eks.send(new CreatePodIdentityAssociationCommand(order), sending(signal))
    },
  },
  'eks:DeletePodIdentityAssociation': {
    look: lookAtAssociation,
    before: (input) => text(input, 'roleArn'),
    after: () => undefined,
    undo: (input) => to('CreatePodIdentityAssociation', input),
    write: async (input, clients, signal) => {
      const { DeletePodIdentityAssociationCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const associationId = (await association(input, clients, signal))?.associationId
      const clusterName = text(input, 'clusterName')
      await eks.send(new DeletePodIdentityAssociationCommand({ clusterName, associationId }), sending(signal))
    },
  },
  'eks:UpdatePodIdentityAssociation': {
    look: lookAtAssociation,
    before: (input) => text(input, 'from'),
    after: (input) => text(input, 'roleArn'),
    undo: (input) =>
      to('UpdatePodIdentityAssociation', { ...input, from: text(input, 'roleArn'), roleArn: text(input, 'from') }),
    write: async (input, clients, signal) => {
      const { UpdatePodIdentityAssociationCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const associationId = (await association(input, clients, signal))?.associationId
      const order = { clusterName: text(input, 'clusterName'), associationId, roleArn: text(input, 'roleArn') }
      await eks.send(new UpdatePodIdentityAssociationCommand(order), sending(signal))
    },
  },
  'eks:CreateAccessEntry': {
    look: lookAtEntry,
    before: () => undefined,
    after: entryOf,
    undo: (input) => to('DeleteAccessEntry', input),
    write: async (input, clients, signal) => {
      const { CreateAccessEntryCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const groups = textsAt(input, 'kubernetesGroups')
      const order = {
        clusterName: text(input, 'clusterName'),
        principalArn: text(input, 'principalArn'),
        type: text(input, 'type'),
        ...(groups.length === 0 ? {} : { kubernetesGroups: [...groups] }),
      }
      await eks.send(new CreateAccessEntryCommand(order), sending(signal))
    },
  },
  'eks:DeleteAccessEntry': {
    look: lookAtEntry,
    before: entryOf,
    after: () => undefined,
    undo: (input) => to('CreateAccessEntry', input),
    write: async (input, clients, signal) => {
      const { DeleteAccessEntryCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const order = { clusterName: text(input, 'clusterName'), principalArn: text(input, 'principalArn') }
      await eks.send(new DeleteAccessEntryCommand(order), sending(signal))
    },
  },
}
