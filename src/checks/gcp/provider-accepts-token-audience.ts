/** The provider accepts the token's audience. */
import { defineCheck } from '../../core/check.ts'
import { placeOf } from '../../domain/advice.ts'
import { audiencesOf } from '../../domain/gcp-provider.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { passedBy, refusedBy } from '../../probes/gcp/proof.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/provider-accepts-token-audience',
    title: "The provider accepts the token's audience",
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Federation',
    why: 'A provider takes tokens for the audiences in its list, or for its own name where it has none.',
    fix: {
      safety: 'review',
      does: 'Ask for an audience that the provider takes, in the projected volume or by the annotation of the webhook; extend the list of the provider only where that was asked for, and keep its default there.',
    },
    links: [
      'https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes',
      'https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation',
      'https://github.com/pfnet-research/gcp-workload-identity-federation-webhook',
    ],
  },
  only: { probe: googleFederation, otherwise: 'the workload exchanges no token at a workload identity pool' },
  needs: { googleFederation },
  wants: {},
  after: ['gcp/provider-issuer-matches-token'],
  covers: ['workload/token-volume-asks-for-the-audience'],
  messages: {
    'not-the-default': say(
      'the token has audience {observed}; provider {provider} lists none and so expects {expected}',
    ),
    'not-listed': say(
      'the token has audience {observed}; provider {provider} allows {allowed}, which replaces its default',
    ),
    'webhook-default-not-listed': say(
      'the federation webhook asks for audience {observed}, its default; provider {provider} allows {allowed}',
    ),
    refused: say('STS refused audience {observed} of the token; what the provider allows was not collected'),
  },
  remedies: {
    'not-the-default': advise(
      'Set audience: {expected} in the serviceAccountToken source of the projected volume.',
      'kubectl get pods -n {namespace} -o yaml',
    ),
    'not-listed': advise(
      'Set audience: {first} in the serviceAccountToken source of the projected volume; the list of the provider replaces its default.',
      'kubectl get pods -n {namespace} -o yaml',
    ),
    'webhook-default-not-listed': advise(
      'Annotate the ServiceAccount with an audience that the provider takes, then have its pods made anew.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} cloud.google.com/audience={first} --overwrite',
    ),
    refused: advise(
      'See which audiences the provider takes, and ask for one of them in the projected volume.',
      'gcloud iam workload-identity-pools providers describe PROVIDER --workload-identity-pool=POOL --location=global',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleFederation.state === 'absent')
      return { status: 'not-applicable', reason: 'the workload exchanges no token at a workload identity pool' }
    const { google, provider, pool, token, audience, proof } = have.googleFederation.value
    const [text] = heardFor(google.heard, 'gcp/provider-accepts-token-audience')
    const seen = provider.state === 'known' ? provider.value : undefined
    const own =
      audience !== undefined
        ? [audience.value]
        : token.state === 'known'
          ? token.value.audiences
          : text?.values.observed === undefined
            ? []
            : [text.values.observed]
    const where = audience !== undefined ? audience.from : token.from
    const place = {
      namespace: placeOf(subject).namespace,
      serviceAccount: subject.kind === 'ServiceAccount' ? subject.name : '',
    }
    const observed = text === undefined ? [] : [ofHeard(text)]
    // Only where it is known which audience the pods ask for: the token of the proof was made for that one.
    const proven = audience === undefined ? undefined : passedBy(proof)
    if (proven !== undefined) return proven
    if (seen === undefined) {
      if (text !== undefined)
        return { status: 'fail', message: 'refused', data: { ...place, observed: own.join(', ') }, evidence: observed }
      return undecidedBy(provider)
    }
    if (own.length === 0) return undecidedBy(token)
    const taken = audiencesOf(seen)
    const evidence = [
      evidenceOf(where, 'aud', [...own], [...taken]),
      evidenceOf(provider.from, 'oidc.allowedAudiences', [...seen.audiences]),
      ...observed,
    ]
    const refused = refusedBy(proof, 'gcp/provider-accepts-token-audience')
    if (own.some((one) => taken.includes(one)) && refused !== undefined)
      return { status: 'undecided', lacks: `the audience is one of the provider's, and STS says: ${refused}`, evidence }
    if (own.some((one) => taken.includes(one)))
      return isOpen(pool) ? undecidedBy(pool, evidence) : { status: 'pass', evidence }
    const data = {
      ...place,
      observed: own.join(', '),
      provider: seen.id,
      allowed: taken.join(', '),
      expected: taken[0] ?? '',
      first: taken[0] ?? '',
    }
    if (audience?.byWebhook === true) return { status: 'fail', message: 'webhook-default-not-listed', data, evidence }
    return { status: 'fail', message: seen.audiences.length > 0 ? 'not-listed' : 'not-the-default', data, evidence }
  },
})
