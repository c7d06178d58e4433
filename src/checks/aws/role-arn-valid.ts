/** Whether what the ServiceAccount names is the ARN of a role, of the partition that the cluster is in. */
import { defineCheck } from '../../core/check.ts'
import { partitionOfRegion, roleArnFault } from '../../domain/arn.ts'
import { composedRole } from '../../probes/aws/composed-role.ts'
import { ofAnswer, ofReference, wordsOf } from '../../probes/aws/evidence.ts'
import { stsAnswers } from '../../probes/aws/exchange.ts'
import { region } from '../../probes/aws/region.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'

type Value = { readonly value: string }

export const check = defineCheck({
  meta: {
    id: 'aws/role-arn-valid',
    title: "The role ARN is well formed and of the cluster's partition",
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Workload',
    why: 'The webhook only logs an ARN that is none and injects it all the same, so the fault shows at the first call of STS.',
    fix: {
      safety: 'review',
      does: 'sets the annotation to the ARN that iam:GetRole returns for the role name, if there is exactly one such role in the account; restarts the workload as a second action',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/cache/cache.go',
      'https://github.com/crossplane-contrib/provider-aws/issues/517',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1353',
      'https://github.com/aws/aws-node-termination-handler/issues/373',
      'https://repost.aws/knowledge-center/eks-troubleshoot-irsa-errors',
    ],
  },
  needs: {},
  wants: { roleReference, region, stsAnswers, composedRole },
  after: ['aws/service-account-names-role'],
  messages: {
    'placeholder-left': ({ value, placeholder }: Value & { placeholder: string }) =>
      `${value} still contains the placeholder ${placeholder}`,
    'stray-character': ({ value, character }: Value & { character: string }) =>
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
    'reported-invalid': ({ error }: { error: string }) =>
      `STS answered "${error}" to the role ARN; the ServiceAccount was not seen`,
  },
  judge: ({ want: { roleReference, region, stsAnswers, composedRole } }) => {
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
        data: { error: wordsOf(error) },
        evidence: [ofAnswer(refused)],
      }
    }
    if (!isWebIdentity(roleReference.value))
      return { status: 'not-applicable', reason: 'the role is bound by a Pod Identity association' }
    const { value, arn } = roleReference.value
    const evidence = ofReference(roleReference)
    const fault = roleArnFault(value)
    if (fault?.fault === 'name-only' && composedRole.state === 'known') return { status: 'pass', evidence }
    // One literal at a time, so that each message keeps its own data.
    if (fault?.fault === 'placeholder-left') return { status: 'fail', message: fault.fault, data: fault.data, evidence }
    if (fault?.fault === 'stray-character') return { status: 'fail', message: fault.fault, data: fault.data, evidence }
    if (fault?.fault === 'name-only') return { status: 'fail', message: fault.fault, data: fault.data, evidence }
    if (fault?.fault === 'instance-profile') return { status: 'fail', message: fault.fault, data: fault.data, evidence }
    if (fault?.fault === 'session-arn') return { status: 'fail', message: fault.fault, data: fault.data, evidence }
    if (fault?.fault === 'account-malformed')
      return { status: 'fail', message: fault.fault, data: fault.data, evidence }
    if (fault?.fault === 'malformed') return { status: 'fail', message: fault.fault, data: fault.data, evidence }
    if (region.state === 'known' && arn !== undefined && arn.partition !== region.value.partition)
      return {
        status: 'fail',
        message: 'partition-differs',
        data: {
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
