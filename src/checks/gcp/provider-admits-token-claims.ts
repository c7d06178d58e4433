/** The provider's mapping and condition admit the token's claims. */

import type { Evidence } from '../../core/check.ts'
import { defineCheck } from '../../core/check.ts'
import type { Json } from '../../core/json.ts'
import type { Outcome } from '../../domain/gcp-cel.ts'
import { faultOfMapping } from '../../domain/gcp-provider.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { passedBy, refusedBy } from '../../probes/gcp/proof.ts'

const mostBytes = 127
const bytesOf = (text: string): number => new TextEncoder().encode(text).length
const inShort = (value: Json | null): string => {
  const text = JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
/** Where an expression could not be read, or does what this evaluator does not know. */
const openOf = (what: string, outcome: Outcome | undefined): string | undefined => {
  if (outcome?.state === 'unparsable')
    return `${what} cannot be parsed at line ${outcome.line}, column ${outcome.column}: ${outcome.why}`
  return outcome?.state === 'unknown' ? `${what} cannot be evaluated here: ${outcome.why}` : undefined
}

export const check = defineCheck({
  meta: {
    id: 'gcp/provider-admits-token-claims',
    title: "The provider's mapping and condition admit the token's claims",
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Federation',
    why: 'The mapping makes the identity of the claims of the token, and the condition decides over them; a claim that is not there fails the whole exchange.',
    fix: {
      safety: 'review',
      does: 'Change the mapping so that it yields a value for this token; leave a condition to its owner, who sees which term of it was false; never loosen or remove one.',
    },
    links: [
      'https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation',
      'https://cloud.google.com/iam/docs/workload-identity-federation',
      'https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md',
      'https://github.com/loicsikidi/wif-go',
      'https://github.com/GoogleCloudPlatform/magic-modules/tree/main/mmv1/products/iambeta',
    ],
  },
  only: { probe: googleFederation, otherwise: 'the workload exchanges no token at a workload identity pool' },
  needs: { googleFederation },
  wants: {},
  after: ['gcp/provider-issuer-matches-token'],
  messages: {
    'condition-false': say('condition {condition} is false for this token: {claims}'),
    'condition-claim-missing': say(
      'condition or mapping reads {claim}, which this token lacks; guard it with has({claim})',
    ),
    'condition-not-boolean': say('condition {condition} gives {type}; expected a boolean of at most 4096 characters'),
    'subject-not-mapped': say('mapping {expression} gives no google.subject for this token'),
    'subject-too-long': say('google.subject would be {bytes} bytes ({subject}); the limit is 127'),
    'value-of-wrong-type': say('{key} is mapped to {type}; expected {expected}'),
    'key-not-allowed': say(
      'mapping key {key} is not allowed; expected google.subject, google.groups or attribute.NAME with a-z, 0-9 and _',
    ),
    'mapping-over-limits': say('the mapping has {observed}; the limit is {limit}'),
    'kubernetes-claims-missing': say(
      'the mapping reads {claim}, but the token is no bound Kubernetes token and has no kubernetes.io claims',
    ),
    rejected: say(
      'the attribute condition of provider {provider} rejected the token; the condition or the claims were not collected',
    ),
  },
  remedies: {
    'condition-false': advise(
      'Show the owner of the provider which term of its condition is false for this token; whether this workload is meant to be let in is theirs to say.',
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global --project={number}',
    ),
    'condition-claim-missing': advise(
      'Guard {claim} by a test with has in the mapping or the condition, where the claim is optional.',
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global --project={number}',
    ),
    'condition-not-boolean': advise(
      'Write a condition that gives true or false, of at most 4096 characters.',
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global --project={number}',
    ),
    'subject-not-mapped': advise(
      'Map google.subject to a claim that the token has: assertion.sub.',
      'gcloud iam workload-identity-pools providers update-oidc {provider} --workload-identity-pool={pool} --location=global --project={number} --attribute-mapping=google.subject=assertion.sub',
    ),
    'subject-too-long': advise(
      "Map google.subject to a shorter text, such as namespace and name from assertion['kubernetes.io']; members that name the old subject have to follow.",
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global --project={number}',
    ),
    'value-of-wrong-type': advise(
      'Correct the mapping of {provider} as its owner means it.',
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global --project={number}',
    ),
    'key-not-allowed': advise(
      'Correct the mapping of {provider} as its owner means it.',
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global --project={number}',
    ),
    'mapping-over-limits': advise(
      'Correct the mapping of {provider} as its owner means it.',
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global --project={number}',
    ),
    'kubernetes-claims-missing': advise(
      'Send the token of a projected serviceAccountToken volume, whose claims the mapping reads.',
      'kubectl get pods -A -o yaml',
    ),
    rejected: advise(
      'Collect the provider and a token of the workload, to see which term of the condition is false.',
      'gcloud iam workload-identity-pools providers describe PROVIDER --workload-identity-pool=POOL --location=global --format=json',
    ),
  },
  judge: ({ have }) => {
    if (have.googleFederation.state === 'absent')
      return { status: 'not-applicable', reason: 'the workload exchanges no token at a workload identity pool' }
    const { google, provider, pool, token, evaluated, proof } = have.googleFederation.value
    const [text] = heardFor(google.heard, 'gcp/provider-admits-token-claims')
    const seen = provider.state === 'known' ? provider.value : undefined
    const observed = text === undefined ? [] : [ofHeard(text)]
    const place = { provider: seen?.id ?? '', pool: seen?.pool ?? '', number: seen?.number ?? '' }
    const proven = passedBy(proof)
    if (proven !== undefined) return proven
    const unexplained = refusedBy(proof, undefined)
    const fault = seen === undefined ? undefined : faultOfMapping(seen)
    if (fault !== undefined && seen !== undefined)
      return {
        status: 'fail',
        message: fault.message,
        data: { ...place, ...fault.data },
        evidence: [evidenceOf(provider.from, 'attributeMapping', { ...seen.mapping })],
      }
    if (seen === undefined || evaluated.state !== 'known') {
      if (text === undefined) return undecidedBy(seen === undefined ? provider : token)
      const data = {
        ...place,
        expression: seen?.mapping['google.subject'] ?? 'of the provider',
        bytes: 'more than 127',
        subject: 'not collected',
      }
      switch (text.message) {
        case 'subject-not-mapped':
          return { status: 'fail', message: 'subject-not-mapped', data, evidence: observed }
        case 'subject-too-long':
          return { status: 'fail', message: 'subject-too-long', data, evidence: observed }
        default:
          return { status: 'fail', message: 'rejected', data, evidence: observed }
      }
    }
    const { mapped, condition, terms } = evaluated.value
    const evidence: Evidence[] = [
      ...Object.entries(mapped).map(([key, outcome]) =>
        evidenceOf(
          provider.from,
          `attributeMapping["${key}"]`,
          outcome.state === 'value' ? outcome.value : outcome.state,
        ),
      ),
      ...terms.map(
        ({ text: term, outcome, reads }): Evidence => ({
          question: provider.from,
          path: `attributeCondition: ${term}`,
          observed: outcome.state === 'value' ? outcome.value : outcome.state,
          expected: true,
          words: {
            observed: reads.map(({ path, value }) => `${path} is ${inShort(value)}`).join(', ') || 'gives',
            expected: 'has to be',
          },
        }),
      ),
      ...observed,
    ]
    const isKubernetes = token.state === 'known' && 'kubernetes.io' in token.value.claims
    const missing = [
      ...Object.entries(mapped),
      ...(condition === undefined ? [] : [['condition', condition] as const]),
    ].find(([, outcome]) => outcome.state === 'missing')
    const claim = missing?.[1].state === 'missing' ? missing[1].claim : undefined
    if (claim?.includes('kubernetes.io') === true && !isKubernetes)
      return { status: 'fail', message: 'kubernetes-claims-missing', data: { ...place, claim }, evidence }
    if (claim !== undefined)
      return { status: 'fail', message: 'condition-claim-missing', data: { ...place, claim }, evidence }
    const open = [
      ...Object.entries(mapped).map(([key, outcome]) => openOf(`the mapping of ${key}`, outcome)),
      openOf('the condition', condition),
    ].find((one) => one !== undefined)
    if (condition?.state === 'value' && condition.type !== 'bool')
      return {
        status: 'fail',
        message: 'condition-not-boolean',
        data: { ...place, condition: seen.condition ?? '', type: condition.type },
        evidence,
      }
    if (condition?.state === 'value' && condition.value === false) {
      const reads = terms
        .filter(({ outcome }) => outcome.state === 'value' && outcome.value === false)
        .flatMap((term) => term.reads)
      const claims = [
        ...new Set(
          (reads.length > 0 ? reads : terms.flatMap((term) => term.reads)).map(
            ({ path, value }) => `${path} is ${inShort(value)}`,
          ),
        ),
      ]
      return {
        status: 'fail',
        message: 'condition-false',
        data: { ...place, condition: seen.condition ?? '', claims: claims.join(', ') },
        evidence,
      }
    }
    const subject = mapped['google.subject']
    if (subject === undefined || (subject.state === 'value' && (subject.value === '' || subject.value === null)))
      return {
        status: 'fail',
        message: 'subject-not-mapped',
        data: { ...place, expression: seen.mapping['google.subject'] ?? 'without google.subject' },
        evidence,
      }
    if (subject.state === 'value' && typeof subject.value === 'string' && bytesOf(subject.value) > mostBytes)
      return {
        status: 'fail',
        message: 'subject-too-long',
        data: { ...place, bytes: bytesOf(subject.value), subject: subject.value },
        evidence,
      }
    for (const [key, outcome] of Object.entries(mapped)) {
      if (outcome.state !== 'value') continue
      const expected = key === 'google.groups' ? 'list of strings' : 'string'
      if (outcome.type !== expected)
        return {
          status: 'fail',
          message: 'value-of-wrong-type',
          data: { ...place, key, type: outcome.type, expected },
          evidence,
        }
    }
    if (open !== undefined) return { status: 'undecided', lacks: open, evidence }
    if (text !== undefined)
      return {
        status: 'undecided',
        lacks:
          'STS rejected a token that the mapping and condition in hand admit: the token was another one, or they were changed since',
        evidence,
      }
    if (unexplained !== undefined)
      return { status: 'undecided', lacks: `STS refuses the token: ${unexplained}`, evidence }
    return isOpen(pool) ? undecidedBy(pool, evidence) : { status: 'pass', evidence }
  },
})
