/** The published keys verify this cluster's tokens. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import type { Question } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { cloudNames, cloudOfError, keysAreUploaded } from '../../domain/federation-marks.ts'
import { discoveryUrl } from '../../domain/issuer-url.ts'
import { algorithmsTaken, keyIdOf, type PublishedKey } from '../../domain/jwks.ts'
import { sh } from '../../domain/shell-words.ts'
import { federation } from '../../probes/cluster/federation.ts'
import { issuer } from '../../probes/cluster/issuer.ts'
import { keySet, ownKeyIds, signatureVerifies } from '../../probes/cluster/keys.ts'
import { anyMintedToken } from '../../probes/cluster/minted-token.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { googleProviders } from '../../probes/cluster/registrations.ts'
import { seenTokens } from '../../probes/cluster/seen-tokens.ts'

const noKeyFound =
  /Couldn't retrieve verification key|AADSTS7000272\b|Unable to verify the ID Token signature|invalid signature, no keys found|Error connecting to the given credential's issuer/

const liveKeys = 'kubectl get --raw /openid/v1/jwks > live.json'
const union = (url: string): readonly string[] => [
  liveKeys,
  sh`curl -fsS ${url} > published.json`,
  "jq -s '{keys: (map(.keys) | add | unique)}' live.json published.json > jwks",
]

const material = ({ jwk }: PublishedKey): string =>
  JSON.stringify(['n', 'e', 'crv', 'x', 'y'].map((member) => textAt(jwk, member) ?? ''))

/** Keys without a kid, but for extra copies of keys that have one: old clusters signed without a kid, and such a copy does no harm. */
const nameless = (keys: readonly PublishedKey[]): readonly PublishedKey[] => {
  const named = new Set(keys.filter(({ kid }) => kid).map(material))
  return keys.filter((key) => !key.kid && !named.has(material(key)))
}

/** The very key that a token names, published under a kid that somebody made up. */
const misnamed = (question: Question, keys: readonly PublishedKey[], kid: string): readonly Evidence[] =>
  keys.flatMap((key, index) =>
    key.kid !== undefined && keyIdOf(key) === kid
      ? [{ question, path: `keys[${index}].kid of the same key`, observed: key.kid, expected: kid }]
      : [],
  )

export const check = defineCheck({
  meta: {
    id: 'cluster/published-keys-verify-tokens',
    title: "The published keys verify this cluster's tokens",
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Issuer',
    why: 'A cloud verifies a token with the published key that its kid names; where it finds none, or another cluster’s, it refuses every token.',
    fix: {
      safety: 'manual',
      does: 'Publish the union of the live /openid/v1/jwks and the published keys at jwks_uri, by an upload to the store behind it; never drop a published key that a living token may name, never handle a private key.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/12',
      'https://github.com/Azure/azure-workload-identity/issues/616',
      'https://github.com/Azure/azure-workload-identity/issues/1232',
      'https://azure.github.io/azure-workload-identity/docs/topics/self-managed-clusters/service-account-key-rotation.html',
      'https://github.com/kubernetes/kubernetes/issues/91070',
    ],
  },
  needs: {},
  wants: {
    federation,
    keySet,
    anyMintedToken,
    ownKeyIds,
    signatureVerifies,
    seenTokens,
    issuer,
    googleProviders,
    observedErrors,
  },
  after: ['cluster/discovery-is-public', 'cluster/issuer-certificate-is-trusted'],
  messages: {
    'key-without-kid': ({ url, kid }: { url: string; kid: string }) =>
      `a key at ${url} has no "kid"; clouds pick the key by kid and tokens carry ${kid}`,
    'rotated-too-early': ({ pod, kid, current }: { pod: string; kid: string; current: string; url: string }) =>
      `pod ${pod} still holds a token of key ${kid}, which is no longer published; fresh tokens use ${current}`,
    'key-not-published': ({ kid, url, published }: { kid: string; url: string; published: string }) =>
      `tokens are signed with key ${kid}; ${url} publishes ${published}`,
    'signature-differs': ({ kid, url }: { kid: string; url: string }) =>
      `key ${kid} at ${url} does not verify a token of this cluster: the keys are of another cluster or of an earlier build of it`,
    'algorithm-not-accepted': ({ alg, cloud, accepted }: { alg: string; cloud: string; accepted: string }) =>
      `tokens are signed with ${alg}; ${cloud} takes ${accepted}`,
    'keys-not-obtained': ({ cloud, issuer }: { cloud: string; issuer: string }) =>
      `${cloud} found no key for a token of ${issuer}; the published documents were not collected, so either they cannot be fetched or the key is not in them`,
  },
  remedies: {
    'key-without-kid': ({ url }) =>
      advice(
        `Publish the keys as the API server has them, each with its kid, at ${url}; keys there that living tokens name stay beside them.`,
        ...union(url),
      ),
    'rotated-too-early': ({ pod, kid, current, url }) =>
      advice(
        `Publish key ${kid} again beside ${current} at ${url}, until the last token that it has signed has ended. Where its public half is gone, restart what owns pod ${pod} and all others with tokens of that key.`,
        ...union(url),
      ),
    'key-not-published': ({ kid, url }) =>
      advice(
        `Publish key ${kid} beside those that lie at ${url}: upload the file jwks, the union of both, to that address. Clouds may keep the former document for up to an hour.`,
        ...union(url),
      ),
    'signature-differs': ({ kid, url }) =>
      advice(
        `See whose keys lie at ${url}. If another living cluster's, have whoever runs the control plane give this one an issuer of its own; if an earlier build's, upload this cluster's own keys (the file live.json) there, so that ${kid} is the key that signs.`,
        liveKeys,
      ),
    'algorithm-not-accepted': ({ cloud, accepted }) =>
      advice(
        `Have whoever runs the control plane sign with a key that ${cloud} takes (${accepted}): a new --service-account-signing-key-file, with the public key of the present one kept as a --service-account-key-file and both published.`,
      ),
    'keys-not-obtained': ({ issuer }) =>
      issuer.startsWith('https://')
        ? advice(
            'Collect both documents as anyone can fetch them from the internet, and look again with the files among the documents (-f); jwks_uri is where the keys lie.',
            sh`curl -fsS ${discoveryUrl(issuer)} > openid-configuration.json`,
          )
        : advice(
            'Collect both documents as anyone can fetch them from the internet, and look again with the files among the documents (-f). The first command prints the issuer and jwks_uri.',
            'kubectl get --raw /.well-known/openid-configuration',
          ),
  },
  judge: ({ want }) => {
    const clouds = want.federation.state === 'known' ? want.federation.value.clouds : []
    const errors = want.observedErrors.state === 'known' ? want.observedErrors.value : []
    const refused = errors.find(({ text }) => noKeyFound.test(text))
    if (want.federation.state === 'absent' && refused === undefined)
      return { status: 'not-applicable', reason: 'no workload exchanges its token by issuer' }
    const providers = want.googleProviders.state === 'known' ? want.googleProviders.value : undefined
    if (clouds.length > 0 && keysAreUploaded(clouds, providers))
      return { status: 'not-applicable', reason: 'the keys were uploaded to Google, which fetches nothing' }

    const minted = want.anyMintedToken.state === 'known' ? want.anyMintedToken.value : undefined
    const tokens = want.seenTokens.state === 'known' ? want.seenTokens.value.tokens : []
    const living = tokens.filter(({ kind, ended }) => kind === 'bound' && !ended)
    const fresh = minted ?? living[0]
    const kid = fresh?.keyId
    const evidence: Evidence[] = []
    if (fresh !== undefined)
      evidence.push({ question: want.anyMintedToken.from, path: 'header.kid', observed: kid ?? 'no kid' })

    if (want.keySet.state === 'known') {
      const { url, keys } = want.keySet.value
      const ids = keys.flatMap((key) => (key.kid ? [key.kid] : []))
      const has = kid !== undefined && ids.includes(kid)
      evidence.push({
        question: want.keySet.from,
        path: 'keys[].kid',
        observed: ids,
        ...(kid === undefined ? {} : { expected: kid }),
      })
      const bare = nameless(keys)
      if (bare.length > 0 && !has)
        return {
          status: 'fail',
          message: 'key-without-kid',
          // Kubernetes derives the kid from the key itself, so it is known without a token.
          data: { url, kid: kid ?? bare.map(keyIdOf).find((one) => one !== undefined) ?? 'one' },
          evidence,
        }
      const former = living.find(({ keyId, pod }) => pod !== undefined && keyId !== undefined && !ids.includes(keyId))
      if (has && former?.keyId !== undefined && former.keyId !== kid)
        return {
          status: 'fail',
          message: 'rotated-too-early',
          data: { pod: former.pod ?? former.file, kid: former.keyId, current: kid, url },
          evidence: [
            ...evidence,
            {
              question: want.seenTokens.from,
              path: `${former.file} header.kid`,
              observed: former.keyId,
              expected: ids,
            },
          ],
        }
      const published = ids.length > 0 ? ids.join(', ') : 'no key with a kid'
      if (kid !== undefined && !has)
        return {
          status: 'fail',
          message: 'key-not-published',
          data: { kid, url, published },
          evidence: [...evidence, ...misnamed(want.keySet.from, keys, kid)],
        }
      // Without a token: whichever of its keys the API server signs with, none of them is published.
      const own = want.ownKeyIds.state === 'known' ? want.ownKeyIds.value : []
      if (own.length > 0 && !own.some((one) => ids.includes(one)))
        return {
          status: 'fail',
          message: 'key-not-published',
          data: { kid: own.join(' or '), url, published },
          evidence,
        }
      const hidden = own.filter((one) => !ids.includes(one))
      if (kid === undefined && hidden.length > 0)
        return {
          status: 'undecided',
          lacks: `some of the API server's keys are published and ${hidden.join(', ')} is not; which one signs is not known`,
          lift: 'kubectl create token SERVICEACCOUNT',
          evidence,
        }
      if (want.signatureVerifies.state === 'known' && !want.signatureVerifies.value && kid !== undefined)
        return {
          status: 'fail',
          message: 'signature-differs',
          data: { kid, url },
          evidence: [
            ...evidence,
            { question: want.signatureVerifies.from, path: 'verified', observed: false, expected: true },
          ],
        }
    }
    const alg = fresh?.algorithm
    if (alg !== undefined)
      for (const cloud of clouds) {
        const taken = algorithmsTaken[cloud]
        if (!taken.includes(alg))
          return {
            status: 'fail',
            message: 'algorithm-not-accepted',
            data: { alg, cloud: cloudNames[cloud], accepted: taken.join(', ') },
            evidence: [
              ...evidence,
              { question: want.anyMintedToken.from, path: 'header.alg', observed: alg, expected: [...taken] },
            ],
          }
      }
    if (refused !== undefined) {
      const said: Evidence = { question: want.observedErrors.from, path: refused.place, observed: refused.text }
      if (want.keySet.state === 'known')
        return {
          status: 'undecided',
          lacks:
            'a key was once not found, and nothing is wrong with the keys that were seen; which token it was about is not known',
          lift: 'kubectl create token SERVICEACCOUNT',
          evidence: [...evidence, said],
        }
      const cloud = cloudOfError(refused.text)
      const named = want.issuer.state === 'known' ? want.issuer.value.issuer : 'an issuer that was not collected'
      return {
        status: 'fail',
        message: 'keys-not-obtained',
        data: { cloud: cloud === undefined ? 'the API server' : cloudNames[cloud], issuer: named },
        evidence: [...evidence, said],
      }
    }
    if (fresh === undefined && want.anyMintedToken.state === 'absent' && want.ownKeyIds.state === 'absent')
      return { status: 'undecided', lacks: 'neither a token of this cluster nor its own keys were seen', evidence }
    if (want.keySet.state === 'absent')
      return { status: 'undecided', lacks: 'no published keys could be read', evidence }
    return { status: 'pass', evidence }
  },
})
