/** Recognises what the aws command line prints about roles, OIDC providers, clusters and associations. */
import { absent, type Fact, type Question, unknown } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import type { Duplicate } from '../../domain/json-text.ts'
import { awsBuckets } from './aws-buckets.ts'
import { awsEntry } from './aws-entry.ts'
import { awsMachines } from './aws-machines.ts'
import { awsPolicies } from './aws-policies.ts'
import { awsProviders } from './aws-providers.ts'
import { type Document, type Recogniser, told } from './document.ts'
import { isNameOfFile } from './nameless-trust.ts'

const accountIn = (arn: string | undefined): string | undefined =>
  /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(arn ?? '')?.[1]

type Role = { readonly account?: string; readonly name: string; readonly answer: JsonObject }

const roleNames = [
  'RoleName',
  'Arn',
  'Path',
  'RoleId',
  'CreateDate',
  'MaxSessionDuration',
  'PermissionsBoundary',
  'Tags',
]

/** On the wire the document is URL-encoded JSON; the command line decodes it. */
function policyOf(document: Json | undefined): Json | undefined {
  if (typeof document !== 'string') return document
  try {
    const policy: Json = JSON.parse(document.trimStart().startsWith('%') ? decodeURIComponent(document) : document)
    return policy
  } catch {
    return document
  }
}

const isStatement = (value: Json | undefined): readonly JsonObject[] =>
  (isList(value) ? value : value === undefined ? [] : [value]).filter(isObject)

/** A trust policy says who (Principal), a permissions policy says on what (Resource). */
function isTrustPolicy(value: JsonObject): boolean {
  const statements = isStatement(value.Statement)
  if (statements.some((one) => one.Principal !== undefined || one.NotPrincipal !== undefined)) return true
  return statements.length > 0 && statements.every((one) => one.Resource === undefined && one.NotResource === undefined)
}

/** Paths of duplicates as the policy itself has them, wherever it stands in the document. */
const below = (duplicates: readonly Duplicate[], prefix: string): readonly Json[] =>
  duplicates.flatMap((one) => {
    if (prefix === '') return [{ ...one }]
    if (!one.path.startsWith(prefix)) return []
    return [{ ...one, path: one.path.slice(prefix.length).replace(/^\./, '') }]
  })

export type AwsDocuments = Recogniser & {
  /** Gives the one bare trust policy, whose file is not called after a role, to the one role that the folder names. */
  readonly settle: (rolesNamed: () => ReadonlySet<string>) => void
}

export function awsDocuments(): AwsDocuments {
  const roles: Role[] = []
  /** Accounts of which a complete list of roles is here; the empty text is an account that the list does not name. */
  const listed = new Set<string>()
  const clusters: JsonObject[] = []
  const associations = new Map<string, JsonObject>()
  let associationsComplete = false
  const callers: JsonObject[] = []
  /** By region, which the name of the file tells. */
  const clusterLists = new Map<string, JsonObject>()
  const providers = awsProviders()
  const policies = awsPolicies()
  const entry = awsEntry()
  const machines = awsMachines()
  const buckets = awsBuckets()

  const takeRole = (role: JsonObject, duplicates: readonly Json[], name?: string): boolean => {
    const RoleName = textAt(role, 'RoleName') ?? name ?? textAt(role, 'Arn')?.split('/').at(-1)
    if (RoleName === undefined) return false
    const kept: { [key: string]: Json } = { RoleName }
    for (const one of roleNames) if (role[one] !== undefined) kept[one] = role[one]
    const policy = policyOf(role.AssumeRolePolicyDocument)
    if (policy !== undefined) kept.AssumeRolePolicyDocument = policy
    const account = accountIn(textAt(role, 'Arn'))
    const answer = duplicates.length === 0 ? { Role: kept } : { Role: kept, duplicates }
    roles.push({ name: RoleName, answer, ...(account === undefined ? {} : { account }) })
    return true
  }

  const take = (document: Document): boolean => {
    const { value } = document
    if (!isObject(value) || value.apiVersion !== undefined) return false
    const { Role, Roles, cluster, association } = value
    if (isObject(Role))
      return takeRole(Role, below(document.duplicates(), 'Role.AssumeRolePolicyDocument'), document.stem)
    if (isList(Roles)) {
      for (const role of Roles) if (isObject(role)) takeRole(role, [])
      const accounts = new Set(Roles.map((role) => accountIn(textAt(role, 'Arn')) ?? ''))
      const isWhole = value.IsTruncated !== true && value.Marker === undefined && value.NextToken === undefined
      if (isWhole && accounts.size === 1) for (const account of accounts) listed.add(account)
      return true
    }
    const { AssumeRolePolicyDocument: trust, Effect, Principal } = value
    if (isObject(policyOf(trust)) && Object.keys(value).length === 1)
      return takeRole(
        { RoleName: document.stem, AssumeRolePolicyDocument: trust ?? null },
        below(document.duplicates(), 'AssumeRolePolicyDocument'),
      )
    // One statement, cut out of its policy.
    if (typeof Effect === 'string' && isObject(Principal) && value.Action !== undefined && value.Resource === undefined)
      return takeRole(
        { RoleName: document.stem, AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [value] } },
        [],
      )
    if (value.Statement !== undefined && isTrustPolicy(value))
      return takeRole({ RoleName: document.stem, AssumeRolePolicyDocument: value }, below(document.duplicates(), ''))
    if (isObject(cluster) && (textAt(cluster, 'arn')?.split(':')[2] === 'eks' || isObject(cluster.identity))) {
      clusters.push(cluster)
      return true
    }
    if (isList(value.clusters) && value.clusters.every((one) => typeof one === 'string')) {
      clusterLists.set(document.stem, value)
      return true
    }
    const ones = isObject(association) ? [association] : listAt(value, 'associations').filter(isObject)
    if (isObject(association) || isList(value.associations)) {
      if (!ones.every((one) => textAt(one, 'clusterName') !== undefined)) return false
      for (const one of ones) {
        const key = textAt(one, 'associationArn') ?? `${textAt(one, 'namespace')}/${textAt(one, 'serviceAccount')}`
        associations.set(key, { ...associations.get(key), ...one })
      }
      if (isList(value.associations) && value.nextToken === undefined) associationsComplete = true
      return true
    }
    if (textAt(value, 'UserId') !== undefined && textAt(value, 'Arn') !== undefined) {
      callers.push({
        Account: value.Account ?? accountIn(textAt(value, 'Arn')) ?? '',
        Arn: value.Arn ?? '',
        UserId: value.UserId ?? '',
      })
      return true
    }
    return (
      providers.take(document) ||
      policies.take(document) ||
      entry.take(document) ||
      machines.take(document) ||
      buckets.take(document)
    )
  }

  const settle = (rolesNamed: () => ReadonlySet<string>): void => {
    const nameless = roles.filter(
      (one) => one.account === undefined && textAt(one.answer, 'Role', 'Arn') === undefined && isNameOfFile(one.name),
    )
    const [only] = nameless
    if (only === undefined || nameless.length > 1) return
    const named = rolesNamed()
    const [name] = named
    if (name === undefined || named.size > 1) return
    if (roles.some((one) => one.name === name) || !isObject(only.answer.Role)) return
    const answer = { ...only.answer, Role: { ...only.answer.Role, RoleName: name } }
    roles.splice(roles.indexOf(only), 1, { name, answer })
  }

  const role = (question: Question): Fact<Json> | undefined => {
    const name = textAt(question.input, 'RoleName')
    const account = textAt(question.input, 'account')
    const named = roles.filter((one) => one.name === name)
    const found = (one: Role) =>
      one.answer.Role !== undefined &&
      isObject(one.answer.Role) &&
      one.answer.Role.AssumeRolePolicyDocument !== undefined
    // A policy by itself does not say of which account its role is, and stands for the role that is asked about.
    const fits = named.filter((one) => account === undefined || one.account === undefined || one.account === account)
    const best = fits.find((one) => one.account === account && found(one)) ?? fits.find(found)
    if (best !== undefined) return told(best.answer, question)
    if (fits.length > 0) return undefined
    const whole = account === undefined ? listed.size === 1 : listed.has(account)
    return whole ? Object.freeze(absent(question)) : undefined
  }

  const allRoles = (question: Question): Fact<Json> | undefined => {
    const account = textAt(question.input, 'account')
    const fits = roles.filter((one) => account === undefined || one.account === account)
    const complete = account === undefined ? listed.size === 1 : listed.has(account)
    if (fits.length === 0 && !complete) return undefined
    const Roles = fits.map(({ name, answer }) => {
      const Arn = textAt(answer, 'Role', 'Arn')
      return Arn === undefined ? { RoleName: name } : { RoleName: name, Arn }
    })
    return told({ Roles, complete }, question)
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'aws') return undefined
    switch (question.call) {
      case 'iam:GetRole':
        return role(question)
      case 'iam:ListRoles':
        return allRoles(question)
      case 'sts:GetCallerIdentity':
        return callers[0] === undefined ? undefined : told(callers[0], question)
      case 'eks:DescribeCluster':
        if (clusters.length > 1 && new Set(clusters.map((one) => textAt(one, 'arn'))).size > 1)
          return unknown(
            'not-collected',
            'the documents hold several EKS clusters and do not say which one is examined',
            question,
          )
        return clusters[0] === undefined ? undefined : told({ cluster: clusters[0] }, question)
      case 'eks:ListClusters': {
        const region = textAt(question.input, 'region') ?? ''
        const list = clusterLists.get(region)
        if (list === undefined) return undefined
        const all = listAt(list, 'clusters').map((name) => {
          const own = clusters.find((one) => one.name === name && textAt(one, 'arn')?.split(':')[3] === region)
          const issuer = textAt(own, 'identity', 'oidc', 'issuer')
          return issuer === undefined ? { name } : { name, issuer }
        })
        const complete = list.nextToken === undefined && all.every((one) => 'issuer' in one)
        return told({ clusters: all, complete }, question)
      }
      case 'eks:ListPodIdentityAssociations':
        return associations.size === 0 && !associationsComplete
          ? undefined
          : told({ associations: [...associations.values()], complete: associationsComplete }, question)
      case 'eks:DescribePodIdentityAssociation': {
        const id = textAt(question.input, 'associationId') ?? ''
        const one = [...associations.values()].find(
          (each) => textAt(each, 'associationId') === id || textAt(each, 'associationArn')?.endsWith(`/${id}`) === true,
        )
        // A list has no roles.
        return textAt(one, 'roleArn') === undefined || one === undefined
          ? undefined
          : told({ association: one }, question)
      }
      default:
        return (
          providers.answer(question) ??
          policies.answer(question) ??
          entry.answer(question) ??
          machines.answer(question) ??
          buckets.answer(question)
        )
    }
  }

  return { take, answer, settle }
}
