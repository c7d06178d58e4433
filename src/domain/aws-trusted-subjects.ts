/** Whom a trust policy is written for, by issuer: the subjects that its statements name, and whether they are patterns. */
import { parseOperator } from './aws-trust-operators.ts'
import { hasWildcard } from './aws-trust-patterns.ts'
import { judgeAction } from './aws-trust-principal.ts'
import { parseProviderArn } from './aws-trust-provider.ts'
import { keyParts } from './aws-trust-request.ts'
import { entries, isObject, type JsonObject, member, scalarText, statementsOf } from './aws-trust-shapes.ts'

/** `subjects` is empty where the statement looks at no subject: whoever has a token of the issuer is meant. */
export type Trusted = {
  readonly hostPath: string
  readonly subjects: readonly { readonly text: string; readonly pattern: boolean }[]
}

const texts = (value: unknown): readonly string[] =>
  value === undefined ? [] : entries(value, '').flatMap(({ raw }) => scalarText(raw) ?? [])

function subjectsIn(statement: JsonObject): Trusted['subjects'] {
  const condition = member(statement, 'Condition')
  if (!isObject(condition)) return []
  return Object.entries(condition).flatMap(([written, keys]) => {
    const operator = parseOperator(written)
    if (operator === undefined || /not/iu.test(written) || !isObject(keys)) return []
    const isPattern = /like/iu.test(written)
    return Object.entries(keys).flatMap(([key, value]) =>
      keyParts(key).claim === 'sub'
        ? texts(value).map((text) => ({ text, pattern: isPattern && hasWildcard(text) }))
        : [],
    )
  })
}

/** One for each issuer of each statement that lets somebody in by web identity. */
export function trustedBy(policy: unknown): readonly Trusted[] {
  return statementsOf(policy).found.flatMap(({ raw, path }): readonly Trusted[] => {
    if (!isObject(raw) || scalarText(member(raw, 'Effect')) !== 'Allow') return []
    if (judgeAction(raw, path, 'sts:AssumeRoleWithWebIdentity').truth === false) return []
    const principal = member(raw, 'Principal')
    const federated = isObject(principal) ? texts(member(principal, 'Federated')) : []
    const subjects = subjectsIn(raw)
    return federated.flatMap((arn) => {
      const hostPath = parseProviderArn(arn)?.hostPath
      return hostPath === undefined ? [] : [{ hostPath, subjects }]
    })
  })
}

/** The ServiceAccount that a subject names. */
export function accountIn(subject: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:*?]+):([^:*?]+)$/u.exec(subject) ?? []
  return namespace === undefined || name === undefined ? undefined : { namespace, name }
}
