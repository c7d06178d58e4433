/** Which GKE cluster a kubeconfig means, read from the name that gcloud gives it. */
import type { ApiServer } from './api-server.ts'

export type GkeHint = { readonly project: string; readonly location: string; readonly name: string }

/** `gcloud container clusters get-credentials` names context, cluster and user `gke_PROJECT_LOCATION_NAME`; none of the three holds a `_`. */
const form = /^gke_([a-z0-9.:-]{1,100})_([a-z0-9-]{1,60})_([a-z0-9-]{1,60})$/

export function gkeHint({ context, cluster }: Pick<ApiServer, 'context' | 'cluster'>): GkeHint | undefined {
  for (const text of [cluster, context ?? '']) {
    const [, project, location, name] = form.exec(text) ?? []
    if (project !== undefined && location !== undefined && name !== undefined) return { project, location, name }
  }
  return undefined
}
