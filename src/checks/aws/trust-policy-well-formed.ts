/** Whether IAM takes the trust policy, and takes it for what its author meant. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { malformations } from '../../domain/aws-trust-form.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { namedRole } from '../../probes/aws/role.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'

type Key = { readonly key: string }

/** IAM says the same of policies that give permissions; a text that names such a call is not about trust. */
const refusal =
  /MalformedPolicyDocument|Condition can contain only one colon|Federated principals must be valid domain names/
const ofPermissions =
  /PutRolePolicy|PutUserPolicy|PutGroupPolicy|CreatePolicy|PutBucketPolicy|PutKeyPolicy|AssumeRole\b|AssumeRoleWithWebIdentity|IAM [Pp]olicy/
const code = /^.*?MalformedPolicyDocument(?:Exception)?:?\s*/

const saidBy = (text: string): string => {
  const plain = wordsOf(text)
  const words = plain.replace(code, '').replace(/\s*status code:.*$/, '')
  return words === '' ? plain : words
}

export const check = defineCheck({
  meta: {
    id: 'aws/trust-policy-well-formed',
    title: 'The trust policy is one that IAM accepts and means what it says',
    severity: 'error',
    scope: 'object',
    cloud: 'aws',
    section: 'Trust',
    why: 'IAM refuses some mistakes when the policy is stored, and silently keeps a different policy for others.',
    fix: {
      safety: 'review',
      does: 'rewrites key or provider without the scheme, merges duplicate members into one list; every other statement stays as it is',
    },
    links: [
      'https://github.com/terraform-aws-modules/terraform-aws-eks/issues/1084',
      'https://github.com/terraform-aws-modules/terraform-aws-iam/pull/53',
      'https://github.com/terraform-aws-modules/terraform-aws-iam/issues/202',
      'https://github.com/Young-ook/terraform-aws-eks/issues/139',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2718',
      'https://github.com/hashicorp/terraform-provider-aws/issues/8905',
      'https://github.com/awsdocs/amazon-cloudwatch-logs-user-guide/issues/44',
    ],
  },
  needs: {},
  wants: { namedRole, errorsOfServiceAccount },
  after: [],
  messages: {
    'duplicate-member': ({ member, line, kept }: { member: string; line: number; kept: string }) =>
      `${member} stands twice in one object (line ${line}); only the last one, ${kept}, counts`,
    'scheme-in-key': ({ key, expected }: Key & { expected: string }) =>
      `condition key ${key} contains https://, which IAM refuses; the key is ${expected}`,
    'scheme-in-provider': ({ value, expected }: { value: string; expected: string }) =>
      `Principal.Federated ${value} contains https://; the provider ARN is ${expected}`,
    'federated-malformed': ({ value }: { value: string }) =>
      `Principal.Federated ${value} is an ARN, but not of an OIDC or SAML provider`,
    'permissions-in-trust-policy': ({ element }: { element: string }) =>
      `the trust policy contains ${element}, which belongs into a permissions policy`,
    'key-with-white-space': ({ key }: Key) => `condition key "${key}" contains white space`,
    'operator-unknown': ({ operator }: { operator: string }) => `${operator} is no condition operator`,
    'principal-does-not-exist': ({ error }: { error: string }) =>
      `IAM refused the policy: a principal in it does not exist, or not yet (${error})`,
    'reported-malformed': ({ error }: { error: string }) => `IAM refused the policy: ${error}`,
  },
  judge: ({ want: { namedRole, errorsOfServiceAccount } }) => {
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const refused = errors.find(({ text }) => refusal.test(text) && !ofPermissions.test(text))
    const told: readonly Evidence[] = refused === undefined ? [] : [ofError(refused)]
    if (namedRole.state === 'known') {
      const { policy, duplicates } = namedRole.value
      const at = (path: string, observed: string, expected?: string): readonly Evidence[] => [
        {
          question: namedRole.from,
          path: `Role.AssumeRolePolicyDocument.${path}`,
          observed,
          ...(expected === undefined ? {} : { expected, words: { observed: 'reads', expected: 'should read' } }),
        },
        ...told,
      ]
      const [twice] = duplicates
      if (twice !== undefined)
        return {
          status: 'fail',
          message: 'duplicate-member',
          data: { member: twice.member, line: twice.line, kept: twice.kept },
          evidence: at(twice.path, twice.kept),
        }
      const [wrong] = malformations(policy)
      if (wrong !== undefined) {
        const { message, path, data } = wrong
        // One literal at a time, so that each message keeps its own data.
        if (message === 'scheme-in-key')
          return { status: 'fail', message, data, evidence: at(path, data.key, data.expected) }
        if (message === 'scheme-in-provider')
          return { status: 'fail', message, data, evidence: at(path, data.value, data.expected) }
        if (message === 'federated-malformed') return { status: 'fail', message, data, evidence: at(path, data.value) }
        if (message === 'permissions-in-trust-policy')
          return { status: 'fail', message, data, evidence: at(path, data.element) }
        if (message === 'key-with-white-space')
          return { status: 'fail', message, data, evidence: at(path, data.key, data.key.replace(/\s+/g, '')) }
        return { status: 'fail', message, data, evidence: at(path, data.operator) }
      }
    }
    if (refused !== undefined) {
      const message = /Invalid principal in policy/.test(refused.text)
        ? 'principal-does-not-exist'
        : 'reported-malformed'
      return { status: 'fail', message, data: { error: saidBy(refused.text) }, evidence: told }
    }
    if (namedRole.state === 'unknown') return { status: 'undecided', lacks: 'the trust policy was not seen' }
    if (namedRole.state === 'absent') return { status: 'not-applicable', reason: 'there is no such role' }
    return {
      status: 'pass',
      evidence: [{ question: namedRole.from, path: 'Role.RoleName', observed: namedRole.value.name }],
    }
  },
})
