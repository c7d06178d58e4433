/** The cloud sees the declared identity, not the node's. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, type Place, placeOf } from '../../domain/advice.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { denialsIn, isNodeSession, isOwnBusiness, isSetUp } from '../../domain/aws-callers.ts'
import { rolesIn } from '../../domain/aws-injection.ts'
import { googleCallersIn, projectOf } from '../../domain/gcp-callers.ts'
import { sh } from '../../domain/shell-words.ts'
import type { Pod, ServiceAccount } from '../../domain/workloads.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import type { ObservedError } from '../../probes/cluster/observed-errors.ts'
import { calledPod } from '../../probes/workload/called-pod.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod, saidOfPod } from '../../probes/workload/observed-errors.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Cloud = 'aws' | 'gcp'
type Call = {
  readonly cloud: Cloud
  readonly caller: string
  readonly ofNode: boolean
  /** Who set things up acts under another name, and rightly so. */
  readonly setUp: boolean
  /** The name by which it is compared, and the account or project that it belongs to. */
  readonly name: string
  readonly home: string | undefined
  readonly kind: string
  readonly evidence: Evidence
}
type Used = Place & { readonly caller: string; readonly declared: string }

const callsIn = (error: ObservedError): readonly Call[] => [
  ...denialsIn(error.text)
    .filter((one) => !isOwnBusiness(one))
    .map(
      (one): Call => ({
        cloud: 'aws',
        caller: one.arn,
        ofNode: isNodeSession(one.caller),
        setUp: isSetUp(one),
        name: one.caller.name,
        home: one.caller.account,
        kind: one.caller.kind,
        evidence: { ...ofError(error), observed: one.arn },
      }),
    ),
  ...googleCallersIn(error.text).map(
    ({ email, project, ofNodes }): Call => ({
      cloud: 'gcp',
      caller: email,
      ofNode: ofNodes,
      setUp: false,
      name: email,
      home: project,
      kind: 'service account',
      evidence: { ...ofError(error), observed: email },
    }),
  ),
]

/** What the pod is bound to in this cloud: in full, and as callers are compared with it. */
function declaredIn(cloud: Cloud, role: string | undefined, pod: Pod | undefined, account: ServiceAccount | undefined) {
  if (cloud === 'gcp') {
    const email = account?.annotations[googleAnnotation]?.trim()
    return email ? { full: email, name: email, home: projectOf(email) } : undefined
  }
  const arn = role || (pod === undefined ? undefined : rolesIn(pod)[0])
  return arn ? { full: arn, name: arn.split('/').at(-1) ?? '', home: arn.split(':')[4] } : undefined
}

const chain = ({ workload, namespace }: Place): string => sh`kubectl exec ${workload} -n ${namespace} -- printenv`

export const check = defineCheck({
  meta: {
    id: 'workload/caller-is-the-declared-identity',
    title: 'The cloud sees the declared identity of the workload',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Workload',
    why: 'A client that passes the identity of its pod over falls through to that of the node, silently, and gets what the node may do.',
    fix: {
      safety: 'manual',
      does: 'Make the client use the identity of its pod, then close the metadata service of the nodes to pods so that the failure becomes loud; never grant anything to the identity of the node.',
    },
    links: [
      'https://github.com/activeloopai/deeplake/issues/3161',
      'https://github.com/awslabs/mountpoint-s3-csi-driver/issues/586',
    ],
  },
  only: { probe: saidOfPod, otherwise: 'no call of the workload was seen' },
  needs: {},
  wants: { errorsOfPod, roleReference, serviceAccount, calledPod },
  after: [
    'aws/pod-is-injected',
    'workload/pod-is-newer-than-its-binding',
    'workload/token-file-is-readable',
    'workload/static-credentials-are-absent',
  ],
  messages: {
    'node-identity-used': ({ caller, declared }: Used) =>
      `the cloud saw ${caller}, the identity of the node; the pod is bound to ${declared}`,
    'other-identity-used': ({ caller, declared }: Used) => `the cloud saw ${caller}; the pod is bound to ${declared}`,
  },
  remedies: {
    'node-identity-used': (data) =>
      advice(
        `See which credentials the client of ${data.workload} supports (an old SDK knows neither web identity nor workload identity) and update or configure it for ${data.declared}; once that works, close the metadata service of the nodes to pods.`,
        chain(data),
      ),
    'other-identity-used': (data) =>
      advice(
        `Find what gives ${data.workload} the identity ${data.caller} and take it away: a setting of the application, a profile, a key file. If that identity is meant, bind the ServiceAccount to it.`,
        chain(data),
      ),
  },
  judge: ({ want: { errorsOfPod, roleReference, serviceAccount, calledPod }, subject }) => {
    const calls = (errorsOfPod.state === 'known' ? errorsOfPod.value : []).flatMap(callsIn)
    if (calls.length === 0) return { status: 'not-applicable', reason: 'no call of the workload was seen' }
    const pod = calledPod.state === 'known' ? calledPod.value : undefined
    const place: Place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const role = roleReference.state === 'known' ? roleReference.value.value : undefined
    const evidence = calls.map((call) => call.evidence)
    const unbound =
      roleReference.state === 'absent' &&
      account !== undefined &&
      calls.every(({ cloud }) => declaredIn(cloud, role, pod, account) === undefined)
    if (unbound) return { status: 'not-applicable', reason: 'the pod is bound to no identity' }
    let open: string | undefined
    let judged = 0
    for (const message of ['node-identity-used', 'other-identity-used'] as const)
      for (const call of calls) {
        const declared = declaredIn(call.cloud, role, pod, account)
        if (declared === undefined) {
          open ??= `the call was made as ${call.caller}, and no identity that the pod is bound to was seen`
          continue
        }
        const data = { ...place, caller: call.caller, declared: declared.full }
        const seen = {
          ...call.evidence,
          expected: declared.full,
          words: { observed: 'acts as', expected: 'is bound to' },
        }
        if (message === 'node-identity-used') {
          if (call.ofNode && call.name !== declared.name) return { status: 'fail', message, data, evidence: [seen] }
          continue
        }
        if (call.setUp) continue
        judged += 1
        if (call.name === declared.name) continue
        const chained =
          call.kind !== 'user' && (call.home !== declared.home || calls.some((one) => one.name === declared.name))
        if (!chained) return { status: 'fail', message, data, evidence: [seen] }
        open ??= `the call was made as ${call.caller}, which the workload may have assumed from its own identity`
      }
    if (open !== undefined) return { status: 'undecided', lacks: open, evidence }
    return judged === 0
      ? { status: 'not-applicable', reason: 'no call of the workload was seen' }
      : { status: 'pass', evidence }
  },
})
