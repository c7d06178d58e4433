/** What the API server itself tells about discovery, for when the published documents could not be fetched. */
import { defineProbe, type Fact, known, onward } from '../../core/fact.ts'
import { isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
import { type ApiServer, apiServer } from './api-server.ts'
import { ownDiscovery, publishedDiscovery } from './published.ts'

export type DiscoveryHints = {
  /** The API server answered 404 to an authenticated read. */
  readonly off: boolean
  readonly ownIssuer?: string
  readonly ownJwksUri?: string
  readonly flags?: ApiServer
  /** Whether anonymous requests may read discovery, where all bindings were seen. */
  readonly openedToAnonymous?: boolean
}

const role = 'system:service-account-issuer-discovery'
const anonymous: readonly string[] = ['system:unauthenticated', 'system:anonymous']

const opens = (binding: Json): boolean =>
  textAt(binding, 'roleRef', 'name') === role &&
  listAt(binding, 'subjects').some((subject) => anonymous.includes(textAt(subject, 'name') ?? ''))

const object = (json: Json): Json | undefined => (isObject(json) ? json : undefined)

/** Never unknown: what was not seen is left out. */
export const discoveryHints = defineProbe({
  id: 'cluster/discovery-hints',
  about: 'what the API server tells about discovery',
  scope: 'cluster',
  needs: {},
  wants: { ownDiscovery, apiServer, publishedDiscovery },
  ask: (_have, { ownDiscovery, apiServer, publishedDiscovery }, inquiry) => {
    const own = ownDiscovery.state === 'known' ? ownDiscovery.value : undefined
    const ownIssuer = textAt(own, 'issuer')
    const ownJwksUri = textAt(own, 'jwks_uri')
    const hints: DiscoveryHints = {
      off: ownDiscovery.state === 'absent',
      ...(ownIssuer === undefined ? {} : { ownIssuer }),
      ...(ownJwksUri === undefined ? {} : { ownJwksUri }),
      ...(apiServer.state === 'known' ? { flags: apiServer.value } : {}),
    }
    const question = kubernetes.list('clusterrolebindings')
    if (publishedDiscovery.state === 'known') return known(hints, ownDiscovery.from)
    return onward(inquiry.ask(question), (fact): Fact<DiscoveryHints> => {
      const bindings = listed(fact, object)
      if (bindings.state !== 'known') return known(hints, ownDiscovery.from)
      const open = bindings.value.items.some(opens)
      return open || bindings.value.complete
        ? known({ ...hints, openedToAnonymous: open }, question)
        : known(hints, ownDiscovery.from)
    })
  },
})
