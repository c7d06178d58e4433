/** The workload identity pool and its provider exist and are enabled. */
import { defineCheck } from '../../core/check.ts'
import { isAllowedId, partsOf } from '../../domain/gcp-provider.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'
import { evidenceOf, heardFor, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { passedBy } from '../../probes/gcp/proof.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/provider-is-active',
    title: 'The workload identity pool and its provider exist and are enabled',
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Federation',
    why: 'STS gives one and the same answer for a pool or provider that is missing, disabled or deleted; which it is decides what to do.',
    fix: {
      safety: 'review',
      does: 'Undelete or enable exactly the pool or provider that the audience names, after a look at its issuer and condition; never create one, never change an organisation policy.',
    },
    links: [
      'https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation',
      'https://github.com/google-github-actions/auth/issues/370',
      'https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md',
      'https://github.com/GoogleCloudPlatform/magic-modules/tree/main/mmv1/products/iambeta',
    ],
  },
  only: { probe: googleFederation, otherwise: 'the workload exchanges no token at a workload identity pool' },
  needs: { googleFederation },
  wants: {},
  after: ['gcp/credential-configuration-is-usable'],
  messages: {
    'pool-missing': say('there is no pool {pool}, which audience {audience} names'),
    'provider-missing': say('pool {pool} has no provider {provider}; it has {existing}'),
    deleted: say(
      '{resource} is in state DELETED since {deletedAt}; it can be undeleted for 30 days, its id is taken until then',
    ),
    disabled: say('{resource} is disabled'),
    'id-not-allowed': say(
      'id {id} is not allowed: expected 4 to 32 characters of a-z, 0-9 and "-", not beginning with gcp-',
    ),
    'organisation-policy': say(
      'the organisation policy does not allow provider {provider} (constraints/iam.workloadIdentityPoolProviders)',
    ),
    'invalid-target': say(
      'STS finds no enabled pool and provider behind the audience {audience}: missing, disabled or deleted',
    ),
  },
  remedies: {
    'pool-missing': advise(
      'Name a pool that exists in the audience, or have this one made by its owner.',
      'gcloud iam workload-identity-pools list --location=global --project={number} --show-deleted',
    ),
    'provider-missing': advise(
      'Name a provider that exists in the audience, or have this one made by the owner of pool {pool}.',
      'gcloud iam workload-identity-pools providers list --workload-identity-pool={pool} --location=global --project={number} --show-deleted',
    ),
    deleted: advise(
      'Look at its issuer and condition, then undelete {resource} if it is still the one that is meant.',
      'gcloud iam workload-identity-pools {command} {resource}',
    ),
    disabled: advise(
      'Look at its issuer and condition and find out who disabled {resource}; then enable it.',
      'gcloud iam workload-identity-pools {command} {resource} --no-disabled',
    ),
    'id-not-allowed': advise(
      'Take an id of 4 to 32 characters of a-z, 0-9 and "-" that does not begin with gcp- and write it into the audience.',
    ),
    'organisation-policy': advise(
      'Ask whoever owns the organisation policy to allow the issuer of {provider}.',
      'gcloud org-policies describe constraints/iam.workloadIdentityPoolProviders --project={number}',
    ),
    'invalid-target': advise(
      'See whether the pool and the provider of the audience exist and are enabled: each is a resource of its own.',
      'gcloud iam workload-identity-pools list --location=global --show-deleted',
      'gcloud iam workload-identity-pools providers list --workload-identity-pool={pool} --location=global --show-deleted',
    ),
  },
  judge: ({ have }) => {
    if (have.googleFederation.state === 'absent')
      return { status: 'not-applicable', reason: 'the workload exchanges no token at a workload identity pool' }
    const { google, named, provider, pool, others, proof } = have.googleFederation.value
    const parts = partsOf(named ?? '')
    const texts = heardFor(google.heard, 'gcp/provider-is-active')
    const data = {
      pool: parts?.pool ?? '',
      provider: parts?.id ?? '',
      number: parts?.number ?? '',
      audience: named === undefined ? '' : `//iam.googleapis.com/${named}`,
      command: 'providers undelete',
    }
    const evidence = [
      ...(provider.state === 'known'
        ? [
            evidenceOf(provider.from, 'state', provider.value.state ?? 'ACTIVE', 'ACTIVE'),
            evidenceOf(provider.from, 'disabled', provider.value.disabled, false),
          ]
        : []),
      ...(pool.state === 'known'
        ? [
            evidenceOf(pool.from, 'pool: state', pool.value.state ?? 'ACTIVE', 'ACTIVE'),
            evidenceOf(pool.from, 'pool: disabled', pool.value.disabled, false),
          ]
        : []),
      ...texts.map(ofHeard),
    ]
    const proven = passedBy(proof)
    if (proven !== undefined) return { ...proven, evidence: [...proven.evidence, ...evidence] }
    const isNamed = parts !== undefined
    if (isNamed && pool.state === 'absent')
      return { status: 'fail', message: 'pool-missing', data, evidence: [evidenceOf(pool.from, 'name', null)] }
    if (isNamed && provider.state === 'absent') {
      const existing = others.filter((one) => one.pool === parts.pool).map(({ id }) => id)
      return {
        status: 'fail',
        message: 'provider-missing',
        data: { ...data, existing: existing.join(', ') || 'none that was seen' },
        evidence: [evidenceOf(provider.from, 'name', null)],
      }
    }
    const seen = [
      ...(pool.state === 'known'
        ? [{ ...pool.value, resource: `pool ${parts?.pool}`, deletes: 'undelete', updates: 'update' }]
        : []),
      ...(provider.state === 'known'
        ? [
            {
              ...provider.value,
              resource: `provider ${provider.value.id}`,
              deletes: 'providers undelete',
              updates: 'providers update-oidc',
            },
          ]
        : []),
    ]
    for (const one of seen)
      if (one.state === 'DELETED')
        return {
          status: 'fail',
          message: 'deleted',
          data: {
            ...data,
            resource: one.resource,
            deletedAt: one.deletedAt ?? 'a time that was not seen',
            command: one.deletes,
          },
          evidence,
        }
    for (const one of seen)
      if (one.disabled)
        return {
          status: 'fail',
          message: 'disabled',
          data: { ...data, resource: one.resource, command: one.updates },
          evidence,
        }
    const odd = parts === undefined ? undefined : [parts.pool, parts.id].find((id) => !isAllowedId(id))
    if (odd !== undefined && provider.state !== 'known')
      return {
        status: 'fail',
        message: 'id-not-allowed',
        data: { ...data, id: odd },
        evidence: [evidenceOf(provider.from, 'name', named ?? null), ...evidence],
      }
    const policy = texts.find(({ message }) => message === 'organisation-policy')
    if (policy !== undefined)
      return {
        status: 'fail',
        message: 'organisation-policy',
        data: { ...data, ...policy.values },
        evidence: [...evidence],
      }
    const target = texts.find(({ message }) => message === 'invalid-target')
    if (target !== undefined && !(provider.state === 'known' && pool.state === 'known'))
      return { status: 'fail', message: 'invalid-target', data, evidence }
    if (target !== undefined)
      return {
        status: 'undecided',
        lacks:
          'STS found no enabled pool and provider, and those that were seen are enabled: the audience that was sent is another one',
        evidence,
      }
    if (provider.state !== 'known') return undecidedBy(provider, evidence)
    return pool.state === 'unknown' ? undecidedBy(pool, evidence) : { status: 'pass', evidence }
  },
})
