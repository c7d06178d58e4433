/** Which actions touch production, so that the name of what they change is to be typed before they are done. */
import type { Touch } from '../core/consent.ts'
import { listAt, textAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'

/** Calls that have running pods made anew: by their workload, by their node, by their add-on. */
const restarts: ReadonlySet<string> = new Set(['container.nodePools.update', 'eks:UpdateAddon'])

/** Calls that change a trust which is there, and by which others may get in. */
const trusts: ReadonlySet<string> = new Set([
  'iam:UpdateAssumeRolePolicy',
  'iam:UpdateOpenIDConnectProviderThumbprint',
  'eks:UpdatePodIdentityAssociation',
  'iam.serviceAccounts.setIamPolicy',
  'iam.workloadIdentityPoolProviders.update',
  'iam.workloadIdentityPools.update',
])

/** Members of a change that name what is changed, the closest first; of a path or an ARN its end. */
const names = [
  'RoleName',
  'addonName',
  'nodePool',
  'cluster',
  'serviceAccount',
  'principalArn',
  'OpenIDConnectProviderArn',
  'email',
  'bucket',
  'service',
  'project',
  'scope',
  'name',
]

const nameOf = ({ input }: Change): string | undefined => {
  const found = names.map((key) => textAt(input, key)).find((name) => name !== undefined && name !== '')
  return found?.slice(found.lastIndexOf('/') + 1)
}

/** `prod` or `production` as a word of its own, with a number or without; `non-prod` and `pre-production` are neither. */
export function saysProduction(name: string): boolean {
  const words = name.toLowerCase().split(/[^a-z0-9]+/)
  return words.some(
    (word, index) => /^prod(?:uction)?\d*$/.test(word) && !/^(?:non|not|no|pre)$/.test(words[index - 1] ?? ''),
  )
}

/** A workload whose pods run all the time, and an edit of what they are made from. */
function replacesPods({ call, input }: Change): boolean {
  if (/^(?:deployments|statefulsets|daemonsets|replicasets)\/patch$/.test(call))
    return listAt(input, 'edits').some((edit) => listAt(edit, 'path').slice(0, 2).join('.') === 'spec.template')
  return /\/restart$|^pods\/delete$/.test(call)
}

function reason(change: Change, context: string): string | undefined {
  const { system, call, input } = change
  const namespace = textAt(input, 'namespace') ?? ''
  const kubernetes = system === 'kubernetes'
  if (restarts.has(call) || (kubernetes && replacesPods(change))) return 'it has running pods made anew'
  const rewritten = system === 'azure' && /federatedIdentityCredentials\/write$/.test(call) && 'from' in input
  if (trusts.has(call) || rewritten) return 'it changes a trust that others may go by'
  if (kubernetes && /^configmaps\//.test(call) && namespace === 'kube-system' && textAt(input, 'name') === 'aws-auth')
    return 'aws-auth says who may enter the cluster'
  if (saysProduction(namespace)) return `namespace ${namespace} is production by its name`
  return saysProduction(context) ? `context ${context} is production by its name` : undefined
}

/**
 * The name to be typed before this change, and why; undefined where a yes is enough. Production is touched by what restarts or replaces
 * running pods, changes a trust that is there (what is made beside it is none), changes aws-auth, or writes where the name of the
 * namespace, or of the kubeconfig's context (empty: none), says prod.
 */
export function touchesProduction(change: Change, context: string): Touch | undefined {
  const why = reason(change, context)
  const name = nameOf(change)
  return why === undefined || name === undefined ? undefined : { name, why }
}
