/** A ServiceAccount bound to an IAM role: by the issuer of the cluster (IRSA), or by EKS Pod Identity. */
import { at, textAt } from '../core/json.ts'
import { parseRoleArn } from '../domain/arn.ts'
import { aws } from '../domain/questions.ts'
import { cluster, type EksCluster } from '../probes/aws/cluster.ts'
import { type BindBrief, type Intent, seenOrEnd } from './bind-brief.ts'
import type { BoundRole } from './bind-role.ts'
import { usage } from './trouble.ts'

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
