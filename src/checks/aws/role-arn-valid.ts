/** Whether what the ServiceAccount names is the ARN of a role, of the partition that the cluster is in. */
import { defineCheck } from '../../core/check.ts'
import { accountOf, advice, type Binding, listRoles, setRole, unnamed } from '../../domain/advice.ts'
import { parseRoleArn, partitionOfRegion, roleArnFault } from '../../domain/arn.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { sh } from '../../domain/shell-words.ts'
import { composedRole } from '../../probes/aws/composed-role.ts'
import { ofAnswer, ofReference, wordsOf } from '../../probes/aws/evidence.ts'
import { stsAnswers } from '../../probes/aws/exchange.ts'
import { region } from '../../probes/aws/region.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'

/** `role`: the name that the value seems to mean. */
type Value = Binding & { readonly value: string; readonly role: string }

const ends =
  /^[\s"'`\\?\u200b-\u200d\u2060\u2018\u2019\u201c\u201d]+|[\s"'`\\?\u200b-\u200d\u2060\u2018\u2019\u201c\u201d]+$/g
/** The ARN between stray characters at its ends; what stands in the middle may have been meant. */
const trimmed = (value: string): string => {
  const bare = value.length > 2048 ? '' : value.replace(ends, '')
  return parseRoleArn(bare) === undefined ? unnamed.roleArn : bare
}

/** What the value calls the role: its last part, if a role can be called that. */
const roleNameIn = (value: string): string => {
  const parts = value.split(/[/:]/)
  const last = (/:assumed-role\//.test(value) ? parts.at(-2) : parts.at(-1)) ?? ''
  return /^[\w+=,.@-]{1,64}$/.test(last) ? last : unnamed.role
}

/** IAM itself says the whole ARN, with the path. */
const asIamSays = (data: Value): string => {
  const { words, commands } = setRole(data, unnamed.roleArn)
  return advice(
    `Ask IAM for the ARN of the role (${unnamed.roleArn}: what the first command prints) and ${words}.`,
    sh`aws iam get-role --role-name ${data.role} --query Role.Arn --output text`,
    ...commands,
  )
}

export const check = defineCheck({
  meta: {
    id: 'aws/role-arn-valid',
    title: "The role ARN is well formed and of the cluster's partition",
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Workload',
    why: 'The webhook injects whatever stands in the annotation and at most logs that it is no ARN, so a wrong one shows only when STS refuses it.',
    fix: {
      safety: 'review',
      does: 'Set the annotation to the ARN that iam:GetRole returns for the role name, if there is exactly one such role in the account; restart the workload as a second action.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/cache/cache.go',
      'https://github.com/crossplane-contrib/provider-aws/issues/517',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1353',
      'https://github.com/aws/aws-node-termination-handler/issues/373',
      'https://repost.aws/knowledge-center/eks-troubleshoot-irsa-errors',
    ],
  },
  only: { probe: roleReference, otherwise: 'the ServiceAccount names no role' },
  needs: {},
  wants: { roleReference, region, stsAnswers, composedRole },
  after: ['aws/service-account-names-role'],
  messages: {
    'placeholder-left': ({ value, placeholder }: Value & { placeholder: string }) =>
      `${value} still contains the placeholder ${placeholder}`,
    'stray-character': ({ value, character }: Value & { character: string; expected: string }) =>
      `${value} contains ${character}, which no ARN contains`,
    'name-only': ({ value }: Value) =>
      `${value} is a role name; the annotation takes the ARN (a name only with the webhook flag --compose-role-arn)`,
    'instance-profile': ({ value }: Value) => `${value} is an instance profile; the annotation takes the ARN of a role`,
    'session-arn': ({ value, expected }: Value & { expected: string }) =>
      `${value} is the ARN of a session; the role ARN is ${expected}`,
    'account-malformed': ({ value }: Value) => `the account in ${value} is not 12 digits`,
    malformed: ({ value, part, expected }: Value & { part: string; expected: string }) =>
      `${value} is no role ARN; ${part} should read ${expected}`,
    'partition-differs': (data: Value & { observed: string; region: string; expected: string }) =>
      `${data.value} is of partition ${data.observed}, the cluster in ${data.region} is in ${data.expected}`,
    'reported-invalid': ({ error }: Binding & { error: string }) =>
      `STS answered "${error}" to the role ARN; the ServiceAccount was not seen`,
  },
  remedies: {
    'placeholder-left': (data) => {
      const { words, commands } = setRole(data, unnamed.roleArn)
      return advice(
        `Have ${data.placeholder} filled in where the manifest is rendered, and by hand ${words} (${unnamed.roleArn}: one of the list).`,
        listRoles,
        ...commands,
      )
    },
    'stray-character': (data) => {
      const { words, commands } = setRole(data, data.expected)
      return data.expected === unnamed.roleArn
        ? asIamSays(data)
        : advice(`Write the ARN without ${data.character}: ${words}.`, ...commands)
    },
    'name-only': asIamSays,
    'instance-profile': (data) => {
      const { words, commands } = setRole(data, unnamed.roleArn)
      return advice(
        `Choose the workload's own role, not that of a node (${unnamed.roleArn}: one of the list), and ${words}.`,
        listRoles,
        ...commands,
      )
    },
    'session-arn': asIamSays,
    'account-malformed': asIamSays,
    malformed: asIamSays,
    'partition-differs': (data) => {
      const { words, commands } = setRole(data, unnamed.roleArn)
      return advice(
        `Choose a role in an account of partition ${data.expected}, for none can be assumed across partitions (${unnamed.roleArn}: one of the list), and ${words}.`,
        sh`aws iam list-roles --query 'Roles[].Arn' --output text --region ${data.region}`,
        ...commands,
      )
    },
    'reported-invalid': (data) =>
      advice(
        `See which role the ServiceAccount of the pod names. Where that is not of the form arn:aws:iam::ACCOUNT:role/NAME (${unnamed.roleArn}), ${setRole(data, unnamed.roleArn).words}.`,
        sh`kubectl get serviceaccount/${data.serviceAccount} -n ${data.namespace} -o yaml`,
        ...setRole(data, unnamed.roleArn).commands,
      ),
  },
  judge: ({ want: { roleReference, region, stsAnswers, composedRole }, subject }) => {
    const answers = stsAnswers.state === 'known' && !stsAnswers.value.exchanged ? stsAnswers.value.answers : []
    const refused = answers.find(({ text }) => /Request ARN is invalid|arn is invalid:/.test(text))
    if (roleReference.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount names no role by annotation' }
    if (roleReference.state === 'unknown') {
      if (refused === undefined) return { status: 'undecided', lacks: 'which role is named was not seen' }
      const error = /arn is invalid:.{0,200}/.exec(refused.text)?.[0] ?? 'Request ARN is invalid'
      return {
        status: 'fail',
        message: 'reported-invalid',
        data: { error: wordsOf(error), ...accountOf(subject), via: 'annotation', key: roleAnnotation },
        evidence: [ofAnswer(refused)],
      }
    }
    if (!isWebIdentity(roleReference.value))
      return { status: 'not-applicable', reason: 'the role is bound by a Pod Identity association' }
    const { value, arn, via, key } = roleReference.value
    const binding = { ...accountOf(subject), via, key, role: roleNameIn(value) }
    const evidence = ofReference(roleReference)
    const fault = roleArnFault(value)
    if (fault?.fault === 'name-only' && composedRole.state === 'known') return { status: 'pass', evidence }
    // One literal at a time, so that each message keeps its own data.
    if (fault?.fault === 'placeholder-left')
      return { status: 'fail', message: fault.fault, data: { ...fault.data, ...binding }, evidence }
    if (fault?.fault === 'stray-character')
      return {
        status: 'fail',
        message: fault.fault,
        data: { ...fault.data, ...binding, expected: trimmed(value) },
        evidence,
      }
    if (fault?.fault === 'name-only')
      return { status: 'fail', message: fault.fault, data: { ...fault.data, ...binding }, evidence }
    if (fault?.fault === 'instance-profile')
      return { status: 'fail', message: fault.fault, data: { ...fault.data, ...binding }, evidence }
    if (fault?.fault === 'session-arn')
      return { status: 'fail', message: fault.fault, data: { ...fault.data, ...binding }, evidence }
    if (fault?.fault === 'account-malformed')
      return { status: 'fail', message: fault.fault, data: { ...fault.data, ...binding }, evidence }
    if (fault?.fault === 'malformed')
      return { status: 'fail', message: fault.fault, data: { ...fault.data, ...binding }, evidence }
    if (region.state === 'known' && arn !== undefined && arn.partition !== region.value.partition)
      return {
        status: 'fail',
        message: 'partition-differs',
        data: {
          ...binding,
          value,
          observed: arn.partition,
          region: region.value.region,
          expected: partitionOfRegion(region.value.region) ?? region.value.partition,
        },
        evidence: evidence.map((one) => ({
          ...one,
          expected: value.replace(`arn:${arn.partition}:`, `arn:${region.value.partition}:`),
        })),
      }
    if (refused !== undefined)
      return {
        status: 'undecided',
        lacks: 'the ARN is well formed, and yet STS refused one as invalid: the pod may carry another',
        lift: 'kubectl get pods -o yaml',
        evidence: [...evidence, ofAnswer(refused)],
      }
    return { status: 'pass', evidence }
  },
})
