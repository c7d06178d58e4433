/** Whether the role's trust policy lets in the token of this ServiceAccount, and which element keeps it out. */
import { defineCheck, type Messages, type Remedy } from '../../core/check.ts'
import { advice, changeTrust } from '../../domain/advice.ts'
import { admitting } from '../../domain/aws-trust-edits.ts'
import type { Edit, MissData, MissKind } from '../../domain/aws-trust-policy.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { type Trust, trustDecision } from '../../probes/aws/trust-decision.ts'

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

const notCollected = 'not collected'
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Beside the data of the message: whose policy it is, and whom it has to admit. */
type Admission = { readonly role: string; readonly subject: string; readonly audience: string }

const change =
  (what: string) =>
  ({ role }: Admission): string =>
    advice(`${what} in the trust policy of role ${role}, and change nothing else in it.`, ...changeTrust(role))

const addSubject = ({ role, subject }: Admission): string =>
  advice(
    `Add the exact subject ${subject} to the trusted values of :sub in the trust policy of role ${role}; those that are there stay, and so does all else.`,
    ...changeTrust(role),
  )
const nameProvider = ({ role }: Admission): string =>
  advice(
    `Name the provider of the cluster's own issuer in the trust policy of role ${role}, and begin the condition keys with that issuer. Where others use the role by the present provider, add a copy of the statement with this change instead.`,
    ...changeTrust(role),
  )
const renameKey = change('Write the condition key as the issuer without https://, a colon and sub or aud')
const askAuthor = ({ role }: Admission, what: string): string =>
  advice(
    `Ask whoever wrote ${what} of role ${role} whether this workload may have the role: only they can say what the exclusion protects. If it may not, use a role of its own.`,
    ...changeTrust(role).slice(0, 1),
  )

const remedies = {
  'explicit-deny': (data) => askAuthor(data, `the Deny in the trust policy`),
  'no-web-identity-statement': ({ role, subject, audience }) =>
    advice(
      `Add a statement to the trust policy of role ${role} that allows sts:AssumeRoleWithWebIdentity to the provider of the cluster's issuer, where :sub is exactly ${subject} and :aud is ${audience === notCollected ? 'sts.amazonaws.com' : audience}. The other statements stay.`,
      ...changeTrust(role),
    ),
  'federated-not-arn': change('Name the provider by its ARN'),
  'federated-other-account': nameProvider,
  'federated-host-differs': nameProvider,
  'federated-other-issuer': nameProvider,
  'action-missing': change('Add sts:AssumeRoleWithWebIdentity to the actions of the statement'),
  'key-has-arn-prefix': renameKey,
  'key-of-other-issuer': renameKey,
  'key-is-no-claim': renameKey,
  'key-never-present': ({ role, subject, key }) =>
    advice(
      `In place of ${key}, which these calls never have, compare :sub with exactly ${subject} in the trust policy of role ${role}; all else in it stays.`,
      ...changeTrust(role),
    ),
  'claims-exchanged': change('Let :sub and :aud change places, so that each is compared with its own value,'),
  'audience-differs': ({ role, actual }) =>
    advice(
      `Add audience ${actual} to the trusted values of :aud in the trust policy of role ${role}; those that are there stay, and so does all else.`,
      ...changeTrust(role),
    ),
  'wildcard-under-string-equals': change('Move :sub under StringLike and leave :aud under StringEquals'),
  'white-space': addSubject,
  'case-differs': addSubject,
  'subject-prefix-doubled': addSubject,
  'subject-prefix-missing': addSubject,
  'subject-cut-short': addSubject,
  'namespace-differs': addSubject,
  'service-account-differs': addSubject,
  'subject-differs': addSubject,
  'negation-excludes': (data) => askAuthor(data, `the condition ${data.operator} on ${data.key} in the trust policy`),
  'list-without-set-operator': (data) =>
    change(`Write ForAnyValue:${data.operator} for the operator on ${data.key}`)(data),
  'variable-taken-literally': change('Set Version to 2012-10-17, by which variables count in every statement,'),
  'variable-unresolved': ({ role, variable, value }) =>
    advice(
      `Add what the token says, written out, beside ${value} (${variable} has no value here) in the trust policy of role ${role}; all else in it stays.`,
      ...changeTrust(role),
    ),
  'tag-session-missing': change(
    'Allow sts:TagSession beside sts:AssumeRoleWithWebIdentity, to the same provider on the same conditions,',
  ),
  'condition-not-met': ({ role, operator, key, wanted }) =>
    advice(
      `Have the workload call STS so that ${key} is what ${operator} wants, ${wanted}; or ask whoever wrote the trust policy of role ${role} to add what the call has. Leave the conditions on :sub and :aud as they are.`,
      ...changeTrust(role).slice(0, 1),
    ),
} satisfies { readonly [K in MissKind]: (data: MissData[K] & Admission) => string }

/** As with the messages. */
const remediesOf: Messages = remedies

const editOf = ({ path, from, to }: Edit): Omit<Remedy, 'words'> => ({ path, from: textOf(from), to: textOf(to) })

/** The statement that is missing, for exactly this subject and audience. */
function statementFor({ issuer, subject, audience }: Trust, account: string, partition: string): Omit<Remedy, 'words'> {
  if (issuer === undefined || audience === notCollected) return {}
  return {
    path: 'Statement[]',
    to: textOf(admitting({ issuer, subject, audience, accountId: account, partition })),
  }
}

export const check = defineCheck({
  meta: {
    id: 'aws/trust-policy-admits-service-account',
    title: "The role's trust policy admits this ServiceAccount's token",
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Trust',
    why: 'STS takes a token only where provider, action and every condition of one statement fit it, byte for byte; all else is AccessDenied.',
    fix: {
      safety: 'review',
      does: 'Change the one element by aws iam update-assume-role-policy (StringEquals to StringLike for :sub only, :aud stays exact; else add the exact subject to the list), keep every other statement and the former policy for an undo. Never add a wildcard, never remove a subject, never touch an explicit Deny.',
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
  only: { probe: roleReference, otherwise: 'the ServiceAccount names no role' },
  needs: { roleReference, trustDecision },
  wants: {},
  after: [
    'aws/role-exists',
    'aws/trust-policy-well-formed',
    'cluster/issuer-is-public',
    'cluster/tokens-carry-the-published-issuer',
  ],
  messages,
  remedies: remediesOf,
  judge: ({ have: { roleReference, trustDecision } }) => {
    if (roleReference.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount names no role' }
    if (trustDecision.state === 'absent')
      return { status: 'not-applicable', reason: 'no role is bound by web identity, or there is none' }
    const { decision, subject } = trustDecision.value
    const { cause, decidedBy } = decision
    const { role, audience } = trustDecision.value
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
    const data = { ...cause.data, role, subject, audience }
    const { arn } = roleReference.value
    const element =
      edit !== undefined
        ? editOf(edit)
        : cause.kind === 'no-web-identity-statement' && arn !== undefined
          ? statementFor(trustDecision.value, arn.account, arn.partition)
          : {}
    const exists = cause.path !== '' && cause.path !== 'Statement'
    return {
      status: 'fail',
      message: cause.kind,
      data,
      evidence: [
        {
          question,
          path: exists ? cause.path : 'Statement',
          observed: cause.wanted,
          expected: cause.presented,
          words: { observed: 'wants', expected: 'presents' },
        },
      ],
      ...(element.path === undefined ? {} : { remedy: { words: remediesOf[cause.kind]?.(data) ?? '', ...element } }),
    }
  },
})
