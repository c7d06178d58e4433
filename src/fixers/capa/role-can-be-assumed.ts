/** Lets exactly this source assume exactly this role: on the side that does not say so, each in its own account. */
import { check } from '../../checks/capa/role-can-be-assumed.ts'
import { edited } from '../../core/edit.ts'
import { at, isList, type Json, textAt, textsAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { putRolePolicy } from '../../domain/aws-role-changes.ts'
import { withStatement } from '../../domain/aws-trust-edits.ts'
import { roleArnOf } from '../../domain/capa.ts'
import { sourceRole, targetOf, targetRole } from '../../probes/capa/assume.ts'
import { identity } from '../../probes/capa/objects.ts'
import { accountOfRole, plain, trustChange } from '../trust-change.ts'

const needs = { identity, sourceRole }
const wants = { targetRole }
type Brief<D = unknown> = ProposalBrief<typeof needs, typeof wants, D>

function allow({ have: { identity, sourceRole } }: Brief): Proposal {
  if (identity.state === 'absent' || sourceRole.state === 'absent') return byHand
  const target = targetOf(identity.value)
  const targetText = roleArnOf(identity.value)
  const { account, name } = sourceRole.value.arn
  if (target === undefined || targetText === undefined || !/^\d{12}$/.test(account)) return byHand
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: targetText }],
  }
  const own = `assume-${target.account}-${target.name}`.slice(0, 128)
  const summary = `Allow role ${name} of account ${account} to assume ${targetText}, by a policy of its own`
  return [{ summary, safety: 'review', ...putRolePolicy(account, name, own, undefined, policy) }]
}

type Facts = {
  readonly place: { readonly account: string; readonly name: string }
  readonly policy: Json
  readonly source: string
}

/** Nothing where the source is known without its path: IAM takes no principal that is not there. */
function factsOf({ have: { sourceRole }, want: { targetRole } }: Brief): Facts | undefined {
  if (sourceRole.state === 'absent' || targetRole.state !== 'known' || targetRole.value.duplicates.length > 0)
    return undefined
  const account = accountOfRole(targetRole)
  if (account === undefined || !sourceRole.value.whole) return undefined
  const { name, policy } = targetRole.value
  return { place: { account, name }, policy, source: sourceRole.value.text }
}

const statementsOf = (policy: Json): readonly { readonly path: readonly (string | number)[]; readonly one: Json }[] => {
  const held = at(policy, 'Statement')
  return isList(held)
    ? held.map((one, index) => ({ path: ['Statement', index], one }))
    : [{ path: ['Statement'], one: held ?? null }]
}

function trust(brief: Brief): Proposal {
  const facts = factsOf(brief)
  const { identity } = brief.have
  if (facts === undefined || identity.state === 'absent') return byHand
  const { place, policy, source } = facts
  const externalId = textAt(identity.value.spec, 'externalID')
  const wantsId = JSON.stringify(policy).toLowerCase().includes('sts:externalid')
  const denies = statementsOf(policy).some(({ one }) => textAt(one, 'Effect') !== 'Allow')
  // Whoever wants an external id of others wants one of this role, too.
  if (denies || (wantsId && externalId === undefined)) return byHand
  const next = withStatement(policy, {
    Effect: 'Allow',
    Principal: { AWS: source },
    Action: 'sts:AssumeRole',
    ...(externalId === undefined ? {} : { Condition: { StringEquals: { 'sts:ExternalId': externalId } } }),
  })
  const summary = `Add a statement for ${source} to the trust policy of role ${place.name}`
  return trustChange(place, policy, next === undefined ? undefined : plain(next), summary)
}

function withPath(brief: Brief<{ readonly trusted: string }>): Proposal {
  const facts = factsOf(brief)
  if (facts === undefined) return byHand
  const { place, policy, source } = facts
  const { trusted } = brief.data
  const found = statementsOf(policy).find(({ one }) => textsAt(one, 'Principal', 'AWS').includes(trusted))
  if (found === undefined) return byHand
  const [only, ...others] = textsAt(found.one, 'Principal', 'AWS').map((one) => (one === trusted ? source : one))
  const after: Json = others.length === 0 ? (only ?? source) : [only ?? source, ...others]
  const next = edited(policy, [...found.path, 'Principal', 'AWS'], after)
  return trustChange(place, policy, next, `Trust ${source} in the place of ${trusted} in role ${place.name}`)
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  // Another external id is for the owner of the account to tell, and a refusal that nothing explains for both.
  proposals: {
    'source-lacks-permission': allow,
    'source-allows-another-role': allow,
    'target-trusts-another': trust,
    'trust-lacks-path': withPath,
  },
})
