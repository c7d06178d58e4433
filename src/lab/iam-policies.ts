/** The calls of IAM about the permission policies of roles, as far as a case shows them. */
import { at, type Json, listAt, textAt, textsAt } from '../core/json.ts'
import { aws } from '../domain/questions.ts'
import type { AwsError, Call, Form } from './aws-query.ts'
import type { Permissions } from './s3.ts'

export type PolicyDesk = {
  readonly account: string
  readonly told: Permissions['told']
  /** Throws where the signed-in identity may not call this. */
  readonly allow: (action: string, resource: string) => void
  readonly denied: (action: string, resource: string) => AwsError
  readonly required: (form: Form, name: string) => string
}

const encoded = (document: Json | undefined): string => encodeURIComponent(JSON.stringify(document ?? {}))
const rest = (value: Json) =>
  at(value, 'complete') === false ? { IsTruncated: true, Marker: 'more' } : { IsTruncated: false }

/** What the case does not show, the signed-in identity may not see. */
export function policyCalls({ account, told, allow, denied, required }: PolicyDesk): {
  readonly [action: string]: Call
} {
  const shown = (action: string, resource: string, value: Json | undefined): Json => {
    allow(action, resource)
    if (value === undefined) throw denied(action, resource)
    return value
  }
  return {
    ListRolePolicies: (form) => {
      const role = required(form, 'RoleName')
      const value = shown('iam:ListRolePolicies', `role ${role}`, told(aws.rolePolicies(account, role)))
      return { PolicyNames: textsAt(value, 'PolicyNames'), ...rest(value) }
    },
    GetRolePolicy: (form) => {
      const [RoleName, PolicyName] = [required(form, 'RoleName'), required(form, 'PolicyName')]
      const value = shown('iam:GetRolePolicy', `role ${RoleName}`, told(aws.rolePolicy(account, RoleName, PolicyName)))
      return { RoleName, PolicyName, PolicyDocument: encoded(at(value, 'PolicyDocument')) }
    },
    ListAttachedRolePolicies: (form) => {
      const role = required(form, 'RoleName')
      const value = shown('iam:ListAttachedRolePolicies', `role ${role}`, told(aws.attachedRolePolicies(account, role)))
      const policies = listAt(value, 'AttachedPolicies').map((one) => ({
        PolicyName: textAt(one, 'PolicyName') ?? '',
        PolicyArn: textAt(one, 'PolicyArn') ?? '',
      }))
      return { AttachedPolicies: policies, ...rest(value) }
    },
    GetPolicy: (form) => {
      const arn = required(form, 'PolicyArn')
      shown('iam:GetPolicy', `policy ${arn}`, told(aws.policy(account, arn)))
      return { Policy: { PolicyName: arn.split('/').at(-1) ?? arn, Arn: arn, DefaultVersionId: 'v1' } }
    },
    GetPolicyVersion: (form) => {
      const arn = required(form, 'PolicyArn')
      const value = shown('iam:GetPolicyVersion', `policy ${arn}`, told(aws.policy(account, arn)))
      const Document = encoded(at(value, 'PolicyVersion', 'Document'))
      return { PolicyVersion: { Document, VersionId: 'v1', IsDefaultVersion: true } }
    },
  }
}
