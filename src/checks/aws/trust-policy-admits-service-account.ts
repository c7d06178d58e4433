/** Whether the role's trust policy lets in the token of this ServiceAccount, and which element keeps it out. */
import { defineCheck, type Messages, type Remedy } from '../../core/check.ts'
import type { Edit, MissData, MissKind } from '../../domain/aws-trust-policy.ts'
import { type RoleReference, roleReference } from '../../probes/aws/role-reference.ts'
import { trustDecision } from '../../probes/aws/trust-decision.ts'

const words = {
  'explicit-deny': ({ statement, conditions }) => `statement ${statement} denies this token: ${conditions}`,
  'no-web-identity-statement': ({ principals }) =>
    `no statement admits an identity provider; the policy trusts ${principals}`,
  'federated-not-arn': ({ observed, expected }) =>
    `Principal.Federated is ${observed}; the provider is named by its ARN, ${expected}`,
  'federated-other-account': ({ observed, expected }) =>
    `the policy trusts the provider of account ${observed}; it has to be that of the role's own account ${expected}`,
  'federated-host-differs': ({ observed, expected }) =>
    `the policy trusts issuer ${observed}; the host of the tokens' issuer is ${expected}`,
  'federated-other-issuer': ({ observed, expected }) =>
    `the policy trusts issuer ${observed}; the tokens come from ${expected}`,
  'action-missing': ({ provider, actions }) =>
    `the statement for ${provider} allows ${actions}, not sts:AssumeRoleWithWebIdentity`,
  'key-has-arn-prefix': ({ key, expected }) =>
    `condition key ${key} starts with the provider ARN; the key is ${expected}`,
  'key-of-other-issuer': ({ key, provider }) =>
    `condition key ${key} belongs to another issuer than the statement's provider ${provider}; for its tokens the key is absent`,
  'key-is-no-claim': ({ key }) =>
    `condition key ${key} does not exist; only sub, aud and amr of these tokens become keys`,
  'key-never-present': ({ key, operator }) =>
    `condition key ${key} is absent from every web identity call, so ${operator} on it is false`,
  'claims-exchanged': ({ key, value, expected }) => `${key} is compared with ${value}, which belongs to ${expected}`,
  'audience-differs': ({ wanted, actual }) => `the policy wants audience ${wanted}, the token carries ${actual}`,
  'wildcard-under-string-equals': ({ value }) =>
    `StringEquals compares literally, so "*" in ${value} matches no ServiceAccount; use StringLike`,
  'white-space': ({ value }) => `the trusted value "${value}" has white space that the token does not have`,
  'case-differs': ({ trusted, actual }) => `the policy trusts ${trusted}, the token says ${actual}; case counts`,
  'subject-prefix-doubled': ({ value }) => `${value} has the prefix system:serviceaccount: twice`,
  'subject-prefix-missing': ({ value }) => `${value} lacks the prefix system:serviceaccount:`,
  'subject-cut-short': ({ value, actual }) => `${value} ends before the token's subject ${actual} does`,
  'namespace-differs': ({ trusted, actual }) =>
    `the policy trusts namespace ${trusted}, the ServiceAccount lives in ${actual}`,
  'service-account-differs': ({ trusted, actual }) =>
    `the policy trusts ServiceAccount ${trusted}, this one is ${actual}`,
  'subject-differs': ({ trusted, actual }) => `the policy trusts ${trusted}, the token says ${actual}`,
  'negation-excludes': ({ operator, key, value, actual }) =>
    `${operator} on ${key} excludes ${value}, which ${actual} matches`,
  'list-without-set-operator': ({ key, operator }) =>
    `${key} holds a list of values, which ${operator} without ForAnyValue never matches`,
  'variable-taken-literally': ({ value, version }) =>
    `${value} contains a policy variable, but Version is ${version}, where it is literal text`,
  'variable-unresolved': ({ variable, value }) => `${variable} in ${value} has no value in a web identity call`,
  'tag-session-missing': () => 'the token carries session tags, and no statement allows sts:TagSession',
  'condition-not-met': ({ operator, key, wanted, actual }) =>
    `${operator} on ${key} wants ${wanted}, the call has ${actual}`,
} satisfies { readonly [K in MissKind]: (data: MissData[K]) => string }
/** Each cause of the evaluator brings the data of its own message, which `words` has seen to. */
const messages: Messages = words

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const remedyOf = ({ arn, value }: RoleReference, { path, from, to }: Edit): Remedy => ({
  words: `in the trust policy of role ${arn?.name ?? value} (aws iam update-assume-role-policy), and nothing else in it`,
  path,
  from: textOf(from),
  to: textOf(to),
})

export const check = defineCheck({
  meta: {
    id: 'aws/trust-policy-admits-service-account',
    title: "The role's trust policy admits this ServiceAccount's token",
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Trust',
    why: 'STS compares the subject byte for byte; one wrong character is AccessDenied.',
    fix: {
      safety: 'review',
      does: 'aws iam update-assume-role-policy with the one element changed (StringEquals to StringLike for :sub only, :aud stays exact; else the exact subject added to the list), every other statement kept, undo attached; never adds a wildcard, never removes a subject, never touches an explicit Deny',
    },
    links: [
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html',
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html',
      'https://github.com/aws/karpenter-provider-aws/issues/1666',
      'https://github.com/external-secrets/kubernetes-external-secrets/issues/287',
      'https://github.com/crossplane/crossplane/issues/5578',
      'https://github.com/awslabs/mountpoint-s3-csi-driver/issues/300',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/30',
      'https://github.com/kubernetes-sigs/aws-ebs-csi-driver/issues/748',
      'https://github.com/aws-ia/terraform-aws-eks-blueprints-addons/issues/326',
      'https://github.com/crossplane-contrib/provider-aws/pull/1331',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1935',
      'https://github.com/aws-ia/terraform-aws-eks-blueprints/issues/1102',
      'https://github.com/crossplane-contrib/provider-upjet-aws/issues/1199',
      'https://github.com/DNXLabs/terraform-aws-eks-lb-controller/issues/34',
      'https://github.com/aws-actions/configure-aws-credentials/issues/1100',
      'https://github.com/ministryofjustice/modernisation-platform/issues/3909',
    ],
  },
  needs: { roleReference, trustDecision },
  wants: {},
  after: ['aws/role-exists', 'aws/trust-policy-well-formed'],
  messages,
  judge: ({ have: { roleReference, trustDecision } }) => {
    if (roleReference.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount names no role' }
    if (trustDecision.state === 'absent')
      return { status: 'not-applicable', reason: 'no role is bound by web identity, or there is none' }
    const { decision, subject } = trustDecision.value
    const { cause, decidedBy } = decision
    const question = trustDecision.from
    if (decision.decision === 'allow')
      return {
        status: 'pass',
        evidence: [
          {
            question,
            path: `Role.AssumeRolePolicyDocument.Statement[${decidedBy[0] ?? 0}]`,
            observed: `admits ${subject}`,
          },
        ],
      }
    if (cause === undefined) return { status: 'undecided', lacks: 'no element of the policy explains the denial' }
    const { edit } = cause
    const exists = cause.path !== '' && cause.path !== 'Statement'
    return {
      status: 'fail',
      message: cause.kind,
      data: cause.data,
      evidence: [
        {
          question,
          path: exists ? cause.path : 'Statement',
          observed: cause.wanted,
          expected: cause.presented,
          words: { observed: 'wants', expected: 'presents' },
        },
      ],
      ...(edit === undefined || roleReference.state !== 'known' ? {} : { remedy: remedyOf(roleReference.value, edit) }),
    }
  },
})
