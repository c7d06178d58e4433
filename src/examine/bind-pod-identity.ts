/** EKS Pod Identity: one statement for its service in the role's trust policy, and one association. */
import { edited } from '../core/edit.ts'
import { at, type Json, listAt, textAt } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import { changeAssociation, createAssociation } from '../domain/aws-changes.ts'
import { stepsOf, withStatement } from '../domain/aws-trust-edits.ts'
import { evaluatePodIdentityTrust, podIdentityService } from '../domain/aws-trust-service.ts'
import { aws } from '../domain/questions.ts'
import type { EksCluster } from '../probes/aws/cluster.ts'
import { type BindBrief, seenOrEnd } from './bind-brief.ts'
import { type BoundRole, roleActions, type Trusting } from './bind-role.ts'
import { present } from './bind-service-account.ts'
import { usage } from './trouble.ts'

/** What is still to be done, the role's part first; of what is in place it says so. Throws usage errors as the other ways do. `eks`: the cluster that the association is of, where it was seen. */
export async function byPodIdentity(
  brief: BindBrief,
  role: BoundRole,
  eks: EksCluster | undefined,
): Promise<readonly Action[]> {
  const { flags } = brief
  if (flags['service-account-only']) return present(brief)
  if (eks === undefined) throw usage('--pod-identity: the cluster was not seen to be one of EKS, and only EKS has it')
  // EKS passes on a role of its own account only: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html
  if (role.account !== eks.account)
    throw usage(`--pod-identity: role ${role.arn} is not of account ${eks.account}, in which cluster ${eks.name} is`)
  const trust = await roleActions(brief, role, trusting(brief, role, eks))
  const account = flags['cloud-only'] ? [] : await present(brief)
  return [...account, ...trust, ...(await associated(brief, role, eks))]
}

function trusting({ namespace, name }: BindBrief, role: BoundRole, eks: EksCluster): Trusting {
  const statement = {
    Effect: 'Allow',
    Principal: { Service: podIdentityService },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
  }
  const call = { namespace, serviceAccount: name, tags: true, cluster: eks }
  return {
    statement,
    extended: (policy: Json) => {
      const { decision, cause } = evaluatePodIdentityTrust(policy, call)
      if (decision === 'allow') return undefined
      // A condition that this workload does not meet protects somebody: a statement beside it would take it away.
      if (
        cause === undefined ||
        !['principal-missing', 'assume-role-missing', 'tag-session-missing'].includes(cause.kind)
      )
        throw usage(
          `the trust policy of role ${role.name} does not admit ${podIdentityService} for this ServiceAccount (${cause?.path ?? 'its conditions'}): ask whoever wrote it whom it protects, or use a role of its own`,
        )
      const steps = cause.edit === undefined ? undefined : stepsOf(cause.edit.path)
      if (cause.edit !== undefined && steps !== undefined)
        return edited(policy, steps, JSON.parse(JSON.stringify(cause.edit.to)))
      const next = withStatement(policy, statement)
      if (next === undefined) throw usage(`the trust policy of role ${role.name} is of a form that cannot be extended`)
      return JSON.parse(JSON.stringify(next))
    },
  }
}

async function associated(
  { namespace, name, ask, say }: BindBrief,
  { arn }: BoundRole,
  { name: clusterName }: EksCluster,
): Promise<readonly Action[]> {
  const list = seenOrEnd(await ask(aws.podIdentityAssociations()), `the associations of cluster ${clusterName}`)
  const own = listAt(list ?? null, 'associations').find(
    (one) => textAt(one, 'namespace') === namespace && textAt(one, 'serviceAccount') === name,
  )
  const place = { namespace, serviceAccount: name }
  const who = `ServiceAccount ${name} in namespace ${namespace}`
  if (own === undefined) {
    if (at(list ?? null, 'complete') === false) throw usage(`not all associations of cluster ${clusterName} were seen`)
    const summary = `Associate ${who} of cluster ${clusterName} with role ${arn}`
    return [{ summary, safety: 'review', ...createAssociation(clusterName, { ...place, roleArn: arn }) }]
  }
  const id = textAt(own, 'associationId') ?? textAt(own, 'associationArn')?.split('/').at(-1) ?? ''
  const one = seenOrEnd(await ask(aws.podIdentityAssociation(id)), `the role of association ${id}`)
  const roleArn = textAt(one ?? null, 'association', 'roleArn')
  if (roleArn === arn) {
    say(`already so: ${who} of cluster ${clusterName} is associated with role ${arn}`)
    return []
  }
  if (roleArn === undefined) throw usage(`the role of association ${id} was not seen`)
  const summary = `Give the association of ${who} role ${arn}, in the place of ${roleArn}`
  return [{ summary, safety: 'review', ...changeAssociation(clusterName, id, { ...place, roleArn }, arn) }]
}
