/** What an EKS cluster has to know of a node's role: https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html */
import { type AuthEntry, type AwsAuth, entriesOf, withoutPath } from './aws-auth.ts'

export const nodeUsername = 'system:node:{{EC2PrivateDNSName}}'
export const nodeGroups = ['system:bootstrappers', 'system:nodes'] as const
/** Types of access entries by which a machine may join. */
export const nodeTypes: ReadonlySet<string> = new Set([
  'EC2_LINUX',
  'EC2_WINDOWS',
  'EC2',
  'HYBRID_LINUX',
  'HYPERPOD_LINUX',
])

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
const nameOf = (arn: string): string => arn.split('/').at(-1) ?? arn

/** The entry that counts for a role: the last that names it as callers arrive. */
export const mappedAs = (auth: AwsAuth, role: string): AuthEntry | undefined =>
  entriesOf(auth, 'mapRoles').findLast(({ arn }) => arn !== undefined && same(arn, withoutPath(role)))

/** An entry that means the role and cannot match it, by its path or as an instance profile: that is a fault of its own. */
export const isMeant = (auth: AwsAuth, role: string): boolean =>
  entriesOf(auth, 'mapRoles').some(
    ({ arn }) => arn !== undefined && !same(arn, withoutPath(role)) && nameOf(arn) === nameOf(role),
  )

/** The access entry of a role: by its whole ARN, or by name alone where only a session of the role was seen. */
export const entryOf = <T extends { readonly principal: string }>(
  entries: readonly T[],
  role: string,
  sessionOnly: boolean,
): T | undefined =>
  entries.find(({ principal }) => same(principal, role)) ??
  (sessionOnly ? entries.find(({ principal }) => same(withoutPath(principal), role)) : undefined)
