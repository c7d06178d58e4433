/** A plan as Terraform: the blocks that would hold what changes; what no block can hold is a comment. */
import { isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { PlannedAction, PlanReport } from '../core/plan.ts'
import { googleBlocks } from './plan-terraform-google.ts'
import { argument, block, encoded, hcl, label, quoted, text } from './terraform-blocks.ts'
import { clean } from './text.ts'

const association = (input: JsonObject): string =>
  block('aws_eks_pod_identity_association', text(input, 'serviceAccount'), [
    argument('cluster_name', input.clusterName),
    argument('namespace', input.namespace),
    argument('service_account', input.serviceAccount),
    argument('role_arn', input.roleArn),
  ])
const role = (input: JsonObject, policy: Json | undefined): string =>
  block('aws_iam_role', text(input, 'RoleName'), [
    argument('name', input.RoleName),
    encoded('assume_role_policy', policy),
  ])

const blocks: { readonly [call: string]: (input: JsonObject) => string } = {
  'iam:UpdateAssumeRolePolicy': (input) => role(input, input.PolicyDocument),
  'iam:CreateRole': (input) => role(input, input.AssumeRolePolicyDocument),
  'iam:CreateOpenIDConnectProvider': (input) =>
    block('aws_iam_openid_connect_provider', 'cluster', [
      argument('url', input.Url),
      argument('client_id_list', input.ClientIDList),
    ]),
  'iam:AttachRolePolicy': (input) =>
    block('aws_iam_role_policy_attachment', text(input, 'RoleName'), [
      argument('role', input.RoleName),
      argument('policy_arn', input.PolicyArn),
    ]),
  'eks:CreatePodIdentityAssociation': association,
  'eks:UpdatePodIdentityAssociation': association,
  'eks:CreateAccessEntry': (input) =>
    block('aws_eks_access_entry', 'entry', [
      argument('cluster_name', input.clusterName),
      argument('principal_arn', input.principalArn),
      argument('type', input.type),
      ...(input.kubernetesGroups === undefined ? [] : [argument('kubernetes_groups', input.kubernetesGroups)]),
    ]),
}

/** https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/federated_identity_credential */
const azureBlocks: { readonly [call: string]: (input: JsonObject) => string } = {
  'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write': (input) =>
    block('azurerm_federated_identity_credential', text(input, 'name'), [
      argument('name', input.name),
      argument('resource_group_name', /\/resourceGroups\/([^/]+)\//i.exec(text(input, 'identity'))?.[1] ?? ''),
      argument('parent_id', input.identity),
      argument('issuer', input.issuer),
      argument('subject', input.subject),
      argument('audience', input.audiences),
    ]),
  'graph applications/federatedIdentityCredentials/write': (input) =>
    block('azuread_application_federated_identity_credential', text(input, 'name'), [
      ['application_id', `data.azuread_application.${label(`app-${text(input, 'application')}`)}.id`],
      argument('display_name', input.name),
      argument('issuer', input.issuer),
      argument('subject', input.subject),
      argument('audiences', input.audiences),
    ]) +
    `\ndata "azuread_application" "${label(`app-${text(input, 'application')}`)}" {\n  client_id = ${quoted(text(input, 'application'))}\n}\n`,
  'Microsoft.Authorization/roleAssignments/write': (input) =>
    block('azurerm_role_assignment', text(input, 'name'), [
      argument('name', input.name),
      argument('scope', input.scope),
      argument('role_definition_name', input.role),
      argument('principal_id', input.principalId),
      argument('principal_type', 'ServicePrincipal'),
    ]),
}

/** https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs/resources/annotations */
function kubernetesBlock({ change: { call, input }, document }: PlannedAction): string | undefined {
  const edits = listAt(input, 'edits')
  const [apiVersion, kind] = [textAt(document, 'apiVersion'), textAt(document, 'kind')]
  if (!call.endsWith('/patch') || apiVersion === undefined || kind === undefined) return undefined
  for (const map of ['annotations', 'labels'] as const) {
    const values = isObject(document.metadata) ? document.metadata[map] : undefined
    const all = edits.every((edit) => listAt(edit, 'path')[1] === map && isObject(edit) && edit.after !== undefined)
    if (!all || values === undefined) continue
    const metadata = isObject(document.metadata)
      ? Object.entries(document.metadata).filter(([key]) => key === 'name' || key === 'namespace')
      : []
    const inner = metadata.map(([key, value]) => `    ${key} = ${hcl(value, '    ')}\n`).join('')
    return `resource "kubernetes_${map}" "${label(text(input, 'name'))}" {\n  api_version = ${quoted(apiVersion)}\n  kind = ${quoted(kind)}\n  metadata {\n${inner}  }\n  ${map} = ${hcl(values, '  ')}\n  force = true\n}\n`
  }
  return undefined
}

function actionBlock(action: PlannedAction): string {
  const { change, summary, owner, command } = action
  const made =
    change.system === 'kubernetes'
      ? kubernetesBlock(action)
      : (blocks[change.call] ?? azureBlocks[change.call] ?? googleBlocks[change.call])?.(change.input)
  const head = `# ${clean(summary)}\n${owner === undefined ? '' : `# ${clean(`${owner.tool} owns it: ${owner.mark}`)}\n`}`
  return `${head}${made ?? `# no resource of Terraform does this${command === undefined ? '' : `: ${clean(command)}`}\n`}`
}

/** Blocks of what is there already have to be imported first, or take the place of the ones that hold it. */
export const render = ({ plan }: PlanReport): string =>
  plan.actions.length === 0 ? '# nothing to change\n' : plan.actions.map(actionBlock).join('\n')
