/** IAM policies of Google as gcloud prints them: who holds which role, and which roles hold a permission. */
import { at, isObject, type Json, listAt, textAt, textsAt } from '../core/json.ts'

export type Binding = { readonly role: string; readonly members: readonly string[]; readonly condition?: string }
export type Policy = {
  /** `serviceAccounts/EMAIL`, `projects/ID` or `buckets/NAME`; the last part is empty where nothing told whose it is. */
  readonly resource: string
  readonly bindings: readonly Binding[]
}
export type Grant = {
  readonly resource: string
  readonly role: string
  readonly member: string
  readonly condition?: string
}

export function readPolicy(resource: string, json: Json): Policy | undefined {
  if (!isObject(json)) return undefined
  const bindings = listAt(json, 'bindings').flatMap((one): Binding[] => {
    const role = textAt(one, 'role')
    const condition = textAt(at(one, 'condition'), 'expression')
    return role === undefined
      ? []
      : [{ role, members: textsAt(one, 'members'), ...(condition === undefined ? {} : { condition }) }]
  })
  return { resource, bindings }
}

export const grantsOf = ({ resource, bindings }: Policy): readonly Grant[] =>
  bindings.flatMap(({ role, members, condition }) =>
    members.map((member) => ({ resource, role, member, ...(condition === undefined ? {} : { condition }) })),
  )

export const nameOfResource = (resource: string): string => resource.slice(resource.indexOf('/') + 1)

/** Roles of Google's own that let a member act as the account: https://cloud.google.com/iam/docs/service-account-permissions */
const impersonating: ReadonlySet<string> = new Set([
  'roles/iam.workloadIdentityUser',
  'roles/iam.serviceAccountTokenCreator',
])
export const isPredefined = (role: string): boolean => role.startsWith('roles/')
/** Whether the role holds iam.serviceAccounts.getAccessToken; undefined for a custom role that was not seen. */
export function mayImpersonate(role: string, permissions: readonly string[] | undefined): boolean | undefined {
  if (impersonating.has(role)) return true
  if (permissions !== undefined) return permissions.includes('iam.serviceAccounts.getAccessToken')
  return isPredefined(role) ? false : undefined
}

/** What a condition on the time says: nothing else of CEL is read here. */
const timeTerm = /^\s*request\.time\s*(<=|>=|<|>)\s*timestamp\(\s*['"]([^'"]{10,40})['"]\s*\)\s*$/

/** Whether the condition holds at this time; undefined where it reads anything but request.time. */
export function holdsAt(condition: string, now: number | undefined): boolean | undefined {
  let all = true
  for (const term of condition.split('&&')) {
    const [, operator, text = ''] = timeTerm.exec(term) ?? []
    const limit = Date.parse(text)
    if (operator === undefined || Number.isNaN(limit) || now === undefined) return undefined
    const holds =
      operator === '<' ? now < limit : operator === '<=' ? now <= limit : operator === '>' ? now > limit : now >= limit
    all &&= holds
  }
  return all
}
