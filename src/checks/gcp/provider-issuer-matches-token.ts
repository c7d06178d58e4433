/** The provider's issuer is the issuer of the token, character by character. */
import { defineCheck } from '../../core/check.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { passedBy, refusedBy } from '../../probes/gcp/proof.ts'

const bare = (issuer: string): string => issuer.replace(/\/+$/, '')

export const check = defineCheck({
  meta: {
    id: 'gcp/provider-issuer-matches-token',
    title: "The provider's issuer is the issuer of the token, character by character",
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Federation',
    why: 'STS compares the issuer in the token with that of the provider character by character.',
    fix: {
      safety: 'review',
      does: 'Have a provider made for this issuer in a pool of its own; change issuerUri of an existing one only where no other cluster is behind it.',
    },
    links: [
      'https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation',
      'https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md',
      'https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes',
    ],
  },
  only: { probe: googleFederation, otherwise: 'the workload exchanges no token at a workload identity pool' },
  needs: { googleFederation },
  wants: {},
  after: ['gcp/provider-is-active'],
  messages: {
    differs: say('the token comes from issuer {tokenIssuer}; provider {provider} expects {issuerUri}'),
    'trailing-slash-differs': say(
      'issuer {tokenIssuer} and {issuerUri} of provider {provider} differ in the trailing slash',
    ),
    'not-https': say('issuer {issuerUri} is not an https URL'),
  },
  remedies: {
    differs: advise(
      'Have a provider made for issuer {tokenIssuer}, with the mapping and condition of this one; change {provider} only where no other cluster uses it.',
      'gcloud iam workload-identity-pools providers create-oidc NEW_PROVIDER --workload-identity-pool={pool} --location=global --project={number} --issuer-uri={tokenIssuer} --attribute-mapping=google.subject=assertion.sub',
    ),
    'trailing-slash-differs': advise(
      'Write the issuer of {provider} exactly as the token has it, slash and all, where no other cluster uses that provider.',
      'gcloud iam workload-identity-pools providers update-oidc {provider} --workload-identity-pool={pool} --location=global --project={number} --issuer-uri={tokenIssuer}',
    ),
    'not-https': advise(
      'Give the cluster an issuer that is an https URL; with uploaded keys nobody has to reach it.',
      'kubectl get --raw /.well-known/openid-configuration',
    ),
  },
  judge: ({ have }) => {
    if (have.googleFederation.state === 'absent')
      return { status: 'not-applicable', reason: 'the workload exchanges no token at a workload identity pool' }
    const { google, provider, pool, token, issuer, proof } = have.googleFederation.value
    const texts = heardFor(google.heard, 'gcp/provider-issuer-matches-token')
    const seen = provider.state === 'known' ? provider.value : undefined
    const own =
      token.state === 'known' ? token.value.issuer : issuer.state === 'known' ? issuer.value.issuer : undefined
    const text = texts.find(({ message }) => message === 'differs')
    const plain = texts.find(({ message }) => message === 'not-https')
    const data = {
      provider: seen?.id ?? '',
      pool: seen?.pool ?? '',
      number: seen?.number ?? '',
      tokenIssuer: own ?? text?.values.tokenIssuer ?? '',
      issuerUri: seen?.issuer ?? text?.values.issuerUri?.replace(/[.\]]+$/, '') ?? '',
    }
    const evidence = [
      ...(seen === undefined ? [] : [evidenceOf(provider.from, 'oidc.issuerUri', seen.issuer ?? null, own)]),
      ...texts.map(ofHeard),
    ]
    if (seen?.issuer !== undefined && !seen.issuer.startsWith('https://'))
      return { status: 'fail', message: 'not-https', data: { ...data, issuerUri: seen.issuer }, evidence }
    if (seen?.issuer !== undefined && own !== undefined && seen.issuer !== own)
      return {
        status: 'fail',
        message: bare(seen.issuer) === bare(own) ? 'trailing-slash-differs' : 'differs',
        data,
        evidence,
      }
    const proven = passedBy(proof)
    if (proven !== undefined) return { ...proven, evidence: [...proven.evidence, ...evidence] }
    const refused = refusedBy(proof, 'gcp/provider-issuer-matches-token')
    if (seen?.issuer !== undefined && own !== undefined && refused !== undefined)
      return { status: 'undecided', lacks: `the issuers are the same, and STS says: ${refused}`, evidence }
    if (seen?.issuer !== undefined && own !== undefined)
      return isOpen(pool) ? undecidedBy(pool, evidence) : { status: 'pass', evidence }
    if (text !== undefined)
      return {
        status: 'fail',
        message:
          data.issuerUri !== '' && bare(data.issuerUri) === bare(data.tokenIssuer)
            ? 'trailing-slash-differs'
            : 'differs',
        data,
        evidence,
      }
    if (plain !== undefined) return { status: 'fail', message: 'not-https', data, evidence }
    return undecidedBy(provider.state === 'unknown' ? provider : token.state === 'unknown' ? token : issuer, evidence)
  },
})
