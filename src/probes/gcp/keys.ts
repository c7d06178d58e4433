/** The keys by which Google could verify the tokens of this cluster: what the cluster serves, and what the issuer publishes. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, textAt } from '../../core/json.ts'
import { type Key, keysOfSet } from '../../domain/gcp-provider.ts'
import { azure, gcp, kubernetes, oidc } from '../../domain/questions.ts'
import { googleFederation } from './federation.ts'

export type GoogleKeys = {
  /** What the API server itself serves; undefined where that was not seen. */
  readonly served?: readonly Key[]
  readonly discovery: { readonly answers?: true; readonly failed?: string }
  readonly set: { readonly found?: readonly Key[]; readonly private?: string }
  readonly aks?: { readonly name: string; readonly enabled: boolean }
}

const isPrivate = (uri: string): boolean => {
  const host = /^https?:\/\/\[?([^/:\]]+)/.exec(uri)?.[1] ?? ''
  return (
    /^(?:10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(host) ||
    /(?:^|\.)(?:local|internal|localhost|svc)$/.test(host) ||
    !host.includes('.')
  )
}

/** Asked only where a provider was seen: with uploaded keys the cluster is asked, without them the issuer. */
export const googleKeys = defineProbe({
  id: 'gcp/keys',
  about: "the keys of the cluster's tokens",
  scope: 'service-account',
  needs: { googleFederation },
  wants: {},
  only: 'googleFederation',
  ask: async ({ googleFederation }, _want, { ask }): Promise<Fact<GoogleKeys>> => {
    const none = absent(gcp.collected())
    const { provider } = googleFederation.value
    const cluster = await ask(azure.cluster())
    const issued = cluster.state === 'known' ? at(cluster.value, 'oidcIssuerProfile', 'enabled') : undefined
    const aks =
      cluster.state === 'known' && issued !== true
        ? { aks: { name: textAt(cluster.value, 'name') ?? 'CLUSTER', enabled: false } }
        : {}
    if (provider.state !== 'known') return 'aks' in aks ? known({ discovery: {}, set: {}, ...aks }, cluster.from) : none
    if (provider.value.keys !== undefined) {
      const fact = await ask(kubernetes.nonResource('/openid/v1/jwks'))
      return fact.state === 'unknown'
        ? fact
        : known(
            { ...(fact.state === 'known' ? { served: keysOfSet(fact.value) } : {}), discovery: {}, set: {}, ...aks },
            fact.from,
          )
    }
    const { issuer } = provider.value
    if (issuer === undefined) return none
    const fact = await ask(oidc.discovery(issuer))
    if (fact.state !== 'known')
      return fact.state === 'unknown'
        ? 'aks' in aks
          ? known({ discovery: {}, set: {}, ...aks }, cluster.from)
          : fact
        : none
    const failure = textAt(fact.value, 'failure', 'detail') ?? textAt(fact.value, 'failure', 'kind')
    const status = at(fact.value, 'status')
    const document = at(fact.value, 'document')
    if (failure !== undefined || (typeof status === 'number' && status !== 200))
      return known({ discovery: { failed: failure ?? `it answers ${String(status)}` }, set: {}, ...aks }, fact.from)
    const uri = textAt(document, 'jwks_uri') ?? ''
    if (isPrivate(uri)) return known({ discovery: { answers: true }, set: { private: uri }, ...aks }, fact.from)
    const keys = await ask(oidc.keys(uri))
    if (keys.state === 'unknown') return keys
    const unreachable = keys.state === 'known' && at(keys.value, 'failure') !== undefined
    const found = keys.state === 'known' ? keysOfSet(at(keys.value, 'document') ?? null) : []
    return known({ discovery: { answers: true }, set: unreachable ? { private: uri } : { found }, ...aks }, keys.from)
  },
})
