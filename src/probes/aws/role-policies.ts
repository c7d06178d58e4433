/** The permission policies of the role: those that stand in it, and those that are attached. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  known,
  onward,
  type Question,
  type Soon,
  unknown,
} from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import type { RoleArn } from '../../domain/arn.ts'
import { aws } from '../../domain/questions.ts'
import { role } from './role.ts'
import { roleReference } from './role-reference.ts'

export type RolePolicy = { readonly name: string; readonly policy: Json; readonly from: Question }
export type RolePolicies = {
  readonly items: readonly RolePolicy[]
  /** All were seen. */
  readonly complete: boolean
  /** One could not be seen although it was looked for: then what is missing in the others says nothing. */
  readonly refused: boolean
}

/** Absent where no role is named; unknown where none of its policies was seen. */
export const rolePolicies = defineProbe({
  id: 'aws/role-policies',
  about: 'the permission policies of the role',
  scope: 'service-account',
  needs: {},
  wants: { roleReference, role },
  ask: (_have, { roleReference, role }, inquiry): Soon<Fact<RolePolicies>> => {
    if (roleReference.state === 'absent') return roleReference
    const arn = roleReference.state === 'known' ? roleReference.value.arn : undefined
    if (arn === undefined) return unknown('not-asked', 'no role ARN was seen', roleReference.from)
    // Who is not signed in, or asks nobody, sees no policies either; each of thousands would be told so twice more.
    if (role.state === 'unknown' && (role.why === 'not-asked' || role.why === 'unauthenticated')) return role
    return policiesOf(arn, inquiry)
  },
})

/** The permission policies of any role, asked for in its own account. */
export function policiesOf(
  { account, name }: Pick<RoleArn, 'account' | 'name'>,
  inquiry: Pick<Inquiry, 'ask'>,
): Soon<Fact<RolePolicies>> {
  const inline = inquiry.ask(aws.rolePolicies(account, name))
  const attached = inquiry.ask(aws.attachedRolePolicies(account, name))
  return onward(inline, (first) =>
    onward(attached, (second) =>
      first.state === 'unknown' && second.state === 'unknown'
        ? first
        : lookInto({ account, name, inline: first, attached: second }, inquiry),
    ),
  )
}

type Lists = {
  readonly account: string
  readonly name: string
  readonly inline: Fact<Json>
  readonly attached: Fact<Json>
}

async function lookInto(
  { account, name, inline, attached }: Lists,
  inquiry: Pick<Inquiry, 'ask'>,
): Promise<Fact<RolePolicies>> {
  if (inline.state === 'absent' || attached.state === 'absent') return absent(inline.from)
  const places = [
    ...(inline.state === 'known' ? textsAt(inline.value, 'PolicyNames') : []).map((one) => ({
      name: one,
      question: aws.rolePolicy(account, name, one),
      member: ['PolicyDocument'],
    })),
    ...(attached.state === 'known' ? listAt(attached.value, 'AttachedPolicies') : []).flatMap((one) => {
      const policy = textAt(one, 'PolicyArn')
      return policy === undefined
        ? []
        : [
            {
              name: textAt(one, 'PolicyName') ?? policy,
              question: aws.policy(account, policy),
              member: ['PolicyVersion', 'Document'],
            },
          ]
    }),
  ]
  const answers = await Promise.all(
    places.map(async ({ question, ...rest }) => ({ ...rest, answer: await inquiry.ask(question) })),
  )
  const items = answers.flatMap(({ name: policyName, member, answer }) => {
    const policy = answer.state === 'known' ? at(answer.value, ...member) : undefined
    return policy === undefined ? [] : [{ name: policyName, policy, from: answer.from }]
  })
  const unseen = [inline, attached, ...answers.map(({ answer }) => answer)].filter(({ state }) => state === 'unknown')
  const first = unseen[0]
  if (items.length === 0 && first?.state === 'unknown') return first
  const whole = [inline, attached].every((list) => list.state === 'known' && at(list.value, 'complete') !== false)
  return known(
    {
      items,
      complete: whole && unseen.length === 0,
      refused: unseen.some((fact) => fact.state === 'unknown' && fact.why !== 'not-collected'),
    },
    inline.from,
  )
}
