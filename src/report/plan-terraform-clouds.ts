/** The resources of Terraform that hold what a change does to AWS and Azure, by the call of the change. */
import { type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import { argument, block, encoded, hcl, label, lastOf, quoted, text, within } from './terraform-blocks.ts'

type Blocks = { readonly [call: string]: (input: JsonObject) => string }

const association = (input: JsonObject): string =>
  block('aws_eks_pod_identity_association', text(input, 'serviceAccount'), [
    argument('cluster_name', input.clusterName),
    argument('namespace', input.namespace),
    argument('service_account', input.serviceAccount),
    argument('role_arn', input.roleArn),
  ])
const addon = (input: JsonObject): string =>
  block('aws_eks_addon', text(input, 'addonName'), [
    argument('cluster_name', input.clusterName),
    argument('addon_name', input.addonName),
    ...(input.configurationValues === undefined ? [] : [encoded('configuration_values', input.configurationValues)]),
  ])
const role = (input: JsonObject, policy: Json | undefined): string =>
  block('aws_iam_role', text(input, 'RoleName'), [
    argument('name', input.RoleName),
    encoded('assume_role_policy', policy),
  ])

export const awsBlocks: Blocks = {
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
  'iam:PutRolePolicy': (input) =>
    block('aws_iam_role_policy', `${text(input, 'RoleName')}-${text(input, 'PolicyName')}`, [
      argument('name', input.PolicyName),
      argument('role', input.RoleName),
      encoded('policy', input.PolicyDocument),
    ]),
  'iam:UpdateRole': (input) =>
    within('aws_iam_role', `role ${text(input, 'RoleName')}`, [
      `max_session_duration = ${hcl(input.MaxSessionDuration ?? null, '')}`,
    ]),
  'iam:AddClientIDToOpenIDConnectProvider': (input) =>
    within('aws_iam_openid_connect_provider', text(input, 'OpenIDConnectProviderArn'), [
      `client_id_list takes in ${quoted(text(input, 'ClientID'))}, beside those that are in it`,
    ]),
  'iam:UpdateOpenIDConnectProviderThumbprint': (input) =>
    within('aws_iam_openid_connect_provider', text(input, 'OpenIDConnectProviderArn'), [
      `thumbprint_list = [${textsAt(input, 'ThumbprintList').map(quoted).join(', ')}]`,
    ]),
  'eks:CreateAddon': addon,
  'eks:UpdateAddon': addon,
  'eks:CreatePodIdentityAssociation': association,
  'eks:UpdatePodIdentityAssociation': association,
  'eks:CreateAccessEntry': (input) =>
    block('aws_eks_access_entry', lastOf(text(input, 'principalArn')), [
      argument('cluster_name', input.clusterName),
      argument('principal_arn', input.principalArn),
      argument('type', input.type),
      ...(input.kubernetesGroups === undefined ? [] : [argument('kubernetes_groups', input.kubernetesGroups)]),
      ...(input.username === undefined ? [] : [argument('user_name', input.username)]),
      ...(input.tags === undefined ? [] : [argument('tags', input.tags)]),
    ]),
  'eks:AssociateAccessPolicy': (input) => {
    const [type, namespaces] = [textAt(input, 'accessScope', 'type'), textsAt(input, 'accessScope', 'namespaces')]
    const scope = [
      `type = ${quoted(type ?? '')}`,
      ...(namespaces.length === 0 ? [] : [`namespaces = ${hcl(namespaces, '    ')}`]),
    ]
    const [principal, policy] = [text(input, 'principalArn'), text(input, 'policyArn')]
    return block(
      'aws_eks_access_policy_association',
      `${lastOf(principal)}-${lastOf(policy)}`,
      [
        argument('cluster_name', input.clusterName),
        argument('principal_arn', input.principalArn),
        argument('policy_arn', input.policyArn),
      ],
      `  access_scope {\n${scope.map((line) => `    ${line}\n`).join('')}  }\n`,
    )
  },
  'eks:DeleteAccessEntry': (input) =>
    within('aws_eks_access_entry', text(input, 'principalArn'), [
      'take the block out, and its policy associations; what is made under the same ARN takes its place',
    ]),
}

/** https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/federated_identity_credential */
export const azureBlocks: Blocks = {
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
