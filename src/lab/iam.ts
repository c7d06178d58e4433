/** IAM over the query protocol: the roles and OIDC providers of the account that the lab signs in to. */
import { at, isObject, type Json, listAt, textAt, textsAt } from '../core/json.ts'
import { aws } from '../domain/questions.ts'
import { type Account, type Accounts, arnParts, madeUpId, type Provider, type Role } from './aws-accounts.ts'
import { AwsError, type Form, members, queryService, type Xml } from './aws-query.ts'
import { policyCalls } from './iam-policies.ts'
import { writeCalls } from './iam-writes.ts'
import type { Handler } from './listener.ts'
import type { Permissions } from './s3.ts'

const namespace = 'https://iam.amazonaws.com/doc/2010-05-08/'

const noSuchEntity = (message: string): AwsError => new AwsError(404, 'NoSuchEntity', message)
const noSuchRole = (name: string): AwsError => noSuchEntity(`The role with name ${name} cannot be found.`)
const invalid = (message: string): AwsError => new AwsError(400, 'ValidationError', message)
const invalidInput = (message: string): AwsError => new AwsError(400, 'InvalidInput', message)

/** `refused` tells by `iam:GetRole` which calls the signed-in identity may not make. */
export function iamService(
  accounts: Accounts,
  permissions: Permissions,
  refused: (action: string) => boolean,
): Handler {
  const own = accounts.all.get(accounts.own)
  if (own === undefined) throw new Error('the lab signs in to an account that it does not have')

  const denied = (action: string, resource: string): AwsError =>
    new AwsError(
      403,
      'AccessDenied',
      `User: ${accounts.caller.Arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    )
  const allow = (action: string, resource: string): void => {
    if (refused(action)) throw denied(action, resource)
  }
  const required = (form: Form, name: string): string => {
    const value = form.get(name)
    if (value === null || value === '')
      throw invalid(
        `1 validation error detected: Value null at '${name.charAt(0).toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must not be null`,
      )
    return value
  }
  /** A role that the case does not show is absent only where it shows them all; else nothing may be concluded. */
  const roleNamed = (form: Form, action: string): Role => {
    const name = required(form, 'RoleName')
    allow(action, `role ${name}`)
    const role = own.roles.get(name)
    if (role !== undefined) return role
    throw own.rolesComplete ? noSuchRole(name) : denied(action, `role ${name}`)
  }
  const providerNamed = (form: Form, action: string): Provider => {
    const arn = required(form, 'OpenIDConnectProviderArn')
    if (arnParts(arn)?.resource.startsWith('oidc-provider/') !== true) throw invalid('Invalid ARN')
    allow(action, arn)
    if (arnParts(arn)?.account !== own.id) throw denied(action, arn)
    const provider = own.providers.get(arn)
    if (provider !== undefined) return provider
    throw own.providersComplete ? noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`) : denied(action, arn)
  }
  const everything = (account: Account, action: string, complete: boolean): void => {
    const resource = `arn:${accounts.partition}:iam::${account.id}:${action === 'iam:ListRoles' ? 'role/' : 'oidc-provider/*'}`
    allow(action, resource)
    if (!complete) throw denied(action, resource)
  }

  const policies = policyCalls({ account: own.id, told: permissions.told, allow, denied, required })
  const inCase = {
    attachedInCase: policies.ListAttachedRolePolicies ?? (() => ({ AttachedPolicies: [] })),
    listInCase: policies.ListRolePolicies ?? (() => ({ PolicyNames: [] })),
    policyInCase: policies.GetRolePolicy ?? (() => ({})),
    lacksInCase: (role: string, policy: string): boolean => {
      const list = permissions.told(aws.rolePolicies(own.id, role))
      return list !== undefined && at(list, 'complete') !== false && !textsAt(list, 'PolicyNames').includes(policy)
    },
  }
  const { partition } = accounts
  const desk = { own, partition, allow, required, roleNamed, providerNamed, trustPolicy, roleXml, ...inCase }

  return queryService({
    namespace,
    unsigned: new Set(),
    calls: {
      ...policies,
      ...writeCalls(desk),
      GetRole: (form) => ({ Role: roleXml(roleNamed(form, 'iam:GetRole')) }),
      ListRoles: (form) => {
        everything(own, 'iam:ListRoles', own.rolesComplete)
        const all = [...own.roles.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
        const from = Number(form.get('Marker') ?? 0)
        const upTo = from + Math.min(Number(form.get('MaxItems') ?? 100), 1000)
        const more = upTo < all.length
        return { IsTruncated: more, Roles: all.slice(from, upTo).map(roleXml), Marker: more ? String(upTo) : undefined }
      },
      UpdateAssumeRolePolicy: (form) => {
        const role = roleNamed(form, 'iam:UpdateAssumeRolePolicy')
        own.roles.set(role.name, { ...role, policy: trustPolicy(required(form, 'PolicyDocument')) })
        return {}
      },
      ListOpenIDConnectProviders: () => {
        everything(own, 'iam:ListOpenIDConnectProviders', own.providersComplete)
        return { OpenIDConnectProviderList: [...own.providers.keys()].map((Arn) => ({ Arn })) }
      },
      GetOpenIDConnectProvider: (form) => {
        const { arn, url, clientIds, thumbprints } = providerNamed(form, 'iam:GetOpenIDConnectProvider')
        if (clientIds === undefined) throw denied('iam:GetOpenIDConnectProvider', arn)
        return { Url: url, ClientIDList: clientIds, ThumbprintList: thumbprints, CreateDate: '2025-01-01T00:00:00Z' }
      },
      CreateOpenIDConnectProvider: (form) => {
        const url = URL.parse(required(form, 'Url'))
        if (url === null || url.protocol !== 'https:' || url.port !== '' || url.search !== '' || url.href.length > 255)
          throw invalidInput('Invalid Open ID Connect Provider URL')
        const bare = required(form, 'Url').slice('https://'.length)
        const arn = `arn:${accounts.partition}:iam::${own.id}:oidc-provider/${bare}`
        allow('iam:CreateOpenIDConnectProvider', arn)
        if (own.providers.has(arn))
          throw new AwsError(409, 'EntityAlreadyExists', `Provider with url https://${bare} already exists.`)
        const thumbprints = members(form, 'ThumbprintList')
        own.providers.set(arn, { arn, url: bare, clientIds: members(form, 'ClientIDList'), thumbprints })
        return { OpenIDConnectProviderArn: arn }
      },
      AddClientIDToOpenIDConnectProvider: (form) => {
        const provider = providerNamed(form, 'iam:AddClientIDToOpenIDConnectProvider')
        const clientIds = [...new Set([...(provider.clientIds ?? []), required(form, 'ClientID')])]
        own.providers.set(provider.arn, { ...provider, clientIds })
        return {}
      },
    },
  })
}

/** The refusals of IAM whose words are known; anything else is stored as it comes. */
function trustPolicy(text: string): Json {
  const malformed = (message: string): AwsError => new AwsError(400, 'MalformedPolicyDocument', message)
  let policy: Json
  try {
    policy = JSON.parse(text)
  } catch {
    throw malformed('This policy contains invalid Json')
  }
  if (!isObject(policy)) throw malformed('Syntax errors in policy.')
  for (const statement of [at(policy, 'Statement')].flat()) {
    if (at(statement, 'Resource') !== undefined) throw malformed('Has prohibited field Resource')
    for (const federated of textsAt(statement, 'Principal', 'Federated')) {
      const resource = arnParts(federated)?.resource
      if (resource === undefined ? federated.includes('/') : !/^(oidc|saml)-provider\//.test(resource))
        throw malformed('Federated principals must be valid domain names or SAML metadata ARNs')
    }
    const conditions = at(statement, 'Condition')
    for (const keys of isObject(conditions) ? Object.values(conditions) : [])
      for (const key of isObject(keys) ? Object.keys(keys) : [])
        if (/^https?:/.test(key)) throw malformed('Condition can contain only one colon.')
  }
  return policy
}

const pathOf = (arn: string): string => {
  const resource = arnParts(arn)?.resource ?? 'role/'
  return resource.slice('role'.length, resource.lastIndexOf('/') + 1)
}

const roleXml = ({ name, arn, policy, maxSessionDuration, created, more }: Role): Xml => ({
  Path: pathOf(arn),
  RoleName: name,
  RoleId: typeof more.RoleId === 'string' ? more.RoleId : madeUpId('AROA', arn),
  Arn: arn,
  CreateDate: created,
  // On the wire the document is percent-encoded: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
  AssumeRolePolicyDocument: encodeURIComponent(typeof policy === 'string' ? policy : JSON.stringify(policy)),
  MaxSessionDuration: maxSessionDuration,
  Tags: listAt(more, 'Tags').map((tag) => ({ Key: textAt(tag, 'Key') ?? '', Value: textAt(tag, 'Value') ?? '' })),
})
