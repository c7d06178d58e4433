/** Has the role's trust policy admit exactly this ServiceAccount: one element corrected, or one statement beside the others. */
import { check } from '../../checks/aws/trust-policy-admits-service-account.ts'
import { edited, same } from '../../core/edit.ts'
import { at, type Json } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { isUsualAudience } from '../../domain/audiences.ts'
import { admitting, stepsOf, webIdentity, withStatement } from '../../domain/aws-trust-edits.ts'
import { role } from '../../probes/aws/role.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { type Trust, trustDecision } from '../../probes/aws/trust-decision.ts'
import { isExact, plain, trustChange } from '../trust-change.ts'

const needs = { roleReference, role, trustDecision }
type Brief = Pick<ProposalBrief<typeof needs, Record<never, never>, unknown>, 'have'>
type Facts = {
  readonly account: string
  readonly partition: string
  readonly name: string
  readonly policy: Json
  readonly trust: Trust
}

function factsOf({ have: { roleReference, role, trustDecision } }: Brief): Facts | undefined {
  if (roleReference.state === 'absent' || role.state === 'absent' || trustDecision.state === 'absent') return undefined
  const { arn } = roleReference.value
  // A text in which a member stands twice is not the document that IAM holds.
  if (arn === undefined || role.value.duplicates.length > 0) return undefined
  const { policy, name } = role.value
  return { account: arn.account, partition: arn.partition, name, policy, trust: trustDecision.value }
}

const changed = (facts: Facts, next: Json | undefined, summary: string): Proposal =>
  trustChange(facts, facts.policy, next, summary)

/** The one element, where what stands there is what was judged. `enables`: the statement admitted nobody before. */
const correct =
  (what: (facts: Facts) => string, { enables }: { readonly enables: boolean }) =>
  (brief: Brief): Proposal => {
    const facts = factsOf(brief)
    const edit = facts?.trust.decision.cause?.edit
    const steps = edit === undefined ? undefined : stepsOf(edit.path)
    if (facts === undefined || edit === undefined || steps === undefined) return beside(brief)
    if (!same(at(facts.policy, ...steps), plain(edit.from))) return beside(brief)
    const next = edited(facts.policy, steps, plain(edit.to))
    if (enables && !isExact(next, edit.statement)) return beside(brief)
    return changed(facts, next, `${what(facts)} in the trust policy of role ${facts.name}`)
  }

/** The exact subject beside the literal wildcard, which would come alive under StringLike and admit others too. */
function besideWildcard(brief: Brief): Proposal {
  const facts = factsOf(brief)
  const steps = stepsOf(facts?.trust.decision.cause?.path ?? '')
  const held = facts === undefined || steps === undefined ? undefined : at(facts.policy, ...steps)
  const last = steps?.at(-1)
  if (facts === undefined || steps === undefined || typeof held !== 'string' || last === undefined) return beside(brief)
  const { subject } = facts.trust
  const next =
    typeof last === 'number'
      ? edited(facts.policy, [...steps.slice(0, -1), '-'], subject)
      : edited(facts.policy, steps, [held, subject])
  return changed(facts, next, `Add the exact subject ${subject} in the trust policy of role ${facts.name}`)
}

/** A statement for exactly this subject, audience and provider; those that are there serve others and stay. */
function besideWith(actions: readonly string[], brief: Brief): Proposal {
  const facts = factsOf(brief)
  if (facts === undefined) return byHand
  const { issuer, subject, audience } = facts.trust
  if (issuer === undefined || !isUsualAudience(audience)) return byHand
  const whom = { issuer, subject, audience, accountId: facts.account, partition: facts.partition }
  const next = withStatement(facts.policy, admitting(whom, ...actions))
  const summary = `Add a statement for ${subject} to the trust policy of role ${facts.name}`
  return changed(facts, next === undefined ? undefined : plain(next), summary)
}
const beside = (brief: Brief): Proposal => besideWith([], brief)

const addSubject = correct(({ trust }) => `Add the exact subject ${trust.subject}`, { enables: false })
const addAudience = (brief: Brief): Proposal => {
  const { trustDecision: trust } = brief.have
  return trust.state === 'known' && isUsualAudience(trust.value.audience)
    ? correct(() => `Add audience ${trust.value.audience}`, { enables: false })(brief)
    : byHand
}
const renameKey = correct(() => 'Correct the condition key', { enables: true })

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  // An exclusion that somebody wrote, and a condition on how the call is made, are nobody's to lift but theirs.
  proposals: {
    'no-web-identity-statement': beside,
    'federated-not-arn': correct(() => 'Name the provider by its ARN', { enables: true }),
    'federated-other-account': beside,
    'federated-host-differs': beside,
    'federated-other-issuer': beside,
    'action-missing': correct(() => `Add ${webIdentity} to the actions of the statement`, { enables: true }),
    'key-has-arn-prefix': renameKey,
    'key-of-other-issuer': renameKey,
    'key-is-no-claim': renameKey,
    'key-never-present': beside,
    'claims-exchanged': correct(() => 'Let :sub and :aud change places', { enables: true }),
    'audience-differs': addAudience,
    'wildcard-under-string-equals': besideWildcard,
    'white-space': addSubject,
    'case-differs': addSubject,
    'subject-prefix-doubled': addSubject,
    'subject-prefix-missing': addSubject,
    'subject-cut-short': addSubject,
    'namespace-differs': addSubject,
    'service-account-differs': addSubject,
    'subject-differs': addSubject,
    'list-without-set-operator': beside,
    'variable-taken-literally': beside,
    'variable-unresolved': addSubject,
    'tag-session-missing': (brief) => besideWith(['sts:TagSession'], brief),
  },
})
