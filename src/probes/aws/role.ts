/** A role with its trust policy, as iam:GetRole returns it. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  type Known,
  onward,
  type Question,
  reading,
  type Soon,
  unknown,
} from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import { parseRoleArn, type RoleArn } from '../../domain/arn.ts'
import { aws, seen } from '../../domain/questions.ts'
import { sh } from '../../domain/shell-words.ts'
import { type RoleReference, roleReference } from './role-reference.ts'

/** A member that stands twice in one object of the text of a file; only the last, `kept`, counts. */
export type Duplicate = { readonly path: string; readonly member: string; readonly line: number; readonly kept: string }

export type Role = {
  readonly name: string
  /** With its path; left out where only a trust policy was seen. */
  readonly arn?: string
  /** As IAM holds it, decoded. */
  readonly policy: Json
  readonly duplicates: readonly Duplicate[]
}

const inShort = (json: Json | undefined): string => {
  const text = typeof json === 'string' ? json : JSON.stringify(json ?? null)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

export const readRole = (json: Json): Role | undefined => {
  const name = textAt(json, 'Role', 'RoleName')
  const policy = at(json, 'Role', 'AssumeRolePolicyDocument')
  if (name === undefined || policy === undefined) return undefined
  const arn = textAt(json, 'Role', 'Arn')
  return {
    name,
    policy,
    ...(arn === undefined ? {} : { arn }),
    duplicates: listAt(json, 'duplicates').flatMap((one) => {
      const path = textAt(one, 'path')
      const member = textAt(one, 'member')
      const line = at(one, 'line')
      if (path === undefined || member === undefined || typeof line !== 'number') return []
      return [{ path, member, line, kept: inShort(at(one, 'kept')) }]
    }),
  }
}

/** The answer, unless it is about a role of the same name in another account. */
export const ofAccount = (answer: Fact<Json>, account: string): Fact<Role> => {
  const role = reading(answer, readRole)
  if (role.state !== 'known' || role.value.arn === undefined) return role
  const seen = parseRoleArn(role.value.arn)
  return seen === undefined || seen.account === account
    ? role
    : unknown(
        'not-collected',
        `only the role of account ${seen.account} was seen`,
        role.from,
        getRole(role.value.name, account),
      )
}

const getRole = (name: string, account: string): string =>
  `${sh`aws iam get-role --role-name ${name}`} (account ${account})`

/** A role that is named but whose ARN cannot be looked up. */
const unnamed = ({ value, from }: Known<RoleReference>): Fact<never> =>
  value.value === ''
    ? unknown(
        'not-collected',
        'the role of the Pod Identity association was not seen',
        from,
        'aws eks describe-pod-identity-association',
      )
    : unknown('not-asked', `${value.value.slice(0, 300)} is no role ARN, so no role could be looked up`, from)

export const role = defineProbe({
  id: 'aws/role',
  about: 'the role and its trust policy',
  scope: 'service-account',
  needs: { roleReference },
  wants: {},
  only: 'roleReference',
  ask: ({ roleReference }, _want, inquiry): Soon<Fact<Role>> => {
    const { arn } = roleReference.value
    if (arn === undefined) return unnamed(roleReference)
    return onward(inquiry.ask(aws.role(arn.account, arn.name)), (answer) =>
      answer.state === 'unknown' && answer.why === 'not-collected'
        ? sought(answer, arn, inquiry)
        : ofAccount(answer, arn.account),
    )
  },
})

/** Absent where IAM was seen to say that it has no such role, asked with credentials of the role's own account. */
async function sought(answer: Fact<never>, { account, name }: RoleArn, { ask }: Inquiry): Promise<Fact<Role>> {
  const errors = await ask(seen.errors())
  const texts = errors.state === 'known' ? listAt(errors.value, 'errors').map((one) => textAt(one, 'text') ?? '') : []
  const denied = texts.some(
    (text) => /NoSuchEntity[\s\S]{0,300}?role with name (\S{1,128}) cannot be/.exec(text)?.[1] === name,
  )
  if (!denied) return answer
  const caller = await ask(aws.callerIdentity())
  return caller.state === 'known' && textAt(caller.value, 'Account') === account ? absent(answer.from) : answer
}

/** ARNs of roles whose names differ in case only; asked where the role itself was not found. Absent where nobody has to know. */
export const roleTwins = defineProbe({
  id: 'aws/role-twins',
  about: 'roles of nearly the same name',
  scope: 'service-account',
  needs: { roleReference },
  wants: { role },
  ask: ({ roleReference }, { role }, inquiry): Soon<Fact<readonly string[]>> => {
    const none: Question = role.from
    if (roleReference.state === 'absent' || roleReference.value.arn === undefined) return absent(none)
    const { arn } = roleReference.value
    const missed = role.state === 'absent' || (role.state === 'unknown' && role.why === 'not-collected')
    if (!missed) return absent(none)
    return onward(inquiry.ask(aws.roles(arn.account)), (answer) =>
      reading(answer, (json) =>
        listAt(json, 'Roles').flatMap((one) => {
          const found = textAt(one, 'Arn')
          const seen = found === undefined ? undefined : parseRoleArn(found)
          if (found === undefined || seen === undefined || seen.account !== arn.account) return []
          return seen.name !== arn.name && seen.name.toLowerCase() === arn.name.toLowerCase() ? [found] : []
        }),
      ),
    )
  },
})

/** The role that is judged as an object of its own, in the account of the ServiceAccount that names it where there is one. */
export const namedRole = defineProbe({
  id: 'aws/named-role',
  about: 'the role and its trust policy',
  scope: 'object',
  needs: {},
  wants: { roleReference },
  ask: (_have, { roleReference }, { subject, ask }): Soon<Fact<Role>> => {
    const arn = roleReference.state === 'known' ? roleReference.value.arn : undefined
    const account = arn?.name === subject.name ? arn.account : undefined
    if (subject.kind !== 'Role')
      return unknown(
        'not-collected',
        'no role was seen',
        aws.role(undefined, subject.name),
        'aws iam get-role --role-name NAME',
      )
    return onward(ask(aws.role(account, subject.name)), (answer): Soon<Fact<Role>> => {
      if (account !== undefined) return ofAccount(answer, account)
      const role = reading(answer, readRole)
      const own = role.state === 'known' ? parseRoleArn(role.value.arn ?? '')?.account : undefined
      if (own === undefined) return role
      // The same question as others ask about it, so that a change to it shows in both answers.
      return onward(ask(aws.role(own, subject.name)), (again) =>
        again.state === 'known' ? ofAccount(again, own) : role,
      )
    })
  },
})
