/** Whether the trust policy of an associated role lets EKS Pod Identity in, with both actions and the tags that it sends. */
import { defineCheck, type Evidence, type Messages, type Remedy } from '../../core/check.ts'
import { advice, changeTrust } from '../../domain/advice.ts'
import { isOfAgent } from '../../domain/agent-answers.ts'
import { podIdentityService, type ServiceMiss } from '../../domain/aws-trust-service.ts'
import { sh } from '../../domain/shell-words.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { podIdentityBinding, podIdentityTrust } from '../../probes/aws/pod-identity-trust.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'

const id = 'aws/trust-policy-admits-pod-identity'
const ofThisCheck = fragmentsOf(id)
const unbound = 'the ServiceAccount is not bound by EKS Pod Identity'

type Binding = {
  readonly role: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly association: string
  readonly cluster: string
}

const words = {
  'explicit-deny': ({ statement, conditions }) => `statement ${statement} denies ${podIdentityService}: ${conditions}`,
  'principal-missing': ({ principals }) =>
    `no statement trusts the service ${podIdentityService}; the policy trusts ${principals}`,
  'assume-role-missing': ({ actions }) =>
    `the statement for ${podIdentityService} allows ${actions}, not sts:AssumeRole`,
  'tag-session-missing': ({ actions }) =>
    `the statement for ${podIdentityService} allows ${actions}, not sts:TagSession`,
  'session-tags-disabled': ({ key }) => `the policy wants ${key}, but the association has disableSessionTags`,
  'tag-condition-differs': ({ key, wanted, actual }) =>
    `the policy wants ${key} ${wanted}, Pod Identity sends ${actual}`,
  'source-differs': ({ key, wanted, actual }) => `the policy wants ${key} ${wanted}, the call comes from ${actual}`,
} satisfies { readonly [K in keyof ServiceMiss]: (data: ServiceMiss[K]) => string }
/** Each cause of the evaluator brings the data of its own message, which `words` has seen to. */
const messages: Messages = words

const change =
  (what: string) =>
  ({ role }: Binding): string =>
    advice(`${what} in the trust policy of role ${role}, and change nothing else in it.`, ...changeTrust(role))
/** A condition protects somebody: whether this workload is meant too is for its author to say. */
const admit = ({ role, key, actual }: Binding & { readonly key: string; readonly actual: string }): string =>
  advice(
    `If this workload may have role ${role}, add ${actual} to the values of ${key} in its trust policy, and change nothing else in it; if not, give the association a role of its own.`,
    ...changeTrust(role),
  )

const remedies = {
  'explicit-deny': ({ role }) =>
    advice(
      `Ask whoever wrote the Deny in the trust policy of role ${role} whether this workload may have the role: only they can say what it protects. If it may not, give the association a role of its own.`,
      ...changeTrust(role).slice(0, 1),
    ),
  'principal-missing': ({ role }) =>
    advice(
      `Add one statement to the trust policy of role ${role} that allows sts:AssumeRole and sts:TagSession to the service ${podIdentityService}; the other statements stay.`,
      ...changeTrust(role),
    ),
  'assume-role-missing': change(`Add sts:AssumeRole to the actions of the statement for ${podIdentityService}`),
  'tag-session-missing': change(`Add sts:TagSession to the actions of the statement for ${podIdentityService}`),
  'session-tags-disabled': ({ association, cluster, key }) =>
    advice(
      `Let EKS tag the sessions of this association again, so that ${key} is there to be compared; the trust policy stays. An association with a session policy of its own cannot have tags: then ask whoever wrote the trust policy.`,
      sh`aws eks update-pod-identity-association --cluster-name ${cluster} --association-id ${association} --no-disable-session-tags`,
    ),
  'tag-condition-differs': (data) =>
    data.actual === 'no such key'
      ? advice(
          `EKS Pod Identity has no ${data.key}. Where the statement of role ${data.role} is meant for others too, add one of its own for ${podIdentityService} that compares aws:RequestTag/kubernetes-namespace with ${data.namespace} and aws:RequestTag/kubernetes-service-account with ${data.serviceAccount}; the other statements stay.`,
          ...changeTrust(data.role),
        )
      : admit(data),
  'source-differs': admit,
} satisfies { readonly [K in keyof ServiceMiss]: (data: ServiceMiss[K] & Binding) => string }
/** As with the messages. */
const remediesOf: Messages = remedies

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
const statement = {
  Effect: 'Allow',
  Principal: { Service: podIdentityService },
  Action: ['sts:AssumeRole', 'sts:TagSession'],
}

export const check = defineCheck({
  meta: {
    id,
    title: 'The associated role trusts EKS Pod Identity',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Pod Identity',
    why: 'EKS assumes the role as the service pods.eks.amazonaws.com and tags the session, so the trust policy has to allow both; an association with another role is taken without a word.',
    fix: {
      safety: 'review',
      does: 'Add the missing action, or one statement for pods.eks.amazonaws.com with sts:AssumeRole and sts:TagSession; keep all conditions and other statements.',
    },
    links: [
      'https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html',
      'https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html',
    ],
  },
  only: { probe: podIdentityBinding, otherwise: unbound },
  needs: { podIdentityBinding, podIdentityTrust },
  wants: { errorsOfServiceAccount },
  after: ['aws/role-exists', 'aws/pod-identity-association-exists', 'aws/trust-policy-well-formed'],
  messages,
  remedies: remediesOf,
  judge: ({ have: { podIdentityBinding, podIdentityTrust }, want: { errorsOfServiceAccount } }) => {
    if (podIdentityBinding.state === 'absent') return { status: 'not-applicable', reason: unbound }
    if (podIdentityTrust.state === 'absent')
      return { status: 'not-applicable', reason: 'the association names no role that there is' }
    const { decision, role, call } = podIdentityTrust.value
    const { cause, decidedBy } = decision
    const question = podIdentityTrust.from
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const said = errors.filter(({ fragment, text }) => ofThisCheck.has(fragment) && isOfAgent(text)).map(ofError)
    if (decision.decision === 'allow') {
      const evidence: readonly Evidence[] = [
        {
          question,
          path: `Role.AssumeRolePolicyDocument.Statement[${decidedBy[0] ?? 0}]`,
          observed: `admits ${podIdentityService}`,
        },
        ...said,
      ]
      return said.length === 0
        ? { status: 'pass', evidence }
        : {
            status: 'undecided',
            lacks: `EKS was refused, although the trust policy of role ${role} admits it: the policy or the association is newer than the refusal, or a policy of the organization denies it`,
            evidence,
          }
    }
    if (cause === undefined) return { status: 'undecided', lacks: 'no element of the policy explains the denial' }
    const { id: association, cluster } = podIdentityBinding.value
    const data = {
      ...cause.data,
      role,
      namespace: call.namespace,
      serviceAccount: call.serviceAccount,
      association: association ?? 'ASSOCIATION_ID',
      cluster: call.cluster?.name ?? cluster?.name ?? 'CLUSTER',
    }
    const element: Omit<Remedy, 'words'> =
      cause.edit !== undefined
        ? { path: cause.edit.path, from: textOf(cause.edit.from), to: textOf(cause.edit.to) }
        : cause.kind === 'principal-missing'
          ? { path: 'Statement[]', to: textOf(statement) }
          : {}
    return {
      status: 'fail',
      message: cause.kind,
      data,
      evidence: [
        {
          question,
          path: cause.path,
          observed: cause.wanted,
          expected: cause.presented,
          words: { observed: 'wants', expected: 'presents' },
        },
        ...said,
      ],
      ...(element.path === undefined ? {} : { remedy: { words: remediesOf[cause.kind]?.(data) ?? '', ...element } }),
    }
  },
})
