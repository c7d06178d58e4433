/** `doctor --show-permissions`: what a selection of checks would need, ready to apply; nothing is run. */
import { Document, stringify } from 'yaml'
import { checks } from '../checks/index.ts'
import type { Cloud } from '../core/check.ts'
import { misunderstood } from '../probes/subjects.ts'
import { manifestOf, type Needed } from './manifest.ts'
import { type ClusterRole, clusterRoleBinding, grants, roleName } from './roles.ts'
import { selectChecks } from './select.ts'
import { usage } from './trouble.ts'

export type PermissionFlags = {
  readonly selector?: string | undefined
  readonly check?: readonly string[] | undefined
  readonly cloud?: Exclude<Cloud, 'any'> | undefined
  readonly file?: readonly string[] | undefined
  readonly overlay: boolean
  readonly exchange: boolean
  readonly exec?: boolean
  readonly 'all-namespaces': boolean
  readonly 'cloud-credentials': 'default' | 'none'
  readonly output: string
}

const yaml = { lineWidth: 0 } as const
const commented = (text: string): string => text.trimEnd().replaceAll(/^/gm, '# ').replaceAll(/ +$/gm, '')

const factsOf = (needed: readonly Needed[], resource: string): string =>
  needed
    .flatMap(({ permission, shows }) => (permission.kind === 'rbac' && permission.resource === resource ? shows : []))
    .join('; ')

/** The rules that whoever grants them should think about, with what they are for. */
function clusterRoleText(role: ClusterRole, needed: readonly Needed[]): string {
  const document = new Document(role)
  for (const [place, { resources = [] }] of role.rules.entries()) {
    const node: unknown = document.getIn(['rules', place], true)
    const words = resources.includes('serviceaccounts/token')
      ? ' Whoever has this can act as any ServiceAccount; --no-exchange does without it.'
      : resources.includes('secrets')
        ? ` Secrets are read by name, and no value of them is kept: ${factsOf(needed, 'secrets')}.`
        : undefined
    if (words !== undefined && typeof node === 'object' && node !== null) Object.assign(node, { commentBefore: words })
  }
  return document.toString(yaml)
}

/** Text that `kubectl apply -f -` takes as it is: what is not for Kubernetes stands in comments. */
function text(needed: readonly Needed[]): string {
  const role = grants.kubernetes(needed)
  const policy = grants.aws(needed)
  const azureRole = grants.azure(needed)
  const custom = grants.gcp(needed)
  const parts: string[] = []
  if (role !== undefined)
    parts.push(
      commented(
        'What kubectl wi doctor needs to see in the cluster. It changes nothing with it.\nApply: kubectl wi doctor --show-permissions … | kubectl apply -f -',
      ),
      clusterRoleText(role, needed).trimEnd(),
      commented(
        `Give it to whoever runs the doctor: kubectl create clusterrolebinding ${roleName} --clusterrole=${roleName} --user=NAME\nor, as a manifest:\n${stringify(clusterRoleBinding, yaml)}`,
      ),
    )
  if (policy !== undefined)
    parts.push(
      commented(
        `What it needs to see in AWS, in the account of the cluster and in those of the roles (an IAM policy; -o json has it as .aws).\nCreate: kubectl wi doctor --show-permissions … -o json | jq .aws > policy.json\n        aws iam create-policy --policy-name ${roleName} --policy-document file://policy.json\n${JSON.stringify(policy, null, 2)}`,
      ),
    )
  if (azureRole !== undefined)
    parts.push(
      commented(
        `What it needs to see in Azure, in the subscriptions of the cluster and of the identities (a custom role; -o json has it as .azure).\nCreate: kubectl wi doctor --show-permissions … -o json | jq .azure > role.json\n        az role definition create --role-definition @role.json\n${JSON.stringify(azureRole, null, 2)}`,
      ),
    )
  if (custom !== undefined)
    parts.push(
      commented(
        `What it needs to see in Google Cloud, in the project of the cluster and in those of the accounts and buckets (a custom role; -o json has it as .gcp).\nCreate: gcloud iam roles create ${roleName.replaceAll('-', '_')} --project=PROJECT --file=role.yaml\n${stringify(custom, yaml)}`,
      ),
    )
  return parts.length === 0 ? '# nothing has to be permitted\n' : `${parts.join('\n')}\n`
}

/** The data behind the text: by system what is to be granted, and what each permission is for. */
function data(needed: readonly Needed[]): object {
  const granted = Object.entries(grants).flatMap(([system, grant]) => {
    const made = grant(needed)
    return made === undefined ? [] : [[system, made] as const]
  })
  return { ...Object.fromEntries(granted), needed }
}

/** What this selection needs, in the format that was asked for. Throws usage errors. */
export async function permissions(targets: readonly string[], flags: PermissionFlags): Promise<string> {
  const { selector, file = [], overlay } = flags
  const unclear = misunderstood({ targets, ...(selector === undefined ? {} : { selector }) })
  if (unclear.length > 0) throw usage(unclear.join('\n'))
  if (file.length > 0 && !overlay)
    throw usage('--show-permissions: documents are read without any permission; leave out -f, or add --overlay')
  const needed = await manifestOf({
    targets,
    checks: selectChecks(checks, { globs: flags.check ?? [], cloud: flags.cloud }),
    allNamespaces: flags['all-namespaces'],
    exchange: flags.exchange,
    exec: flags.exec === true,
    clouds: flags['cloud-credentials'] !== 'none',
    ...(selector === undefined ? {} : { selector }),
  })
  if (flags.output === 'json') return `${JSON.stringify(data(needed), null, 2)}\n`
  return flags.output === 'yaml'
    ? stringify(data(needed), { ...yaml, aliasDuplicateObjects: false, version: '1.1' })
    : text(needed)
}
