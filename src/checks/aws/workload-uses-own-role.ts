/** As whom the workload calls AWS: under its own role, or under another's. */
import { defineCheck } from '../../core/check.ts'
import { denialsIn, isNodeSession, isOwnBusiness, isSetUp } from '../../domain/aws-callers.ts'
import { rolesIn } from '../../domain/aws-injection.ts'
import { calledPod } from '../../probes/aws/called-pod.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'

type Observed = { readonly observed: string }

export const check = defineCheck({
  meta: {
    id: 'aws/workload-uses-own-role',
    title: 'The workload acts under its own role',
    severity: 'error',
    scope: 'pod',
    cloud: 'aws',
    section: 'Workload',
    why: 'An SDK without a web identity silently takes the next credentials it finds, most often those of the node.',
    fix: {
      safety: 'manual',
      does: 'none by itself; names the findings that can explain it, and recommends closing instance metadata once the cause is gone',
    },
    links: [
      'https://github.com/external-secrets/kubernetes-external-secrets/issues/368',
      'https://github.com/activeloopai/deeplake/issues/3161',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2627',
    ],
  },
  needs: {},
  wants: { errorsOfPod, roleReference, calledPod },
  after: ['aws/service-account-names-role', 'aws/pod-is-injected'],
  messages: {
    'node-role-used': ({ observed, instance }: Observed & { instance: string }) =>
      `the call was made as ${observed}: the role of node ${instance}, not the workload's own`,
    'user-used': ({ observed }: Observed) => `the call was made as IAM user ${observed}`,
    'other-role-used': ({ observed, expected }: Observed & { expected: string }) =>
      `the call was made as ${observed}, the ServiceAccount names ${expected}`,
  },
  judge: ({ want: { errorsOfPod, roleReference, calledPod } }) => {
    const errors = errorsOfPod.state === 'known' ? errorsOfPod.value : []
    const calls = errors.flatMap((error) =>
      denialsIn(error.text)
        .filter((one) => !isOwnBusiness(one))
        .map((one) => ({ ...one, evidence: { ...ofError(error), observed: one.arn } })),
    )
    const node = calls.find(({ caller }) => isNodeSession(caller))
    if (node !== undefined)
      return {
        status: 'fail',
        message: 'node-role-used',
        data: { observed: node.arn, instance: node.caller.session ?? 'not collected' },
        evidence: [node.evidence],
      }
    const others = calls.filter((one) => !isSetUp(one))
    const [first] = others
    if (first === undefined) return { status: 'not-applicable', reason: 'no call of the workload was seen' }
    const inPod = calledPod.state === 'known' ? rolesIn(calledPod.value) : []
    const named =
      roleReference.state === 'known' && roleReference.value.value !== '' ? roleReference.value.value : inPod[0]
    if (named === undefined)
      return roleReference.state === 'absent'
        ? { status: 'not-applicable', reason: 'the ServiceAccount names no role' }
        : { status: 'undecided', lacks: 'which role the ServiceAccount names was not seen', evidence: [first.evidence] }
    const expectation = { expected: named, words: { observed: 'acts as', expected: 'is given' } }
    const user = others.find(({ caller }) => caller.kind === 'user')
    if (user !== undefined)
      return {
        status: 'fail',
        message: 'user-used',
        data: { observed: user.arn },
        evidence: [{ ...user.evidence, ...expectation }],
      }
    const own = named.split('/').at(-1)
    const account = named.split(':')[4]
    const other = others.find(({ caller }) => caller.name !== own)
    if (other === undefined) return { status: 'pass', evidence: others.map(({ evidence }) => evidence) }
    // From its own role a workload may go on to another one, most often in another account.
    const chained = other.caller.account !== account || others.some(({ caller }) => caller.name === own)
    return chained
      ? {
          status: 'undecided',
          lacks: `the call was made as ${other.arn}, which the workload may have assumed from its own role`,
          evidence: [{ ...other.evidence, ...expectation }],
        }
      : {
          status: 'fail',
          message: 'other-role-used',
          data: { observed: other.arn, expected: named },
          evidence: [{ ...other.evidence, ...expectation }],
        }
  },
})
