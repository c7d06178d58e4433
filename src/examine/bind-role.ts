/** The role's own part of a binding: made, or its trust policy extended by what lacks; and its managed policies. */
import { same } from '../core/edit.ts'
import { at, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import { attachPolicy, changeTrustPolicy, createRole } from '../domain/aws-changes.ts'
import { breadthsOf } from '../domain/aws-trust-breadth.ts'
import { aws } from '../domain/questions.ts'
import { nearly, quotas } from '../probes/aws/iam-use.ts'
import { type BindBrief, seenOrEnd } from './bind-brief.ts'
import { usage } from './trouble.ts'

export type BoundRole = {
  readonly arn: string
  readonly account: string
  readonly partition: string
  readonly name: string
  /** Undefined for a role that the plan makes. */
  readonly policy: Json | undefined
}

/** What one of the two means adds to the trust policy; undefined where it admits the ServiceAccount already. */
export type Trusting = {
  /** Of a new role: its whole trust policy. */
  readonly statement: JsonObject
  readonly extended: (policy: Json) => Json | undefined
}

/** The role's own part: made, or its trust policy extended by what lacks; and its managed policies. */
export async function roleActions(
  brief: BindBrief,
  role: BoundRole,
  { statement, extended }: Trusting,
): Promise<readonly Action[]> {
  const { account, name, policy } = role
  const attached = await policyActions(brief, role)
  if (policy === undefined) {
    const document: JsonObject = { Version: '2012-10-17', Statement: [statement] }
    const summary = `Create role ${name} in account ${account}, for this ServiceAccount alone`
    return [{ summary, safety: 'review', ...createRole(role, name, document) }, ...attached]
  }
  const next = extended(policy)
  if (next === undefined || same(next, policy)) {
    brief.say(`already so: the trust policy of role ${name} admits ${whom(brief, statement)}`)
    if (breadthsOf(policy).found.length > 0)
      brief.say(`note: it admits others, too; kubectl wi doctor tells whom (aws/trust-policy-is-narrow)`)
    return attached
  }
  await fits(brief, role, next)
  const summary = `Add a statement for ${whom(brief, statement)} to the trust policy of role ${name}`
  return [{ summary, safety: 'review', ...changeTrustPolicy(account, name, policy, next) }, ...attached]
}

const whom = ({ namespace, name }: BindBrief, statement: JsonObject): string =>
  textAt(statement, 'Principal', 'Service') ?? `system:serviceaccount:${namespace}:${name}`

/** IAM counts no white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
async function fits({ ask, say }: BindBrief, { account, name }: BoundRole, next: Json): Promise<void> {
  const { length } = JSON.stringify(next)
  const shorten = `take out of it what nobody uses, or use a role of its own (--create-role)`
  const long = `the trust policy of role ${name} would have ${length} characters`
  if (length > quotas.mostTrustPolicy)
    throw usage(`${long}, and IAM takes no more than ${quotas.mostTrustPolicy}: ${shorten}`)
  if (length < nearly * quotas.trustPolicy) return
  const answer = await ask(aws.accountSummary(account))
  const told = answer.state === 'known' ? at(answer.value, 'SummaryMap', 'AssumeRolePolicySizeQuota') : undefined
  const quota = typeof told === 'number' ? told : quotas.trustPolicy
  if (length > quota && typeof told === 'number')
    throw usage(`${long}, and account ${account} takes ${quota}: ${shorten}`)
  const seen = typeof told === 'number' ? `account ${account} takes` : 'unless its quota was raised, IAM takes'
  say(`note: ${long}; ${seen} ${quota}`)
}

async function policyActions({ ask, flags, say }: BindBrief, role: BoundRole): Promise<readonly Action[]> {
  const { account, name } = role
  const wanted = [...new Set(flags['attach-policy'] ?? [])]
  if (wanted.length === 0) return []
  const list =
    role.policy === undefined
      ? undefined
      : seenOrEnd(await ask(aws.attachedRolePolicies(account, name)), `which policies role ${name} has`)
  const held = list === undefined ? [] : listAt(list, 'AttachedPolicies').map((one) => textAt(one, 'PolicyArn'))
  return wanted.flatMap((policy): readonly Action[] => {
    if (!held.includes(policy))
      return [
        {
          summary: `Attach policy ${policy} to role ${name}`,
          safety: 'review',
          ...attachPolicy(account, name, policy),
        },
      ]
    say(`already so: role ${name} has policy ${policy}`)
    return []
  })
}
