/** Judges a role's trust policy against EKS Pod Identity, which assumes the role as a service and tags the session. */

import { isAbsent, type JudgedCondition, judgeConditions, presentedValues } from './aws-trust-conditions.ts'
import { addValue } from './aws-trust-edits.ts'
import { type Decidable, decide, effectOf, type Verdict } from './aws-trust-policy.ts'
import { type JudgedAction, type JudgedPrincipal, judgeAction, judgePrincipal } from './aws-trust-principal.ts'
import { toRequest } from './aws-trust-request.ts'
import { isObject, type JsonObject, member, scalarText, statementsOf, versionOf } from './aws-trust-shapes.ts'
import { every } from './aws-trust-truth.ts'
import type { Decision, Edit } from './aws-trust-types.ts'

export const podIdentityService = 'pods.eks.amazonaws.com'

/** The call of EKS for one ServiceAccount, as far as it is known; https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html */
export type PodIdentityCall = {
  readonly namespace: string
  readonly serviceAccount: string
  /** Left out where the cluster was not seen. */
  readonly cluster?: { readonly name: string; readonly arn: string; readonly account: string }
  /** Whether the session is tagged; an association may switch it off. */
  readonly tags: boolean
  /** ISO 8601. */
  readonly now?: string
}

/** Why the call is not admitted, by the names of the placeholders of each message. */
export type ServiceMiss = {
  readonly 'explicit-deny': { readonly statement: string; readonly conditions: string }
  readonly 'principal-missing': { readonly principals: string }
  readonly 'assume-role-missing': { readonly actions: string }
  readonly 'tag-session-missing': { readonly actions: string }
  readonly 'session-tags-disabled': { readonly key: string }
  readonly 'tag-condition-differs': { readonly key: string; readonly wanted: string; readonly actual: string }
  readonly 'source-differs': { readonly key: string; readonly wanted: string; readonly actual: string }
}

export type ServiceCause = {
  readonly [K in keyof ServiceMiss]: {
    readonly kind: K
    readonly data: ServiceMiss[K]
    readonly path: string
    readonly wanted: string
    readonly presented: string
    /** Where one action is all that lacks. */
    readonly edit?: Edit
  }
}[keyof ServiceMiss]

export type ServiceDecision = {
  readonly decision: Decision
  /** Indices of the statements that decide, or leave open. */
  readonly decidedBy: readonly number[]
  /** Only with `depends`. */
  readonly dependsOn: readonly string[]
  readonly cause?: ServiceCause
}

type Judged = Decidable & {
  readonly path: string
  readonly statement: JsonObject
  readonly sid: string
  readonly principal: JudgedPrincipal
  readonly action: JudgedAction
  readonly conditions: readonly JudgedCondition[]
}

const assume = 'sts:AssumeRole'
const tag = 'sts:TagSession'
const ofPod = ['kubernetes-pod-name', 'kubernetes-pod-uid']

function requestOf({ namespace, serviceAccount, cluster, tags, now }: PodIdentityCall) {
  const named = {
    'eks-cluster-arn': cluster?.arn,
    'eks-cluster-name': cluster?.name,
    'kubernetes-namespace': namespace,
    'kubernetes-service-account': serviceAccount,
  }
  const names = [...Object.keys(named), ...ofPod]
  const known: { [key: string]: string | readonly string[] } = {}
  if (tags) {
    known['aws:TagKeys'] = names
    for (const [name, value] of Object.entries(named)) if (value !== undefined) known[`aws:RequestTag/${name}`] = value
  }
  if (cluster !== undefined) {
    known['aws:SourceAccount'] = cluster.account
    known['aws:SourceArn'] = cluster.arn
  }
  const unseen = names.map((name) => `aws:RequestTag/${name}`).filter((key) => !(key in known))
  return toRequest({
    service: podIdentityService,
    secureTransport: true,
    ...(now === undefined ? {} : { now }),
    keys: known,
    unknown: ['*', ...(tags ? unseen : [])],
  })
}

/** Takes the policy as parsed JSON, of whatever shape. EKS needs both actions, so the first that is refused is told. Never throws. */
export function evaluatePodIdentityTrust(policy: unknown, call: PodIdentityCall): ServiceDecision {
  const { found, malformed } = statementsOf(policy)
  const request = requestOf(call)
  const unreadable = malformed.map(({ path }) => path || 'policy')
  const judge = (action: string): readonly Judged[] =>
    found.map(({ raw, path }, index) => {
      const statement: JsonObject = isObject(raw) ? raw : {}
      const { effect, certain } = effectOf(statement)
      const principal = judgePrincipal(statement, path, effect, request)
      const acted = judgeAction(statement, path, action)
      const { conditions } = judgeConditions(statement, path, { request, own: [], version: versionOf(policy) })
      const sid = scalarText(member(statement, 'Sid')) ?? ''
      const needs = [...principal.needs, ...acted.needs, ...conditions.flatMap((one) => one.needs)]
      const applies = every([certain, principal.truth, acted.truth, ...conditions.map(({ truth }) => truth)])
      return {
        explanation: { index, effect },
        applies,
        needs: applies !== 'depends' ? [] : certain === true ? needs : [`${path}.Effect`, ...needs],
        path,
        statement,
        sid: sid === '' ? `[${index}]` : `"${sid}"`,
        principal,
        action: acted,
        conditions,
      }
    })
  const assuming = judge(assume)
  const assumed = decide(assuming, unreadable)
  if (assumed.decision === 'deny' || assumed.decision === 'implicit-deny')
    return { ...assumed, ...causeOf(assumed, assuming, assume, call) }
  const tagging = judge(tag)
  const tagged = decide(tagging, unreadable)
  const refused = tagged.decision === 'deny' || tagged.decision === 'implicit-deny'
  // Whether EKS asks for the second action where it sends no tags is not documented.
  if (refused && !call.tags)
    return {
      decision: 'depends',
      decidedBy: [],
      dependsOn: ['whether sts:TagSession is asked for without session tags'],
    }
  if (refused) return { ...tagged, ...causeOf(tagged, tagging, tag, call) }
  if (assumed.decision === 'allow' && tagged.decision === 'allow') return assumed
  return {
    decision: 'depends',
    decidedBy: [...new Set([...assumed.decidedBy, ...tagged.decidedBy])],
    dependsOn: [...new Set([...assumed.dependsOn, ...tagged.dependsOn])],
  }
}

const nowhere = { path: 'Statement', wanted: '', presented: '' } as const

function causeOf(
  { decision, decidedBy }: Verdict,
  statements: readonly Judged[],
  action: string,
  call: PodIdentityCall,
): { readonly cause: ServiceCause } | undefined {
  if (decision === 'deny') {
    const denying = statements.find(({ explanation }) => explanation.index === decidedBy[0])
    if (denying === undefined) return undefined
    const conditions = denying.conditions.map(
      ({ operator, key, wanted }) => `${operator.written} ${key} ${wanted.map(({ shown }) => shown).join(', ')}`,
    )
    const data = {
      statement: denying.sid,
      conditions: conditions.length === 0 ? 'it has no condition' : conditions.join('; '),
    }
    return { cause: { ...nowhere, kind: 'explicit-deny', data, path: denying.path } }
  }
  const allows = statements.filter(({ explanation }) => explanation.effect === 'Allow')
  const trusting = allows.filter(({ principal }) => principal.truth !== false)
  if (trusting.length === 0) {
    const principals = trustedBy(allows)
    return { cause: { ...nowhere, kind: 'principal-missing', data: { principals }, presented: principals } }
  }
  const acting = trusting.filter((one) => one.action.truth !== false)
  if (acting.length === 0) return { cause: missingAction(trusting, action) }
  // Of several the one that lacks least.
  const [nearest] = [...acting].sort((a, b) => missesOf(a) - missesOf(b))
  const condition = nearest?.conditions.find(({ truth }) => truth === false)
  return condition === undefined ? undefined : { cause: ofCondition(condition, call) }
}

const missesOf = ({ conditions }: Judged): number => conditions.filter(({ truth }) => truth === false).length

function trustedBy(allows: readonly Judged[]): string {
  const trusted = allows.flatMap(({ principal }) =>
    principal.listed.map(
      ({ kind, value }) => `${principal.negated ? 'everyone but ' : ''}${kind === '*' ? '' : `${kind} `}${value}`,
    ),
  )
  return trusted.length === 0 ? 'nobody' : [...new Set(trusted)].join(', ')
}

function missingAction(trusting: readonly Judged[], action: string): ServiceCause {
  // The one that allows the other action already, with its conditions.
  const fit = trusting.find(
    (one) => judgeAction(one.statement, one.path, action === assume ? tag : assume).truth === true,
  )
  const chosen = fit ?? trusting[0]
  const actions =
    (chosen?.action.negated === true ? 'everything but ' : '') +
    [...new Set(trusting.flatMap(({ action: { listed } }) => listed))].join(', ')
  const edit =
    chosen === undefined || chosen.action.negated
      ? undefined
      : addValue(
          { index: chosen.explanation.index, path: chosen.path, statement: chosen.statement },
          chosen.action.path,
          member(chosen.statement, 'Action'),
          action,
        )
  const place = {
    path: chosen?.action.path ?? 'Statement',
    wanted: actions,
    presented: action,
    ...(edit === undefined ? {} : { edit }),
  }
  return action === assume
    ? { ...place, kind: 'assume-role-missing', data: { actions } }
    : { ...place, kind: 'tag-session-missing', data: { actions } }
}

function ofCondition({ key, wanted, looked, path }: JudgedCondition, call: PodIdentityCall): ServiceCause {
  const values = presentedValues(looked)
  const actual = isAbsent(looked) ? 'no such key' : values.length === 0 ? 'another value' : values.join(', ')
  const data = { key, wanted: wanted.map(({ shown }) => shown).join(', '), actual }
  const place = { path, wanted: data.wanted, presented: actual }
  const lower = key.toLowerCase()
  if (!call.tags && (lower.startsWith('aws:requesttag/') || lower === 'aws:tagkeys'))
    return { ...place, kind: 'session-tags-disabled', data: { key } }
  return lower === 'aws:sourceaccount' || lower === 'aws:sourcearn'
    ? { ...place, kind: 'source-differs', data }
    : { ...place, kind: 'tag-condition-differs', data }
}
