/** The published key set is the cluster's own, as it is now. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { textAt } from '../../core/json.ts'
import { advice } from '../../domain/advice.ts'
import { keyIdOf, type PublishedKey } from '../../domain/jwks.ts'
import { sh } from '../../domain/shell-words.ts'
import { federation } from '../../probes/cluster/federation.ts'
import { keySet } from '../../probes/cluster/keys.ts'
import { keysAreManaged, keysTook, ownKeys } from '../../probes/cluster/own-keys.ts'

/** https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes */
const googleTakes: ReadonlySet<string> = new Set(['kty', 'alg', 'use', 'kid', 'n', 'e', 'x', 'y', 'crv'])
/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html */
const most = 100
const slow = 5

const material = ({ jwk }: PublishedKey): string =>
  JSON.stringify(['n', 'e', 'crv', 'x', 'y'].map((member) => textAt(jwk, member) ?? ''))

const publish = (sentence: string, url: string): string =>
  advice(
    sentence,
    'kubectl get --raw /openid/v1/jwks > live.json',
    sh`curl -fsS ${url} > published.json`,
    'jq -s \'{keys: (map(.keys) | add | map(with_entries(select(.key | IN("kty", "alg", "use", "kid", "n", "e", "crv", "x", "y")))) | unique)}\' live.json published.json > jwks',
  )

export const check = defineCheck({
  meta: {
    id: 'cluster/published-jwks-is-current',
    title: "The published key set is the cluster's own, as it is now",
    severity: 'warning',
    scope: 'cluster',
    cloud: 'any',
    section: 'Issuer',
    why: 'A copy of the keys that somebody uploaded does not follow the cluster: when signing moves to another key, every token is refused.',
    fix: {
      safety: 'manual',
      does: 'Publish the live key set, stripped to the public fields and joined with keys still in use, by an upload to the store behind jwks_uri.',
    },
    links: [
      'https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/serviceaccount/openidmetadata.go',
      'https://github.com/GoogleCloudPlatform/magic-modules',
      'https://github.com/aws/eks-anywhere/pull/7273',
    ],
  },
  needs: {},
  wants: { federation, keySet, ownKeys, keysAreManaged, keysTook },
  after: ['cluster/discovery-is-public', 'cluster/published-keys-verify-tokens'],
  messages: {
    'copy-is-behind': ({ kids, url }: { kids: string; url: string }) =>
      `the API server already publishes ${kids}, the copy at ${url} does not; tokens break when signing moves to them`,
    'kid-not-of-this-key': ({ kid, url }: { kid: string; url: string }) =>
      `key ${kid} at ${url} has a kid that is not the hash of its key; the set was made by hand`,
    'fields-beyond-the-key': ({ kid, url, fields }: { kid: string; url: string; fields: string }) =>
      `key ${kid} at ${url} carries ${fields}; GCP takes only kty, alg, use, kid, n, e, x, y and crv`,
    'too-many-keys': ({ url, count }: { url: string; count: number }) =>
      `${url} lists ${count} keys; STS gives up on long lists`,
    'answers-slowly': ({ url, seconds }: { url: string; seconds: number }) =>
      `${url} took ${seconds} s; STS gives up at about 5 s`,
  },
  remedies: {
    'copy-is-behind': ({ kids, url }) =>
      publish(`Publish ${kids} beside the present keys: upload the file jwks, the union of both, to ${url}.`, url),
    'kid-not-of-this-key': ({ url }) =>
      publish(`Publish the keys as the API server has them: upload the file jwks, the union of both, to ${url}.`, url),
    'fields-beyond-the-key': ({ url }) =>
      publish(`Publish the keys with their public fields only: upload the file jwks to ${url}.`, url),
    'too-many-keys': ({ url }) =>
      advice(
        'Take out the keys whose last token has ended; what the API server publishes itself stays.',
        'kubectl get --raw /openid/v1/jwks',
        sh`curl -fsS ${url}`,
      ),
    'answers-slowly': ({ url }) =>
      advice(
        'Have whoever runs the host of the keys serve them from a store or a cache that answers at once.',
        sh`curl -sS -o keys.json -w %{time_total} ${url}`,
      ),
  },
  judge: ({ want: { federation, keySet, ownKeys, keysAreManaged, keysTook } }) => {
    if (federation.state === 'absent')
      return { status: 'not-applicable', reason: 'no workload exchanges its token by issuer' }
    if (keysAreManaged.state === 'known' && keysAreManaged.value)
      return { status: 'not-applicable', reason: 'the cloud publishes the keys itself' }
    if (keySet.state === 'absent') return { status: 'not-applicable', reason: 'no key set is published' }
    if (keySet.state === 'unknown') return { status: 'undecided', lacks: 'the published keys were not seen' }
    const { url, keys } = keySet.value
    const live = ownKeys.state === 'known' ? ownKeys.value : []
    const see = (
      path: string,
      observed: string | number | readonly string[],
      expected?: string,
    ): readonly Evidence[] => [
      { question: keySet.from, path, observed, ...(expected === undefined ? {} : { expected }) },
    ]
    const published = new Set(keys.map(material))
    const behind = live.filter((one) => !published.has(material(one)))
    if (behind.length > 0) {
      const kids = behind.map(({ kid }) => kid ?? 'a key without a kid').join(', ')
      return {
        status: 'fail',
        message: 'copy-is-behind',
        data: { kids, url },
        evidence: see(
          'keys[].kid',
          keys.map(({ kid }) => kid ?? ''),
          kids,
        ),
      }
    }
    const ids = new Set(live.map(({ kid }) => kid))
    for (const [index, key] of keys.entries()) {
      const own = keyIdOf(key)
      // The kid that the API server itself gives is right whatever it is made of, and a copy without one does no harm.
      if (ownKeys.state === 'known' && key.kid && own !== undefined && key.kid !== own && !ids.has(key.kid))
        return {
          status: 'fail',
          message: 'kid-not-of-this-key',
          data: { kid: key.kid, url },
          evidence: see(`keys[${index}].kid`, key.kid, own),
        }
    }
    const google = federation.state === 'known' && federation.value.clouds.includes('gcp')
    for (const [index, key] of keys.entries()) {
      const beyond = Object.keys(key.jwk).filter((name) => !googleTakes.has(name))
      if (beyond.length > 0 && !google)
        return {
          status: 'undecided',
          lacks: `keys at ${url} carry ${beyond.join(', ')}, which only Google minds, and no workload that asks Google was seen`,
          evidence: see(`keys[${index}]`, beyond),
        }
      if (beyond.length > 0)
        return {
          status: 'fail',
          message: 'fields-beyond-the-key',
          data: { kid: key.kid ?? String(index), url, fields: beyond.join(', ') },
          evidence: see(`keys[${index}]`, beyond),
        }
    }
    if (keys.length > most)
      return {
        status: 'fail',
        message: 'too-many-keys',
        data: { url, count: keys.length },
        evidence: see('keys.length', keys.length),
      }
    if (keysTook.state === 'known' && keysTook.value >= slow)
      return {
        status: 'fail',
        message: 'answers-slowly',
        data: { url, seconds: keysTook.value },
        evidence: see('seconds', keysTook.value),
      }
    return ownKeys.state === 'absent'
      ? { status: 'undecided', lacks: "the API server's own keys were not seen" }
      : {
          status: 'pass',
          evidence: see(
            'keys[].kid',
            keys.map(({ kid }) => kid ?? ''),
          ),
        }
  },
})
