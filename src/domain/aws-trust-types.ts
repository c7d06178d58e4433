/** The vocabulary of trust policy evaluation: request context, decision, explanation and the ways to miss. */

/** Kleene's three values: `depends` is what cannot be told from what was seen. */
export type Truth = true | false | 'depends'

/**
 * A call of sts:AssumeRoleWithWebIdentity as far as it is known. Every condition key is derived from it; a key that it does
 * not yield is absent. `issuer`, `sub`, `aud` and `accountId` are part of every call, so leaving one out means not known.
 */
export type TrustContext = {
  /** `iss` of the token, with https://. */
  readonly issuer?: string
  readonly sub?: string
  readonly aud?: string | readonly string[]
  /** Account of the role. */
  readonly accountId?: string
  /** Left out: the token has no such claim. */
  readonly amr?: readonly string[]
  /** ISO 8601 or epoch seconds. */
  readonly now?: string
  readonly sourceIp?: string
  readonly sourceVpce?: string
  readonly secureTransport?: boolean
  readonly region?: string
  readonly sessionName?: string
  /** Further request keys; a list makes the key multivalued. */
  readonly keys?: Readonly<Record<string, string | readonly string[]>>
  /**
   * What was not seen: members of this type (`issuer`, `aud`, `accountId`, …) and condition keys. A name that ends in `*`
   * stands for all keys that begin so, except those that are given, that no web identity call has, or that only a token
   * could yield: `['*']` is the honest list of a client that looks at a call from outside.
   */
  readonly unknown?: readonly string[]
  /** `aws`, `aws-cn`, …; left out, it is told from an EKS issuer or the region, else `aws`. */
  readonly partition?: string
  /** A service that calls sts:AssumeRole itself, in the place of a web identity: it has no token, and none of a token's keys. */
  readonly service?: string
}

export type Decision = 'allow' | 'deny' | 'implicit-deny' | 'depends'

export type TrustDecision = {
  readonly decision: Decision
  /** Indices of the statements that decide, or leave open. */
  readonly decidedBy: readonly number[]
  /** Facts and condition keys, and paths of shapes without a known meaning; only with `depends`. */
  readonly dependsOn: readonly string[]
  readonly malformed: readonly Malformed[]
  readonly statements: readonly StatementExplanation[]
  /** The root cause; only with `deny` and `implicit-deny`. */
  readonly cause?: Cause
}

export type Malformed = { readonly path: string; readonly why: string }

export type StatementExplanation = {
  readonly index: number
  readonly sid?: string
  /** `unknown` if the statement does not say. */
  readonly effect: 'Allow' | 'Deny' | 'unknown'
  readonly applies: Truth
  readonly principal: ElementExplanation
  readonly action: ElementExplanation
  readonly conditions: readonly ConditionExplanation[]
}

export type ElementExplanation = {
  readonly truth: Truth
  readonly negated: boolean
  readonly listed: readonly string[]
  readonly presented: string
  readonly why: string
  readonly miss?: Miss
}

export type Presented =
  | { readonly state: 'present'; readonly values: readonly string[] }
  | { readonly state: 'absent'; readonly why: string }
  | { readonly state: 'unknown'; readonly why: string }

export type ConditionExplanation = {
  /** As written: ForAnyValue:StringLikeIfExists. */
  readonly operator: string
  readonly base: string
  readonly set?: 'ForAllValues' | 'ForAnyValue'
  readonly ifExists: boolean
  readonly negated: boolean
  /** As written. */
  readonly key: string
  readonly presented: Presented
  /** Policy variables resolved. */
  readonly wanted: readonly string[]
  readonly matched: Truth
  readonly why: string
  readonly miss?: Miss
}

/** What the message of each kind of miss says, by the names of its placeholders. */
export type MissData = {
  readonly 'explicit-deny': { readonly statement: string; readonly conditions: string }
  readonly 'no-web-identity-statement': { readonly principals: string }
  readonly 'federated-not-arn': { readonly observed: string; readonly expected: string }
  readonly 'federated-other-account': { readonly observed: string; readonly expected: string }
  readonly 'federated-host-differs': { readonly observed: string; readonly expected: string }
  readonly 'federated-other-issuer': { readonly observed: string; readonly expected: string }
  readonly 'action-missing': { readonly provider: string; readonly actions: string }
  readonly 'key-has-arn-prefix': { readonly key: string; readonly expected: string }
  readonly 'key-of-other-issuer': { readonly key: string; readonly provider: string }
  readonly 'key-is-no-claim': { readonly key: string }
  readonly 'key-never-present': { readonly key: string; readonly operator: string }
  readonly 'claims-exchanged': { readonly key: string; readonly value: string; readonly expected: string }
  readonly 'audience-differs': { readonly wanted: string; readonly actual: string }
  readonly 'wildcard-under-string-equals': { readonly value: string }
  readonly 'white-space': { readonly value: string }
  readonly 'case-differs': { readonly trusted: string; readonly actual: string }
  readonly 'subject-prefix-doubled': { readonly value: string }
  readonly 'subject-prefix-missing': { readonly value: string }
  readonly 'subject-cut-short': { readonly value: string; readonly actual: string }
  readonly 'namespace-differs': { readonly trusted: string; readonly actual: string }
  readonly 'service-account-differs': { readonly trusted: string; readonly actual: string }
  readonly 'subject-differs': { readonly trusted: string; readonly actual: string }
  readonly 'negation-excludes': {
    readonly operator: string
    readonly key: string
    readonly value: string
    readonly actual: string
  }
  readonly 'variable-taken-literally': { readonly value: string; readonly version: string }
  readonly 'variable-unresolved': { readonly variable: string; readonly value: string }
  readonly 'tag-session-missing': Readonly<Record<never, string>>
  readonly 'condition-not-met': {
    readonly operator: string
    readonly key: string
    readonly wanted: string
    readonly actual: string
  }
  readonly 'list-without-set-operator': { readonly key: string; readonly operator: string }
}

export type MissKind = keyof MissData

export type MissOf<K extends MissKind> = {
  readonly kind: K
  readonly data: MissData[K]
  readonly element: 'policy' | 'statement' | 'principal' | 'action' | 'condition'
  /** JSON path into the policy, such as `Statement[0].Condition.StringEquals["HOST:sub"]`. */
  readonly path: string
  readonly wanted: string
  readonly presented: string
  /** Index of the first character in which the two differ; -1 if they are equal. */
  readonly firstDifference: number
  readonly key?: string
  readonly operator?: string
  /** Left out where no change follows from the policy alone, such as lifting an exclusion. */
  readonly edit?: Edit
}

/** Why one element is false, and what would make it true; a union on `kind`. */
export type Miss = { readonly [K in MissKind]: MissOf<K> }[MissKind]

/** The miss that is reported; `statement` is left out where it is about no single statement. */
export type Cause = Miss & { readonly statement?: number }

/** The smallest change that makes an element true: the value at `path` becomes `to`. */
export type Edit = {
  readonly statement: number
  readonly path: string
  readonly from: unknown
  readonly to: unknown
}
