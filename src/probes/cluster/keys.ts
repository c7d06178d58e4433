/** Which of the cluster's keys are published, and whether they verify its tokens. */
import { absent, defineProbe, type Fact, inquire, known, reading, type Soon } from '../../core/fact.ts'
import { at, textAt } from '../../core/json.ts'
import { type PublishedKey, readKeys } from '../../domain/jwks.ts'
import { kubernetes, oidc } from '../../domain/questions.ts'
import { documentOf } from './fetched.ts'
import { anyMintedToken } from './minted-token.ts'
import { publishedKeys } from './published.ts'

export type KeySet = { readonly url: string; readonly keys: readonly PublishedKey[] }

/** The published keys, read; absent where what was fetched is no JWKS, which is another check's word. */
export const keySet = defineProbe({
  id: 'cluster/key-set',
  about: 'the published keys',
  scope: 'cluster',
  needs: { publishedKeys },
  wants: {},
  only: 'publishedKeys',
  ask: ({ publishedKeys }): Fact<KeySet> => {
    const keys = readKeys(documentOf(publishedKeys.value))
    return keys === undefined
      ? absent(publishedKeys.from)
      : known({ url: publishedKeys.value.url, keys }, publishedKeys.from)
  },
})

/** The key ids that the API server itself publishes; absent where a token tells which one signs. */
export const ownKeyIds = defineProbe({
  id: 'cluster/own-key-ids',
  about: "the API server's own keys",
  scope: 'cluster',
  needs: {},
  wants: { anyMintedToken },
  ask: (_have, { anyMintedToken }, inquiry): Soon<Fact<readonly string[]>> => {
    const question = kubernetes.nonResource('/openid/v1/jwks')
    if (anyMintedToken.state === 'known') return absent(question)
    const ids = (fact: Fact<readonly PublishedKey[]>): Fact<readonly string[]> =>
      fact.state === 'known'
        ? known(
            fact.value.flatMap(({ kid }) => kid ?? []),
            fact.from,
          )
        : // The token is what was asked for in the first place, where there can be one.
          anyMintedToken.state === 'unknown'
          ? anyMintedToken
          : fact.state === 'unknown'
            ? fact
            : absent(fact.from)
    const soon = inquiry.ask(question)
    return soon instanceof Promise ? soon.then((fact) => ids(reading(fact, readKeys))) : ids(reading(soon, readKeys))
  },
})

/** Whether the published key verifies the signature of a minted token; absent where its kid is not published at all. */
export const signatureVerifies = defineProbe({
  id: 'cluster/signature-verifies',
  about: "whether a published key verifies a token's signature",
  scope: 'cluster',
  needs: {},
  wants: { anyMintedToken, keySet },
  ask: (_have, { anyMintedToken, keySet }, inquiry): Soon<Fact<boolean>> => {
    const nothing = absent(oidc.keys(''))
    if (anyMintedToken.state !== 'known' || keySet.state !== 'known') return nothing
    const { keyId } = anyMintedToken.value
    if (keyId === undefined || !keySet.value.keys.some(({ kid }) => kid === keyId)) return nothing
    const { input } = anyMintedToken.from
    const namespace = textAt(input, 'namespace')
    const name = textAt(input, 'name')
    const audience = textAt(input, 'audience')
    if (namespace === undefined || name === undefined || audience === undefined) return nothing
    return inquire(inquiry, oidc.signature(keySet.value.url, { namespace, name, audience }), (answer) => {
      const verified = at(answer, 'verified')
      return typeof verified === 'boolean' ? verified : undefined
    })
  },
})
