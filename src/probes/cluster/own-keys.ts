/** The keys that the API server itself has, beside what lies at jwks_uri; only where somebody had to copy them. */
import { absent, defineProbe, type Fact, inquire, known, type Soon } from '../../core/fact.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { isManagedIssuer, parseIssuer } from '../../domain/issuer-url.ts'
import { type PublishedKey, readKeys } from '../../domain/jwks.ts'
import { kubernetes } from '../../domain/questions.ts'
import { issuer } from './issuer.ts'
import { publishedKeys } from './published.ts'

/** Whether a cloud publishes the keys itself; then nobody copies them. */
export const keysAreManaged = defineProbe({
  id: 'cluster/keys-are-managed',
  about: 'whether the cloud publishes the keys itself',
  scope: 'cluster',
  needs: { issuer },
  wants: {},
  ask: ({ issuer }): Fact<boolean> =>
    issuer.state === 'known'
      ? known(isManagedIssuer(parseIssuer(issuer.value.issuer)?.host ?? ''), issuer.from)
      : issuer,
})

export const ownKeys = defineProbe({
  id: 'cluster/own-keys',
  about: "the API server's own key set",
  scope: 'cluster',
  needs: {},
  wants: { keysAreManaged },
  ask: (_have, { keysAreManaged }, inquiry): Soon<Fact<readonly PublishedKey[]>> => {
    const question = kubernetes.nonResource('/openid/v1/jwks')
    if (keysAreManaged.state === 'known' && keysAreManaged.value) return absent(question)
    return inquire(inquiry, question, readKeys)
  },
})

/** The whole document, as the API server answers it to whoever may read it. */
export const ownKeySet = defineProbe({
  id: 'cluster/own-key-set',
  about: "the API server's own key set as it stands",
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry): Soon<Fact<JsonObject>> =>
    inquire(inquiry, kubernetes.nonResource('/openid/v1/jwks'), (json) =>
      isObject(json) && readKeys(json) !== undefined ? json : undefined,
    ),
})

/** How many seconds the key set took; absent where the answer came at once, or none came. */
export const keysTook = defineProbe({
  id: 'cluster/keys-took',
  about: 'how long the key set took to come',
  scope: 'cluster',
  needs: {},
  wants: { publishedKeys },
  ask: (_have, { publishedKeys }): Fact<number> => {
    const answer = publishedKeys.state === 'known' ? publishedKeys.value.answer : undefined
    const seconds = answer !== undefined && 'seconds' in answer ? answer.seconds : undefined
    return seconds === undefined ? absent(publishedKeys.from) : known(seconds, publishedKeys.from)
  },
})
