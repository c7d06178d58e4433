/** STS and the IAM Credentials API are enabled, reachable and within quota. */
import { defineCheck } from '../../core/check.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleEndpoints } from '../../probes/gcp/endpoints.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { passedBy, refusedBy } from '../../probes/gcp/proof.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/token-endpoints-answer',
    title: 'STS and the IAM Credentials API are enabled, reachable and within quota',
    severity: 'error',
    scope: 'cluster',
    cloud: 'gcp',
    section: 'Federation',
    why: 'Every token of Google comes from STS, and impersonation from the IAM Credentials API: disabled, out of reach or throttled they stop every workload at once.',
    fix: {
      safety: 'review',
      does: 'Enable the one API in the one project that the error names; see to routes, firewalls and quota by hand.',
    },
    links: [
      'https://github.com/google/kctf/issues/194',
      'https://github.com/googleapis/google-cloud-go/issues/5133',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/troubleshooting.md',
      'https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes',
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
    ],
  },
  only: { probe: googleEndpoints, otherwise: 'nothing was heard or seen of the token endpoints of Google' },
  needs: { googleEndpoints },
  wants: {},
  after: [],
  messages: {
    'credentials-api-disabled': say(
      'iamcredentials.googleapis.com is {state} in project {project}; impersonation needs it enabled there',
    ),
    'sts-api-disabled': say(
      'sts.googleapis.com is {state} in project {project}, which holds the pool; the exchange needs it enabled',
    ),
    blocked: say('no connection from {pod} to {host} port 443: {error}'),
    'timed-out': say('the token exchange with STS did not finish in time: {error}'),
    throttled: say('STS throttles token exchanges ({metric}): too many clients ask for tokens at once'),
  },
  remedies: {
    'credentials-api-disabled': advise(
      'Enable the IAM Service Account Credentials API in project {project}.',
      'gcloud services enable iamcredentials.googleapis.com --project={project}',
    ),
    'sts-api-disabled': advise(
      'Enable the Security Token Service API in project {project}, which holds the pool.',
      'gcloud services enable sts.googleapis.com --project={project}',
    ),
    blocked: advise(
      'Let the pods reach {host} on port 443: see network policies, the egress firewall and a proxy.',
      'kubectl get networkpolicies -A',
    ),
    'timed-out': advise(
      'Try again, and see whether the nodes reach sts.googleapis.com in time; a private cluster needs Private Google Access.',
      'kubectl get pods -n kube-system -l k8s-app=gke-metadata-server',
    ),
    throttled: advise(
      'Have clients keep their tokens for their hour in the place of asking for one each time, and spread restarts; then see the quota of token exchanges.',
      'gcloud services list --enabled',
    ),
  },
  judge: ({ have }) => {
    if (have.googleEndpoints.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing was heard or seen of the token endpoints of Google' }
    const { heard, services, reached, looked, proofs } = have.googleEndpoints.value
    const texts = heardFor(heard, 'gcp/token-endpoints-answer')
    const states = services.state === 'known' ? services.value : []
    const evidence = [
      ...states.map(({ name, state }) => evidenceOf(services.from, name, state, 'ENABLED')),
      ...texts.map(ofHeard),
      ...proofs.flatMap(({ of, proof }) =>
        proof.state !== 'known'
          ? []
          : [evidenceOf(proof.from, `token of ${of}`, passedBy(proof) === undefined ? 'an answer' : 'exchanged')],
      ),
    ]
    const ofCredentials = texts.find(({ message }) => message === 'credentials-api-disabled')
    if (ofCredentials !== undefined)
      return {
        status: 'fail',
        message: 'credentials-api-disabled',
        data: { state: 'disabled', ...ofCredentials.values },
        evidence,
      }
    const off = (api: string) => states.find(({ name, state }) => name === api && state !== 'ENABLED')
    const credentials = off('iamcredentials.googleapis.com')
    if (credentials !== undefined)
      return {
        status: 'fail',
        message: 'credentials-api-disabled',
        data: { state: credentials.state, project: credentials.project },
        evidence,
      }
    const ofSts = texts.find(({ message }) => message === 'sts-api-disabled')
    const sts = off('sts.googleapis.com')
    if (ofSts !== undefined || sts !== undefined)
      return {
        status: 'fail',
        message: 'sts-api-disabled',
        data: { state: sts?.state ?? 'disabled', project: ofSts?.values.project ?? sts?.project ?? '' },
        evidence,
      }
    const shut = reached.find(({ error }) => error !== undefined)
    if (shut !== undefined)
      return {
        status: 'fail',
        message: 'blocked',
        data: { pod: shut.pod, host: shut.host, error: shut.error ?? '' },
        evidence: [...evidence, evidenceOf(have.googleEndpoints.from, shut.host, shut.error ?? null, 'an answer')],
      }
    for (const text of texts) {
      const data = { pod: 'the pod', metric: 'Token exchange requests', error: '', host: '', ...text.values }
      if (text.message === 'blocked') return { status: 'fail', message: 'blocked', data, evidence }
      if (text.message === 'timed-out') return { status: 'fail', message: 'timed-out', data, evidence }
      if (text.message === 'throttled') return { status: 'fail', message: 'throttled', data, evidence }
    }
    if (isOpen(services)) return undecidedBy(services, evidence)
    if (looked.state === 'unknown') return undecidedBy(looked, evidence)
    const [unexplained] = proofs.flatMap(({ of, proof }) => {
      const text = refusedBy(proof, undefined)
      return text === undefined ? [] : [`Google refuses the token of ${of}: ${text}`]
    })
    if (unexplained !== undefined) return { status: 'undecided', lacks: unexplained, evidence }
    // A refusal that another check explains is an answer, too.
    return states.length > 0 || reached.length > 0 || proofs.length > 0
      ? {
          status: 'pass',
          evidence: [
            ...evidence,
            ...reached.map(({ host }) => evidenceOf(have.googleEndpoints.from, host, 'an answer')),
          ],
        }
      : { status: 'not-applicable', reason: 'nothing was heard or seen of the token endpoints of Google' }
  },
})
