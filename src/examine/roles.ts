/** Permissions as what grants them: a ClusterRole, an IAM policy, a custom role of Google Cloud; one renderer for each system. */
import type { Permission } from '../knowledge/permissions.ts'
import type { Needed } from './manifest.ts'

export const roleName = 'kubectl-wi-doctor'
const apiVersion = 'rbac.authorization.k8s.io/v1'
const apiGroup = 'rbac.authorization.k8s.io'

export type Rule = {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly verbs: readonly string[]
}
export type ClusterRole = {
  readonly apiVersion: typeof apiVersion
  readonly kind: 'ClusterRole'
  readonly metadata: { readonly name: string }
  readonly rules: readonly Rule[]
}
export type IamPolicy = {
  readonly Version: '2012-10-17'
  readonly Statement: readonly [
    { readonly Sid: string; readonly Effect: 'Allow'; readonly Action: readonly string[]; readonly Resource: '*' },
  ]
}

type Rbac = Extract<Permission, { readonly kind: 'rbac' }>

/** One rule for all resources of a group with the same verbs; what is dangerous stands alone. */
function rulesOf(permissions: readonly Rbac[]): readonly Rule[] {
  const verbs = new Map<string, { readonly of: Rbac; readonly verbs: Set<string> }>()
  for (const one of permissions) {
    const key = `${one.group}/${one.resource}`
    const held = verbs.get(key) ?? { of: one, verbs: new Set() }
    verbs.set(key, held)
    held.verbs.add(one.verb)
  }
  const rules = new Map<string, { readonly group: string; readonly verbs: readonly string[]; resources: string[] }>()
  for (const { of, verbs: all } of verbs.values()) {
    const sorted = [...all].sort()
    const alone = of.resource === 'secrets' || of.resource.includes('/') ? of.resource : ''
    const key = JSON.stringify([alone, of.group, sorted])
    const rule = rules.get(key) ?? { group: of.group, verbs: sorted, resources: [] }
    rules.set(key, rule)
    rule.resources.push(of.resource)
  }
  return [...rules]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { group, verbs, resources }]) => ({ apiGroups: [group], resources: resources.sort(), verbs }))
}

/** undefined where nothing in the cluster has to be permitted. */
export function clusterRoleOf(needed: readonly Needed[]): ClusterRole | undefined {
  const permissions = needed.map(({ permission }) => permission)
  const paths = permissions.flatMap((one) => (one.kind === 'rbac-path' ? one.path : [])).sort()
  const rules = [
    ...rulesOf(permissions.filter((one) => one.kind === 'rbac')),
    ...(paths.length === 0 ? [] : [{ nonResourceURLs: paths, verbs: ['get'] }]),
  ]
  return rules.length === 0 ? undefined : { apiVersion, kind: 'ClusterRole', metadata: { name: roleName }, rules }
}

/** Gives the role to one user; whose name is not ours to know. */
export const clusterRoleBinding = {
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: { name: roleName },
  roleRef: { apiGroup, kind: 'ClusterRole', name: roleName },
  subjects: [{ apiGroup, kind: 'User', name: 'NAME' }],
} as const

/** What gcloud iam roles create takes with --file. */
export type CustomRole = {
  readonly title: string
  readonly description: string
  readonly stage: 'GA'
  readonly includedPermissions: readonly string[]
}

/** AWS writes `service:Action`, Google `service.resource.verb`. */
const actionsIn = (needed: readonly Needed[], isOfAws: boolean): readonly string[] => [
  ...new Set(
    needed.flatMap(({ permission }) =>
      permission.kind === 'iam' && permission.action.includes(':') === isOfAws ? permission.action : [],
    ),
  ),
]

/** undefined where Google Cloud is not asked. */
export function customRoleOf(needed: readonly Needed[]): CustomRole | undefined {
  const found = [...actionsIn(needed, false)].sort()
  return found.length === 0
    ? undefined
    : {
        title: roleName,
        description: 'What kubectl wi doctor needs to see; it changes nothing with it.',
        stage: 'GA',
        includedPermissions: found,
      }
}

/** undefined where AWS is not asked. */
export function iamPolicyOf(needed: readonly Needed[]): IamPolicy | undefined {
  const Action = [...actionsIn(needed, true)]
  return Action.length === 0
    ? undefined
    : {
        Version: '2012-10-17',
        Statement: [{ Sid: 'KubectlWiDoctor', Effect: 'Allow', Action: Action.sort(), Resource: '*' }],
      }
}

export type AzureRole = {
  readonly Name: string
  readonly IsCustom: true
  readonly Description: string
  readonly Actions: readonly string[]
  readonly NotActions: readonly []
  readonly AssignableScopes: readonly [string]
}

/** Graph is no part of a role: reading applications is a directory role or Application.Read.All. undefined where Azure is not asked. */
export function azureRoleOf(needed: readonly Needed[]): AzureRole | undefined {
  const all = [...new Set(needed.flatMap(({ permission }) => (permission.kind === 'azure' ? permission.action : [])))]
  const Actions = all.filter((one) => !one.startsWith('graph ')).sort()
  const graph = all.length > Actions.length ? ' Microsoft Graph is asked too: Application.Read.All.' : ''
  return all.length === 0
    ? undefined
    : {
        Name: roleName,
        IsCustom: true,
        Description: `What kubectl wi doctor needs to see; it changes nothing with it.${graph}`,
        Actions,
        NotActions: [],
        AssignableScopes: ['/subscriptions/SUBSCRIPTION_ID'],
      }
}

/** By system, what grants there what is needed; undefined where nothing is. */
export const grants = {
  kubernetes: clusterRoleOf,
  aws: iamPolicyOf,
  azure: azureRoleOf,
  gcp: customRoleOf,
} as const satisfies { readonly [system: string]: (needed: readonly Needed[]) => object | undefined }
