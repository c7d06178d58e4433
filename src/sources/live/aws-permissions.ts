/** What IAM says about permissions: the policies of a role, the quotas of the account, a simulation of one call. */
import { type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import type { awsClients } from './aws-clients.ts'

type Clients = ReturnType<typeof awsClients>
type Sending = { readonly abortSignal?: AbortSignal }
type Call = (clients: Clients, question: Question, sending: Sending) => Promise<Fact<Json>>

/** IAM sends documents URL-encoded. */
function decoded(encoded: string | undefined): Json | undefined {
  try {
    return encoded === undefined ? undefined : JSON.parse(decodeURIComponent(encoded))
  } catch {
    return undefined
  }
}

const unreadable = (question: Question): Fact<Json> => unknown('malformed', 'the policy could not be read', question)

const listRolePolicies: Call = async (clients, question, sending) => {
  const { ListRolePoliciesCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const { PolicyNames = [], IsTruncated } = await iam.send(
    new ListRolePoliciesCommand({ RoleName: textAt(question.input, 'RoleName'), MaxItems: 1000 }),
    sending,
  )
  return known({ PolicyNames, complete: IsTruncated !== true }, question)
}

const getRolePolicy: Call = async (clients, question, sending) => {
  const { GetRolePolicyCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const { PolicyDocument } = await iam.send(
    new GetRolePolicyCommand({
      RoleName: textAt(question.input, 'RoleName'),
      PolicyName: textAt(question.input, 'PolicyName'),
    }),
    sending,
  )
  const document = decoded(PolicyDocument)
  return document === undefined ? unreadable(question) : known({ PolicyDocument: document }, question)
}

const listAttachedRolePolicies: Call = async (clients, question, sending) => {
  const { ListAttachedRolePoliciesCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const { AttachedPolicies = [], IsTruncated } = await iam.send(
    new ListAttachedRolePoliciesCommand({ RoleName: textAt(question.input, 'RoleName'), MaxItems: 1000 }),
    sending,
  )
  const policies = AttachedPolicies.map(({ PolicyName = '', PolicyArn = '' }) => ({ PolicyName, PolicyArn }))
  return known({ AttachedPolicies: policies, complete: IsTruncated !== true }, question)
}

const getPolicyVersion: Call = async (clients, question, sending) => {
  const { GetPolicyCommand, GetPolicyVersionCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const PolicyArn = textAt(question.input, 'PolicyArn')
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }), sending)
  const { PolicyVersion } = await iam.send(
    new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy?.DefaultVersionId }),
    sending,
  )
  const document = decoded(PolicyVersion?.Document)
  return document === undefined ? unreadable(question) : known({ PolicyVersion: { Document: document } }, question)
}

const getAccountSummary: Call = async (clients, question, sending) => {
  const { GetAccountSummaryCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const { SummaryMap = {} } = await iam.send(new GetAccountSummaryCommand({}), sending)
  return known({ SummaryMap: JSON.parse(JSON.stringify(SummaryMap)) }, question)
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html */
const simulate: Call = async (clients, question, sending) => {
  const { SimulatePrincipalPolicyCommand } = await import('@aws-sdk/client-iam')
  const iam = await clients.iam()
  const resource = textAt(question.input, 'ResourceArn') ?? '*'
  const { EvaluationResults } = await iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: textAt(question.input, 'PolicySourceArn'),
      ActionNames: [textAt(question.input, 'ActionName') ?? ''],
      ...(resource === '*' ? {} : { ResourceArns: [resource] }),
    }),
    sending,
  )
  if (EvaluationResults === undefined) return unknown('malformed', 'IAM answered without a result', question)
  const results = EvaluationResults.map(({ EvalActionName = '', EvalResourceName = '', EvalDecision = '' }) => ({
    EvalActionName,
    EvalResourceName,
    EvalDecision,
  }))
  return known({ EvaluationResults: results }, question)
}

export const permissionCalls: { readonly [call: string]: Call } = {
  'iam:ListRolePolicies': listRolePolicies,
  'iam:GetRolePolicy': getRolePolicy,
  'iam:ListAttachedRolePolicies': listAttachedRolePolicies,
  'iam:GetPolicyVersion': getPolicyVersion,
  'iam:GetAccountSummary': getAccountSummary,
  'iam:SimulatePrincipalPolicy': simulate,
}
