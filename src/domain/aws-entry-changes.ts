/** Changes to who enters an EKS cluster: access entries, and the access policies that EKS associates with them. */
import type { Json, JsonObject } from '../core/json.ts'
import type { Change, Effect } from '../core/plan.ts'
import type { Changed } from './kubernetes-changes.ts'
import { aws } from './questions.ts'

const call = (name: string, input: JsonObject): Change => ({ system: 'aws', call: name, input })

export type Entry = {
  readonly principalArn: string
  /** EC2_LINUX, EC2_WINDOWS, … for nodes; STANDARD, which alone takes groups and policies, for others. */
  readonly type: string
  readonly kubernetesGroups?: readonly string[]
  /** Left out where it is the one that EKS gives by itself. */
  readonly username?: string
  readonly tags?: JsonObject
}
/** `namespaces` only where `type` is `namespace`. */
export type AccessPolicy = {
  readonly policyArn: string
  readonly accessScope: { readonly type: string; readonly namespaces?: readonly string[] }
}

const asInput = ({ principalArn, type, kubernetesGroups = [], username, tags = {} }: Entry): JsonObject => ({
  principalArn,
  type,
  ...(kubernetesGroups.length === 0 ? {} : { kubernetesGroups }),
  ...(username === undefined ? {} : { username }),
  ...(Object.keys(tags).length === 0 ? {} : { tags }),
})

const shown = (entry: JsonObject): Json => ({ accessEntry: entry })
const listed = (side: 'before' | 'after', principal: string): Effect => ({
  question: aws.accessEntries(),
  path: ['accessEntries', '-'],
  [side]: principal,
})

/** Lets a principal into the cluster. */
export function createAccessEntry(clusterName: string, entry: Entry): Changed {
  const made = asInput(entry)
  const input = { clusterName, ...made }
  return {
    change: call('eks:CreateAccessEntry', input),
    effects: [
      { question: aws.accessEntry(entry.principalArn), path: [], after: shown(made) },
      listed('after', entry.principalArn),
    ],
    undo: call('eks:DeleteAccessEntry', input),
  }
}

/**
 * Takes an entry out that admits nobody, with its policies. Nothing takes that back: EKS would bind the entry to the role as it is now, and let
 * in whom this one does not.
 */
export function deleteAccessEntry(clusterName: string, entry: Entry, policies: readonly AccessPolicy[]): Changed {
  const held = asInput(entry)
  const input = { clusterName, ...held, ...(policies.length === 0 ? {} : { policies }) }
  return {
    change: call('eks:DeleteAccessEntry', input),
    effects: [
      { question: aws.accessEntry(entry.principalArn), path: [], before: shown(held) },
      listed('before', entry.principalArn),
    ],
    undo: null,
  }
}

/** Gives the principal of an entry an access policy; those that it has stay. */
export function associateAccessPolicy(
  clusterName: string,
  principalArn: string,
  { policyArn, accessScope }: AccessPolicy,
): Changed {
  const input = { clusterName, principalArn, policyArn, accessScope }
  const question = aws.accessPolicies(principalArn)
  return {
    change: call('eks:AssociateAccessPolicy', input),
    effects: [{ question, path: ['associatedAccessPolicies', '-'], after: { policyArn, accessScope } }],
    undo: call('eks:DisassociateAccessPolicy', input),
  }
}
