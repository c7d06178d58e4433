/** Writes to IAM: policies in a role, the length of its sessions, and the thumbprints of a provider. */
import { at, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { AwsClients } from '../sources/live/aws-clients.ts'
import type { AwsCall, Look } from './aws-writer.ts'

const text = (input: JsonObject, name: string): string => textAt(input, name) ?? ''
const to = (call: string, input: JsonObject): Change => ({ system: 'aws', call: `iam:${call}`, input })
const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })
const number = (input: JsonObject, name: string): number => Number(at(input, name) ?? 0)

async function lookAtPolicy(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> {
  const { GetRolePolicyCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const order = { RoleName: text(input, 'RoleName'), PolicyName: text(input, 'PolicyName') }
  try {
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand(order), sending(signal))
    if (PolicyDocument === undefined) return { now: undefined }
    const document = decodeURIComponent(PolicyDocument)
    const now: Json = JSON.parse(document)
    return { now, kept: document }
  } catch (error) {
    if (error instanceof Error && /^NoSuchEntity(Exception)?$/.test(error.name)) return { now: undefined }
    throw error
  }
}

async function lookAtLimit(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> {
  const { GetRoleCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: text(input, 'RoleName') }), sending(signal))
  return { now: Role?.MaxSessionDuration }
}

async function lookAtThumbprints(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> {
  const { GetOpenIDConnectProviderCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const OpenIDConnectProviderArn = text(input, 'OpenIDConnectProviderArn')
  const answer = await iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }), sending(signal))
  return { now: [...(answer.ThumbprintList ?? [])].sort() }
}

const parsed = (policy: Json | undefined): Json | undefined =>
  typeof policy === 'string' ? JSON.parse(policy) : policy

export const iamRoleCalls: { readonly [call: string]: AwsCall } = {
  'iam:PutRolePolicy': {
    look: lookAtPolicy,
    before: ({ from }) => parsed(from),
    after: ({ PolicyDocument }) => parsed(PolicyDocument),
    undo: ({ account = '', RoleName = '', PolicyName = '', PolicyDocument = '' }, { kept }) =>
      kept === undefined
        ? to('DeleteRolePolicy', { account, RoleName, PolicyName, PolicyDocument })
        : to('PutRolePolicy', { account, RoleName, PolicyName, from: PolicyDocument, PolicyDocument: kept }),
    write: async (input, clients, signal) => {
      const { PutRolePolicyCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const document = at(input, 'PolicyDocument')
      const order = {
        RoleName: text(input, 'RoleName'),
        PolicyName: text(input, 'PolicyName'),
        PolicyDocument: typeof document === 'string' ? document : JSON.stringify(document ?? null),
      }
      await iam.send(new PutRolePolicyCommand(order), sending(signal))
    },
  },
  'iam:DeleteRolePolicy': {
    look: lookAtPolicy,
    before: ({ PolicyDocument }) => parsed(PolicyDocument),
    after: () => undefined,
    undo: (input) => to('PutRolePolicy', input),
    write: async (input, clients, signal) => {
      const { DeleteRolePolicyCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const order = { RoleName: text(input, 'RoleName'), PolicyName: text(input, 'PolicyName') }
      await iam.send(new DeleteRolePolicyCommand(order), sending(signal))
    },
  },
  'iam:UpdateRole': {
    look: lookAtLimit,
    before: (input) => number(input, 'from'),
    after: (input) => number(input, 'MaxSessionDuration'),
    undo: ({ account = '', RoleName = '', from = 0, MaxSessionDuration = 0 }) =>
      to('UpdateRole', { account, RoleName, from: MaxSessionDuration, MaxSessionDuration: from }),
    write: async (input, clients, signal) => {
      const { UpdateRoleCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const order = { RoleName: text(input, 'RoleName'), MaxSessionDuration: number(input, 'MaxSessionDuration') }
      await iam.send(new UpdateRoleCommand(order), sending(signal))
    },
  },
  'iam:UpdateOpenIDConnectProviderThumbprint': {
    look: lookAtThumbprints,
    before: (input) => [...textsAt(input, 'from')].sort(),
    after: (input) => [...textsAt(input, 'ThumbprintList')].sort(),
    undo: ({ account = '', OpenIDConnectProviderArn = '', from = [], ThumbprintList = [] }) =>
      to('UpdateOpenIDConnectProviderThumbprint', {
        account,
        OpenIDConnectProviderArn,
        from: ThumbprintList,
        ThumbprintList: from,
      }),
    write: async (input, clients, signal) => {
      const { UpdateOpenIDConnectProviderThumbprintCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const order = {
        OpenIDConnectProviderArn: text(input, 'OpenIDConnectProviderArn'),
        ThumbprintList: [...textsAt(input, 'ThumbprintList')],
      }
      await iam.send(new UpdateOpenIDConnectProviderThumbprintCommand(order), sending(signal))
    },
  },
}
