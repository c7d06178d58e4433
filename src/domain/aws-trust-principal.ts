/** Principal and Action of a statement, judged against a web identity call. */

import { like } from './aws-trust-patterns.ts'
import { isPossibleIssuer, meantIssuer, parseProviderArn, providerArn } from './aws-trust-provider.ts'
import type { Request } from './aws-trust-request.ts'
import { entries, isObject, type JsonObject, kindOf, member, scalarText, step } from './aws-trust-shapes.ts'
import { every, not, some } from './aws-trust-truth.ts'
import type { Malformed, StatementExplanation, Truth } from './aws-trust-types.ts'

/** An element judged; `needs` names what a `depends` hangs on. */
export type Judged = {
  readonly truth: Truth
  readonly negated: boolean
  readonly why: string
  readonly needs: readonly string[]
  readonly malformed: readonly Malformed[]
  readonly path: string
}

export type JudgedPrincipal = Judged & {
  readonly listed: readonly Listed[]
  /** The issuers that the statement is about, as written and without scheme; those that can match, if any can. */
  readonly own: readonly string[]
}

export type Listed = { readonly kind: string; readonly value: string; readonly path: string; readonly truth: Truth }

type Part = { readonly truth: Truth; readonly needs?: readonly string[]; readonly why?: string }

const KINDS = ['Federated', 'AWS', 'Service', 'CanonicalUser']

export function presentedArn(request: Request): string {
  return providerArn({
    partition: request.partitionFor(request.issuer),
    accountId: request.accountId,
    hostPath: request.issuer,
  })
}

/**
 * Principal or NotPrincipal: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export function judgePrincipal(
  statement: JsonObject,
  path: string,
  effect: StatementExplanation['effect'],
  request: Request,
): JudgedPrincipal {
  const chosen = choose(statement, path, 'Principal')
  const none = { listed: [], own: [] }
  if ('why' in chosen) return { ...none, ...broken(chosen.path, chosen.why) }
  const { raw, negated } = chosen
  if (raw === '*') {
    const truth: Truth = effect === 'Deny' && !negated ? true : 'depends'
    const listed = [{ kind: '*', value: '*', path: chosen.path, truth }]
    const why = truth === true ? 'everybody' : 'what "*" means here is not documented'
    return {
      truth,
      negated,
      why,
      needs: truth === true ? [] : [chosen.path],
      malformed: [],
      path: chosen.path,
      listed,
      own: [],
    }
  }
  if (!isObject(raw)) return { ...none, ...broken(chosen.path, `${kindOf(raw)} is no principal`) }
  const listed: Listed[] = []
  const parts: Part[] = []
  const malformed: Malformed[] = []
  for (const [kind, values] of Object.entries(raw)) {
    const within = entries(values, step(chosen.path, kind))
    // What an empty list means is not documented.
    if (within.length === 0) parts.push({ truth: 'depends', needs: [step(chosen.path, kind)], why: 'an empty list' })
    for (const { path: at, raw: value } of within) {
      const text = scalarText(value)
      if (text === undefined || !KINDS.includes(kind)) {
        malformed.push({
          path: at,
          why: text === undefined ? `${kindOf(value)} is no principal` : `${kind} is no kind of principal`,
        })
        parts.push({ truth: 'depends', needs: [at] })
        continue
      }
      const part = judgeListed(kind, text, at, request)
      parts.push(part)
      listed.push({ kind, value: text, path: at, truth: part.truth })
    }
  }
  if (parts.length === 0) return { ...none, ...broken(chosen.path, 'it lists nobody') }
  const truth = some(parts.map((part) => part.truth))
  const why = parts.find((part) => part.truth === truth)?.why ?? 'no identity provider is listed'
  const needs = parts.flatMap((part) => (part.truth === 'depends' ? (part.needs ?? []) : []))
  // Only under Deny has it a meaning: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
  const undefinedHere = negated && truth === false && effect !== 'Deny'
  return {
    truth: undefinedHere ? 'depends' : negated ? not(truth) : truth,
    negated,
    why: undefinedHere ? 'NotPrincipal admits nobody: AWS supports it under Deny only' : why,
    needs: undefinedHere ? [chosen.path] : needs,
    malformed,
    path: chosen.path,
    listed,
    own: negated ? [] : ownIssuers(listed),
  }
}

function ownIssuers(listed: readonly Listed[]): readonly string[] {
  const federated = listed.filter(({ kind }) => kind === 'Federated')
  const possible = federated.filter(({ truth }) => truth !== false)
  return [...new Set((possible.length > 0 ? possible : federated).map(({ value }) => meantIssuer(value)))]
}

function judgeListed(kind: string, value: string, path: string, request: Request): Part {
  if (kind === 'AWS' && value === '*')
    return { truth: 'depends', needs: [path], why: 'what "*" means here is not documented' }
  if (request.service !== undefined) return judgeService(kind, value, path, request.service)
  if (kind !== 'Federated') return { truth: false, why: `${kind} principals make no web identity call` }
  const arn = parseProviderArn(value)
  if (arn === undefined) return { truth: false, why: 'not the ARN of an OIDC provider' }
  const issuer = judgeIssuer(arn.hostPath, request)
  const account = same(arn.accountId, request.accountId, 'accountId', 'another account')
  const partition = request.partitionFor(request.issuer ?? arn.hostPath)
  const all = [same(arn.partition, partition, 'partition', 'another partition'), account, issuer]
  const truth = every(all.map((part) => part.truth))
  const needs = all.flatMap((part) => (part.truth === 'depends' ? (part.needs ?? []) : []))
  return { truth, needs, why: all.find((part) => part.truth === truth)?.why ?? 'the presented provider' }
}

function judgeService(kind: string, value: string, path: string, service: string): Part {
  if (kind !== 'Service') return { truth: false, why: `${kind} principals are no service` }
  if (value === service) return { truth: true, why: 'the calling service' }
  // Some services have names of a region or a partition beside the common one; which of them count is not documented.
  const [stem = ''] = service.split('.amazonaws.com')
  return value.startsWith(`${stem}.`)
    ? { truth: 'depends', needs: [path], why: 'another name of the service' }
    : { truth: false, why: 'another service' }
}

function judgeIssuer(hostPath: string, request: Request): Part {
  if (request.issuer !== undefined) return same(hostPath, request.issuer, 'issuer', 'another issuer')
  return isPossibleIssuer(hostPath)
    ? { truth: 'depends', needs: ['issuer'], why: 'the issuer was not seen' }
    : { truth: false, why: 'no token can have this issuer' }
}

function same(written: string, presented: string | undefined, name: string, other: string): Part {
  if (presented === undefined) return { truth: 'depends', needs: [name], why: `${name} was not seen` }
  return written === presented ? { truth: true, why: 'the presented provider' } : { truth: false, why: other }
}

export type JudgedAction = Judged & { readonly listed: readonly string[] }

/**
 * Action or NotAction, without regard to case:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
 */
export function judgeAction(statement: JsonObject, path: string, action: string): JudgedAction {
  const chosen = choose(statement, path, 'Action')
  if ('why' in chosen) return { listed: [], ...broken(chosen.path, chosen.why) }
  const listed: string[] = []
  const truths: Truth[] = []
  const malformed: Malformed[] = []
  for (const { path: at, raw } of entries(chosen.raw, chosen.path)) {
    if (typeof raw === 'string') {
      listed.push(raw)
      truths.push(like(raw.toLowerCase(), action.toLowerCase()))
    } else {
      malformed.push({ path: at, why: `${kindOf(raw)} is no action` })
      truths.push('depends')
    }
  }
  // What an empty list means is not documented.
  const matched = truths.length === 0 ? 'depends' : some(truths)
  const { negated } = chosen
  const why = matched === 'depends' ? 'not documented' : matched ? 'an entry matches' : 'no entry matches'
  const needs = matched === 'depends' ? [chosen.path] : []
  return { truth: negated ? not(matched) : matched, negated, why, needs, malformed, path: chosen.path, listed }
}

type Chosen =
  | { readonly path: string; readonly raw: unknown; readonly negated: boolean }
  | { readonly path: string; readonly why: string }

// An element or its negation; a statement has exactly one of them.
function choose(statement: JsonObject, path: string, name: 'Principal' | 'Action'): Chosen {
  const plain = member(statement, name)
  const negated = member(statement, `Not${name}`)
  const at = step(path, plain === undefined && negated !== undefined ? `Not${name}` : name)
  if (plain !== undefined && negated !== undefined)
    return { path: at, why: `${name} and Not${name} exclude each other` }
  if (plain === undefined && negated === undefined) return { path: at, why: `neither ${name} nor Not${name} is there` }
  return { path: at, raw: plain ?? negated, negated: plain === undefined }
}

function broken(path: string, why: string): Judged {
  return { truth: 'depends', negated: false, why, needs: [path], malformed: [{ path, why }], path }
}
