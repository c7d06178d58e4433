/** Whom a trust policy admits beside those that it was written for. */

import { WEB_IDENTITY } from './aws-trust-cause.ts'
import { type Operator, parseOperator } from './aws-trust-operators.ts'
import { like } from './aws-trust-patterns.ts'
import { judgeAction } from './aws-trust-principal.ts'
import { parseProviderArn } from './aws-trust-provider.ts'
import { hasMoreClaims, keyParts } from './aws-trust-request.ts'
import { entries, isObject, type JsonObject, member, scalarText, statementsOf, step } from './aws-trust-shapes.ts'

type BreadthData = {
  readonly anyone: { readonly statement: string; readonly principal: string }
  readonly 'not-principal': { readonly statement: string }
  readonly 'for-all-values': { readonly operator: string; readonly key: string }
  readonly 'if-exists': { readonly operator: string; readonly key: string }
  readonly 'subject-not-checked': { readonly key: string }
  readonly 'subject-only-negated': { readonly key: string; readonly value: string }
  readonly 'subject-matches-everything': { readonly pattern: string }
  readonly 'namespace-is-wildcard': { readonly pattern: string }
  readonly 'audience-not-checked': { readonly key: string }
}

/** A union on `message`; `data` is what the message says. */
export type Breadth = {
  readonly [K in keyof BreadthData]: {
    readonly message: K
    readonly path: string
    readonly observed: string
    readonly data: BreadthData[K]
  }
}[keyof BreadthData]

const ORDER = [
  'anyone',
  'not-principal',
  'for-all-values',
  'if-exists',
  'subject-not-checked',
  'subject-only-negated',
  'subject-matches-everything',
  'namespace-is-wildcard',
  'audience-not-checked',
] as const satisfies readonly (keyof BreadthData)[]

/** `judged` counts the statements that admit by web identity; `found` has the gravest kind first. */
export function breadthsOf(policy: unknown): { readonly judged: number; readonly found: readonly Breadth[] } {
  const all = statementsOf(policy).found.flatMap(({ raw, path }, index) =>
    isObject(raw) ? [ofStatement(raw, path, index)] : [],
  )
  const found = all.flatMap((one) => one ?? [])
  return {
    judged: all.filter((one) => one !== undefined).length,
    found: ORDER.flatMap((message) => found.filter((one) => one.message === message)),
  }
}

/** Undefined where the statement lets nobody in by web identity. */
function ofStatement(statement: JsonObject, path: string, index: number): readonly Breadth[] | undefined {
  if (scalarText(member(statement, 'Effect')) !== 'Allow') return undefined
  if (judgeAction(statement, path, WEB_IDENTITY).truth === false) return undefined
  const sid = scalarText(member(statement, 'Sid')) ?? ''
  const label = sid === '' ? String(index + 1) : sid
  if (member(statement, 'NotPrincipal') !== undefined)
    return [
      {
        message: 'not-principal',
        path: step(path, 'NotPrincipal'),
        observed: 'NotPrincipal',
        data: { statement: label },
      },
    ]
  const everybody = everybodyIn(member(statement, 'Principal'))
  if (everybody !== undefined)
    return [
      {
        message: 'anyone',
        path: step(path, 'Principal'),
        observed: everybody,
        data: { statement: label, principal: everybody },
      },
    ]
  const issuers = issuersIn(member(statement, 'Principal'))
  if (issuers.length === 0) return undefined
  return issuers.flatMap((issuer) => ofIssuer(statement, path, issuer))
}

const written = (value: unknown, path: string): readonly string[] =>
  value === undefined ? [] : entries(value, path).flatMap(({ raw }) => scalarText(raw) ?? [])

function everybodyIn(principal: unknown): string | undefined {
  if (principal === '*') return '*'
  if (!isObject(principal)) return undefined
  const kind = ['Federated', 'AWS'].find((name) => written(member(principal, name), name).includes('*'))
  return kind === undefined ? undefined : `${kind}: *`
}

const issuersIn = (principal: unknown): readonly string[] =>
  isObject(principal)
    ? written(member(principal, 'Federated'), 'Federated').flatMap((one) => parseProviderArn(one)?.hostPath ?? [])
    : []

type Condition = {
  readonly operator: Operator
  readonly key: string
  readonly values: readonly string[]
  readonly path: string
}

function conditionsOf(statement: JsonObject, path: string): readonly Condition[] {
  const condition = member(statement, 'Condition')
  if (!isObject(condition)) return []
  const at = step(path, 'Condition')
  return Object.entries(condition).flatMap(([operator, block]) =>
    isObject(block)
      ? Object.entries(block).map(([key, value]) => {
          const inside = step(step(at, operator), key)
          return { operator: parseOperator(operator), key, values: written(value, inside), path: inside }
        })
      : [],
  )
}

const isString = ({ operator }: Condition): boolean => operator.test?.family === 'string'
/** Null with "false" says that the key has to be there. */
const demandsPresence = ({ operator, values }: Condition): boolean =>
  operator.test?.family === 'null' && values.every((value) => value.toLowerCase() === 'false')

function ofIssuer(statement: JsonObject, path: string, issuer: string): readonly Breadth[] {
  const all = conditionsOf(statement, path)
  const about = (claim: string): readonly Condition[] =>
    all.filter(({ key }) => {
      const parts = keyParts(key.toLowerCase())
      return parts.claim === claim && parts.prefix === issuer.toLowerCase()
    })
  // A claim of another issuer is in none of these tokens, so a condition that needs it lets nobody in.
  const isForeign = ({ operator, key }: Condition): boolean => {
    const { claim, prefix } = keyParts(key.toLowerCase())
    const isOurs = (claim !== 'sub' && claim !== 'aud') || prefix === undefined || prefix === issuer.toLowerCase()
    return !isOurs && !operator.negated && operator.set !== 'ForAllValues' && !operator.ifExists
  }
  if (all.some((one) => isString(one) && isForeign(one))) return []
  const found: Breadth[] = []
  const at = step(path, 'Condition')
  const checked = (claim: 'sub' | 'aud'): readonly Condition[] => {
    const conditions = about(claim)
    const positive = conditions.filter((one) => isString(one) && !one.operator.negated)
    const present = conditions.some(demandsPresence)
    const good = positive.filter(({ operator }) => present || (operator.set !== 'ForAllValues' && !operator.ifExists))
    for (const { operator, key, path: where } of good.length > 0 ? [] : positive)
      found.push({
        message: operator.set === 'ForAllValues' ? 'for-all-values' : 'if-exists',
        path: where,
        observed: operator.written,
        data: { operator: operator.written, key },
      })
    if (positive.length > 0 || hasMoreClaims(issuer)) return good
    const negated = conditions.find((one) => isString(one) && one.operator.negated)
    const key = `${issuer}:${claim}`
    if (claim === 'aud')
      found.push({ message: 'audience-not-checked', path: at, observed: 'no such condition', data: { key } })
    else if (negated === undefined)
      found.push({ message: 'subject-not-checked', path: at, observed: 'no such condition', data: { key } })
    else {
      const value = negated.values.join(', ')
      found.push({
        message: 'subject-only-negated',
        path: negated.path,
        observed: value,
        data: { key: negated.key, value },
      })
    }
    return good
  }
  const subject = checked('sub')
  checked('aud')
  // Of several conditions on one key all have to hold: the narrowest decides.
  const wide = hasMoreClaims(issuer) ? [] : subject.map((one) => wideIn(one))
  const first = wide.every((one) => one !== undefined) ? wide[0] : undefined
  return first === undefined ? found : [...found, first]
}

const stranger = 'system:serviceaccount:q7zk-somewhere:'

function wideIn({ operator, values, path }: Condition): Breadth | undefined {
  if (operator.test?.family !== 'string' || operator.test.wildcards !== true) return undefined
  const everything = values.find((pattern) => like(pattern, `${stranger}x4jw-somebody`))
  if (everything !== undefined)
    return { message: 'subject-matches-everything', path, observed: everything, data: { pattern: everything } }
  // A star runs across colons as well, so the name is what stands behind the last of them.
  const anywhere = values.find((pattern) =>
    like(
      pattern,
      `${stranger}${pattern
        .slice(pattern.lastIndexOf(':') + 1)
        .replaceAll('*', '')
        .replaceAll('?', 'x')}`,
    ),
  )
  return anywhere === undefined
    ? undefined
    : { message: 'namespace-is-wildcard', path, observed: anywhere, data: { pattern: anywhere } }
}
