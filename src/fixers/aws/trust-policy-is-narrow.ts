/** Has a trust policy check what it only seems to check: the same values under the plain operator, and the audience of STS. */
import { check } from '../../checks/aws/trust-policy-is-narrow.ts'
import { edited } from '../../core/edit.ts'
import { at, isObject, type Json, textsAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { awsAudience } from '../../domain/audiences.ts'
import { breadthsOf } from '../../domain/aws-trust-breadth.ts'
import { stepsOf } from '../../domain/aws-trust-edits.ts'
import { namedRole } from '../../probes/aws/role.ts'
import { accountOfRole, trustChange } from '../trust-change.ts'

const needs = { namedRole }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>
type Step = string | number

const plainOf = (operator: string): string => operator.replace(/^ForAllValues:/, '').replace(/IfExists$/, '')

/** The entry moves under the plain operator; undefined where that looks at the same key already, for then both have to hold. */
function underPlain(policy: Json, steps: readonly Step[]): Json | undefined {
  const [operator, key] = steps.slice(-2)
  const condition = steps.slice(0, -2)
  if (typeof operator !== 'string' || typeof key !== 'string') return undefined
  const held = at(policy, ...steps)
  const block = at(policy, ...condition, plainOf(operator))
  const taken = isObject(block) && Object.keys(block).some((one) => one.toLowerCase() === key.toLowerCase())
  if (held === undefined || taken) return undefined
  const moved = edited(edited(policy, steps, undefined), [...condition, plainOf(operator), key], held)
  const left = at(moved, ...condition, operator)
  return isObject(left) && Object.keys(left).length === 0 ? edited(moved, [...condition, operator], undefined) : moved
}

/** Only where every subject is a ServiceAccount: tokens of others are made for audiences that nobody here knows. */
function withAudience(policy: Json, steps: readonly Step[], key: string): Json | undefined {
  const condition = at(policy, ...steps)
  const blocks = isObject(condition) ? Object.values(condition) : []
  const subjects = blocks.flatMap((block) =>
    isObject(block) ? Object.keys(block).flatMap((one) => (one.endsWith(':sub') ? textsAt(block, one) : [])) : [],
  )
  const known = subjects.length > 0 && subjects.every((one) => one.startsWith('system:serviceaccount:'))
  return known ? edited(policy, [...steps, 'StringEquals', key], awsAudience) : undefined
}

/** Every place of the same kind at once: the check names one of them. */
const narrow =
  (message: 'for-all-values' | 'if-exists' | 'audience-not-checked', what: string) =>
  ({ have: { namedRole } }: Brief): Proposal => {
    const account = accountOfRole(namedRole)
    if (namedRole.state === 'absent' || account === undefined || namedRole.value.duplicates.length > 0) return byHand
    const { name, policy } = namedRole.value
    let next: Json = policy
    for (const found of breadthsOf(policy).found) {
      if (found.message !== message) continue
      const steps = stepsOf(found.path)
      const made =
        steps === undefined
          ? undefined
          : found.message === 'audience-not-checked'
            ? withAudience(next, steps, found.data.key)
            : underPlain(next, steps)
      if (made === undefined) return byHand
      next = made
    }
    return trustChange({ account, name }, policy, next, `${what} in the trust policy of role ${name}`)
  }

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // Whom a wildcard serves has to be named by a person before it can be narrowed.
  proposals: {
    'for-all-values': narrow('for-all-values', 'Compare without ForAllValues'),
    'if-exists': narrow('if-exists', 'Compare without IfExists'),
    'audience-not-checked': narrow('audience-not-checked', `Admit tokens for ${awsAudience} alone`),
  },
})
