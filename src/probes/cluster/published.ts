/** The issuer's discovery document and keys as anyone can fetch them, and as the API server itself has them. */
import { absent, defineProbe, type Fact, inquire, onward, reading, type Soon } from '../../core/fact.ts'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import {
  isAddress,
  isClusterInternal,
  isManagedIssuer,
  isObjectStore,
  isPrivateAddress,
  parseIssuer,
} from '../../domain/issuer-url.ts'
import { kubernetes, oidc } from '../../domain/questions.ts'
import { documentOf, type Fetched, readFetched } from './fetched.ts'
import { issuer } from './issuer.ts'

/** Whether a URL could be fetched from the internet at all; nobody needs to try the others. */
const isFetchable = (url: string): boolean => {
  const parsed = parseIssuer(url)
  return parsed?.scheme === 'https' && !isClusterInternal(parsed.host) && !isPrivateAddress(parsed.host)
}

/** Absent where the issuer is no address on the internet, which is another check's word. */
export const publishedDiscovery = defineProbe({
  id: 'cluster/published-discovery',
  about: 'the discovery document as anyone can fetch it',
  scope: 'cluster',
  needs: { issuer },
  wants: {},
  ask: ({ issuer }, _want, inquiry): Soon<Fact<Fetched>> =>
    issuer.state === 'known' && isFetchable(issuer.value.issuer)
      ? inquire(inquiry, oidc.discovery(issuer.value.issuer), readFetched)
      : absent(oidc.discovery('')),
})

/** The keys at the document's jwks_uri; absent where the document names none that could be fetched. */
export const publishedKeys = defineProbe({
  id: 'cluster/published-keys',
  about: 'the published keys as anyone can fetch them',
  scope: 'cluster',
  needs: {},
  wants: { publishedDiscovery },
  ask: (_have, { publishedDiscovery }, inquiry): Soon<Fact<Fetched>> => {
    if (publishedDiscovery.state === 'known') {
      const document = documentOf(publishedDiscovery.value)
      if (document !== undefined) {
        const uri = textAt(document, 'jwks_uri')
        return uri !== undefined && isFetchable(uri)
          ? inquire(inquiry, oidc.keys(uri), readFetched)
          : absent(publishedDiscovery.from)
      }
      if (!('status' in publishedDiscovery.value.answer)) return absent(publishedDiscovery.from)
    }
    // Keys were collected without the document that says where they lie.
    return onward(inquiry.ask(oidc.keys('')), (fact): Fact<Fetched> => {
      const keys = reading(fact, readFetched)
      return keys.state === 'unknown' && publishedDiscovery.state === 'unknown' ? publishedDiscovery : keys
    })
  },
})

export type CollectedDocument = { readonly issuer: string; readonly url?: string; readonly document: JsonObject }

/** Never unknown: none where no document was collected. */
export const collectedDocuments = defineProbe<readonly CollectedDocument[]>({
  id: 'cluster/collected-discovery',
  about: 'the discovery documents that were collected',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) =>
    onward(inquiry.ask(oidc.documents()), (fact): Fact<readonly CollectedDocument[]> => {
      const documents = fact.state === 'known' ? listAt(fact.value, 'documents') : []
      return {
        state: 'known',
        from: oidc.documents(),
        value: documents.flatMap((one) => {
          const document = isObject(one) ? one.document : undefined
          const named = textAt(one, 'issuer') ?? textAt(document, 'issuer')
          const url = textAt(one, 'url')
          return isObject(document) && named !== undefined
            ? [{ issuer: named, document, ...(url === undefined ? {} : { url }) }]
            : []
        }),
      }
    }),
})

const objectOrNothing = (json: Json): JsonObject | undefined => (isObject(json) ? json : undefined)

/** Absent where the API server answers 404: it has discovery off. */
export const ownDiscovery = defineProbe<JsonObject>({
  id: 'cluster/own-discovery',
  about: "the API server's own discovery document",
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) =>
    inquire(inquiry, kubernetes.nonResource('/.well-known/openid-configuration'), objectOrNothing),
})

/** The addresses behind the issuer's host; absent where the name does not exist or needs no look-up. */
export const issuerAddresses = defineProbe({
  id: 'cluster/issuer-addresses',
  about: "the addresses of the issuer's host",
  scope: 'cluster',
  needs: { issuer },
  wants: {},
  ask: ({ issuer }, _want, inquiry): Soon<Fact<readonly string[]>> => {
    const host = issuer.state === 'known' ? parseIssuer(issuer.value.issuer)?.host : undefined
    // What needs no look-up: an address, a name that nobody outside knows, and hosts that a cloud itself publishes on.
    if (
      host === undefined ||
      isAddress(host) ||
      isClusterInternal(host) ||
      isManagedIssuer(host) ||
      isObjectStore(host)
    )
      return absent(oidc.addresses(host ?? ''))
    return inquire(inquiry, oidc.addresses(host), (answer) => {
      const addresses = listAt(answer, 'addresses').filter((one) => typeof one === 'string')
      return addresses.length === 0 ? undefined : addresses
    })
  },
})
