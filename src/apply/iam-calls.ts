/** Writes to IAM: trust policies, OIDC providers, roles and the policies attached to them. */
import type { IAMClient } from '@aws-sdk/client-iam'
import { at, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { AwsClients } from '../sources/live/aws-clients.ts'
import type { AwsCall, Look } from './aws-writer.ts'
import { iamRoleCalls } from './iam-role-calls.ts'

const text = (input: JsonObject, name: string): string => textAt(input, name) ?? ''
const to = (call: string, input: JsonObject): Change => ({ system: 'aws', call: `iam:${call}`, input })
const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })

/** A policy as data, whether it comes as text or as data already. */
const parsed = (policy: Json | undefined): Json | undefined =>
  typeof policy === 'string' ? JSON.parse(policy) : policy
const asText = (policy: Json | undefined): string =>
  typeof policy === 'string' ? policy : JSON.stringify(policy ?? null)
const sorted = (list: readonly string[]): Json => [...list].sort()

/** What is not there is an answer here, not a failure. */
async function orNothing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Error && /^NoSuchEntity(Exception)?$/.test(error.name)) return undefined
    throw error
  }
}

/** The trust policy of a role: as data, and as the text that IAM holds. */
async function lookAtRole(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> {
  const { GetRoleCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const answer = await orNothing(() =>
    iam.send(new GetRoleCommand({ RoleName: text(input, 'RoleName') }), sending(signal)),
  )
  const encoded = answer?.Role?.AssumeRolePolicyDocument
  if (encoded === undefined) return { now: undefined }
  const document = decodeURIComponent(encoded)
  const now = parsed(document)
  return now === undefined ? { now } : { now, kept: document }
}

async function lookAtProvider(
  input: JsonObject,
  clients: AwsClients,
  signal?: AbortSignal,
): Promise<readonly string[] | undefined> {
  const { GetOpenIDConnectProviderCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const OpenIDConnectProviderArn = text(input, 'OpenIDConnectProviderArn')
  const answer = await orNothing(() =>
    iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }), sending(signal)),
  )
  return answer === undefined ? undefined : (answer.ClientIDList ?? [])
}

const lookAtClientIds = async (input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> => {
  const ids = await lookAtProvider(input, clients, signal)
  return { now: ids === undefined ? undefined : sorted(ids) }
}
const lookForClientId = async (input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> => {
  const ids = await lookAtProvider(input, clients, signal)
  return { now: ids?.includes(text(input, 'ClientID')) }
}

async function lookAtAttached(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> {
  const { ListAttachedRolePoliciesCommand } = await import('@aws-sdk/client-iam')
  const iam: IAMClient = await clients.iam()
  const RoleName = text(input, 'RoleName')
  const answer = await orNothing(() =>
    iam.send(new ListAttachedRolePoliciesCommand({ RoleName, MaxItems: 1000 }), sending(signal)),
  )
  return { now: answer?.AttachedPolicies?.some(({ PolicyArn }) => PolicyArn === text(input, 'PolicyArn')) }
}

const attachment = (isThere: boolean): Pick<AwsCall, 'look' | 'before' | 'after'> => ({
  look: lookAtAttached,
  before: () => !isThere,
  after: () => isThere,
})
const clientId = (isThere: boolean): Pick<AwsCall, 'look' | 'before' | 'after'> => ({
  look: lookForClientId,
  before: () => !isThere,
  after: () => isThere,
})

export const iamCalls: { readonly [call: string]: AwsCall } = {
  ...iamRoleCalls,
  'iam:UpdateAssumeRolePolicy': {
    look: lookAtRole,
    before: ({ from }) => parsed(from),
    after: ({ PolicyDocument }) => parsed(PolicyDocument),
    undo: ({ account = '', RoleName = '', from = '', PolicyDocument = '' }, { kept }) =>
      to('UpdateAssumeRolePolicy', { account, RoleName, from: PolicyDocument, PolicyDocument: kept ?? from }),
    write: async (input, clients, signal) => {
      const { UpdateAssumeRolePolicyCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const PolicyDocument = asText(at(input, 'PolicyDocument'))
      await iam.send(
        new UpdateAssumeRolePolicyCommand({ RoleName: text(input, 'RoleName'), PolicyDocument }),
        sending(signal),
      )
    },
  },
  'iam:CreateOpenIDConnectProvider': {
    look: lookAtClientIds,
    before: () => undefined,
    after: (input) => sorted(textsAt(input, 'ClientIDList')),
    undo: ({ account = '', OpenIDConnectProviderArn = '', ClientIDList = [] }) =>
      to('DeleteOpenIDConnectProvider', { account, OpenIDConnectProviderArn, ClientIDList }),
    write: async (input, clients, signal) => {
      const { CreateOpenIDConnectProviderCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const order = { Url: text(input, 'Url'), ClientIDList: [...textsAt(input, 'ClientIDList')] }
      await iam.send(new CreateOpenIDConnectProviderCommand(order), sending(signal))
    },
  },
  'iam:DeleteOpenIDConnectProvider': {
    look: lookAtClientIds,
    before: (input) => sorted(textsAt(input, 'ClientIDList')),
    after: () => undefined,
    undo: () => null,
    write: async (input, clients, signal) => {
      const { DeleteOpenIDConnectProviderCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const OpenIDConnectProviderArn = text(input, 'OpenIDConnectProviderArn')
      await iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }), sending(signal))
    },
  },
  'iam:AddClientIDToOpenIDConnectProvider': {
    ...clientId(true),
    undo: (input) => to('RemoveClientIDFromOpenIDConnectProvider', input),
    write: async (input, clients, signal) => {
      const { AddClientIDToOpenIDConnectProviderCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const order = {
        OpenIDConnectProviderArn: text(input, 'OpenIDConnectProviderArn'),
        ClientID: text(input, 'ClientID'),
      }
      await iam.send(new AddClientIDToOpenIDConnectProviderCommand(order), sending(signal))
    },
  },
  'iam:RemoveClientIDFromOpenIDConnectProvider': {
    ...clientId(false),
    undo: (input) => to('AddClientIDToOpenIDConnectProvider', input),
    write: async (input, clients, signal) => {
      const { RemoveClientIDFromOpenIDConnectProviderCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const order = {
        OpenIDConnectProviderArn: text(input, 'OpenIDConnectProviderArn'),
        ClientID: text(input, 'ClientID'),
      }
      await iam.send(new RemoveClientIDFromOpenIDConnectProviderCommand(order), sending(signal))
    },
  },
  'iam:CreateRole': {
    look: lookAtRole,
    before: () => undefined,
    after: ({ AssumeRolePolicyDocument }) => parsed(AssumeRolePolicyDocument),
    undo: (input) => to('DeleteRole', input),
    write: async (input, clients, signal) => {
      const { CreateRoleCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const AssumeRolePolicyDocument = asText(at(input, 'AssumeRolePolicyDocument'))
      await iam.send(
        new CreateRoleCommand({ RoleName: text(input, 'RoleName'), AssumeRolePolicyDocument }),
        sending(signal),
      )
    },
  },
  'iam:DeleteRole': {
    look: lookAtRole,
    before: ({ AssumeRolePolicyDocument }) => parsed(AssumeRolePolicyDocument),
    after: () => undefined,
    undo: (input) => to('CreateRole', input),
    write: async (input, clients, signal) => {
      const { DeleteRoleCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      await iam.send(new DeleteRoleCommand({ RoleName: text(input, 'RoleName') }), sending(signal))
    },
  },
  'iam:AttachRolePolicy': {
    ...attachment(true),
    undo: (input) => to('DetachRolePolicy', input),
    write: async (input, clients, signal) => {
      const { AttachRolePolicyCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const order = { RoleName: text(input, 'RoleName'), PolicyArn: text(input, 'PolicyArn') }
      await iam.send(new AttachRolePolicyCommand(order), sending(signal))
    },
  },
  'iam:DetachRolePolicy': {
    ...attachment(false),
    undo: (input) => to('AttachRolePolicy', input),
    write: async (input, clients, signal) => {
      const { DetachRolePolicyCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const order = { RoleName: text(input, 'RoleName'), PolicyArn: text(input, 'PolicyArn') }
      await iam.send(new DetachRolePolicyCommand(order), sending(signal))
    },
  },
}
