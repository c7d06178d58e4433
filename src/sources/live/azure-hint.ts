/** Which AKS cluster a kubeconfig means, read from its server and from the names that `az aks get-credentials` gives. */
import type { ApiServer } from './api-server.ts'

export type AzureHint = {
  /** Host of the API server, where it is one of AKS. */
  readonly host?: string
  /** Resource group and cluster, as the name of the user has them, in one: either may hold underscores. */
  readonly user?: string
  /** Another cloud's endpoint: no cluster of AKS. */
  readonly elsewhere: boolean
}

export function azureHint({ server, user }: Pick<ApiServer, 'server' | 'user'>): AzureHint {
  const host = URL.parse(server)?.hostname.toLowerCase() ?? ''
  const named = /^cluster(?:User|Admin)_(.{3,160})$/.exec(user)?.[1]
  return {
    ...(/\.azmk8s\.(?:io|us|cn)$/.test(host) ? { host } : {}),
    ...(named === undefined ? {} : { user: named.toLowerCase() }),
    elsewhere: /\.(?:eks\.amazonaws\.com(?:\.cn)?|gke\.goog|api\.aws)$/.test(host),
  }
}
