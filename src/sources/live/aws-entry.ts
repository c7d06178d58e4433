/** Who enters the EKS cluster and who is bound there, as EKS and IAM tell it: access entries, associations, node groups, profiles, users. */
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { serviceError, unseen } from './aws-answers.ts'
import type { AwsClients } from './aws-clients.ts'

export type EntrySeeker = {
  readonly clients: AwsClients
  readonly cluster: (question: Question) => Promise<Fact<Json>>
  /** One call to IAM in one account; what it does not have there is absent. */
  readonly inAccount: (
    account: string | undefined,
    what: string,
    question: Question,
    call: () => Promise<Fact<Json>>,
  ) => Promise<Fact<Json>>
}

type Asking = (question: Question, signal?: AbortSignal) => Promise<Fact<Json>>

const mostPages = 20
const sending = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal })
/** Times as text, undefined left out: what the command line prints. */
const printed = (value: object): Json => JSON.parse(JSON.stringify(value))

export function entryCalls({ clients, cluster, inAccount }: EntrySeeker): { readonly [call: string]: Asking } {
  const inCluster = async (
    question: Question,
    call: (clusterName: string) => Promise<Fact<Json>>,
  ): Promise<Fact<Json>> => {
    const eks = await cluster(question)
    if (eks.state !== 'known') return { ...eks, from: question }
    const name = textAt(eks.value, 'cluster', 'name')
    if (name === undefined) return unknown('malformed', 'the cluster has no name', question)
    try {
      return await call(name)
    } catch (error) {
      return serviceError(error)?.code === 'ResourceNotFoundException' ? absent(question) : unseen(error, question)
    }
  }

  const accessEntries: Asking = (question, signal) =>
    inCluster(question, async (clusterName) => {
      const { ListAccessEntriesCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const accessEntries: string[] = []
      let nextToken: string | undefined
      for (let page = 0; page < mostPages; page += 1) {
        const answer = await eks.send(new ListAccessEntriesCommand({ clusterName, nextToken }), sending(signal))
        accessEntries.push(...(answer.accessEntries ?? []))
        nextToken = answer.nextToken
        if (nextToken === undefined) return known({ accessEntries, complete: true }, question)
      }
      return known({ accessEntries, complete: false }, question)
    })

  const accessEntry: Asking = (question, signal) =>
    inCluster(question, async (clusterName) => {
      const { DescribeAccessEntryCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const principalArn = textAt(question.input, 'principalArn')
      const { accessEntry } = await eks.send(
        new DescribeAccessEntryCommand({ clusterName, principalArn }),
        sending(signal),
      )
      if (accessEntry === undefined) return unknown('malformed', 'EKS answered without the access entry', question)
      // With its tags: what makes an entry anew has to give it those too.
      return known({ accessEntry: printed(accessEntry) }, question)
    })

  const accessPolicies: Asking = (question, signal) =>
    inCluster(question, async (clusterName) => {
      const { ListAssociatedAccessPoliciesCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const principalArn = textAt(question.input, 'principalArn')
      const associatedAccessPolicies: Json[] = []
      let nextToken: string | undefined
      for (let page = 0; page < mostPages; page += 1) {
        const order = new ListAssociatedAccessPoliciesCommand({ clusterName, principalArn, nextToken })
        const answer = await eks.send(order, sending(signal))
        for (const { policyArn, accessScope } of answer.associatedAccessPolicies ?? [])
          associatedAccessPolicies.push(printed({ policyArn, accessScope }))
        nextToken = answer.nextToken
        if (nextToken === undefined) break
      }
      return known(printed({ principalArn, associatedAccessPolicies, complete: nextToken === undefined }), question)
    })

  const podIdentityAssociation: Asking = (question, signal) =>
    inCluster(question, async (clusterName) => {
      const { DescribePodIdentityAssociationCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const associationId = textAt(question.input, 'associationId')
      const { association } = await eks.send(
        new DescribePodIdentityAssociationCommand({ clusterName, associationId }),
        sending(signal),
      )
      if (association === undefined) return unknown('malformed', 'EKS answered without the association', question)
      const { tags: _, policy: _policy, ...rest } = association
      return known({ association: printed(rest) }, question)
    })

  const nodegroups: Asking = (question, signal) =>
    inCluster(question, async (clusterName) => {
      const { ListNodegroupsCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const nodegroups: string[] = []
      let nextToken: string | undefined
      for (let page = 0; page < mostPages; page += 1) {
        const answer = await eks.send(new ListNodegroupsCommand({ clusterName, nextToken }), sending(signal))
        nodegroups.push(...(answer.nodegroups ?? []))
        nextToken = answer.nextToken
        if (nextToken === undefined) return known({ nodegroups, complete: true }, question)
      }
      return known({ nodegroups, complete: false }, question)
    })

  const nodegroup: Asking = (question, signal) =>
    inCluster(question, async (clusterName) => {
      const { DescribeNodegroupCommand } = await import('@aws-sdk/client-eks')
      const eks = await clients.eks()
      const nodegroupName = textAt(question.input, 'nodegroupName')
      const { nodegroup } = await eks.send(
        new DescribeNodegroupCommand({ clusterName, nodegroupName }),
        sending(signal),
      )
      if (nodegroup === undefined) return unknown('malformed', 'EKS answered without the node group', question)
      const { nodegroupArn, nodeRole, amiType, status } = nodegroup
      return known({ nodegroup: printed({ nodegroupName, nodegroupArn, nodeRole, amiType, status }) }, question)
    })

  const instanceProfile: Asking = (question, signal) =>
    inAccount(textAt(question.input, 'account'), 'the instance profile', question, async () => {
      const { GetInstanceProfileCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const { InstanceProfile } = await iam.send(
        new GetInstanceProfileCommand({ InstanceProfileName: textAt(question.input, 'InstanceProfileName') }),
        sending(signal),
      )
      if (InstanceProfile === undefined) return unknown('malformed', 'IAM answered without the profile', question)
      const { InstanceProfileName, Arn, Roles = [] } = InstanceProfile
      const roles = Roles.map(({ RoleName, Arn }) => ({ RoleName, Arn }))
      return known({ InstanceProfile: printed({ InstanceProfileName, Arn, Roles: roles }) }, question)
    })

  const user: Asking = (question, signal) =>
    inAccount(textAt(question.input, 'account'), 'the user', question, async () => {
      const { GetUserCommand } = await import('@aws-sdk/client-iam')
      const iam = await clients.iam()
      const { User } = await iam.send(
        new GetUserCommand({ UserName: textAt(question.input, 'UserName') }),
        sending(signal),
      )
      if (User === undefined) return unknown('malformed', 'IAM answered without the user', question)
      const { UserName, Arn, Path, UserId, CreateDate } = User
      return known({ User: printed({ UserName, Arn, Path, UserId, CreateDate }) }, question)
    })

  return {
    'eks:ListAccessEntries': accessEntries,
    'eks:DescribeAccessEntry': accessEntry,
    'eks:ListAssociatedAccessPolicies': accessPolicies,
    'eks:DescribePodIdentityAssociation': podIdentityAssociation,
    'eks:ListNodegroups': nodegroups,
    'eks:DescribeNodegroup': nodegroup,
    'iam:GetInstanceProfile': instanceProfile,
    'iam:GetUser': user,
  }
}
