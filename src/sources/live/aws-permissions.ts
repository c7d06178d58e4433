/** What IAM says about permissions: a simulation of one call. */
import { type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import type { awsClients } from './aws-clients.ts'

type Clients = ReturnType<typeof awsClients>
type Sending = { readonly abortSignal?: AbortSignal }

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html */
export async function simulate(clients: Clients, question: Question, sending: Sending): Promise<Fact<Json>> {
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
