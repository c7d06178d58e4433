/** The token in the pod is rotated and re-read. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf, restart, unsetVariables } from '../../domain/advice.ts'
import { expiryIn, inWords, renewedAfter } from '../../domain/token-times.ts'
import type { Pod } from '../../domain/workloads.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { clock } from '../../probes/cluster/clock.ts'
import type { ObservedError } from '../../probes/cluster/observed-errors.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { pod } from '../../probes/workload/pod.ts'
import { type PodToken, podTokens } from '../../probes/workload/pod-tokens.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const id = 'workload/token-is-fresh'
const ofThisCheck = fragmentsOf(id)
/** Variables that hold a token itself where others name its file. */
const byValue = [
  'AWS_WEB_IDENTITY_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AZURE_FEDERATED_TOKEN',
  'ARM_OIDC_TOKEN',
]

const again = (data: Place, sentence: string): string => {
  const { words, commands } = restart(data)
  return advice(`${words[0]?.toUpperCase()}${words.slice(1)} as first aid. ${sentence}`, ...commands)
}
const reread = 'Then see that the application reads the file again for each exchange, as current SDKs do by themselves.'

/** Where the kubelet keeps a token of these audiences up to date; undefined where it does not. */
const pathOf = ({ volumes, containers }: Pod, { audiences }: PodToken): string | undefined => {
  for (const { name, tokens } of volumes)
    for (const { audience, path } of tokens)
      if (audience !== undefined && audiences.includes(audience))
        for (const { mounts } of containers)
          for (const mount of mounts)
            if (mount.name === name)
              return mount.subPath === undefined ? `${mount.mountPath.replace(/\/+$/, '')}/${path}` : undefined
  return undefined
}

const gone = /has been invalidated/
const notRenewed = /expired and refresh failed/

export const check = defineCheck({
  meta: {
    id,
    title: 'The token in the pod is rotated and re-read',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Workload',
    why: 'A token lives for an hour to a day and the kubelet replaces its file in time; whoever keeps the first one is refused once that has ended.',
    fix: {
      safety: 'review',
      does: 'Restart the owner of the pod as first aid, and have the application re-read the file; change nothing on the node.',
    },
    links: [
      'https://github.com/parseablehq/parseable/issues/604',
      'https://github.com/Azure/azure-workload-identity/issues/693',
      'https://github.com/boto/botocore/issues/3117',
      'https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/kubelet/token/token_manager.go',
    ],
  },
  needs: {},
  wants: { errorsOfPod, pod, podTokens, serviceAccount, clock },
  after: ['cluster/clocks-agree', 'workload/token-file-is-readable'],
  messages: {
    'bound-object-gone': ({ kind, name, uid }: Place & { kind: string; name: string; uid: string }) =>
      `the token is bound to ${kind}${name === '' ? '' : ` ${name} (${uid})`}, which no longer exists`,
    'cached-by-app': ({ fileExpiry, sentExpiry }: Place & { fileExpiry: string; sentExpiry: string }) =>
      `the file holds a token valid to ${fileExpiry}; the application sent one that ended at ${sentExpiry}`,
    'handed-over-by-value': ({ container, variable }: Place & { container: string; variable: string }) =>
      `container ${container} gets the token as the value of ${variable}; it cannot rotate`,
    'not-rotated': ({ path, age, node }: Place & { path: string; age: string; node: string }) =>
      `the token in ${path} ${age}; kubelet${node === '' ? '' : ` on ${node}`} should have replaced it before`,
    expired: ({ path, end }: Place & { path: string; end: string }) =>
      `the token ${path === '' ? 'that was sent' : `in ${path}`} ${end}`,
    'beyond-the-warning': ({ seconds, expiry }: Place & { seconds: number; expiry: string }) =>
      `the API token has been used ${seconds} s past its warning time; it works until ${expiry} only because the server extends it`,
  },
  remedies: {
    'bound-object-gone': (data) =>
      again(data, 'Then have whoever keeps a copy of the token read the file of the pod that it runs in.'),
    'cached-by-app': (data) => again(data, reread),
    'handed-over-by-value': (data) =>
      advice(
        `Take ${data.variable} of container ${data.container} out of ${editTemplate(data).where}, and name the file of a projected token instead.`,
        ...unsetVariables(data, [data.variable], data.container),
      ),
    'not-rotated': (data) =>
      again(
        data,
        data.node === ''
          ? 'Then look into the log of the kubelet for why it could not renew the token.'
          : `Then look into the log of the kubelet on ${data.node} for why it could not renew the token.`,
      ),
    expired: (data) => again(data, reread),
    'beyond-the-warning': (data) => again(data, reread),
  },
  judge: ({ want, subject }) => {
    const { errorsOfPod, serviceAccount, clock } = want
    const value = want.pod.state === 'known' ? want.pod.value : undefined
    if (want.pod.state === 'absent') return { status: 'not-applicable', reason: 'the pod does not exist' }
    const place: Place =
      value === undefined ? placeOf(subject) : { workload: workloadOf(value), namespace: value.namespace }
    const errors = (errorsOfPod.state === 'known' ? errorsOfPod.value : []).filter(({ fragment }) =>
      ofThisCheck.has(fragment),
    )
    const tokens = want.podTokens.state === 'known' ? want.podTokens.value : []
    const now = clock.state === 'known' ? Math.floor(clock.value / 1000) : undefined
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const evidence: readonly Evidence[] = [
      ...tokens.map((token) => ofToken(token, want.podTokens.from)),
      ...errors.map(ofError),
    ]
    for (const { pod, podUid, accountUid, subject } of tokens) {
      const kind = podUid !== undefined && value?.uid !== undefined && podUid !== value.uid ? 'Pod' : 'ServiceAccount'
      const uid = kind === 'Pod' ? podUid : accountUid
      if (uid === undefined || (kind === 'ServiceAccount' && (account?.uid === undefined || account.uid === uid)))
        continue
      const name = kind === 'Pod' ? (pod ?? '') : (subject?.split(':').at(-1) ?? '')
      return { status: 'fail', message: 'bound-object-gone', data: { ...place, kind, name, uid }, evidence }
    }
    if (errors.some(({ text }) => gone.test(text)))
      return {
        status: 'fail',
        message: 'bound-object-gone',
        data: { ...place, kind: 'an object', name: '', uid: '' },
        evidence,
      }
    const said = errors.flatMap((error) => expiredIn(error))
    const [newest] = tokens
    const ends = newest?.expires
    const [first] = said
    if (ends !== undefined && first?.ended !== undefined && first.ended < ends && newest?.ended === false)
      return {
        status: 'fail',
        message: 'cached-by-app',
        data: { ...place, fileExpiry: inWords(ends), sentExpiry: inWords(first.ended) },
        evidence,
      }
    for (const { name, env } of value?.containers ?? []) {
      const variable = byValue.find((one) => one in env && env[one] !== '')
      if (variable !== undefined)
        return {
          status: 'fail',
          message: 'handed-over-by-value',
          data: { ...place, container: name, variable },
          evidence: [
            ...evidence,
            { question: want.pod.from, path: `spec.containers[${name}].env[${variable}]`, observed: 'a value' },
          ],
        }
    }
    if (value !== undefined && now !== undefined && newest !== undefined && newest.warnAfter === undefined) {
      const { issuedAt, expires } = newest
      const path = pathOf(value, newest)
      if (path !== undefined && issuedAt !== undefined && expires !== undefined) {
        const due = renewedAfter(expires - issuedAt)
        if (now - issuedAt > due)
          return {
            status: 'fail',
            message: 'not-rotated',
            data: {
              ...place,
              path,
              age: `is ${now - issuedAt} s old with a lifetime of ${expires - issuedAt} s, and was due after ${due} s`,
              node: value.node ?? '',
            },
            evidence,
          }
      }
    }
    const stuck = errors.find(({ text }) => notRenewed.test(text))
    if (stuck !== undefined)
      return {
        status: 'fail',
        message: 'not-rotated',
        data: {
          ...place,
          path: 'the pod',
          age: `could not be renewed ("${wordsOf(stuck.text)}")`,
          node: value?.node ?? '',
        },
        evidence,
      }
    if (newest?.ended === true && ends !== undefined && now !== undefined)
      return {
        status: 'fail',
        message: 'expired',
        data: { ...place, path: newest.file, end: `ended at ${inWords(ends)}, ${now - ends} s ago` },
        evidence,
      }
    if (first !== undefined)
      return { status: 'fail', message: 'expired', data: { ...place, path: '', end: endOf(first) }, evidence }
    const late = tokens.find(({ warnAfter }) => warnAfter !== undefined && now !== undefined && warnAfter < now)
    if (late?.warnAfter !== undefined && now !== undefined && late === newest)
      return {
        status: 'fail',
        message: 'beyond-the-warning',
        data: {
          ...place,
          seconds: now - late.warnAfter,
          expiry: late.expires === undefined ? 'its end' : inWords(late.expires),
        },
        evidence,
      }
    const [unread] = errors
    if (unread !== undefined)
      return {
        status: 'undecided',
        lacks: `${unread.place} speaks of a token that was not taken, and does not say that it had ended`,
        evidence,
      }
    // Without the pod this cannot be a pass.
    return value === undefined || newest !== undefined
      ? { status: 'pass', evidence }
      : { status: 'not-applicable', reason: 'nothing was seen of the token in the pod' }
  },
})

type Said = { readonly ended?: number; readonly sent?: number }

const expiredIn = ({ text }: ObservedError): readonly Said[] => {
  if (gone.test(text) || notRenewed.test(text)) return []
  const expiry = expiryIn(text)
  return expiry === undefined ? [] : [expiry]
}

const endOf = ({ ended, sent }: Said): string =>
  ended === undefined
    ? 'had ended'
    : sent === undefined
      ? `ended at ${inWords(ended)}`
      : `ended at ${inWords(ended)}, ${sent - ended} s before it was sent`

const ofToken = ({ file, issuedAt, expires }: PodToken, question: Evidence['question']): Evidence => ({
  question,
  path: file,
  observed: {
    ...(issuedAt === undefined ? {} : { iat: inWords(issuedAt) }),
    ...(expires === undefined ? {} : { exp: inWords(expires) }),
  },
})
