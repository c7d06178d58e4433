/** The issuer of this cluster's tokens, from the surest thing that shows it. */
import { defineProbe, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { issuerIn } from '../../domain/issuer-url.ts'
import { azure, kubernetes, oidc } from '../../domain/questions.ts'
import { cluster } from '../aws/cluster.ts'
import { azureCluster } from '../azure/cluster.ts'
import { apiServer } from './api-server.ts'
import { anyMintedToken } from './minted-token.ts'
import { observedErrors } from './observed-errors.ts'
import { seenTokens } from './seen-tokens.ts'

export type Issuer = {
  readonly issuer: string
  readonly via: 'token' | 'eks' | 'aks' | 'api-server' | 'flags' | 'discovery' | 'error'
  /** What was asked to learn it. */
  readonly from: Question
}

export const issuer = defineProbe({
  id: 'cluster/issuer',
  about: "the issuer of the cluster's tokens",
  scope: 'cluster',
  needs: {},
  wants: { anyMintedToken, cluster, azureCluster, apiServer, seenTokens, observedErrors },
  ask: async (
    _have,
    { anyMintedToken, cluster, azureCluster, apiServer, seenTokens, observedErrors },
    inquiry,
  ): Promise<Fact<Issuer>> => {
    const found = (issuer: string, via: Issuer['via'], from: Question): Fact<Issuer> =>
      known({ issuer, via, from }, from)

    if (anyMintedToken.state === 'known' && anyMintedToken.value.issuer !== undefined)
      return found(anyMintedToken.value.issuer, 'token', anyMintedToken.from)
    if (cluster.state === 'known' && cluster.value.issuer !== undefined)
      return found(cluster.value.issuer, 'eks', cluster.from)

    const own = await inquiry.ask(kubernetes.nonResource('/.well-known/openid-configuration'))
    const ownIssuer = own.state === 'known' ? textAt(own.value, 'issuer') : undefined
    if (ownIssuer !== undefined) return found(ownIssuer, 'api-server', own.from)

    // What kube-apiserver signs with is surer than a copy of its document, or a token of unknown age, somewhere else.
    const first = apiServer.state === 'known' ? apiServer.value.issuers[0] : undefined
    if (first !== undefined) return found(first, 'flags', apiServer.from)

    const token =
      seenTokens.state === 'known' ? seenTokens.value.tokens.find(({ kind }) => kind === 'bound') : undefined
    if (token?.issuer !== undefined) return found(token.issuer, 'token', seenTokens.from)

    // The API server of an Arc cluster issues what its owner told it to, that of AKS what the resource manager says.
    const aks = azureCluster.state === 'known' && !azureCluster.value.isArc ? azureCluster.value : undefined
    if (aks?.issuerUrl !== undefined && aks.issuerEnabled !== false) return found(aks.issuerUrl, 'aks', azure.cluster())

    const documents = await inquiry.ask(oidc.documents())
    const published = documents.state === 'known' ? listAt(documents.value, 'documents') : []
    const issuers = new Set(
      published.flatMap((one) => textAt(one, 'issuer') ?? textAt(at(one, 'document'), 'issuer') ?? []),
    )
    const [only] = issuers
    if (only !== undefined && issuers.size === 1) return found(only, 'discovery', oidc.documents())

    if (observedErrors.state === 'known')
      for (const { text } of observedErrors.value) {
        const quoted = issuerIn(text)
        if (quoted !== undefined) return found(quoted, 'error', observedErrors.from)
      }

    const why = [anyMintedToken, cluster, own, apiServer].find((fact) => fact.state === 'unknown')
    return why?.state === 'unknown' && why.why !== 'not-collected' && why.why !== 'not-asked'
      ? why
      : unknown(
          'not-collected',
          "nothing shows the issuer of the cluster's tokens",
          kubernetes.nonResource('/.well-known/openid-configuration'),
          'kubectl get --raw /.well-known/openid-configuration',
        )
  },
})
