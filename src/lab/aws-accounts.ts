/** The AWS accounts of a case: their roles and OIDC providers, and whether the case shows all of them. */
import { createHash } from 'node:crypto'
import { at, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import type { CaseDocument } from './case-documents.ts'

export type Role = {
  readonly name: string
  readonly arn: string
  readonly policy: Json
  readonly maxSessionDuration: number
  readonly created: string
  /** What else aws iam get-role shows of it. */
  readonly more: JsonObject
}
export type Provider = {
  readonly arn: string
  readonly url: string
  /** Left out where the case shows only that the provider exists. */
  readonly clientIds?: readonly string[]
  readonly thumbprints: readonly string[]
}

export type Account = {
  readonly id: string
  readonly roles: Map<string, Role>
  readonly providers: Map<string, Provider>
  /** Only then does a name that is not there not exist; otherwise the case does not say. */
  rolesComplete: boolean
  providersComplete: boolean
}

export type Accounts = {
  readonly all: Map<string, Account>
  /** The account whose credentials the lab hands out. */
  readonly own: string
  readonly partition: string
  readonly caller: { readonly Account: string; readonly Arn: string; readonly UserId: string }
}

const exampleAccount = '111122223333'

export type Arn = {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly account: string
  readonly resource: string
}

/** The parts of an ARN; undefined where the text is none. */
export function arnParts(text: string | undefined): Arn | undefined {
  const [scheme, partition, service, region, account, ...rest] = text?.split(':') ?? []
  if (
    scheme !== 'arn' ||
    partition === undefined ||
    service === undefined ||
    region === undefined ||
    account === undefined ||
    rest.length === 0
  )
    return undefined
  return { partition, service, region, account, resource: rest.join(':') }
}

/** The name of the role that an ARN names: its resource without `role/` and path. */
export const roleNameOf = (arn: string): string | undefined => {
  const resource = arnParts(arn)?.resource
  return resource?.startsWith('role/') ? resource.slice(resource.lastIndexOf('/') + 1) : undefined
}

const isAccount = (text: string | undefined): text is string => text !== undefined && /^\d{12}$/.test(text)
const accountOf = (arn: string | undefined): string | undefined => {
  const account = arnParts(arn)?.account
  return isAccount(account) ? account : undefined
}

/** Made up of a name, the same in every run. */
export const madeUpId = (prefix: string, name: string): string =>
  prefix + createHash('sha256').update(name).digest('hex').toUpperCase().slice(0, 17)

const policyIn = (value: Json | undefined): Json => {
  if (typeof value !== 'string') return value ?? {}
  try {
    return JSON.parse(value.startsWith('%') ? decodeURIComponent(value) : value)
  } catch {
    return value
  }
}

const providersIn = (policy: Json): readonly string[] =>
  [at(policy, 'Statement')].flat().flatMap((statement) => textsAt(statement, 'Principal', 'Federated'))

/** A trust policy says who (Principal), a permissions policy says on what (Resource). */
function isTrustPolicy(value: JsonObject): boolean {
  const statements = [at(value, 'Statement')].flat().filter(isObject)
  if (value.apiVersion !== undefined || statements.length === 0) return false
  if (statements.some((one) => one.Principal !== undefined || one.NotPrincipal !== undefined)) return true
  return statements.every((one) => one.Resource === undefined && one.NotResource === undefined)
}

/** An account's documents are named after it: `111122223333.json`, `111122223333-providers.json`. */
const accountNamed = (stem: string): string | undefined => /^(\d{12})(?!\d)/.exec(stem)?.[1]

/** Reads the accounts out of a case's documents; `annotated` are the role ARNs that its ServiceAccounts name. */
export function accountsIn(documents: readonly CaseDocument[], annotated: readonly string[]): Accounts {
  const all = new Map<string, Account>()
  const values = documents.map(({ value }) => value)
  const identity = values.find((value) => textAt(value, 'UserId') !== undefined && textAt(value, 'Arn') !== undefined)
  const arns = [...values.flatMap((value) => textAt(value, 'Role', 'Arn') ?? []), ...annotated]
  const own =
    textAt(identity, 'Account') ??
    arns.map(accountOf).find(isAccount) ??
    documents.map(({ stem }) => accountNamed(stem)).find(isAccount) ??
    exampleAccount
  const partition = arns.map((arn) => arnParts(arn)?.partition).find((one) => one !== undefined && one !== '') ?? 'aws'
  const account = (id: string): Account => {
    const held = all.get(id)
    if (held !== undefined) return held
    const made = { id, roles: new Map(), providers: new Map(), rolesComplete: false, providersComplete: false }
    all.set(id, made)
    return made
  }
  account(own)

  const addRole = (name: string, policy: Json, more: JsonObject = {}): void => {
    const named = annotated.find((arn) => roleNameOf(arn) === name)
    const id =
      accountOf(textAt(more, 'Arn')) ?? accountOf(named) ?? providersIn(policy).map(accountOf).find(isAccount) ?? own
    const arn = textAt(more, 'Arn') ?? `arn:${partition}:iam::${id}:role${textAt(more, 'Path') ?? '/'}${name}`
    const duration = at(more, 'MaxSessionDuration')
    account(id).roles.set(name, {
      name,
      arn: accountOf(arn) === undefined ? `arn:${partition}:iam::${id}:role/${name}` : arn,
      policy,
      maxSessionDuration: typeof duration === 'number' ? duration : 3600,
      created: textAt(more, 'CreateDate') ?? '2025-01-01T00:00:00+00:00',
      more,
    })
  }

  for (const { stem, value } of documents) {
    const role = value.Role
    if (isObject(role) && role.AssumeRolePolicyDocument !== undefined)
      addRole(textAt(role, 'RoleName') ?? stem, policyIn(role.AssumeRolePolicyDocument), role)
    else if (isTrustPolicy(value)) addRole(stem, value)
    const url = textAt(value, 'Url')
    if (url !== undefined && Array.isArray(value.ClientIDList)) {
      const id = accountNamed(stem) ?? own
      const bare = url.replace(/^https:\/\//, '')
      const arn = `arn:${partition}:iam::${id}:oidc-provider/${bare}`
      const thumbprints = textsAt(value, 'ThumbprintList')
      account(id).providers.set(arn, { arn, url: bare, clientIds: textsAt(value, 'ClientIDList'), thumbprints })
    }
    // aws iam list-roles: what a list shows is all there is, policies included.
    if (Array.isArray(value.Roles)) {
      for (const one of listAt(value, 'Roles').filter(isObject)) {
        const name = textAt(one, 'RoleName')
        if (name !== undefined && !account(own).roles.has(name))
          addRole(name, policyIn(one.AssumeRolePolicyDocument), one)
      }
      const listed = listAt(value, 'Roles').map((one) => accountOf(textAt(one, 'Arn')))
      account(listed.find(isAccount) ?? accountNamed(stem) ?? own).rolesComplete = value.IsTruncated !== true
    }
  }
  for (const { stem, value } of documents) {
    if (!Array.isArray(value.OpenIDConnectProviderList)) continue
    const listed = listAt(value, 'OpenIDConnectProviderList').flatMap((one) => textAt(one, 'Arn') ?? [])
    const id = accountNamed(stem) ?? listed.map(accountOf).find(isAccount) ?? own
    const { providers } = account(id)
    account(id).providersComplete = true
    for (const arn of listed) {
      const url = arn.split(':oidc-provider/')[1]
      if (url !== undefined && !providers.has(arn)) providers.set(arn, { arn, url, thumbprints: [] })
    }
  }
  const caller = {
    Account: own,
    Arn: textAt(identity, 'Arn') ?? `arn:${partition}:iam::${own}:user/lab`,
    UserId: textAt(identity, 'UserId') ?? madeUpId('AIDA', own),
  }
  return { all, own, partition, caller }
}
