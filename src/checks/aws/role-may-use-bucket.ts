/** Whether the role's permissions for a bucket are such as S3 and KMS honour. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, unnamed } from '../../domain/advice.ts'
import { bucketShapes } from '../../domain/aws-bucket-shapes.ts'
import { isNodeSession } from '../../domain/aws-callers.ts'
import { refusalsIn } from '../../domain/aws-refusals.ts'
import { sh } from '../../domain/shell-words.ts'
import { bucketAdmission, bucketKey, keyArn, ofKms } from '../../probes/aws/bucket.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { callRefused } from '../../probes/aws/refused.ts'
import { rolePolicies } from '../../probes/aws/role-policies.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'

type Role = { readonly role: string; readonly policy: string }
type Shape = Role & { readonly actions: string; readonly resource: string; readonly expected: string }

const change = ({ role, policy }: Role, sentence: string): string =>
  advice(
    `${sentence} in policy ${policy} of role ${role}, and change nothing else in it.`,
    sh`aws iam get-role-policy --role-name ${role} --policy-name ${policy}`,
  )

export const check = defineCheck({
  meta: {
    id: 'aws/role-may-use-bucket',
    title: 'The role may use the bucket and its key',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Permissions',
    why: 'S3 has two forms of ARN, one for the bucket and one for its objects; a permission on the wrong one is stored and never matches.',
    fix: {
      safety: 'review',
      does: 'Add the second ARN form of the same bucket to the statement; policies of other accounts and keys are described, and s3:* or a bucket wildcard is never granted.',
    },
    links: [
      'https://github.com/grafana/loki/issues/3718',
      'https://github.com/openclimatefix/nwp-consumer/issues/103',
      'https://github.com/aws/amazon-genomics-cli/issues/545',
      'https://github.com/crossplane-contrib/provider-upjet-aws/issues/1199',
    ],
  },
  needs: {},
  wants: { rolePolicies, roleReference, callRefused, errorsOfServiceAccount, bucketAdmission, bucketKey },
  after: [],
  messages: {
    'object-actions-on-bucket-arn': ({ actions, resource, expected }: Shape) =>
      `${actions} act on objects, but ${resource} names the bucket; objects are ${expected}`,
    'bucket-actions-on-object-arn': ({ actions, resource, expected }: Shape) =>
      `${actions} act on the bucket, but ${resource} names objects; the bucket is ${expected}`,
    'list-all-my-buckets': (_: Role) =>
      's3:ListAllMyBuckets only lists names of buckets; reading one takes s3:ListBucket on its ARN',
    'other-account-bucket': ({ bucket, owner, role }: { bucket: string; owner: string; role: string }) =>
      `bucket ${bucket} belongs to ${owner}, and its policy does not let ${role} in`,
    'key-not-allowed': ({ key }: { key: string; role: string }) =>
      `the objects are encrypted with a KMS key that the role may not use (${key})`,
  },
  remedies: {
    'object-actions-on-bucket-arn': (data) => change(data, `Add ${data.expected} beside ${data.resource}`),
    'bucket-actions-on-object-arn': (data) => change(data, `Add ${data.expected} beside ${data.resource}`),
    'list-all-my-buckets': (data) =>
      change(
        data,
        'Add s3:ListBucket on arn:aws:s3:::BUCKET, and what the workload does with objects (such as s3:GetObject) on arn:aws:s3:::BUCKET/*,',
      ),
    'other-account-bucket': ({ bucket, role }) =>
      advice(
        `Ask the owner of the bucket to let role ${role} in by the policy of the bucket, for the actions that the workload needs and no more.`,
        sh`aws s3api get-bucket-policy --bucket ${bucket}`,
      ),
    'key-not-allowed': ({ role }) =>
      advice(
        `Let role ${role} use the key: kms:Decrypt for reading, kms:GenerateDataKey for writing, in a policy of the role, and in the key policy as well if the key is of another account (KEY_ID: see the encryption of the bucket).`,
        'aws s3api get-bucket-encryption --bucket BUCKET',
        'aws kms get-key-policy --key-id KEY_ID --policy-name default',
      ),
  },
  judge: ({
    want: { rolePolicies, roleReference, callRefused, errorsOfServiceAccount, bucketAdmission, bucketKey },
  }) => {
    const own = roleReference.state === 'known' ? roleReference.value.arn?.name : undefined
    const policies = rolePolicies.state === 'known' ? rolePolicies.value : undefined
    const { grants, faults } = bucketShapes(policies?.items ?? [])
    const evidenceOf = (policy: string, path: string, observed: string, expected?: string): readonly Evidence[] => {
      const item = policies?.items.find(({ name }) => name === policy)
      const question = item?.from ?? rolePolicies.from
      return [{ question, path: `${policy}: ${path}`, observed, ...(expected === undefined ? {} : { expected }) }]
    }
    const [fault] = faults
    if (fault !== undefined && policies?.refused === false) {
      const { policy, path } = fault
      const role = { role: own ?? unnamed.role, policy }
      if (fault.message === 'list-all-my-buckets')
        return {
          status: 'fail',
          message: fault.message,
          data: role,
          evidence: evidenceOf(policy, path, 's3:ListAllMyBuckets'),
        }
      const { resource, expected } = fault
      const data = { ...role, actions: fault.actions.join(', '), resource, expected }
      const evidence = evidenceOf(policy, path, resource, expected)
      return fault.message === 'object-actions-on-bucket-arn'
        ? { status: 'fail', message: 'object-actions-on-bucket-arn', data, evidence }
        : { status: 'fail', message: 'bucket-actions-on-object-arn', data, evidence }
    }
    const refused = callRefused.state === 'known' ? callRefused.value : undefined
    const bucket = /^arn:[^:]*:s3:::([^/]+)/.exec(refused?.resource ?? '')?.[1]
    if (
      refused?.lacking === 'resource-based' &&
      bucket !== undefined &&
      bucketAdmission.state === 'known' &&
      bucketAdmission.value.admits
    )
      return {
        status: 'undecided',
        lacks: `the policy of ${bucket} was once the reason of a refusal, and names the role or its account now; whether its conditions let it in is open`,
        evidence: [ofError(refused.error)],
      }
    if (refused?.lacking === 'resource-based' && bucket !== undefined)
      return {
        status: 'fail',
        message: 'other-account-bucket',
        data: { bucket, owner: 'another account', role: refused.caller?.name ?? own ?? unnamed.role },
        evidence:
          bucketAdmission.state === 'known'
            ? [
                ofError(refused.error),
                {
                  question: bucketAdmission.from,
                  path: 'Policy.Statement[].Principal',
                  observed: bucketAdmission.value.principals.join(', '),
                },
              ]
            : [ofError(refused.error)],
      }
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const locked = errors.find(
      ({ text }) =>
        ofKms.test(text) && !refusalsIn(text).some(({ caller }) => caller !== undefined && isNodeSession(caller)),
    )
    if (locked !== undefined)
      return {
        status: 'fail',
        message: 'key-not-allowed',
        data: {
          key: keyArn.exec(locked.text)?.[0] ?? (bucketKey.state === 'known' ? bucketKey.value : 'the text names none'),
          role: own ?? unnamed.role,
        },
        evidence: [ofError(locked)],
      }
    if (grants.length === 0) return { status: 'not-applicable', reason: 'no S3 statement of the role was seen' }
    if (policies?.complete !== true || fault !== undefined)
      return {
        status: 'undecided',
        lacks: 'not all policies of the role were seen',
        lift: 'aws iam list-attached-role-policies',
      }
    return {
      status: 'pass',
      evidence: grants.flatMap(({ policy, path, resources }) => evidenceOf(policy, path, resources.join(', '))),
    }
  },
})
