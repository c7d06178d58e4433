/** Judges a role's trust policy against a call of sts:AssumeRoleWithWebIdentity, as IAM would, in three values. */

import {
  type Candidate,
  explicitDeny,
  missOfAction,
  missOfPrincipal,
  nearestMiss,
  tagSessionMissing,
  WEB_IDENTITY,
} from './aws-trust-cause.ts'
import { explainCondition, judgeConditions } from './aws-trust-conditions.ts'
import { missOfCondition } from './aws-trust-miss.ts'
import { type Judged, judgeAction, judgePrincipal, presentedArn } from './aws-trust-principal.ts'
import { type Request, toRequest } from './aws-trust-request.ts'
import {
  type Entry,
  isObject,
  type JsonObject,
  kindOf,
  member,
  statementsOf,
  step,
  versionOf,
} from './aws-trust-shapes.ts'
import { every, some } from './aws-trust-truth.ts'
import type {
  Decision,
  ElementExplanation,
  Malformed,
  Miss,
  StatementExplanation,
  TrustContext,
  TrustDecision,
  Truth,
} from './aws-trust-types.ts'

export type {
  Decision,
  Edit,
  MissData,
  MissKind,
  TrustContext,
  TrustDecision,
} from './aws-trust-types.ts'

type JudgedStatement = Candidate & {
  readonly applies: Truth
  readonly needs: readonly string[]
  readonly malformed: readonly Malformed[]
}

/**
 * Takes the policy as parsed JSON, of whatever shape, and the call as far as it is known. Gives the decision, the
 * explanation of every statement and, if the call is not admitted, the element to blame. Never throws.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluateTrustPolicy(policy: unknown, context: TrustContext): TrustDecision {
  const request = toRequest(context)
  const { found, malformed } = statementsOf(policy)
  const judge = (action: string): readonly JudgedStatement[] =>
    found.map((entry, index) => judgeStatement(entry, index, action, policy, request))
  const statements = judge(WEB_IDENTITY)
  const told = [...malformed, ...statements.flatMap((statement) => statement.malformed)]
  const explained = { malformed: told, statements: statements.map(({ explanation }) => explanation) }
  const unreadable = malformed.map(({ path }) => path || 'policy')
  const verdict = decide(statements, unreadable)
  const open = verdict.decision === 'allow' || verdict.decision === 'depends'
  // Session tags need a second action: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
  if (open && request.tagged !== false) {
    const tagging = judge('sts:TagSession')
    const tags = decide(tagging, unreadable)
    if (tags.decision === 'deny' && request.tagged === true) return { ...tags, ...explained, ...causeOf(tags, tagging) }
    if (tags.decision === 'implicit-deny' && request.tagged === true) {
      return { ...tags, ...explained, cause: tagSessionMissing() }
    }
    if (verdict.decision === 'allow' && tags.decision !== 'allow') {
      const dependsOn = [...(request.tagged === true ? [] : ['session tags']), ...tags.dependsOn]
      return { decision: 'depends', decidedBy: tags.decidedBy, dependsOn, ...explained }
    }
  }
  return { ...verdict, ...explained, ...causeOf(verdict, statements) }
}

/** What a decision is made of. */
export type Decidable = {
  readonly explanation: { readonly index: number; readonly effect: StatementExplanation['effect'] }
  readonly applies: Truth
  readonly needs: readonly string[]
}

export type Verdict = {
  readonly decision: Decision
  readonly decidedBy: readonly number[]
  readonly dependsOn: readonly string[]
}

function causeOf(verdict: Verdict, statements: readonly JudgedStatement[]): Pick<TrustDecision, 'cause'> {
  const denying = statements.find(({ explanation }) => explanation.index === verdict.decidedBy[0])
  if (verdict.decision === 'deny') return denying === undefined ? {} : { cause: explicitDeny(denying) }
  const cause = verdict.decision === 'implicit-deny' ? nearestMiss(statements) : undefined
  return cause === undefined ? {} : { cause }
}

// A Deny beats every Allow; a statement that does not say which it is may be either.
export function decide(statements: readonly Decidable[], unreadable: readonly string[]): Verdict {
  const denies = statements.filter(({ explanation }) => explanation.effect !== 'Allow')
  const allows = statements.filter(({ explanation }) => explanation.effect !== 'Deny')
  const denied = some(denies.map(({ applies }) => applies))
  const allowed = unreadable.length > 0 ? 'depends' : some(allows.map(({ applies }) => applies))
  const indices = (which: readonly Decidable[], truth: Truth): readonly number[] =>
    which.filter(({ applies }) => applies === truth).map(({ explanation }) => explanation.index)
  if (denied === true) return { decision: 'deny', decidedBy: indices(denies, true), dependsOn: [] }
  if (allowed === false) return { decision: 'implicit-deny', decidedBy: [], dependsOn: [] }
  if (allowed === true && denied === false)
    return { decision: 'allow', decidedBy: indices(allows, true), dependsOn: [] }
  const open = (allowed === true ? denies : statements).filter(({ applies }) => applies === 'depends')
  const dependsOn = [...new Set([...unreadable, ...open.flatMap(({ needs }) => needs)])]
  return { decision: 'depends', decidedBy: indices(open, 'depends'), dependsOn }
}

function judgeStatement(
  { raw, path }: Entry,
  index: number,
  action: string,
  policy: unknown,
  request: Request,
): JudgedStatement {
  const readable = isObject(raw)
  const statement: JsonObject = readable ? raw : {}
  const said = effectOf(statement)
  const place = { index, path, statement }
  const principal = judgePrincipal(statement, path, said.effect, request)
  const acted = judgeAction(statement, path, action)
  const setting = {
    request,
    own: principal.own,
    version: versionOf(policy),
    place,
    writtenVersion: isObject(policy) ? member(policy, 'Version') : undefined,
  }
  const { conditions, malformed } = judgeConditions(statement, path, setting)
  const applies = every([said.certain, principal.truth, acted.truth, ...conditions.map(({ truth }) => truth)])
  const sid = member(statement, 'Sid')
  const effectPath = step(path, 'Effect')
  const refused = readable ? [] : [{ path, why: `${kindOf(raw)}, not an object` }]
  const unsaid = said.certain === true ? [] : [{ path: effectPath, why: 'Effect is neither Allow nor Deny' }]
  return {
    applies,
    path,
    principal,
    sidText: typeof sid === 'string' && sid !== '' ? `"${sid}"` : `[${index}]`,
    needs:
      applies !== 'depends'
        ? []
        : [
            ...unsaid.map((one) => one.path),
            ...principal.needs,
            ...acted.needs,
            ...conditions.flatMap(({ needs }) => needs),
          ],
    malformed: readable ? [...unsaid, ...principal.malformed, ...acted.malformed, ...malformed] : refused,
    explanation: {
      index,
      ...(typeof sid === 'string' ? { sid } : {}),
      effect: said.effect,
      applies,
      principal: explain(
        principal,
        principal.listed.map(({ value }) => value),
        presentedArn(request),
        missOfPrincipal(principal, request, place),
      ),
      action: explain(acted, acted.listed, action, missOfAction(acted, principal, request, place)),
      conditions: conditions.map((judged) => explainCondition(judged, missOfCondition(judged, setting))),
    },
  }
}

function explain(
  judged: Judged,
  listed: readonly string[],
  presented: string,
  miss: Miss | undefined,
): ElementExplanation {
  const { truth, negated, why } = judged
  return { truth, negated, listed, presented, why, ...(miss === undefined ? {} : { miss }) }
}

// Whether other spellings of Allow and Deny count is not documented.
export function effectOf(statement: JsonObject): {
  readonly effect: StatementExplanation['effect']
  readonly certain: Truth
} {
  const effect = member(statement, 'Effect')
  if (effect === 'Allow' || effect === 'Deny') return { effect, certain: true }
  const folded = typeof effect === 'string' ? effect.toLowerCase() : ''
  return { effect: folded === 'allow' ? 'Allow' : folded === 'deny' ? 'Deny' : 'unknown', certain: 'depends' }
}
