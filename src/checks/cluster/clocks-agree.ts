/** The control plane and the clouds agree on the time. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { inWords, startIn } from '../../domain/token-times.ts'
import { cloudClocks, podClocks, type Reading, serverClock } from '../../probes/cluster/clocks.ts'
import { federation } from '../../probes/cluster/federation.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'

/** Seconds that two clocks may differ by: what Google forgives, and the others have not been seen to forgive more. */
const most = 60
/** Where an answer takes this long, the middle of the round trip says too little about when it was written. */
const tooVague = 30

const hints =
  /service account token is not valid yet|The access token lifetime cannot exceed 3600 seconds|is stale to sign-in/

const apart = (one: Reading, other: Reading): { readonly seconds: number; readonly vague: boolean } => {
  const exact = one.ahead - other.ahead
  const within = one.within + other.within
  const sure = Math.max(0, Math.abs(exact) - within)
  return { seconds: sure > most ? Math.round(exact) : 0, vague: within > tooVague }
}

const synchronise = (where: string): string =>
  advice(
    `Have whoever runs ${where} put its time synchronisation right (chrony, systemd-timesyncd), and look there by how much it is off; nothing in the cluster or the cloud has to change.`,
  )

export const check = defineCheck({
  meta: {
    id: 'cluster/clocks-agree',
    title: 'The control plane and the clouds agree on the time',
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Issuer',
    why: 'A token says from when to when it is valid by the clock of the control plane, and a cloud compares that with its own.',
    fix: {
      safety: 'manual',
      does: "Put the time synchronisation of the machine that is named right; that is its operator's to do.",
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/693',
      'https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md',
    ],
  },
  only: { probe: federation, otherwise: 'no workload exchanges its token with a cloud' },
  needs: {},
  wants: { serverClock, cloudClocks, podClocks, observedErrors },
  after: [],
  messages: {
    'control-plane-ahead': (data: { seconds: number; reference: string; notBefore: string }) =>
      `the control plane is ${data.seconds} s ahead of ${data.reference}, so a fresh token is not valid there before ${data.notBefore}`,
    'control-plane-behind': ({ seconds, reference }: { seconds: number; reference: string }) =>
      `the control plane is ${seconds} s behind ${reference}, so tokens end ${seconds} s early there`,
    'pod-differs': ({ pod, node, seconds }: { pod: string; node: string; seconds: number }) =>
      `the clock in pod ${pod} on node ${node} is ${seconds} s off the control plane`,
    'cloud-saw-a-token-from-the-future': ({ current, validFrom }: { current: string; validFrom: string }) =>
      `the cloud answered at ${current}; the token it was shown is valid from ${validFrom}`,
  },
  remedies: {
    'control-plane-ahead': () => synchronise('the control plane'),
    'control-plane-behind': () => synchronise('the control plane'),
    'pod-differs': ({ node }) => synchronise(`node ${node}`),
    'cloud-saw-a-token-from-the-future': () => synchronise('the control plane'),
  },
  judge: ({ want: { serverClock, cloudClocks, podClocks, observedErrors } }) => {
    const own = serverClock.state === 'known' ? serverClock.value : undefined
    const clouds = cloudClocks.state === 'known' ? cloudClocks.value : []
    let vague = false
    for (const cloud of own === undefined ? [] : clouds) {
      if (own === undefined) break
      const { seconds, vague: unsure } = apart(own, cloud)
      vague ||= unsure
      if (seconds === 0) continue
      const evidence: readonly Evidence[] = [
        {
          question: serverClock.from,
          path: 'date',
          observed: new Date(own.date).toISOString(),
          expected: new Date(own.date - seconds * 1000).toISOString(),
          words: { observed: 'the API server says', expected: `${cloud.host} says` },
        },
      ]
      const reference = cloud.host
      return seconds > 0
        ? {
            status: 'fail',
            message: 'control-plane-ahead',
            data: { seconds, reference, notBefore: inWords(Math.floor(own.date / 1000)) },
            evidence,
          }
        : { status: 'fail', message: 'control-plane-behind', data: { seconds: -seconds, reference }, evidence }
    }
    for (const pod of podClocks.state === 'known' ? podClocks.value : []) {
      if (own === undefined) break
      const { seconds } = apart(pod, own)
      if (seconds !== 0)
        return {
          status: 'fail',
          message: 'pod-differs',
          data: { pod: pod.pod, node: pod.node, seconds: Math.abs(seconds) },
          evidence: [
            {
              question: podClocks.from,
              path: pod.pod,
              observed: new Date(pod.date).toISOString(),
              expected: new Date(pod.date - seconds * 1000).toISOString(),
              words: { observed: 'the pod says', expected: 'the API server says' },
            },
          ],
        }
    }
    const texts = observedErrors.state === 'known' ? observedErrors.value : []
    for (const { text, place } of texts) {
      const early = startIn(text)
      if (early !== undefined)
        return {
          status: 'fail',
          message: 'cloud-saw-a-token-from-the-future',
          data: { current: inWords(early.current), validFrom: inWords(early.validFrom) },
          evidence: [{ question: observedErrors.from, path: place, observed: text }],
        }
    }
    const hint = texts.find(({ text }) => hints.test(text))
    const said: readonly Evidence[] =
      hint === undefined ? [] : [{ question: observedErrors.from, path: hint.place, observed: hint.text }]
    const asked = 'kubectl wi doctor against the cluster, from a machine that reaches the cloud'
    if (own === undefined || clouds.length === 0)
      return {
        status: 'undecided',
        lacks: `the time of ${own === undefined ? 'the control plane' : 'the cloud'} was not seen`,
        lift: asked,
        evidence: said,
      }
    if (vague) return { status: 'undecided', lacks: 'the answers took too long to compare their times', lift: asked }
    return {
      status: 'pass',
      evidence: [
        {
          question: serverClock.from,
          path: 'date',
          observed: `within ${most} s of ${clouds.map(({ host }) => host).join(', ')}`,
        },
        ...said,
      ],
    }
  },
})
