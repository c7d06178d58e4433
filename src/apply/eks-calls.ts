/** Writes to EKS: Pod Identity associations, and with them all others. */
import { type JsonObject, textAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { AwsClients } from '../sources/live/aws-clients.ts'
import { addonCalls } from './addon-calls.ts'
import type { AwsCall, Look } from './aws-writer.ts'
import { entryCalls } from './entry-calls.ts'

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

export const eksCalls: { readonly [call: string]: AwsCall } = {
  ...addonCalls,
  ...entryCalls,
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
}
