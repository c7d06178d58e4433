/** Whether the session that the workload asks for is one that STS gives. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, editTemplate, podsOf, unnamed } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { exceedsMaximum, sessionLimit } from '../../probes/aws/session-limit.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'
import { podsOfServiceAccount } from '../../probes/workload/pods.ts'

const variable = 'AWS_ROLE_SESSION_NAME'
/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
const characters = /^[\w+=,.@-]*$/
const [shortest, longest] = [2, 64]

const tooLong = /at 'roleSessionName' failed to satisfy constraint: Member must have length/
const odd = /at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression/

type Named = { readonly value: string; readonly workload: string; readonly namespace: string }

const inShort = (value: string): string => (value.length > 120 ? `${value.slice(0, 120)}…` : value)
const nameIn = (text: string): string =>
  inShort(/Value '([^']{1,300})' at 'roleSessionName'/.exec(text)?.[1] ?? 'that was sent')

const rename = ({ workload, namespace }: Named, how: string): string => {
  const { where, commands } = editTemplate({ workload, namespace })
  return advice(
    `Give the session a name ${how}: ${variable} in ${where}, or the setting of the application that makes the name.`,
    ...commands,
  )
}

export const check = defineCheck({
  meta: {
    id: 'aws/session-request-valid',
    title: 'Session name, duration and policies are within the limits of STS',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Workload',
    why: 'STS refuses a session whose name, length or policies it does not take, however right the trust is.',
    fix: {
      safety: 'review',
      does: 'Raise MaxSessionDuration of the role (aws iam update-role, at most 43200) when that is the limit that was hit; settings of applications are described.',
    },
    links: [
      'https://github.com/zalando-incubator/kube-aws-iam-controller/issues/16',
      'https://github.com/aws-actions/configure-aws-credentials/issues/1306',
      'https://github.com/aws/eks-anywhere/pull/9485',
      'https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html',
    ],
  },
  needs: {},
  wants: { errorsOfServiceAccount, roleReference, podsOfServiceAccount, sessionLimit },
  after: [],
  messages: {
    'session-name-too-long': ({ value, length }: Named & { length: number | string }) =>
      `session name ${value} has ${length} characters; STS takes ${shortest} to ${longest}`,
    'session-name-characters': ({ value }: Named) => `session name ${value} has characters outside [\\w+=,.@-]`,
    'chained-session-too-long': (_: Account) =>
      'a session got through another role lasts at most 3600 s, and more was asked for',
    'duration-above-role-maximum': ({ maximum }: { maximum: number | string; role: string }) =>
      `a longer session was asked for than the MaxSessionDuration of the role allows (${maximum})`,
    'session-policy-too-large': (_: Account) => 'session policies and tags exceed the packed size',
  },
  remedies: {
    'session-name-too-long': (data) => rename(data, `of ${shortest} to ${longest} characters`),
    'session-name-characters': (data) => rename(data, 'of letters, digits and _+=,.@- only'),
    'chained-session-too-long': (data) =>
      advice(
        'Ask for at most 3600 seconds in the setting of the application (durationSeconds, duration_seconds), or have it use its role without going on to another one.',
        podsOf(data),
      ),
    'duration-above-role-maximum': ({ role }) =>
      advice(
        `Ask for a shorter session in the setting of the application, or let the role have longer ones: at most 43200 seconds${role === unnamed.role ? ' (ROLE: the name at the end of AWS_ROLE_ARN in the pod)' : ''}. SECONDS is what the application asks for.`,
        sh`aws iam update-role --role-name ${role} --max-session-duration SECONDS`,
      ),
    'session-policy-too-large': (data) =>
      advice(
        'Shorten the session policies and tags that the application passes on. Under EKS Pod Identity six tags come on top; they can be switched off for the association (disableSessionTags) if no policy looks at them.',
        podsOf(data),
      ),
  },
  judge: ({ want: { errorsOfServiceAccount, roleReference, podsOfServiceAccount, sessionLimit }, subject }) => {
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const said = (fits: (text: string) => boolean) => errors.find(({ text }) => fits(text))
    const account = accountOf(subject)
    const somewhere = { workload: unnamed.workload, namespace: account.namespace }
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const names = pods.flatMap((pod) =>
      pod.containers.flatMap(({ env, name }) => {
        const value = env[variable]
        // What Kubernetes or the application puts together from other variables is not known here.
        if (value === undefined || value === null || value === '' || value.includes('$(')) return []
        const evidence: Evidence = {
          question: podsOfServiceAccount.from,
          path: `${pod.name}: container ${name}, ${variable}`,
          observed: inShort(value),
        }
        return [{ value, evidence, place: { workload: workloadOf(pod), namespace: pod.namespace } }]
      }),
    )
    const length = names.find(({ value }) => value.length < shortest || value.length > longest)
    if (length !== undefined)
      return {
        status: 'fail',
        message: 'session-name-too-long',
        data: { ...length.place, value: inShort(length.value), length: length.value.length },
        evidence: [length.evidence],
      }
    const saidLength = said((text) => tooLong.test(text))
    if (saidLength !== undefined) {
      const value = nameIn(saidLength.text)
      return {
        status: 'fail',
        message: 'session-name-too-long',
        data: { ...somewhere, value, length: value.length > longest ? value.length : 'too few or too many' },
        evidence: [ofError(saidLength)],
      }
    }
    const strange = names.find(({ value }) => !characters.test(value))
    if (strange !== undefined)
      return {
        status: 'fail',
        message: 'session-name-characters',
        data: { ...strange.place, value: inShort(strange.value) },
        evidence: [strange.evidence],
      }
    const saidOdd = said((text) => odd.test(text))
    if (saidOdd !== undefined)
      return {
        status: 'fail',
        message: 'session-name-characters',
        data: { ...somewhere, value: nameIn(saidOdd.text) },
        evidence: [ofError(saidOdd)],
      }
    const chained = said((text) => text.includes('exceeds the 1 hour session limit for roles assumed by role chaining'))
    if (chained !== undefined)
      return { status: 'fail', message: 'chained-session-too-long', data: account, evidence: [ofError(chained)] }
    const long = said(exceedsMaximum)
    if (long !== undefined) {
      const limit: readonly Evidence[] =
        sessionLimit.state === 'known'
          ? [{ question: sessionLimit.from, path: 'Role.MaxSessionDuration', observed: sessionLimit.value }]
          : []
      const role = (roleReference.state === 'known' ? roleReference.value.arn?.name : undefined) ?? unnamed.role
      const maximum = sessionLimit.state === 'known' ? `${sessionLimit.value} s` : 'its value was not seen'
      return {
        status: 'fail',
        message: 'duration-above-role-maximum',
        data: { maximum, role },
        evidence: [ofError(long), ...limit],
      }
    }
    const large = said((text) => text.includes('PackedPolicyTooLarge'))
    if (large !== undefined)
      return { status: 'fail', message: 'session-policy-too-large', data: account, evidence: [ofError(large)] }
    if (roleReference.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount names no role' }
    if (names.length > 0) return { status: 'pass', evidence: names.map(({ evidence }) => evidence) }
    if (podsOfServiceAccount.state === 'unknown')
      return { status: 'undecided', lacks: 'the pods, which may name their sessions, were not seen' }
    return { status: 'not-applicable', reason: 'no pod names its session, and STS refused none' }
  },
})
