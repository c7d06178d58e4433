/** Whether the policies around the role allow what the workload was seen to be refused. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { boundary, callRefused, simulated } from '../../probes/aws/refused.ts'

type Call = { readonly role: string; readonly action: string; readonly resource: string }

const statement = ({ action, resource }: Call): string =>
  JSON.stringify({ Effect: 'Allow', Action: action, Resource: resource })

/** The smallest statement, and what it belongs to; a person who may change that has to want it. */
const add = (data: Call, layer: string, ...commands: readonly string[]): string =>
  advice(`If the workload is meant to do this, add ${statement(data)} to ${layer}.`, ...commands)

const explained = 'aws organizations list-policies --filter SERVICE_CONTROL_POLICY'

export const check = defineCheck({
  meta: {
    id: 'aws/role-permits-action',
    title: "The role's policies allow what the workload does",
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Permissions',
    why: 'An identity that works opens nothing by itself; the words of the denial name the layer that has to change.',
    fix: {
      safety: 'manual',
      does: 'Take the smallest statement that would allow the call to whoever owns the layer that is named; nothing is granted by itself.',
    },
    links: [
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html',
      'https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2517',
    ],
  },
  only: { probe: callRefused, otherwise: 'no refused call of the workload was seen' },
  needs: {},
  wants: { callRefused, simulated, boundary },
  after: ['aws/workload-uses-own-role', 'aws/role-may-use-bucket'],
  messages: {
    'explicit-deny': ({ action, resource, policyKind }: Call & { policyKind: string }) =>
      `${action} on ${resource} is denied explicitly in ${policyKind}`,
    'organization-does-not-allow': ({ action, policyKind }: Call & { policyKind: string }) =>
      `no ${policyKind} of the organization allows ${action}`,
    'boundary-does-not-allow': ({ action, boundary }: Call & { boundary: string }) =>
      `the permissions boundary ${boundary} does not allow ${action}`,
    'session-policy-does-not-allow': ({ action }: Call) => `the session policy does not allow ${action}`,
    'endpoint-policy-does-not-allow': ({ action }: Call) => `the policy of the VPC endpoint does not allow ${action}`,
    'resource-policy-does-not-allow': ({ role, action, resource }: Call) =>
      `the policy of ${resource} does not let ${role} do ${action}`,
    'identity-policy-does-not-allow': ({ role, action, resource }: Call) =>
      `no policy of ${role} allows ${action} on ${resource}`,
  },
  remedies: {
    'explicit-deny': ({ action, policyKind }) =>
      advice(
        `Ask whoever owns ${policyKind} to except this workload from the statement that denies ${action}, or do without the call: no permission elsewhere can overrule a Deny.`,
      ),
    'organization-does-not-allow': (data) =>
      advice(
        `Ask the administrators of the AWS organization (its management account) to let ${data.action} through for the account; nothing in the account can overrule it.`,
        explained,
      ),
    'boundary-does-not-allow': (data) =>
      add(
        data,
        `the permissions boundary of role ${data.role}, as far as its owner agrees`,
        sh`aws iam get-role --role-name ${data.role} --query Role.PermissionsBoundary`,
      ),
    'session-policy-does-not-allow': (data) =>
      add(data, 'the session policy that the application (or the Pod Identity association) passes with its call'),
    'endpoint-policy-does-not-allow': (data) =>
      add(data, 'the policy of the VPC endpoint (with its Principal)', 'aws ec2 describe-vpc-endpoints'),
    'resource-policy-does-not-allow': (data) =>
      add(data, `the policy of ${data.resource}, with role ${data.role} as its Principal`),
    'identity-policy-does-not-allow': (data) =>
      add(
        data,
        `a policy of role ${data.role}`,
        sh`aws iam list-attached-role-policies --role-name ${data.role}`,
        sh`aws iam list-role-policies --role-name ${data.role}`,
      ),
  },
  judge: ({ want: { callRefused, simulated, boundary } }) => {
    if (callRefused.state !== 'known')
      return { status: 'not-applicable', reason: 'no refused call of the workload was seen' }
    const { caller, action, resource = '*', lacking, denying, error } = callRefused.value
    const data: Call = { role: caller?.name ?? '', action, resource }
    const evidence: readonly Evidence[] = [ofError(error)]
    if (denying !== undefined)
      return { status: 'fail', message: 'explicit-deny', data: { ...data, policyKind: denying }, evidence }
    switch (lacking) {
      case 'service control':
      case 'resource control':
        return {
          status: 'fail',
          message: 'organization-does-not-allow',
          data: { ...data, policyKind: `${lacking} policy` },
          evidence,
        }
      case 'permissions boundary':
        return {
          status: 'fail',
          message: 'boundary-does-not-allow',
          data: { ...data, boundary: boundary.state === 'known' ? boundary.value : 'of the role' },
          evidence,
        }
      case 'session':
        return { status: 'fail', message: 'session-policy-does-not-allow', data, evidence }
      case 'VPC endpoint':
        return { status: 'fail', message: 'endpoint-policy-does-not-allow', data, evidence }
      case 'resource-based':
        return { status: 'fail', message: 'resource-policy-does-not-allow', data, evidence }
      case 'identity-based':
        return { status: 'fail', message: 'identity-policy-does-not-allow', data, evidence }
    }
    // Older services leave the reason out; then only IAM itself can tell whether it lies with the role.
    const told: readonly Evidence[] =
      simulated.state === 'known'
        ? [
            ...evidence,
            { question: simulated.from, path: 'EvaluationResults[0].EvalDecision', observed: simulated.value },
          ]
        : evidence
    if (simulated.state === 'known' && simulated.value === 'implicitDeny')
      return { status: 'fail', message: 'identity-policy-does-not-allow', data, evidence: told }
    if (simulated.state === 'known' && simulated.value === 'explicitDeny')
      return {
        status: 'fail',
        message: 'explicit-deny',
        data: { ...data, policyKind: 'a policy of the role or above it' },
        evidence: told,
      }
    if (simulated.state === 'known' && simulated.value === 'allowed') return { status: 'pass', evidence: told }
    return {
      status: 'undecided',
      lacks: `${action} was refused without a reason: a policy of ${data.role} may lack it, or another layer deny it`,
      evidence: told,
    }
  },
})
