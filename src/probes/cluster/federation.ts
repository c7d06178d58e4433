/** Which clouds exchange tokens of this cluster by their issuer; only then does it matter who can read the issuer. */
import { absent, defineProbe, type Fact, known, unknown } from '../../core/fact.ts'
import { listAt } from '../../core/json.ts'
import {
  bindsWithoutIssuer,
  cloudOfAudience,
  cloudOfError,
  cloudsOfAccount,
  cloudsOfPod,
  type FederatingCloud,
} from '../../domain/federation-marks.ts'
import { withoutScheme } from '../../domain/issuer-url.ts'
import { aws, azure, gcp, kubernetes } from '../../domain/questions.ts'
import { issuer } from './issuer.ts'
import { judgedAccounts } from './judged-accounts.ts'
import { observedErrors } from './observed-errors.ts'
import { pods, podTemplates, type Shelves } from './pods.ts'
import { seenTokens } from './seen-tokens.ts'

export type Federation = { readonly clouds: readonly FederatingCloud[] }

const question = kubernetes.list('serviceaccounts')
const shelvesOf = (fact: Fact<Shelves>, namespace: string) =>
  fact.state === 'known' ? fact.value.get(namespace) : undefined

/** Absent: everybody who is judged was seen, and nobody's token goes to a cloud that reads its issuer. */
export const federation = defineProbe({
  id: 'cluster/federation',
  about: 'which clouds exchange tokens by issuer',
  scope: 'cluster',
  needs: {},
  wants: { pods, podTemplates, judgedAccounts, observedErrors, seenTokens, issuer },
  ask: async (
    _have,
    { pods, podTemplates, judgedAccounts, observedErrors, seenTokens, issuer },
    inquiry,
  ): Promise<Fact<Federation>> => {
    const clouds = new Set<FederatingCloud>()
    const add = (found: readonly (FederatingCloud | undefined)[]): boolean => {
      for (const cloud of found) if (cloud !== undefined) clouds.add(cloud)
      return found.length > 0
    }
    let open = inquiry.subjects.some(({ kind, standsFor }) => kind === 'Cluster' && standsFor !== undefined)
    const judged = judgedAccounts.state === 'known' ? judgedAccounts.value : []
    for (const { namespace, name, fact } of judged) {
      const account = fact.state === 'known' ? fact.value : undefined
      const shelf = shelvesOf(pods, namespace)
      const users = [...(shelf?.by.get(name) ?? []), ...(shelvesOf(podTemplates, namespace)?.by.get(name) ?? [])]
      const shown = add([...(account === undefined ? [] : cloudsOfAccount(account)), ...users.flatMap(cloudsOfPod)])
      const elsewhere = account !== undefined && bindsWithoutIssuer(account)
      const seenWhole = fact.state !== 'unknown' && shelf?.fact.state === 'known' && shelf.fact.value.complete
      if (!shown && !elsewhere && !seenWhole) open = true
    }
    if (observedErrors.state === 'known') add(observedErrors.value.map(({ text }) => cloudOfError(text)))
    if (clouds.size === 0 && seenTokens.state === 'known')
      add(seenTokens.value.tokens.flatMap(({ audiences }) => audiences.map(cloudOfAudience)))
    if (clouds.size === 0 && open) {
      const has = async (cloud: FederatingCloud, ask: typeof question, member: string): Promise<void> => {
        const fact = await inquiry.ask(ask)
        if (fact.state === 'known' && listAt(fact.value, member).length > 0) clouds.add(cloud)
      }
      await has('gcp', gcp.workloadIdentityPoolProviders(), 'providers')
      await has('azure', azure.federatedIdentityCredentials(), 'credentials')
    }
    if (clouds.size === 0 && judged.length === 0 && issuer.state === 'known') {
      // An account holds the providers of many clusters: only this one's own says something.
      const providers = await inquiry.ask(aws.oidcProviders())
      const own = `:oidc-provider/${withoutScheme(issuer.value.issuer)}`
      if (
        providers.state === 'known' &&
        listAt(providers.value, 'OpenIDConnectProviderList').some((one) => JSON.stringify(one).includes(`${own}"`))
      )
        clouds.add('aws')
    }
    if (clouds.size > 0) return known({ clouds: [...clouds].sort() }, question)
    if (!open) return absent(question)
    return unknown(
      'not-collected',
      'nothing shows whether a workload here exchanges its token by issuer',
      question,
      'kubectl get serviceaccounts,pods -A -o yaml',
    )
  },
})
