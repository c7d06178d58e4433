/** The nearest miss: of a policy that does not admit a call, the one element to name first. */

import { addValue, type Place, replaceProvider } from './aws-trust-edits.ts'
import { firstDifference } from './aws-trust-miss.ts'
import type { JudgedAction, JudgedPrincipal, Listed } from './aws-trust-principal.ts'
import {
  correctedEks,
  hostOf,
  isEksIssuer,
  lastSegment,
  looksLikeEks,
  meantIssuer,
  parseProviderArn,
  providerArn,
} from './aws-trust-provider.ts'
import type { Request } from './aws-trust-request.ts'
import { member } from './aws-trust-shapes.ts'
import type { Cause, Edit, Miss, MissKind, StatementExplanation, Truth } from './aws-trust-types.ts'

/** Of several misses of a statement the first in this order is reported. */
const ORDER = [
  'explicit-deny',
  'no-web-identity-statement',
  'federated-not-arn',
  'federated-other-account',
  'federated-host-differs',
  'federated-other-issuer',
  'action-missing',
  'key-has-arn-prefix',
  'key-of-other-issuer',
  'key-is-no-claim',
  'key-never-present',
  'claims-exchanged',
  'audience-differs',
  'wildcard-under-string-equals',
  'white-space',
  'case-differs',
  'subject-prefix-doubled',
  'subject-prefix-missing',
  'subject-cut-short',
  'namespace-differs',
  'service-account-differs',
  'subject-differs',
  'negation-excludes',
  'variable-taken-literally',
  'variable-unresolved',
  'tag-session-missing',
  'condition-not-met',
  // That a list never matches is not documented, so it comes after all that is.
  'list-without-set-operator',
] as const satisfies readonly MissKind[]

/** Names that are no ARN and yet name an identity provider: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html */
const BARE_PROVIDERS = ['cognito-identity.amazonaws.com', 'accounts.google.com', 'graph.facebook.com', 'www.amazon.com']

export const WEB_IDENTITY = 'sts:AssumeRoleWithWebIdentity'

/** The miss of a false principal that lists identity providers: the nearest of theirs. */
export function missOfPrincipal(judged: JudgedPrincipal, request: Request, place: Place): Miss | undefined {
  if (judged.truth !== false || judged.negated) return undefined
  const misses = judged.listed.flatMap((one) => (one.kind === 'Federated' ? [missOfProvider(one, request, place)] : []))
  return first(misses)
}

function missOfProvider({ value, path }: Listed, request: Request, place: Place): Miss {
  const arn = parseProviderArn(value)
  const meant = meantIssuer(value)
  const issuer = request.issuer ?? (looksLikeEks(meant) && !isEksIssuer(meant) ? correctedEks(meant) : meant)
  const expectedArn = providerArn({
    partition: request.partitionFor(issuer) ?? arn?.partition,
    accountId: request.accountId ?? arn?.accountId,
    hostPath: issuer,
  })
  const certain = request.accountId !== undefined && (request.issuer !== undefined || !/REGION|CLUSTER_ID/.test(issuer))
  const issuers = new Map(issuer === meant ? [] : [[meant.toLowerCase(), issuer]])
  const at = {
    element: 'principal',
    path,
    wanted: value,
    presented: expectedArn,
    firstDifference: firstDifference(value, expectedArn),
    ...(certain ? { edit: replaceProvider(place, path, value, expectedArn, issuers) } : {}),
  } as const
  if (!value.startsWith('arn:') && !BARE_PROVIDERS.includes(value)) {
    return { kind: 'federated-not-arn', data: { observed: value, expected: expectedArn }, ...at }
  }
  const { edit: _edit, ...withoutEdit } = at
  if (arn === undefined) {
    const expected = request.issuer ?? "the cluster's own issuer"
    return {
      kind: 'federated-other-issuer',
      data: { observed: value, expected },
      ...(request.issuer === undefined ? withoutEdit : at),
    }
  }
  if (request.accountId !== undefined && arn.accountId !== request.accountId) {
    return { kind: 'federated-other-account', data: { observed: arn.accountId, expected: request.accountId }, ...at }
  }
  if (arn.hostPath === issuer) {
    return { kind: 'federated-other-issuer', data: { observed: value, expected: expectedArn }, ...at }
  }
  const sameEnd = lastSegment(meant) !== undefined && lastSegment(meant) === lastSegment(issuer)
  if (sameEnd || (looksLikeEks(meant) && !isEksIssuer(meant))) {
    const expected = hostOf(arn.hostPath) === hostOf(issuer) ? issuer : hostOf(issuer)
    return { kind: 'federated-host-differs', data: { observed: arn.hostPath, expected }, ...at }
  }
  // With the issuer unseen only an impossible one gets here, and nothing tells what was meant.
  return request.issuer === undefined
    ? {
        kind: 'federated-other-issuer',
        data: { observed: arn.hostPath, expected: "the cluster's own issuer" },
        ...withoutEdit,
      }
    : { kind: 'federated-other-issuer', data: { observed: arn.hostPath, expected: request.issuer }, ...at }
}

/** The miss of a false action. */
export function missOfAction(
  action: JudgedAction,
  principal: JudgedPrincipal,
  request: Request,
  place: Place,
): Miss | undefined {
  if (action.truth !== false) return undefined
  const provider =
    principal.own.find((one) => one === request.issuer) ?? principal.own[0] ?? principal.listed[0]?.value ?? '*'
  const actions = (action.negated ? 'everything but ' : '') + action.listed.join(', ')
  const raw = member(place.statement, 'Action')
  const edit: Edit | undefined = action.negated ? undefined : addValue(place, action.path, raw, WEB_IDENTITY)
  return {
    kind: 'action-missing',
    data: { provider, actions },
    element: 'action',
    path: action.path,
    wanted: actions,
    presented: WEB_IDENTITY,
    firstDifference: firstDifference(actions, WEB_IDENTITY),
    ...(edit === undefined ? {} : { edit }),
  }
}

function first(misses: readonly Miss[]): Miss | undefined {
  let best: Miss | undefined
  for (const miss of misses) if (best === undefined || ORDER.indexOf(miss.kind) < ORDER.indexOf(best.kind)) best = miss
  return best
}

/** A statement with what the search for a cause needs beside its explanation. */
export type Candidate = {
  readonly explanation: StatementExplanation
  readonly path: string
  readonly principal: JudgedPrincipal
  readonly sidText: string
}

const NOWHERE = { wanted: '', presented: '', firstDifference: -1 } as const

/** A Deny that applies. */
export function explicitDeny({ explanation, path, sidText }: Candidate): Cause {
  const conditions = explanation.conditions.map(
    ({ operator, key, wanted }) => `${operator} ${key} ${wanted.join(', ')}`,
  )
  const data = {
    statement: sidText,
    conditions: conditions.length === 0 ? 'it has no condition' : conditions.join('; '),
  }
  return { kind: 'explicit-deny', data, element: 'statement', path, ...NOWHERE, statement: explanation.index }
}

export function tagSessionMissing(): Cause {
  return {
    kind: 'tag-session-missing',
    data: {},
    element: 'policy',
    path: 'Statement',
    ...NOWHERE,
    wanted: 'sts:TagSession',
  }
}

/** The cause of an implicit denial: the first miss of the statement that comes nearest. */
export function nearestMiss(statements: readonly Candidate[]): Cause | undefined {
  const allows = statements.filter(({ explanation }) => explanation.effect === 'Allow')
  const candidates = allows.filter(
    ({ principal }) =>
      principal.truth !== false || (!principal.negated && principal.listed.some(({ kind }) => kind === 'Federated')),
  )
  if (candidates.length === 0) return noWebIdentity(allows)
  const named = candidates.filter(({ principal }) => principal.truth === true)
  let best: { readonly candidate: Candidate; readonly score: number } | undefined
  for (const candidate of named.length > 0 ? named : candidates) {
    const { principal, action, conditions } = candidate.explanation
    const score = [principal.truth, action.truth, ...conditions.map(({ matched }) => matched)].reduce(
      (sum, truth) => sum + worth(truth),
      0,
    )
    if (best === undefined || score > best.score) best = { candidate, score }
  }
  if (best === undefined) return undefined
  const { principal, action, conditions, index } = best.candidate.explanation
  const miss = first(
    [principal.miss, action.miss, ...conditions.map((one) => one.miss)].filter((one) => one !== undefined),
  )
  return miss === undefined ? undefined : { ...miss, statement: index }
}

function worth(truth: Truth): number {
  return truth === true ? 1 : truth === 'depends' ? 0.5 : 0
}

function noWebIdentity(allows: readonly Candidate[]): Cause {
  const trusted = allows.flatMap(({ principal }) =>
    principal.listed.map(
      ({ kind, value }) => `${principal.negated ? 'everyone but ' : ''}${kind === '*' ? '' : `${kind} `}${value}`,
    ),
  )
  const principals = trusted.length === 0 ? 'nobody' : [...new Set(trusted)].join(', ')
  return {
    kind: 'no-web-identity-statement',
    data: { principals },
    element: 'policy',
    path: 'Statement',
    ...NOWHERE,
    presented: principals,
  }
}
