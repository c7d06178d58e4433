/** A ServiceAccount bound to an IAM role: by the issuer of the cluster (IRSA), or by EKS Pod Identity. */
import { same } from '../core/edit.ts'
import { at, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import { parseRoleArn } from '../domain/arn.ts'
import { attachPolicy, changeTrustPolicy, createRole } from '../domain/aws-changes.ts'
import { aws } from '../domain/questions.ts'
import { cluster, type EksCluster } from '../probes/aws/cluster.ts'
import { nearly, quotas } from '../probes/aws/iam-use.ts'
import { type BindBrief, type Intent, seenOrEnd } from './bind.ts'
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

const policyArn = /^arn:aws[a-z0-9-]*:iam::(?:\d{12}|aws):policy\/[\w+=,.@/-]{1,640}$/

export const bindAws: Intent = async (brief) => {
  const { flags } = brief
  for (const policy of flags['attach-policy'] ?? [])
    if (!policyArn.test(policy)) throw usage(`--attach-policy ${policy}: not the ARN of a managed policy`)
  const own = await brief.ofCluster(cluster)
  const eks = own.state === 'known' ? own.value : undefined
  const role = await roleOf(brief, eks)
  if (flags['pod-identity']) return (await import('./bind-pod-identity.ts')).byPodIdentity(brief, role, eks)
  return (await import('./bind-irsa.ts')).byIssuer(brief, role)
}

const notNamed = (value: string): Error =>
  usage(`--aws-role ${value}: the name of one role, or its ARN (arn:aws:iam::ACCOUNT:role/NAME)`)

async function roleOf(brief: BindBrief, eks: EksCluster | undefined): Promise<BoundRole> {
  const { flags, ask } = brief
  const value = flags['aws-role'] ?? ''
  const arn = parseRoleArn(value)
  if (arn !== undefined && flags['service-account-only']) return { ...arn, arn: value, policy: undefined }
  if (arn === undefined && !/^[\w+=,.@-]{1,64}$/.test(value)) throw notNamed(value)
  const name = arn?.name ?? value
  const account = arn?.account ?? eks?.account ?? (await ownAccount(brief))
  if (account === undefined)
    throw usage(`--aws-role ${value}: which account is meant was not seen; name the role by its ARN`)
  const answer = seenOrEnd(await ask(aws.role(account, name)), `role ${name} of account ${account}`)
  if (answer === undefined) {
    if (!flags['create-role'])
      throw usage(`account ${account} has no role ${name}: name another, or add --create-role to have it made`)
    if (arn !== undefined && arn.path !== '/')
      throw usage(`--create-role makes roles without a path; name it by ${name}`)
    const partition = arn?.partition ?? eks?.arn.split(':')[1] ?? 'aws'
    return { arn: `arn:${partition}:iam::${account}:role/${name}`, account, partition, name, policy: undefined }
  }
  const seen = textAt(answer, 'Role', 'Arn') ?? (arn === undefined ? undefined : value)
  const found = seen === undefined ? undefined : parseRoleArn(seen)
  const policy = at(answer, 'Role', 'AssumeRolePolicyDocument')
  if (seen === undefined || found === undefined || policy === undefined)
    throw usage(`the ARN and the trust policy of role ${name} were not seen: aws iam get-role --role-name ${name}`)
  if (arn !== undefined && seen !== value) throw usage(`--aws-role ${value}: IAM has this role as ${seen}`)
  return { arn: seen, account, partition: found.partition, name: found.name, policy }
}

async function ownAccount({ ask }: BindBrief): Promise<string | undefined> {
  const caller = await ask(aws.callerIdentity())
  return caller.state === 'known' ? textAt(caller.value, 'Account') : undefined
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
