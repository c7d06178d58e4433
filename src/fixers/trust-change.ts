/** A changed trust policy as a proposal, and what keeps such a change from letting in more than one name. */
import { same } from '../core/edit.ts'
import type { Fact } from '../core/fact.ts'
import { at, isList, isObject, type Json, textsAt } from '../core/json.ts'
import { byHand, type Proposal } from '../core/plan.ts'
import { parseRoleArn } from '../domain/arn.ts'
import { changeTrustPolicy } from '../domain/aws-changes.ts'
import type { Role } from '../probes/aws/role.ts'

/** More than IAM ever takes, whatever the quota of the account. */
const mostCharacters = 4096

export type RolePlace = { readonly account: string; readonly name: string }

/** From the document that was seen to the one that should be; by hand where there is none, or it is too long for IAM. */
export function trustChange(
  { account, name }: RolePlace,
  policy: Json,
  next: Json | undefined,
  summary: string,
): Proposal {
  if (next === undefined || same(next, policy)) return byHand
  if (JSON.stringify(next).length > mostCharacters)
    return {
      manual: `Take out of the trust policy of role ${name} what nobody uses, or use a role of its own: with one more value it is longer than IAM takes.`,
    }
  return [{ summary, safety: 'review', ...changeTrustPolicy(account, name, policy, next) }]
}

/** Data out of the evaluator, which reads policies without knowing that they are JSON. */
export const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null))

/** Whether the statement admits subjects by their names and audiences by theirs: making it true lets nobody else in. */
export function isExact(policy: Json | undefined, statement: number): boolean {
  const held = at(policy, 'Statement')
  const blocks = at(isList(held) ? held[statement] : held, 'Condition')
  const values = (claim: string): readonly string[] =>
    isObject(blocks)
      ? Object.entries(blocks).flatMap(([operator, block]) =>
          /^String(Equals|Like)$/.test(operator) && isObject(block)
            ? Object.keys(block).flatMap((key) => (key.endsWith(`:${claim}`) ? textsAt(block, key) : []))
            : [],
        )
      : []
  return ['sub', 'aud'].every((claim) => values(claim).length > 0 && values(claim).every((one) => !/[*?]/.test(one)))
}

/** 12 digits; undefined where it was not seen in which account the role is. */
export function accountOfRole(role: Fact<Role>): string | undefined {
  if (role.state !== 'known') return undefined
  const asked = role.from.input.account
  return parseRoleArn(role.value.arn ?? '')?.account ?? (typeof asked === 'string' ? asked : undefined)
}
