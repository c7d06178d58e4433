/** Writes to EKS: access entries and the access policies that are associated with them. */
import { at, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import type { AwsClients } from '../sources/live/aws-clients.ts'
import type { AwsCall, Look } from './aws-writer.ts'

const text = (input: JsonObject, name: string): string => textAt(input, name) ?? ''
const to = (call: string, input: JsonObject): Change => ({ system: 'aws', call: `eks:${call}`, input })
const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })
const placeOf = (input: JsonObject) => ({
  clusterName: text(input, 'clusterName'),
  principalArn: text(input, 'principalArn'),
})
const isNone = (error: unknown): boolean => error instanceof Error && error.name === 'ResourceNotFoundException'

type Scoped = { readonly policyArn: string; readonly scope: Json }
const scopeOf = (scope: Json | undefined): Json => {
  const namespaces = [...textsAt(scope, 'namespaces')].sort()
  return { type: textAt(scope, 'type') ?? '', ...(namespaces.length === 0 ? {} : { namespaces }) }
}

/** None where there is no such entry either. */
async function policiesOf(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<readonly Scoped[]> {
  const { ListAssociatedAccessPoliciesCommand } = await import('@aws-sdk/client-eks')
  const eks = await clients.eks()
  const all: Scoped[] = []
  let nextToken: string | undefined
  try {
    do {
      const order = new ListAssociatedAccessPoliciesCommand({ ...placeOf(input), nextToken })
      const answer = await eks.send(order, sending(signal))
      for (const { policyArn = '', accessScope } of answer.associatedAccessPolicies ?? [])
        all.push({ policyArn, scope: scopeOf(JSON.parse(JSON.stringify(accessScope ?? {}))) })
      nextToken = answer.nextToken
    } while (nextToken !== undefined)
  } catch (error) {
    if (isNone(error)) return []
    throw error
  }
  return all
}

type Held = {
  readonly type: string
  readonly groups: readonly string[]
  readonly username?: string | undefined
  readonly tags: Json | undefined
}

/** EKS gives the types of nodes their groups and names by itself. */
const entry = ({ type, groups, username, tags }: Held): JsonObject => ({
  type,
  ...(type === 'STANDARD' ? { groups: [...groups].sort() } : {}),
  ...(username === undefined ? {} : { username }),
  ...(isObject(tags) && Object.keys(tags).length > 0 ? { tags } : {}),
})
const entryOf = (input: JsonObject): JsonObject =>
  entry({
    type: text(input, 'type'),
    groups: textsAt(input, 'kubernetesGroups'),
    username: textAt(input, 'username'),
    tags: input.tags,
  })

/** A name is compared only where one was asked for. */
async function lookAtEntry(input: JsonObject, clients: AwsClients, signal?: AbortSignal): Promise<Look> {
  const { DescribeAccessEntryCommand } = await import('@aws-sdk/client-eks')
  const eks = await clients.eks()
  try {
    const { accessEntry } = await eks.send(new DescribeAccessEntryCommand(placeOf(input)), sending(signal))
    const { type = '', kubernetesGroups: groups = [], username, tags } = accessEntry ?? {}
    const named = input.username === undefined ? undefined : username
    return { now: entry({ type, groups, username: named, tags }) }
  } catch (error) {
    if (isNone(error)) return { now: undefined }
    throw error
  }
}

const withPolicies = (one: JsonObject, policies: readonly Scoped[]): JsonObject =>
  policies.length === 0
    ? one
    : { ...one, policies: Object.fromEntries(policies.map(({ policyArn, scope }) => [policyArn, scope])) }

const policyCall = (makes: boolean): Omit<AwsCall, 'write'> => {
  const here = (input: JsonObject): Json => scopeOf(at(input, 'accessScope'))
  return {
    look: async (input, clients, signal) => ({
      now: (await policiesOf(input, clients, signal)).find(({ policyArn }) => policyArn === input.policyArn)?.scope,
    }),
    before: (input) => (makes ? undefined : here(input)),
    after: (input) => (makes ? here(input) : undefined),
    undo: (input) => to(makes ? 'DisassociateAccessPolicy' : 'AssociateAccessPolicy', input),
  }
}

export const entryCalls: { readonly [call: string]: AwsCall } = {
  'eks:CreateAccessEntry': {
    look: lookAtEntry,
    before: () => undefined,
    after: entryOf,
    undo: (input) => to('DeleteAccessEntry', input),
    write: async (input, clients, signal) => {
      const { CreateAccessEntryCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const groups = textsAt(input, 'kubernetesGroups')
      const username = textAt(input, 'username')
      const order = {
        ...placeOf(input),
        type: text(input, 'type'),
        ...(groups.length === 0 ? {} : { kubernetesGroups: [...groups] }),
        ...(username === undefined ? {} : { username }),
        ...(isObject(input.tags) ? { tags: textsIn(input.tags) } : {}),
      }
      await eks.send(new CreateAccessEntryCommand(order), sending(signal))
    },
  },
  'eks:DeleteAccessEntry': {
    // Its policies go with it, so that they are part of what was seen.
    look: async (input, clients, signal) => {
      const { now } = await lookAtEntry(input, clients, signal)
      return { now: isObject(now) ? withPolicies(now, await policiesOf(input, clients, signal)) : now }
    },
    before: (input) =>
      withPolicies(
        entryOf(input),
        listAt(input, 'policies').map((one) => ({
          policyArn: textAt(one, 'policyArn') ?? '',
          scope: scopeOf(at(one, 'accessScope')),
        })),
      ),
    after: () => undefined,
    // EKS binds an entry to the role as it is when it is made: another one would let in whom this one does not.
    undo: () => null,
    write: async (input, clients, signal) => {
      const { DeleteAccessEntryCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      await eks.send(new DeleteAccessEntryCommand(placeOf(input)), sending(signal))
    },
  },
  'eks:AssociateAccessPolicy': {
    ...policyCall(true),
    write: async (input, clients, signal) => {
      const { AssociateAccessPolicyCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const scope = at(input, 'accessScope')
      const namespaces = textsAt(scope, 'namespaces')
      const order = {
        ...placeOf(input),
        policyArn: text(input, 'policyArn'),
        accessScope: {
          type: textAt(scope, 'type') === 'namespace' ? ('namespace' as const) : ('cluster' as const),
          ...(namespaces.length === 0 ? {} : { namespaces: [...namespaces] }),
        },
      }
      await eks.send(new AssociateAccessPolicyCommand(order), sending(signal))
    },
  },
  'eks:DisassociateAccessPolicy': {
    ...policyCall(false),
    write: async (input, clients, signal) => {
      const { DisassociateAccessPolicyCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const order = { ...placeOf(input), policyArn: text(input, 'policyArn') }
      await eks.send(new DisassociateAccessPolicyCommand(order), sending(signal))
    },
  },
}

const textsIn = (tags: JsonObject): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])))
