/** Recognises what the aws command line prints about the permission policies of roles, and about the account's quotas. */
import type { Fact, Question } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { type Document, type Recogniser, told } from './document.ts'

const lastFolder = ({ folder }: Document): string => folder.split('/').at(-1) ?? ''
const isWhole = (value: JsonObject): boolean =>
  value.IsTruncated !== true && value.Marker === undefined && value.NextToken === undefined

/** On the wire the document is URL-encoded JSON; the command line decodes it. */
function decoded(document: Json | undefined): Json | undefined {
  if (typeof document !== 'string') return document
  try {
    const policy: Json = JSON.parse(document.trimStart().startsWith('%') ? decodeURIComponent(document) : document)
    return policy
  } catch {
    return undefined
  }
}

const statements = (value: JsonObject): readonly JsonObject[] =>
  (isList(value.Statement) ? value.Statement : [value.Statement ?? null]).filter(isObject)
const givesPermissions = (value: JsonObject): boolean =>
  value.Statement !== undefined &&
  statements(value).every((one) => one.Principal === undefined && one.NotPrincipal === undefined) &&
  statements(value).some((one) => one.Resource !== undefined || one.NotResource !== undefined)

export function awsPolicies(): Recogniser {
  /** role → policy → document */
  const inline = new Map<string, Map<string, Json>>()
  const inlineComplete = new Set<string>()
  const attached = new Map<string, readonly Json[]>()
  const attachedComplete = new Set<string>()
  /** By name of the policy. */
  const versions = new Map<string, Json>()
  let quotas: JsonObject | undefined

  const putInline = (role: string, name: string, policy: Json): void => {
    const shelf = inline.get(role) ?? new Map<string, Json>()
    shelf.set(name, policy)
    inline.set(role, shelf)
  }

  const take = (document: Document): boolean => {
    const { value, stem } = document
    if (!isObject(value)) return false
    const role = textAt(value, 'RoleName')
    const name = textAt(value, 'PolicyName')
    const policy = decoded(value.PolicyDocument)
    if (role !== undefined && name !== undefined && policy !== undefined) {
      putInline(role, name, policy)
      return true
    }
    if (isList(value.PolicyNames)) {
      if (isWhole(value)) inlineComplete.add(stem)
      inline.set(stem, inline.get(stem) ?? new Map())
      return true
    }
    if (isList(value.AttachedPolicies)) {
      attached.set(stem, value.AttachedPolicies)
      if (isWhole(value)) attachedComplete.add(stem)
      return true
    }
    const version = isObject(value.PolicyVersion) ? decoded(value.PolicyVersion.Document) : undefined
    if (version !== undefined) {
      versions.set(stem, version)
      return true
    }
    if (isObject(value.SummaryMap)) {
      quotas = value.SummaryMap
      return true
    }
    if (!givesPermissions(value)) return false
    // A bare policy does not say whose it is; its place does.
    const place = lastFolder(document)
    if (place === 'inline-policies') putInline(stem, stem, value)
    else versions.set(stem, value)
    return true
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    const role = textAt(question.input, 'RoleName') ?? ''
    switch (question.call) {
      case 'iam:ListRolePolicies': {
        const names = inline.get(role)
        return names === undefined
          ? undefined
          : told({ PolicyNames: [...names.keys()], complete: inlineComplete.has(role) }, question)
      }
      case 'iam:GetRolePolicy': {
        const policy = inline.get(role)?.get(textAt(question.input, 'PolicyName') ?? '')
        return policy === undefined ? undefined : told({ PolicyDocument: policy }, question)
      }
      case 'iam:ListAttachedRolePolicies': {
        const list = attached.get(role)
        return list === undefined
          ? undefined
          : told({ AttachedPolicies: list, complete: attachedComplete.has(role) }, question)
      }
      case 'iam:GetPolicyVersion': {
        const name = textAt(question.input, 'PolicyArn')?.split('/').at(-1) ?? ''
        const policy = versions.get(name)
        return policy === undefined ? undefined : told({ PolicyVersion: { Document: policy } }, question)
      }
      case 'iam:GetAccountSummary':
        return quotas === undefined ? undefined : told({ SummaryMap: quotas }, question)
      default:
        return undefined
    }
  }

  return { take, answer }
}
