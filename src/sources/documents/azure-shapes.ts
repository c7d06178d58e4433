/** What the az command line, the resource manager, Graph and Terraform print of Azure's objects, brought into one flat form. */
import { at, isList, isObject, type Json, type JsonObject, textAt, textsAt } from '../../core/json.ts'
import { isGuid } from '../../domain/guid.ts'

type Draft = { [key: string]: Json }

/** The resource manager wraps in properties what the command line prints flat. */
export const flat = (value: JsonObject): JsonObject =>
  isObject(value.properties) ? { ...value, ...value.properties } : value

const keep = (from: JsonObject, names: readonly string[], to: Draft = {}): Draft => {
  for (const name of names) {
    const value = from[name]
    if (value !== undefined && value !== null) to[name] = value
  }
  return to
}

const groupIn = (id: string | undefined): string | undefined => /\/resourcegroups\/([^/]+)\//i.exec(id ?? '')?.[1]
const lastOf = (id: string | undefined): string | undefined => id?.split('/').at(-1)

/** `…/userAssignedIdentities/NAME/federatedIdentityCredentials/FIC` → `…/userAssignedIdentities/NAME`. */
const identityIn = (id: string | undefined): string | undefined =>
  /^(.*\/userAssignedIdentities\/[^/]+)(?:\/|$)/i.exec(id ?? '')?.[1]

export const typeOf = (value: JsonObject): string => (textAt(value, 'type') ?? '').toLowerCase()

export function clusterIn(value: JsonObject): JsonObject | undefined {
  const type = typeOf(value)
  if (type !== 'microsoft.containerservice/managedclusters' && type !== 'microsoft.kubernetes/connectedclusters')
    return undefined
  const body = flat(value)
  const draft = keep(body, ['id', 'name', 'location', 'resourceGroup', 'kubernetesVersion'])
  draft.type = textAt(value, 'type') ?? ''
  const group = textAt(value, 'resourceGroup') ?? groupIn(textAt(value, 'id'))
  if (group !== undefined) draft.resourceGroup = group
  const issuer = body.oidcIssuerProfile
  if (isObject(issuer)) {
    const url = issuer.issuerUrl ?? issuer.issuerURL ?? issuer.selfHostedIssuerUrl
    draft.oidcIssuerProfile = {
      ...keep(issuer, ['enabled']),
      ...(url === undefined ? {} : { issuerUrl: url }),
    }
  } else if ('oidcIssuerProfile' in body) draft.oidcIssuerProfile = {}
  const security = body.securityProfile
  if (isObject(security)) {
    const own = security.workloadIdentity
    draft.securityProfile = { workloadIdentity: isObject(own) ? keep(own, ['enabled']) : {} }
  } else if ('securityProfile' in body) draft.securityProfile = { workloadIdentity: {} }
  const restricted = at(body, 'networkProfile', 'podLinkLocalAccess')
  if (restricted !== undefined && restricted !== null) draft.podLinkLocalAccess = restricted
  return draft
}

export function identityOf(value: JsonObject): JsonObject | undefined {
  const body = flat(value)
  const clientId = textAt(body, 'clientId')
  const principalId = textAt(body, 'principalId')
  const id = textAt(body, 'id')
  const isManaged = /userassignedidentities/i.test(`${typeOf(value)} ${id ?? ''}`)
  if (clientId === undefined || principalId === undefined || !isManaged) return undefined
  const draft = keep(body, ['id', 'name', 'clientId', 'principalId', 'tenantId', 'location'])
  draft.name = textAt(body, 'name') ?? lastOf(id) ?? ''
  return draft
}

/** `stem`: the file's name, which is the appId where the output does not say whose it is. */
export function credentialOf(value: JsonObject, stem: string): JsonObject | undefined {
  const body = flat(value)
  const issuer = textAt(body, 'issuer')
  // Terraform says `audience`, which is a list too.
  const audiences = isList(body.audiences) ? body.audiences : isList(body.audience) ? body.audience : undefined
  if (issuer === undefined || audiences === undefined || body.jwks_uri !== undefined) return undefined
  const subject = textAt(body, 'subject')
  const expression =
    textAt(body, 'claimsMatchingExpression', 'value') ?? textAt(body, 'claims_matching_expression', 'value')
  if (subject === undefined && expression === undefined) return undefined
  const draft: Draft = { issuer, audiences }
  if (subject !== undefined) draft.subject = subject
  if (expression !== undefined) draft.expression = expression
  const name = textAt(value, 'name') ?? textAt(body, 'display_name')
  if (name !== undefined) draft.name = name
  const parent = textAt(body, 'user_assigned_identity_id') ?? textAt(body, 'parent_id')
  const application = textAt(body, 'application_id') ?? textAt(body, 'application_object_id')
  const identity =
    identityIn(textAt(value, 'id')) ?? parent ?? application?.split('/').at(-1) ?? (isGuid(stem) ? stem : undefined)
  if (identity !== undefined) draft.identity = identity
  const created = textAt(value, 'systemData', 'createdAt') ?? textAt(body, 'createdDateTime')
  if (created !== undefined) draft.created = created
  return draft
}

/** Graph names the application in the context of the list: `…#applications('ID')/federatedIdentityCredentials`. */
export const applicationIn = (context: string | undefined): string | undefined =>
  /applications\((?:appId=)?'?([0-9a-f-]{36})'?\)\/federatedIdentityCredentials/i.exec(context ?? '')?.[1]

export function assignmentOf(value: JsonObject): JsonObject | undefined {
  const body = flat(value)
  const named = textAt(body, 'roleDefinitionName') ?? textAt(body, 'roleDefinitionId')
  if (textAt(body, 'principalId') === undefined || named === undefined || textAt(body, 'scope') === undefined)
    return undefined
  return keep(body, ['principalId', 'principalType', 'roleDefinitionName', 'roleDefinitionId', 'scope', 'createdOn'])
}

export function accountIn(value: JsonObject): JsonObject | undefined {
  if (typeOf(value) !== 'microsoft.storage/storageaccounts') return undefined
  const body = flat(value)
  const draft = keep(body, [
    'id',
    'name',
    'publicNetworkAccess',
    'allowSharedKeyAccess',
    'isHnsEnabled',
    'statusOfPrimary',
  ])
  const action = textAt(body, 'networkRuleSet', 'defaultAction') ?? textAt(body, 'networkAcls', 'defaultAction')
  if (action !== undefined) draft.defaultAction = action
  return draft
}

export function bindingOf(value: JsonObject): JsonObject | undefined {
  const id = textAt(value, 'id') ?? ''
  if (!/\/identitybindings\b/i.test(`${typeOf(value)} ${id}`)) return undefined
  const own = at(flat(value), 'managedIdentity')
  const draft = keep(value, ['name'])
  return isObject(own) ? keep(own, ['clientId', 'resourceId'], draft) : draft
}

export const isPrincipal = (value: JsonObject): boolean =>
  textAt(value, 'appId') !== undefined &&
  (textAt(value, 'servicePrincipalType') !== undefined || value.accountEnabled !== undefined)

export const isApplication = (value: JsonObject): boolean =>
  textAt(value, 'appId') !== undefined &&
  !isPrincipal(value) &&
  (/applications/.test(textAt(value, '@odata.context') ?? '') ||
    textAt(value, 'signInAudience') !== undefined ||
    (textAt(value, 'displayName') !== undefined && textAt(value, 'id') !== undefined))

export const applicationOf = (value: JsonObject): JsonObject => keep(value, ['appId', 'id', 'displayName'])

export function principalOf(value: JsonObject): JsonObject {
  const draft = keep(value, ['appId', 'id', 'displayName', 'accountEnabled', 'servicePrincipalType'])
  const names = textsAt(value, 'alternativeNames')
  if (names.length > 0) draft.alternativeNames = names
  const tenant = textAt(value, 'appOwnerOrganizationId')
  if (tenant !== undefined) draft.tenantId = tenant
  return draft
}

/** Resources in the state that `terraform show -json` prints, each in the form that is read above, with its type. */
export function terraformIn(value: JsonObject): readonly JsonObject[] | undefined {
  const root = at(value, 'values', 'root_module') ?? at(value, 'planned_values', 'root_module')
  if (!isObject(root) || textAt(value, 'format_version') === undefined) return undefined
  const found: JsonObject[] = []
  const open: { readonly module: JsonObject; readonly depth: number }[] = [{ module: root, depth: 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { module, depth } = next
    if (isList(module.resources))
      for (const one of module.resources) {
        const body = at(one, 'values')
        if (isObject(body)) found.push(terraformed(textAt(one, 'type') ?? '', body))
      }
    if (isList(module.child_modules) && depth < 20)
      for (const child of module.child_modules) if (isObject(child)) open.push({ module: child, depth: depth + 1 })
  }
  return found
}

function terraformed(type: string, body: JsonObject): JsonObject {
  if (type === 'azurerm_user_assigned_identity')
    return {
      ...keep(body, ['id', 'name', 'location']),
      type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
      ...(body.client_id === undefined ? {} : { clientId: body.client_id }),
      ...(body.principal_id === undefined ? {} : { principalId: body.principal_id }),
      ...(body.tenant_id === undefined ? {} : { tenantId: body.tenant_id }),
    }
  if (type === 'azurerm_kubernetes_cluster')
    return {
      ...keep(body, ['id', 'name', 'location']),
      type: 'Microsoft.ContainerService/managedClusters',
      oidcIssuerProfile: { ...pair('enabled', body.oidc_issuer_enabled), ...pair('issuerUrl', body.oidc_issuer_url) },
      securityProfile: { workloadIdentity: pair('enabled', body.workload_identity_enabled) },
    }
  if (type === 'azurerm_role_assignment')
    return {
      ...pair('principalId', body.principal_id),
      ...pair('roleDefinitionName', body.role_definition_name),
      ...pair('roleDefinitionId', body.role_definition_id),
      ...keep(body, ['scope']),
    }
  return type === 'azurerm_federated_identity_credential' || type.startsWith('azuread_application_') ? body : {}
}

const pair = (name: string, value: Json | undefined): JsonObject =>
  value === undefined || value === null ? {} : { [name]: value }
