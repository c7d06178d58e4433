/** Writes condition keys and providers of a trust policy as IAM reads them, where that admits nobody but who is named. */
import { check } from '../../checks/aws/trust-policy-well-formed.ts'
import { edited } from '../../core/edit.ts'
import { at, isList, isObject, type Json, type JsonObject, textAt, textsAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { awsAudience } from '../../domain/audiences.ts'
import { stepsOf } from '../../domain/aws-trust-edits.ts'
import { malformations } from '../../domain/aws-trust-form.ts'
import { parseProviderArn } from '../../domain/aws-trust-provider.ts'
import { namedRole } from '../../probes/aws/role.ts'
import { accountOfRole, isExact, trustChange } from '../trust-change.ts'

const needs = { namedRole }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>

const withoutScheme = (text: string): string => text.replace(/https?:\/\//gi, '')

/** The statement with its keys called otherwise; undefined where two of them would be called the same. */
function renamed(statement: JsonObject, name: (key: string) => string): JsonObject | undefined {
  const blocks = Object.entries(isObject(statement.Condition) ? statement.Condition : {}).map(([operator, block]) => {
    if (!isObject(block)) return [operator, block] as const
    const next = Object.entries(block).map(([key, value]) => [name(key), value] as const)
    return new Set(next.map(([key]) => key.toLowerCase())).size < next.length
      ? undefined
      : ([operator, Object.fromEntries(next)] as const)
  })
  const whole = blocks.filter((one) => one !== undefined)
  return whole.length < blocks.length ? undefined : { ...statement, Condition: Object.fromEntries(whole) }
}

function provided(statement: JsonObject): JsonObject {
  const federated = at(statement, 'Principal', 'Federated')
  const next = isList(federated)
    ? federated.map((one) => (typeof one === 'string' ? withoutScheme(one) : one))
    : typeof federated === 'string'
      ? withoutScheme(federated)
      : federated
  const changed = edited(statement, ['Principal', 'Federated'], next)
  return isObject(changed) ? changed : statement
}

/** What admitted nobody will admit tokens for STS alone, if it does not say for whom. */
function forSts(statement: JsonObject): JsonObject {
  const hostPath = parseProviderArn(textsAt(statement, 'Principal', 'Federated').map(withoutScheme)[0] ?? '')?.hostPath
  const blocks = isObject(statement.Condition) ? Object.values(statement.Condition) : []
  const looks = blocks.some((block) => isObject(block) && Object.keys(block).some((key) => key.endsWith(':aud')))
  if (hostPath === undefined || looks) return statement
  const next = edited(statement, ['Condition', 'StringEquals', `${hostPath}:aud`], awsAudience)
  return isObject(next) ? next : statement
}

const correct =
  (message: string, what: string, change: (statement: JsonObject) => JsonObject | undefined) =>
  ({ have: { namedRole } }: Brief): Proposal => {
    const account = accountOfRole(namedRole)
    if (namedRole.state === 'absent' || account === undefined || namedRole.value.duplicates.length > 0) return byHand
    const { name, policy } = namedRole.value
    let next: Json | undefined = policy
    const places = new Set(
      malformations(policy).flatMap((one) => (one.message === message ? [JSON.stringify(placeOf(one.path))] : [])),
    )
    for (const place of places) {
      const steps: (string | number)[] = JSON.parse(place)
      const statement = at(next, ...steps)
      const made = isObject(statement) ? change(statement) : undefined
      if (made === undefined || textAt(made, 'Effect') !== 'Allow') return byHand
      next = edited(next, steps, forSts(made))
      if (!isExact(next, Number(steps[1] ?? 0))) return byHand
    }
    const proposal = trustChange({ account, name }, policy, next, `${what} in the trust policy of role ${name}`)
    // IAM would not take back what it never takes.
    return message === 'key-with-white-space' || 'manual' in proposal
      ? proposal
      : proposal.map((action) => ({ ...action, undo: null }))
  }

/** The statement that a path leads into: `Statement`, or one of its members. */
function placeOf(path: string): readonly (string | number)[] {
  const [first = 'Statement', second] = stepsOf(path) ?? []
  return typeof second === 'number' ? [first, second] : [first]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // Of a member that stands twice only the last was kept, and a provider that is none names nobody.
  proposals: {
    'scheme-in-key': correct('scheme-in-key', 'Write the condition keys without https://', (one) =>
      renamed(one, withoutScheme),
    ),
    'scheme-in-provider': correct('scheme-in-provider', 'Write the provider without https://', provided),
    'key-with-white-space': correct('key-with-white-space', 'Write the condition keys without white space', (one) =>
      renamed(one, (key) => key.replace(/\s+/g, '')),
    ),
  },
})
