/** The token that reaches STS is a current, bound token. */
import { defineCheck } from '../../core/check.ts'
import { placeOf } from '../../domain/advice.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleTokens } from '../../probes/gcp/tokens.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const inWords = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

export const check = defineCheck({
  meta: {
    id: 'gcp/token-is-current',
    title: 'The token that reaches STS is a current, bound token',
    severity: 'error',
    scope: 'pod',
    cloud: 'gcp',
    section: 'Federation',
    why: 'STS takes a token only while it lives, with the times it was issued and ends at, and from a projected volume; an old copy or a Secret token is refused.',
    fix: {
      safety: 'review',
      does: 'Restart the workload whose client sends an old copy, or replace a Secret token by a projected volume in the pod template; never ask for a longer life.',
    },
    links: [
      'https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation',
      'https://github.com/googleapis/google-cloud-go/issues/12440',
      'https://github.com/stackrox/stackrox/pull/9002',
      'https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md',
    ],
  },
  only: { probe: googleTokens, otherwise: 'no token of the workload was seen to go to Google' },
  needs: { googleTokens },
  wants: {},
  after: [],
  covers: ['workload/token-is-fresh'],
  messages: {
    expired: say('the token expired at {expiry}; it is {now}'),
    stale: say(
      'STS calls the token issued at {issuedAt} stale: the client sends a copy it read earlier, or the token in the file is no longer renewed',
    ),
    'no-issue-time': say('the token has no {claims}; STS needs iat in the past and exp in the future'),
    'issued-in-future': say(
      "the token was issued at {issuedAt}, {seconds} s after {now} by Google's clock: the clocks differ by more than the minute that STS forgives",
    ),
    'secret-token': say(
      'the token comes from a Secret: issuer {issuer}, no exp, no aud; expected a bound token from a projected volume',
    ),
  },
  remedies: {
    expired: advise(
      'Restart {workload} as first aid, and have its client read the file at every exchange.',
      'kubectl rollout restart {workload} -n {namespace}',
    ),
    stale: advise(
      'Compare the time of issue with that in the file of the pod: where the file is newer, the client keeps an old copy and has to be restarted and updated.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'no-issue-time': advise(
      'Have the workload send the token of a projected serviceAccountToken volume, which always says when it was issued and when it ends.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
    'issued-in-future': advise(
      'Set the clock of the API server by a time server; tokens carry its time.',
      'kubectl get nodes -o wide',
    ),
    'secret-token': advise(
      'Take the token from a projected serviceAccountToken volume with the audience of the provider, in the pod template of {workload}; Secret tokens are not bound and never end.',
      'kubectl get {workload} -n {namespace} -o yaml',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleTokens.state === 'absent')
      return { status: 'not-applicable', reason: 'no token of the workload was seen to go to Google' }
    const { tokens, clock, heard, pod } = have.googleTokens.value
    const { from } = have.googleTokens
    const texts = heardFor(heard, 'gcp/token-is-current')
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const now = clock.state === 'known' ? Math.floor(clock.value / 1000) : undefined
    const evidence = tokens.map(({ file, issuedAt, expires }) =>
      evidenceOf(from, file, { iat: issuedAt ?? null, exp: expires ?? null }),
    )
    for (const one of tokens) {
      if (one.legacy)
        return { status: 'fail', message: 'secret-token', data: { ...place, issuer: one.issuer ?? '' }, evidence }
      const missing = [
        one.issuedAt === undefined ? 'iat' : undefined,
        one.expires === undefined ? 'exp' : undefined,
      ].filter((claim) => claim !== undefined)
      if (missing.length > 0)
        return {
          status: 'fail',
          message: 'no-issue-time',
          data: { ...place, claims: missing.join(' and no ') },
          evidence,
        }
    }
    const [newest] = tokens
    const stale = texts.find(({ message }) => message === 'stale')
    if (stale !== undefined) {
      const issued = Number(stale.values.issuedAt)
      return {
        status: 'fail',
        message: 'stale',
        data: {
          ...place,
          issuedAt: Number.isFinite(issued) && issued < 8e12 ? inWords(issued) : (stale.values.issuedAt ?? ''),
        },
        evidence: [...evidence, ofHeard(stale)],
      }
    }
    if (newest?.expires !== undefined && now !== undefined && newest.expires < now)
      return {
        status: 'fail',
        message: 'expired',
        data: { ...place, expiry: inWords(newest.expires), now: inWords(now) },
        evidence,
      }
    const timeless = texts.find(({ message }) => message === 'no-issue-time')
    if (timeless !== undefined)
      return {
        status: 'fail',
        message: 'no-issue-time',
        data: { ...place, claims: 'iat or exp' },
        evidence: [...evidence, ofHeard(timeless)],
      }
    // STS forgives a minute.
    if (newest?.issuedAt !== undefined && now !== undefined && newest.issuedAt > now + 60)
      return {
        status: 'fail',
        message: 'issued-in-future',
        data: { ...place, issuedAt: inWords(newest.issuedAt), seconds: newest.issuedAt - now, now: inWords(now) },
        evidence,
      }
    const future = texts.find(({ message }) => message === 'issued-in-future')
    if (future !== undefined && newest === undefined)
      return {
        status: 'fail',
        message: 'issued-in-future',
        data: { ...place, issuedAt: 'a time ahead', seconds: 'more than 60', now: 'the time' },
        evidence: [ofHeard(future)],
      }
    if (newest === undefined)
      return { status: 'not-applicable', reason: 'no token of the workload was seen to go to Google' }
    return now === undefined ? undecidedBy(clock, evidence) : { status: 'pass', evidence }
  },
})
