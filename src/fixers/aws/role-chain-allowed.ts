/** Has the further role trust exactly the workload's role, or allows that one to assume exactly the further one. */
import { check } from '../../checks/aws/role-chain-allowed.ts'
import { edited } from '../../core/edit.ts'
import { at, isList, type Json, type JsonObject, textAt, textsAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { putRolePolicy } from '../../domain/aws-role-changes.ts'
import { withStatement } from '../../domain/aws-trust-edits.ts'
import { type Chain, chain, targetRole } from '../../probes/aws/chain.ts'
import type { Role } from '../../probes/aws/role.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { plain, trustChange } from '../trust-change.ts'

const needs = { chain }
const wants = { targetRole, roleReference }
type Brief<D = unknown> = ProposalBrief<typeof needs, typeof wants, D>

/** The ARN of the workload's role with its path, which a session does not show; only what names one role. */
function sourceOf({ source, sourceText }: Chain, { want: { roleReference } }: Brief): string | undefined {
  const bound = roleReference.state === 'known' ? roleReference.value : undefined
  const same = bound?.arn?.name === source.name && bound.arn.account === source.account
  const arn = same ? bound.value : sourceText
  return parseRoleArn(arn) === undefined ? undefined : arn
}

type Facts = {
  readonly chain: Chain
  readonly source: string
  readonly account: string
  readonly name: string
  readonly policy: Json
}
function factsOf(brief: Brief): Facts | undefined {
  if (brief.have.chain.state === 'absent' || brief.want.targetRole.state !== 'known') return undefined
  const chain = brief.have.chain.value
  const target: Role = brief.want.targetRole.value
  const source = sourceOf(chain, brief)
  if (chain.target === undefined || source === undefined || target.duplicates.length > 0) return undefined
  return { chain, source, account: chain.target.account, name: target.name, policy: target.policy }
}

const statementsOf = (policy: Json): readonly { readonly path: readonly (string | number)[]; readonly one: Json }[] => {
  const held = at(policy, 'Statement')
  return isList(held)
    ? held.map((one, index) => ({ path: ['Statement', index], one }))
    : [{ path: ['Statement'], one: held ?? null }]
}
const assumes = (statement: Json): boolean =>
  textAt(statement, 'Effect') === 'Allow' && textsAt(statement, 'Action').includes('sts:AssumeRole')

/** The one statement that names this principal; its conditions stay. */
const naming = (policy: Json, principal: string) =>
  statementsOf(policy).find(({ one }) => assumes(one) && textsAt(one, 'Principal', 'AWS').includes(principal))

function tagged(brief: Brief): Proposal {
  const facts = factsOf(brief)
  const found = facts === undefined ? undefined : naming(facts.policy, facts.source)
  // Whole accounts are never trusted with more.
  if (facts === undefined || found === undefined) return byHand
  const actions = [...textsAt(found.one, 'Action'), 'sts:TagSession']
  const next = edited(facts.policy, [...found.path, 'Action'], actions)
  const summary = `Add sts:TagSession for ${facts.source} to the trust policy of role ${facts.name}`
  return trustChange(facts, facts.policy, next, summary)
}

/** Beside the principal that was meant; in the place of one that is gone, which IAM takes in no policy any more. */
const named =
  (member: 'observed' | 'id') =>
  (brief: Brief<{ readonly [K in typeof member]?: string }>): Proposal => {
    const facts = factsOf(brief)
    const other = brief.data[member] ?? ''
    const found = facts === undefined ? undefined : naming(facts.policy, other)
    if (facts === undefined || found === undefined) return byHand
    const principals = textsAt(found.one, 'Principal', 'AWS')
    const after =
      member === 'id' ? principals.map((one) => (one === other ? facts.source : one)) : [...principals, facts.source]
    const [only] = after
    const value = after.length === 1 && only !== undefined ? only : after
    const next = edited(facts.policy, [...found.path, 'Principal', 'AWS'], value)
    const where = member === 'id' ? 'in the place of the deleted' : 'beside'
    return trustChange(
      facts,
      facts.policy,
      next,
      `Trust ${facts.source} ${where} ${other} in the trust policy of role ${facts.name}`,
    )
  }

function beside(brief: Brief): Proposal {
  const facts = factsOf(brief)
  if (facts === undefined) return byHand
  const { chain, source, policy } = facts
  // Whoever wants an external id of others wants one of this role, too.
  const wantsId = JSON.stringify(policy).toLowerCase().includes('sts:externalid')
  const denies = statementsOf(policy).some(({ one }) => textAt(one, 'Effect') !== 'Allow')
  if (denies || (wantsId && chain.externalId === undefined)) return byHand
  const statement: JsonObject = {
    Effect: 'Allow',
    Principal: { AWS: source },
    Action: chain.tags ? ['sts:AssumeRole', 'sts:TagSession'] : 'sts:AssumeRole',
    ...(chain.externalId === undefined ? {} : { Condition: { StringEquals: { 'sts:ExternalId': chain.externalId } } }),
  }
  const next = withStatement(policy, statement)
  const summary = `Add a statement for ${source} to the trust policy of role ${facts.name}`
  return trustChange(facts, policy, next === undefined ? undefined : plain(next), summary)
}

function allow({ have: { chain } }: Brief): Proposal {
  if (chain.state === 'absent') return byHand
  const { source, targetText, target } = chain.value
  if (target === undefined || !/^\d{12}$/.test(source.account)) return byHand
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: targetText }],
  }
  const name = `assume-${target.account}-${target.name}`.slice(0, 128)
  const summary = `Allow role ${source.name} of account ${source.account} to assume ${targetText}, by a policy of its own`
  return [{ summary, safety: 'review', ...putRolePolicy(source.account, source.name, name, undefined, policy) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'tag-session-denied': tagged,
    'trusted-principal-deleted': named('id'),
    'trusted-arn-differs': named('observed'),
    'target-does-not-trust': beside,
    'source-not-allowed': allow,
  },
})
