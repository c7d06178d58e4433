/** Whether the trust policy admits somebody else than those whom it was written for. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, changeTrust } from '../../domain/advice.ts'
import { awsAudience } from '../../domain/audiences.ts'
import { breadthsOf } from '../../domain/aws-trust-breadth.ts'
import { namedRole } from '../../probes/aws/role.ts'

/** `subject` is empty where not exactly one ServiceAccount was seen to name the role. */
type Role = { readonly role: string; readonly subject: string }
type Key = Role & { readonly key: string }
type Operator = Key & { readonly operator: string }
type Pattern = Role & { readonly pattern: string }

const change = ({ role }: Role, sentence: string): string =>
  advice(`${sentence} in the trust policy, and change nothing else in it.`, ...changeTrust(role))

const plainOf = (operator: string): string => operator.replace(/^ForAllValues:/, '').replace(/IfExists$/, '')

/** A subject is proposed only where it is certain whose role it is; before it is put in, others may still be found. */
const exact = ({ subject }: Role): string =>
  subject === ''
    ? 'the subjects system:serviceaccount:NAMESPACE:NAME of those who are meant to have the role'
    : `${subject} (the only ServiceAccount that was seen to name the role)`

export const check = defineCheck({
  meta: {
    id: 'aws/trust-policy-is-narrow',
    title: 'The trust policy admits nobody else',
    severity: 'warning',
    scope: 'object',
    kinds: ['Role'],
    cloud: 'aws',
    section: 'Trust',
    why: 'Whoever can make a ServiceAccount that the policy admits has the role, with all that it may do.',
    fix: {
      safety: 'review',
      does: 'Drop ForAllValues or IfExists where the values stay the same, add StringEquals for the audience; narrowing a wildcard is described, and whoever uses the role by it has to be named first.',
    },
    links: [
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html',
      'https://github.com/awsdocs/amazon-eks-user-guide/issues/503',
      'https://github.com/aws-actions/configure-aws-credentials/issues/318',
      'https://github.com/aws-actions/configure-aws-credentials/issues/690',
      'https://github.com/CircleCI-Public/server-terraform/pull/291',
    ],
  },
  needs: {},
  wants: { namedRole },
  after: [],
  messages: {
    anyone: ({ statement, principal }: Role & { statement: string; principal: string }) =>
      `statement ${statement} allows Principal ${principal}: everybody`,
    'not-principal': ({ statement }: Role & { statement: string }) =>
      `statement ${statement} allows with NotPrincipal, which admits all who are not listed`,
    'for-all-values': ({ operator, key }: Operator) => `${operator} on ${key} is also true when the key is absent`,
    'if-exists': ({ operator, key }: Operator) => `${operator} on ${key} is also true when the key is absent`,
    'subject-not-checked': ({ key }: Key) =>
      `no condition on ${key}: every ServiceAccount of the issuer may assume the role`,
    'subject-only-negated': ({ key, value }: Key & { value: string }) =>
      `the only condition on ${key} excludes ${value} and admits all others`,
    'subject-matches-everything': ({ pattern }: Pattern) => `${pattern} matches every ServiceAccount of the cluster`,
    'namespace-is-wildcard': ({ pattern }: Pattern) =>
      `${pattern} matches in every namespace, also in one that somebody creates tomorrow`,
    'audience-not-checked': ({ key }: Key) =>
      `no condition on ${key}: tokens of the issuer for other audiences count as well`,
  },
  remedies: {
    anyone: (data) =>
      change(data, "Write the ARN of the issuer's OIDC provider as Principal.Federated in the place of everybody"),
    'not-principal': (data) =>
      change(data, "Write Principal with the ARN of the issuer's OIDC provider in the place of NotPrincipal"),
    'for-all-values': (data) => change(data, `Write ${plainOf(data.operator)} for ${data.operator} on ${data.key}`),
    'if-exists': (data) => change(data, `Write ${plainOf(data.operator)} for ${data.operator} on ${data.key}`),
    'subject-not-checked': (data) => change(data, `Add StringEquals on ${data.key} with ${exact(data)}`),
    'subject-only-negated': (data) =>
      change(data, `Write StringEquals on ${data.key} with ${exact(data)} in the place of the exclusion`),
    'subject-matches-everything': (data) =>
      change(data, `Write StringEquals with ${exact(data)} in the place of ${data.pattern}`),
    'namespace-is-wildcard': (data) =>
      change(data, `Write StringEquals with ${exact(data)} in the place of ${data.pattern}`),
    'audience-not-checked': (data) => change(data, `Add StringEquals on ${data.key} with ${awsAudience}`),
  },
  judge: ({ want: { namedRole }, subject }) => {
    if (subject.kind !== 'Role') return { status: 'not-applicable', reason: 'it is no role' }
    if (namedRole.state === 'unknown') return { status: 'undecided', lacks: 'the trust policy was not seen' }
    if (namedRole.state === 'absent') return { status: 'not-applicable', reason: 'there is no such role' }
    const { judged, found } = breadthsOf(namedRole.value.policy)
    if (judged === 0) return { status: 'not-applicable', reason: 'no statement of the policy admits by web identity' }
    const [first] = found
    const evidence: readonly Evidence[] = found.map(({ path, observed }) => ({
      question: namedRole.from,
      path: `Role.AssumeRolePolicyDocument.${path}`,
      observed,
    }))
    if (first === undefined)
      return {
        status: 'pass',
        evidence: [{ question: namedRole.from, path: 'Role.RoleName', observed: namedRole.value.name }],
      }
    const [only, ...more] = subject.of ?? []
    const own = /^ServiceAccount ([^/]+)\/(.+)$/.exec(more.length === 0 ? (only ?? '') : '')
    const role: Role = {
      role: namedRole.value.name,
      subject: own === null ? '' : `system:serviceaccount:${own[1]}:${own[2]}`,
    }
    // One literal at a time, so that each message keeps its own data.
    switch (first.message) {
      case 'anyone':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
      case 'not-principal':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
      case 'for-all-values':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
      case 'if-exists':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
      case 'subject-not-checked':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
      case 'subject-only-negated':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
      case 'subject-matches-everything':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
      case 'namespace-is-wildcard':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
      case 'audience-not-checked':
        return { status: 'fail', message: first.message, data: { ...role, ...first.data }, evidence }
    }
  },
})
