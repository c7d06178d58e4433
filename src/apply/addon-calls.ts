/** Writes to EKS: add-ons of the cluster and their settings. */
import { type Json, type JsonObject, textAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { AwsClients } from '../sources/live/aws-clients.ts'
import type { AwsCall, Look } from './aws-writer.ts'

const text = (input: JsonObject, name: string): string => textAt(input, name) ?? ''
const to = (call: string, input: JsonObject): Change => ({ system: 'aws', call: `eks:${call}`, input })
const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })
const placeOf = (input: JsonObject) => ({
  clusterName: text(input, 'clusterName'),
  addonName: text(input, 'addonName'),
})

/** Its settings; undefined where it is not there, or on its way out. */
async function settings(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Json | undefined> {
  const { DescribeAddonCommand } = await import('@aws-sdk/client-eks')
  const eks = await clients.eks()
  try {
    const { addon } = await eks.send(new DescribeAddonCommand(placeOf(input)), sending(signal))
    if (addon === undefined || addon.status === 'DELETING') return undefined
    return JSON.parse(addon.configurationValues || '{}')
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined
    // Settings may be YAML as well, which nobody here has written.
    if (error instanceof SyntaxError) return 'other settings'
    throw error
  }
}
const isThere = async (input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> => ({
  now: (await settings(input, clients, signal)) !== undefined,
})

export const addonCalls: { readonly [call: string]: AwsCall } = {
  'eks:CreateAddon': {
    look: isThere,
    before: () => false,
    after: () => true,
    undo: (input) => to('DeleteAddon', input),
    write: async (input, clients, signal) => {
      const { CreateAddonCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      await eks.send(new CreateAddonCommand(placeOf(input)), sending(signal))
    },
  },
  'eks:DeleteAddon': {
    look: isThere,
    before: () => true,
    after: () => false,
    undo: (input) => to('CreateAddon', input),
    write: async (input, clients, signal) => {
      const { DeleteAddonCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      await eks.send(new DeleteAddonCommand(placeOf(input)), sending(signal))
    },
  },
  'eks:UpdateAddon': {
    look: async (input, clients, signal) => ({ now: await settings(input, clients, signal) }),
    before: ({ from }) => from,
    after: ({ configurationValues }) => configurationValues,
    undo: ({ clusterName = '', addonName = '', from = {}, configurationValues = {} }) =>
      to('UpdateAddon', { clusterName, addonName, from: configurationValues, configurationValues: from }),
    write: async (input, clients, signal) => {
      const { UpdateAddonCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const configurationValues = JSON.stringify(input.configurationValues ?? {})
      await eks.send(new UpdateAddonCommand({ ...placeOf(input), configurationValues }), sending(signal))
    },
  },
}
