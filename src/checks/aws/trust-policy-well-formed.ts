/** Whether IAM takes the trust policy, and takes it for what its author meant. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { scopeOf } from '../../core/subject.ts'
import { advice, changeTrust, putTrust, unnamed } from '../../domain/advice.ts'
import { malformations } from '../../domain/aws-trust-form.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { namedRole } from '../../probes/aws/role.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'

/** The role whose policy it is; a placeholder where only an error was seen. */
type Role = { readonly role: string }
type Key = Role & { readonly key: string }

const inPolicy = ({ role }: Role, sentence: string): string =>
  advice(`${sentence} in the trust policy, and change nothing else in it.`, ...changeTrust(role))

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
    kinds: ['Role'],
    cloud: 'aws',
    section: 'Trust',
    why: 'IAM refuses some mistakes when a policy is stored; others it stores, and the policy then means something else.',
    fix: {
      safety: 'review',
      does: 'Write key or provider without the scheme, merge duplicate members into one list; every other statement stays as it is.',
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
    'duplicate-member': ({ member, line, kept }: Role & { member: string; line: number; kept: string }) =>
      `${member} stands twice in one object (line ${line}); only the last one, ${kept}, counts`,
    'scheme-in-key': ({ key, expected }: Key & { expected: string }) =>
      `condition key ${key} contains https://, which IAM refuses; the key is ${expected}`,
    'scheme-in-provider': ({ value, expected }: Role & { value: string; expected: string }) =>
      `Principal.Federated ${value} contains https://; the provider ARN is ${expected}`,
    'federated-malformed': ({ value }: Role & { value: string }) =>
      `Principal.Federated ${value} is an ARN, but no well-formed one of an OIDC or SAML provider`,
    'permissions-in-trust-policy': ({ element }: Role & { element: string }) =>
      `the trust policy contains ${element}, which belongs into a permissions policy`,
    'key-with-white-space': ({ key }: Key) => `condition key "${key}" contains white space`,
    'operator-unknown': ({ operator }: Role & { operator: string }) => `${operator} is no condition operator`,
    'principal-does-not-exist': ({ error }: Role & { error: string }) =>
      `IAM refused the policy: a principal in it does not exist, or not yet (${error})`,
    'reported-malformed': ({ error }: Role & { error: string }) => `IAM refused the policy: ${error}`,
  },
  remedies: {
    'duplicate-member': ({ role, member, line }) =>
      advice(
        `Put the values of both ${member} (the second is in line ${line}) into one in the file of the policy, here trust.json, and store it again.`,
        putTrust(role),
      ),
    'scheme-in-key': (data) => inPolicy(data, `Write the key as ${data.expected}`),
    'scheme-in-provider': (data) => inPolicy(data, `Write the provider as ${data.expected}`),
    'federated-malformed': (data) =>
      advice(
        "Put the ARN of the issuer's OIDC provider (one of the list) in its place in the trust policy, and change nothing else in it.",
        'aws iam list-open-id-connect-providers',
        ...changeTrust(data.role),
      ),
    'permissions-in-trust-policy': ({ role, element }) =>
      advice(
        `Take ${element} out of the trust policy and keep the rest of it as it is. If the role is meant to have it, put it into a permissions policy of the role (permissions.json).`,
        ...changeTrust(role),
        sh`aws iam put-role-policy --role-name ${role} --policy-name NAME --policy-document file://permissions.json`,
      ),
    'key-with-white-space': (data) =>
      inPolicy(data, `Write the key without white space, ${data.key.replace(/\s+/g, '')},`),
    'operator-unknown': (data) =>
      inPolicy(data, `Write ${data.operator} as the operator that is meant, such as StringEquals or StringLike,`),
    'principal-does-not-exist': ({ role }) =>
      advice(
        'Correct the ARN of the principal that IAM names, or create that one first and wait a few seconds; then store the policy (trust.json) again.',
        putTrust(role),
      ),
    'reported-malformed': ({ role }) =>
      advice(
        `Correct in the file of the policy (trust.json) what IAM names, and store it again${role === unnamed.role ? ` (${role}: the role that the error was about)` : ''}. The first command shows everything that is wrong with it.`,
        'aws accessanalyzer validate-policy --policy-type RESOURCE_POLICY --validate-policy-resource-type AWS::IAM::AssumeRolePolicyDocument --policy-document file://trust.json',
        putTrust(role),
      ),
  },
  judge: ({ want: { namedRole, errorsOfServiceAccount }, subject }) => {
    if (scopeOf(subject) === 'object' && subject.kind !== 'Role')
      return { status: 'not-applicable', reason: 'it is no role' }
    const role = subject.kind === 'Role' ? subject.name : unnamed.role
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
          data: { role, member: twice.member, line: twice.line, kept: twice.kept },
          evidence: at(twice.path, twice.kept),
        }
      const [wrong] = malformations(policy)
      if (wrong !== undefined) {
        const { message, path, data: said } = wrong
        // One literal at a time, so that each message keeps its own data.
        if (message === 'scheme-in-key')
          return { status: 'fail', message, data: { ...said, role }, evidence: at(path, said.key, said.expected) }
        if (message === 'scheme-in-provider')
          return { status: 'fail', message, data: { ...said, role }, evidence: at(path, said.value, said.expected) }
        if (message === 'federated-malformed')
          return { status: 'fail', message, data: { ...said, role }, evidence: at(path, said.value) }
        if (message === 'permissions-in-trust-policy')
          return { status: 'fail', message, data: { ...said, role }, evidence: at(path, said.element) }
        if (message === 'key-with-white-space')
          return {
            status: 'fail',
            message,
            data: { ...said, role },
            evidence: at(path, said.key, said.key.replace(/\s+/g, '')),
          }
        return { status: 'fail', message, data: { ...said, role }, evidence: at(path, said.operator) }
      }
    }
    if (refused !== undefined) {
      const message = /Invalid principal in policy/.test(refused.text)
        ? 'principal-does-not-exist'
        : 'reported-malformed'
      return { status: 'fail', message, data: { role, error: saidBy(refused.text) }, evidence: told }
    }
    if (namedRole.state === 'unknown') return { status: 'undecided', lacks: 'the trust policy was not seen' }
    if (namedRole.state === 'absent') return { status: 'not-applicable', reason: 'there is no such role' }
    return {
      status: 'pass',
      evidence: [{ question: namedRole.from, path: 'Role.RoleName', observed: namedRole.value.name }],
    }
  },
})
