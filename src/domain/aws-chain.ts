/** Whether the trust policy of a role lets another role assume it, as far as the policy alone tells. */

import { parseOperator } from './aws-trust-operators.ts'
import { like } from './aws-trust-patterns.ts'
import { judgeAction } from './aws-trust-principal.ts'
import { entries, isObject, type JsonObject, member, scalarText, statementsOf } from './aws-trust-shapes.ts'

/** Who assumes: a session ARN has no path, so the role is told by account and name. */
export type Source = { readonly account: string; readonly name: string }

export type ChainTrust = {
  /** `role`: it is named itself; `account`: its account is, so its own policies have to allow as well. */
  readonly by?: 'role' | 'account'
  /** External ids of which the caller has to send one; empty where none is wanted. */
  readonly externalIds: readonly string[]
  readonly tags: boolean
  /** AWS principals that the policy names, as written. */
  readonly principals: readonly string[]
  /** Ids of roles and users that are gone. */
  readonly deleted: readonly string[]
}

const texts = (value: unknown): readonly string[] =>
  value === undefined ? [] : entries(value, '').flatMap(({ raw }) => scalarText(raw) ?? [])

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
const isDeleted = (principal: string): boolean => /^A(?:ROA|IDA)[A-Z0-9]{10,}$/.test(principal)

function names(principal: string, { account, name }: Source): ChainTrust['by'] {
  if (principal === '*' || principal === account) return 'account'
  const [, , service, , owner, resource = ''] = principal.split(':')
  if (owner !== account) return undefined
  if (resource === 'root') return 'account'
  const parts = resource.split('/')
  if (service === 'iam' && parts[0] === 'role' && parts.at(-1) === name) return 'role'
  return service === 'sts' && parts[0] === 'assumed-role' && parts[1] === name ? 'role' : undefined
}

function wantedIds(statement: JsonObject): readonly string[] {
  const condition = member(statement, 'Condition')
  if (!isObject(condition)) return []
  return Object.entries(condition).flatMap(([operator, block]) => {
    const { test, negated, ifExists } = parseOperator(operator)
    if (test?.family !== 'string' || negated || ifExists || !isObject(block)) return []
    return Object.entries(block).flatMap(([key, value]) => (key.toLowerCase() === 'sts:externalid' ? texts(value) : []))
  })
}

export function chainTrust(policy: unknown, source: Source): ChainTrust {
  const statements = statementsOf(policy).found.flatMap(({ raw, path }) =>
    isObject(raw) && scalarText(member(raw, 'Effect')) === 'Allow' ? [{ statement: raw, path }] : [],
  )
  const admitting = (action: string) =>
    statements.filter(({ statement, path }) => judgeAction(statement, path, action).truth !== false)
  const principalsOf = ({ statement }: { readonly statement: JsonObject }): readonly string[] => {
    const principal = member(statement, 'Principal')
    return isObject(principal) ? texts(member(principal, 'AWS')) : principal === '*' ? ['*'] : []
  }
  const assume = admitting('sts:AssumeRole')
  const fits = assume.filter((one) => principalsOf(one).some((principal) => names(principal, source) !== undefined))
  const direct = fits.some((one) => principalsOf(one).some((principal) => names(principal, source) === 'role'))
  const principals = assume.flatMap(principalsOf)
  const by = fits.length === 0 ? undefined : direct ? 'role' : 'account'
  const ids = fits.map(({ statement }) => wantedIds(statement))
  return {
    ...(by === undefined ? {} : { by }),
    externalIds: ids.some((one) => one.length === 0) ? [] : ids.flat(),
    tags: admitting('sts:TagSession').some((one) => principalsOf(one).some((principal) => names(principal, source))),
    principals,
    deleted: principals.filter(isDeleted),
  }
}

/** A principal that was evidently meant for this role: its name in another account, path or case. */
export const meantFor = (principals: readonly string[], { account, name }: Source): string | undefined =>
  principals.find((one) => {
    const [, , , , owner, resource = ''] = one.split(':')
    const last = resource.split('/').at(-1) ?? ''
    return (
      /^(?:role|assumed-role)\//.test(resource) &&
      (last.toLowerCase() === name.toLowerCase() || (owner === account && like(last, name)))
    )
  })
