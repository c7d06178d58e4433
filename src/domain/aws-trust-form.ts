/** What in a trust policy IAM refuses to store, or what does not mean what it says. */

import { parseOperator } from './aws-trust-operators.ts'
import { entries, isObject, type JsonObject, member, statementsOf, step } from './aws-trust-shapes.ts'

type MalformationData = {
  readonly 'scheme-in-key': { readonly key: string; readonly expected: string }
  readonly 'scheme-in-provider': { readonly value: string; readonly expected: string }
  readonly 'federated-malformed': { readonly value: string }
  readonly 'permissions-in-trust-policy': { readonly element: string }
  readonly 'key-with-white-space': { readonly key: string }
  readonly 'operator-unknown': { readonly operator: string }
}

/** A union on `message`; `data` is what the message says. */
export type Malformation = {
  readonly [K in keyof MalformationData]: {
    readonly message: K
    readonly path: string
    readonly data: MalformationData[K]
  }
}[keyof MalformationData]

const ORDER = [
  'scheme-in-key',
  'scheme-in-provider',
  'federated-malformed',
  'permissions-in-trust-policy',
  'key-with-white-space',
  'operator-unknown',
] as const satisfies readonly (keyof MalformationData)[]

/**
 * Takes a policy of whatever shape and gives what is wrong with it whoever calls, the gravest kind first. A member that
 * stands twice cannot be seen here; a bare host as principal is a matter of whom the policy admits.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function malformations(policy: unknown): readonly Malformation[] {
  const found = statementsOf(policy).found.flatMap(({ raw, path }) =>
    isObject(raw) ? [...ofConditions(raw, path), ...ofPrincipals(raw, path), ...ofPermissions(raw, path)] : [],
  )
  return ORDER.flatMap((message) => found.filter((one) => one.message === message))
}

function ofConditions(statement: JsonObject, path: string): readonly Malformation[] {
  const condition = member(statement, 'Condition')
  if (!isObject(condition)) return []
  const at = step(path, 'Condition')
  return Object.entries(condition).flatMap(([operator, block]): readonly Malformation[] => {
    const inside = step(at, operator)
    const unknown: readonly Malformation[] =
      parseOperator(operator).test === undefined
        ? [{ message: 'operator-unknown', path: inside, data: { operator } }]
        : []
    const keys = isObject(block) ? Object.keys(block) : []
    return [...unknown, ...keys.flatMap((key) => ofKey(key, step(inside, key)))]
  })
}

function ofKey(key: string, path: string): readonly Malformation[] {
  const expected = withoutScheme(key)
  const schemes: readonly Malformation[] =
    expected === key ? [] : [{ message: 'scheme-in-key', path, data: { key, expected } }]
  return /\s/.test(key) ? [...schemes, { message: 'key-with-white-space', path, data: { key } }] : schemes
}

function ofPrincipals(statement: JsonObject, path: string): readonly Malformation[] {
  return ['Principal', 'NotPrincipal'].flatMap((name) => {
    const principal = member(statement, name)
    if (!isObject(principal)) return []
    const federated = entries(member(principal, 'Federated'), step(step(path, name), 'Federated'))
    return federated.flatMap((one) => (typeof one.raw === 'string' ? ofProvider(one.raw, one.path) : []))
  })
}

function ofProvider(value: string, path: string): readonly Malformation[] {
  if (!value.startsWith('arn:')) return []
  const expected = withoutScheme(value)
  if (expected !== value) return [{ message: 'scheme-in-provider', path, data: { value, expected } }]
  return /^arn:[^:]+:iam::\d{12}:(?:oidc|saml)-provider\/./.test(value)
    ? []
    : [{ message: 'federated-malformed', path, data: { value } }]
}

function withoutScheme(text: string): string {
  return text.replace(/https?:\/\//gi, '')
}

function ofPermissions(statement: JsonObject, path: string): readonly Malformation[] {
  const resources = ['Resource', 'NotResource'].filter((name) => member(statement, name) !== undefined)
  const foreign = entries(member(statement, 'Action'), step(path, 'Action')).flatMap(
    ({ raw, path: at }): readonly Malformation[] =>
      typeof raw === 'string' && isForeign(raw)
        ? [{ message: 'permissions-in-trust-policy', path: at, data: { element: `Action ${raw}` } }]
        : [],
  )
  return [
    ...resources.map(
      (element): Malformation => ({
        message: 'permissions-in-trust-policy',
        path: step(path, element),
        data: { element },
      }),
    ),
    ...foreign,
  ]
}

// Actions of another service than STS; a wildcard in the service's name may mean STS too.
function isForeign(action: string): boolean {
  const colon = action.indexOf(':')
  const service = colon < 0 ? action : action.slice(0, colon)
  return !service.includes('*') && !service.includes('?') && service.toLowerCase() !== 'sts'
}
