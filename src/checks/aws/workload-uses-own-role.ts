/** As whom the workload calls AWS: under its own role, or under another's. */
import { defineCheck } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf, unsetVariables } from '../../domain/advice.ts'
import { denialsIn, isNodeSession, isOwnBusiness, isSetUp } from '../../domain/aws-callers.ts'
import { rolesIn } from '../../domain/aws-injection.ts'
import { sh } from '../../domain/shell-words.ts'
import { meansNoCredentials } from '../../knowledge/error-texts.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import type { ObservedError } from '../../probes/cluster/observed-errors.ts'
import { calledPod } from '../../probes/workload/called-pod.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod, saidOfPod } from '../../probes/workload/observed-errors.ts'

type Observed = Place & { readonly observed: string }

const isInstance = (name: string): boolean => /^i-[0-9a-f]+$/.test(name)

const variables = ({ workload, namespace }: Place): string =>
  sh`kubectl exec ${workload} -n ${namespace} -- printenv AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE AWS_PROFILE`

/** An error that says that the workload got no credentials, and that no check of the way there has explained. */
function saidWithout(error: ObservedError) {
  const means = meansNoCredentials(error.fragment)
  return means === undefined
    ? []
    : [
        {
          status: 'undecided',
          lacks: `${error.place} says why the workload had no credentials: ${means} Nothing that was seen shows whether that is still so`,
          lift: sh`kubectl wi explain ${error.fragment}`,
          evidence: [ofError(error)],
        } as const,
      ]
}

export const check = defineCheck({
  meta: {
    id: 'aws/workload-uses-own-role',
    title: 'The workload acts under its own role',
    severity: 'error',
    scope: 'pod',
    cloud: 'aws',
    section: 'Workload',
    why: 'An SDK takes the first credentials it finds, so a workload may silently act under those of its node, of a stored key or of another role.',
    fix: {
      safety: 'manual',
      does: 'Nothing is changed by itself: put right the findings that can explain it, and close instance metadata to pods once the cause is gone.',
    },
    links: [
      'https://github.com/external-secrets/kubernetes-external-secrets/issues/368',
      'https://github.com/activeloopai/deeplake/issues/3161',
      'https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2627',
    ],
  },
  only: { probe: saidOfPod, otherwise: 'no call of the workload was seen' },
  needs: {},
  wants: { errorsOfPod, roleReference, calledPod },
  after: [
    'aws/service-account-names-role',
    'aws/pod-is-injected',
    'aws/sdk-supports-mechanism',
    'workload/token-file-is-readable',
    'workload/static-credentials-are-absent',
  ],
  covers: ['workload/caller-is-the-declared-identity'],
  messages: {
    'node-role-used': ({ observed, instance }: Observed & { instance: string }) =>
      `the call was made as ${observed}: the role of node ${instance}, not the workload's own`,
    'user-used': ({ observed }: Observed) => `the call was made as IAM user ${observed}`,
    'other-role-used': ({ observed, expected }: Observed & { expected: string }) =>
      `the call was made as ${observed}, the ServiceAccount names ${expected}`,
  },
  remedies: {
    'node-role-used': (data) =>
      advice(
        `Put the other findings about this workload right first. If there are none, see that the container has both variables (then its SDK is too old for web identity) and once it uses its own role, close the metadata of ${isInstance(data.instance) ? data.instance : 'the node (INSTANCE_ID: the end of spec.providerID of its Node)'} to pods.`,
        variables(data),
        sh`aws ec2 modify-instance-metadata-options --instance-id ${isInstance(data.instance) ? data.instance : 'INSTANCE_ID'} --http-tokens required --http-put-response-hop-limit 1`,
      ),
    'user-used': (data) => {
      const { where } = editTemplate(data)
      return advice(
        `Take the access key of the user out of ${where}, and out of the Secrets and files that it mounts: SDKs take such a key before the web identity.`,
        ...unsetVariables(data, ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']),
      )
    },
    'other-role-used': (data) =>
      advice(
        `Find what gives the container the other role and take it out of ${editTemplate(data).where}: AWS_ROLE_ARN or AWS_PROFILE, a role_arn in its AWS configuration, an assume-role setting of the application. If that role is meant, have the ServiceAccount name it.`,
        variables(data),
      ),
  },
  judge: ({ want: { errorsOfPod, roleReference, calledPod }, subject }) => {
    const place: Place =
      calledPod.state === 'known'
        ? { workload: workloadOf(calledPod.value), namespace: calledPod.value.namespace }
        : placeOf(subject)
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
        data: { ...place, observed: node.arn, instance: node.caller.session ?? 'not collected' },
        evidence: [node.evidence],
      }
    // An exchange that works for the doctor does not refute what the workload itself has said.
    const without = roleReference.state === 'absent' ? [] : errors.flatMap((error) => saidWithout(error))
    const unexplained = without[0]
    const others = calls.filter((one) => !isSetUp(one))
    const [first] = others
    if (first === undefined)
      return unexplained ?? { status: 'not-applicable', reason: 'no call of the workload was seen' }
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
        data: { ...place, observed: user.arn },
        evidence: [{ ...user.evidence, ...expectation }],
      }
    const own = named.split('/').at(-1)
    const account = named.split(':')[4]
    const other = others.find(({ caller }) => caller.name !== own)
    if (other === undefined) return unexplained ?? { status: 'pass', evidence: others.map(({ evidence }) => evidence) }
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
          data: { ...place, observed: other.arn, expected: named },
          evidence: [{ ...other.evidence, ...expectation }],
        }
  },
})
