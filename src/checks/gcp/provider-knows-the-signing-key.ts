/** Google can obtain the key that signed the token. */
import { defineCheck } from '../../core/check.ts'
import { kidOf, sameKey, unsupportedType } from '../../domain/gcp-provider.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleKeys } from '../../probes/gcp/keys.ts'
import { passedBy } from '../../probes/gcp/proof.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/provider-knows-the-signing-key',
    title: 'Google can obtain the key that signed the token',
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Federation',
    why: 'Google verifies a token by the keys that were uploaded to the provider, or else by those that the issuer publishes; a key that is in neither makes every token worthless.',
    fix: {
      safety: 'review',
      does: 'Upload the key set that the cluster itself serves, reduced to the members that Google takes; never take keys from anywhere else, never make an API server public for it.',
    },
    links: [
      'https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation',
      'https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes',
      'https://github.com/GoogleCloudPlatform/magic-modules/tree/main/mmv1/products/iambeta',
      'https://github.com/pfnet-research/gcp-workload-identity-federation-webhook',
    ],
  },
  only: { probe: googleFederation, otherwise: 'the workload exchanges no token at a workload identity pool' },
  needs: { googleFederation },
  wants: { googleKeys },
  after: ['gcp/provider-issuer-matches-token'],
  covers: ['cluster/published-keys-verify-tokens', 'cluster/discovery-is-public'],
  messages: {
    'issuer-unreachable': say(
      'provider {provider} has no uploaded keys, and {issuer}/.well-known/openid-configuration does not answer from the internet: {error}',
    ),
    'keys-address-private': say(
      'the discovery document of {issuer} names jwks_uri {jwksUri}, which the internet cannot reach',
    ),
    'key-not-uploaded': say(
      'the token is signed with key {kid}; provider {provider} holds {uploaded}, the cluster serves {served}: the keys were rotated after the upload',
    ),
    'same-id-other-key': say(
      'the signature does not verify: key {kid} of provider {provider} is not the key of that id in this cluster',
    ),
    'uploaded-keys-malformed': say(
      'the uploaded key set has {observed}; expected only kty, alg, use, kid, n, e, x, y, crv',
    ),
    'key-type-unsupported': say('key {kid} is {keyType}; expected RSA or EC P-256'),
    'algorithm-unsupported': say('the token is signed with {algorithm}; expected RS256 or ES256'),
    'cluster-publishes-no-issuer': say('AKS cluster {cluster} has oidcIssuerProfile.enabled {observed}; expected true'),
    'not-obtained': say(
      "STS could not get a key of issuer {issuer} that fits the token: the issuer is not reachable from the internet, or the uploaded keys lack the token's key",
    ),
  },
  remedies: {
    'issuer-unreachable': advise(
      'Upload the keys that the cluster serves now, with only their kty, alg, use, kid, n, e, x, y and crv.',
      'kubectl get --raw /openid/v1/jwks > jwks.json',
      'gcloud iam workload-identity-pools providers update-oidc {provider} --workload-identity-pool={pool} --location=global --project={number} --jwk-json-path=jwks.json',
    ),
    'keys-address-private': advise(
      'Upload the keys that the cluster serves now, with only their kty, alg, use, kid, n, e, x, y and crv.',
      'kubectl get --raw /openid/v1/jwks > jwks.json',
      'gcloud iam workload-identity-pools providers update-oidc {provider} --workload-identity-pool={pool} --location=global --project={number} --jwk-json-path=jwks.json',
    ),
    'key-not-uploaded': advise(
      'Upload the keys that the cluster serves now, with only their kty, alg, use, kid, n, e, x, y and crv.',
      'kubectl get --raw /openid/v1/jwks > jwks.json',
      'gcloud iam workload-identity-pools providers update-oidc {provider} --workload-identity-pool={pool} --location=global --project={number} --jwk-json-path=jwks.json',
    ),
    'same-id-other-key': advise(
      'Upload the keys that the cluster serves now, with only their kty, alg, use, kid, n, e, x, y and crv.',
      'kubectl get --raw /openid/v1/jwks > jwks.json',
      'gcloud iam workload-identity-pools providers update-oidc {provider} --workload-identity-pool={pool} --location=global --project={number} --jwk-json-path=jwks.json',
    ),
    'uploaded-keys-malformed': advise(
      'Upload the keys that the cluster serves now, with only their kty, alg, use, kid, n, e, x, y and crv.',
      'kubectl get --raw /openid/v1/jwks > jwks.json',
      'gcloud iam workload-identity-pools providers update-oidc {provider} --workload-identity-pool={pool} --location=global --project={number} --jwk-json-path=jwks.json',
    ),
    'key-type-unsupported': advise(
      'Have the API server sign with an RSA or an EC P-256 key; Google takes no other.',
      'kubectl get --raw /openid/v1/jwks',
    ),
    'algorithm-unsupported': advise(
      'Have the API server sign with an RSA or an EC P-256 key, which give RS256 and ES256.',
      'kubectl get --raw /openid/v1/jwks',
    ),
    'cluster-publishes-no-issuer': advise(
      'Switch the OIDC issuer of AKS cluster {cluster} on, which gives its tokens an issuer that is public.',
    ),
    'not-obtained': advise(
      'Upload the keys that the cluster serves now, with only their kty, alg, use, kid, n, e, x, y and crv.',
      'kubectl get --raw /openid/v1/jwks > jwks.json',
      'gcloud iam workload-identity-pools providers update-oidc {provider} --workload-identity-pool={pool} --location=global --project={number} --jwk-json-path=jwks.json',
    ),
  },
  judge: ({ have, want }) => {
    if (have.googleFederation.state === 'absent')
      return { status: 'not-applicable', reason: 'the workload exchanges no token at a workload identity pool' }
    const { google, provider, pool, token, proof } = have.googleFederation.value
    const { googleKeys } = want
    const texts = heardFor(google.heard, 'gcp/provider-knows-the-signing-key')
    const seen = provider.state === 'known' ? provider.value : undefined
    const jwt = token.state === 'known' ? token.value : undefined
    const keys = googleKeys.state === 'known' ? googleKeys.value : undefined
    const kid = jwt?.keyId ?? ''
    const uploaded = seen?.keys
    const list = uploaded === undefined || uploaded === 'malformed' ? [] : uploaded
    const data = {
      provider: seen?.id ?? '',
      pool: seen?.pool ?? '',
      number: seen?.number ?? '',
      issuer: seen?.issuer ?? jwt?.issuer ?? '',
      kid,
      uploaded: list.map(kidOf).join(', ') || 'no key',
      served: keys?.served?.map(kidOf).join(', ') || 'keys that were not seen',
    }
    const observed = texts.map(ofHeard)
    const evidence = [
      ...(seen === undefined
        ? []
        : [
            evidenceOf(
              provider.from,
              'oidc.jwksJson',
              uploaded === undefined ? 'not set' : list.map(kidOf),
              kid === '' ? undefined : kid,
            ),
          ]),
      ...(jwt === undefined ? [] : [evidenceOf(token.from, 'header.kid', kid)]),
      ...observed,
    ]
    const proven = passedBy(proof)
    if (proven !== undefined) return { ...proven, evidence: [...proven.evidence, ...evidence] }
    if (keys?.aks !== undefined && keys.aks.enabled === false)
      return {
        status: 'fail',
        message: 'cluster-publishes-no-issuer',
        data: { ...data, cluster: keys.aks.name, observed: 'false' },
        evidence: [...evidence, evidenceOf(googleKeys.from, 'oidcIssuerProfile.enabled', false, true)],
      }
    if (uploaded === 'malformed')
      return {
        status: 'fail',
        message: 'uploaded-keys-malformed',
        data: { ...data, observed: 'no key set in it' },
        evidence,
      }
    if (uploaded !== undefined) {
      const own = list.find((key) => kidOf(key) === kid)
      if (jwt !== undefined && kid !== '' && own === undefined)
        return { status: 'fail', message: 'key-not-uploaded', data, evidence }
      const served = keys?.served?.find((key) => kidOf(key) === kid)
      if (own !== undefined && served !== undefined && sameKey(own, served) === false)
        return { status: 'fail', message: 'same-id-other-key', data, evidence }
      const odd = list.find(
        (key) => unsupportedType(key) !== undefined && (kid === '' || kidOf(key) === kid || list.length === 1),
      )
      const type = odd === undefined ? undefined : unsupportedType(odd)
      if (odd !== undefined && type !== undefined)
        return {
          status: 'fail',
          message: 'key-type-unsupported',
          data: { ...data, kid: kidOf(odd) || kid, keyType: type },
          evidence,
        }
    } else if (seen !== undefined && keys !== undefined) {
      const { discovery, set } = keys
      if (discovery.failed !== undefined)
        return {
          status: 'fail',
          message: 'issuer-unreachable',
          data: { ...data, error: discovery.failed },
          evidence: [...evidence, evidenceOf(googleKeys.from, 'discovery', discovery.failed)],
        }
      if (set.private !== undefined)
        return {
          status: 'fail',
          message: 'keys-address-private',
          data: { ...data, jwksUri: set.private },
          evidence: [...evidence, evidenceOf(googleKeys.from, 'jwks_uri', set.private)],
        }
    }
    const algorithm = jwt?.algorithm
    if (algorithm !== undefined && algorithm !== 'RS256' && algorithm !== 'ES256')
      return {
        status: 'fail',
        message: 'algorithm-unsupported',
        data: { ...data, algorithm },
        evidence: [...evidence, evidenceOf(token.from, 'header.alg', algorithm, 'RS256')],
      }
    const [text] = texts
    if (text !== undefined && (uploaded === undefined || jwt === undefined)) {
      const said = { ...data, observed: 'a form that Google does not take', keyType: 'of another type' }
      switch (text.message) {
        case 'same-id-other-key':
          return { status: 'fail', message: 'same-id-other-key', data: said, evidence }
        case 'uploaded-keys-malformed':
          return { status: 'fail', message: 'uploaded-keys-malformed', data: said, evidence }
        case 'key-type-unsupported':
          return { status: 'fail', message: 'key-type-unsupported', data: said, evidence }
        default:
          return { status: 'fail', message: 'not-obtained', data: said, evidence }
      }
    }
    if (seen === undefined) return undecidedBy(provider, evidence)
    if (isOpen(pool)) return undecidedBy(pool, evidence)
    if (uploaded !== undefined) {
      if (jwt === undefined) return undecidedBy(token, evidence)
      return isOpen(googleKeys) ? undecidedBy(googleKeys, evidence) : { status: 'pass', evidence }
    }
    if (keys?.discovery.answers === true && keys.set.found !== undefined) {
      if (kid === '' || keys.set.found.some((key) => kidOf(key) === kid)) return { status: 'pass', evidence }
      return {
        status: 'undecided',
        lacks: 'the published keys lack that of the token, and may have changed since',
        evidence,
      }
    }
    return googleKeys.state === 'unknown'
      ? undecidedBy(googleKeys, evidence)
      : {
          status: 'undecided',
          lacks: 'whether the issuer answers from the internet was not seen',
          lift: `curl ${data.issuer}/.well-known/openid-configuration`,
          evidence,
        }
  },
})
