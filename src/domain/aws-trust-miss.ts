/** Why one condition is false: by its key, by its value or by its operator. */

import { isAbsent, type JudgedCondition, presentedValues, resolver, type Surroundings } from './aws-trust-conditions.ts'
import { addValue, exchangeKeys, moveToOperator, type Place, renameKey, replaceValue } from './aws-trust-edits.ts'
import { matchesOne, wantedBy } from './aws-trust-operators.ts'
import { codePoints, covers, hasVariable, like } from './aws-trust-patterns.ts'
import { hasMoreClaims, keyParts } from './aws-trust-request.ts'
import { missOfSubject } from './aws-trust-subject.ts'
import type { Edit, Miss } from './aws-trust-types.ts'

/** A statement's place in its policy, and what its conditions are judged by. */
export type Setting = Surroundings & { readonly place: Place; readonly writtenVersion: unknown }

/** Index of the first character in which two texts differ; -1 if they are equal. */
export function firstDifference(a: string, b: string): number {
  if (a === b) return -1
  let index = 0
  while (index < a.length && a[index] === b[index]) index++
  return index
}

/** The miss of a false condition; none if it is false only because the principal is another issuer's. */
export function missOfCondition(judged: JudgedCondition, setting: Setting): Miss | undefined {
  if (judged.truth !== false) return undefined
  if (isAbsent(judged.looked)) {
    const ofKey = missOfKey(judged, setting)
    if (ofKey !== undefined) return ofKey === 'covered' ? undefined : ofKey
  }
  return missOfVariable(judged, setting) ?? missOfValue(judged, setting) ?? notMet(judged)
}

function common(judged: JudgedCondition, wanted: string, presented: string, edit?: Edit) {
  const { key, operator, path } = judged
  const difference = firstDifference(wanted, presented)
  const base = {
    element: 'condition',
    path,
    wanted,
    presented,
    firstDifference: difference,
    key,
    operator: operator.written,
  } as const
  return edit === undefined ? base : { ...base, edit }
}

function missOfKey(judged: JudgedCondition, setting: Setting): Miss | 'covered' | undefined {
  const { key, operator, looked } = judged
  if (looked.origin === 'never') {
    return {
      kind: 'key-never-present',
      data: { key, operator: operator.written },
      ...common(judged, wantedText(judged), ''),
    }
  }
  const { request, own, place } = setting
  const { prefix, claim, arnPrefix } = keyParts(key)
  const issuers = own.length > 0 ? own : request.issuer === undefined ? [] : [request.issuer]
  const issuer = issuers.find((one) => one === request.issuer) ?? issuers[0]
  const isOwn = issuers.some((one) => one.toLowerCase() === prefix.toLowerCase())
  const toKey = (expected: string): Edit | undefined => renameKey(place, operator.written, key, expected)
  if (arnPrefix) {
    const expected = `${isOwn ? prefix : (issuer ?? prefix)}:${claim ?? likelyClaim(judged, setting) ?? 'sub'}`
    return { kind: 'key-has-arn-prefix', data: { key, expected }, ...common(judged, expected, key, toKey(expected)) }
  }
  if (claim === undefined) {
    const likely = likelyClaim(judged, setting)
    const expected = likely === undefined || issuer === undefined ? undefined : `${issuer}:${likely}`
    const edit = expected === undefined ? undefined : toKey(expected)
    return { kind: 'key-is-no-claim', data: { key }, ...common(judged, expected ?? '', key, edit) }
  }
  if (looked.origin !== 'token' || issuer === undefined) return undefined
  if (!isOwn) {
    const expected = `${issuer}:${claim}`
    const edit = isClaim(claim) ? toKey(expected) : undefined
    return { kind: 'key-of-other-issuer', data: { key, provider: issuer }, ...common(judged, expected, key, edit) }
  }
  if (!isClaim(claim) && !hasMoreClaims(prefix)) {
    return { kind: 'key-is-no-claim', data: { key }, ...common(judged, '', key) }
  }
  return isClaim(claim) && request.issuer?.toLowerCase() !== prefix.toLowerCase() ? 'covered' : undefined
}

function isClaim(claim: string): boolean {
  return ['sub', 'aud', 'amr'].includes(claim.toLowerCase())
}

// Which claim the wanted values are of.
function likelyClaim(judged: JudgedCondition, { request }: Setting): 'sub' | 'aud' | undefined {
  const texts = judged.wanted.map(({ shown }) => shown)
  const audiences = request.aud ?? []
  if (texts.some((text) => text.startsWith('system:serviceaccount:') || text === request.sub)) return 'sub'
  return texts.some((text) => audiences.includes(text)) ? 'aud' : undefined
}

function missOfVariable(judged: JudgedCondition, setting: Setting): Miss | undefined {
  const { operator, looked } = judged
  const family = operator.test?.family
  if (operator.negated || (family !== 'string' && family !== 'arn')) return undefined
  const { place, version } = setting
  for (const value of presentedValues(looked)) {
    const text = codePoints(value)
    for (const wanted of judged.wanted) {
      if (!hasVariable(wanted.written)) continue
      const resolved = wantedBy(operator, wanted.written, resolver(setting))
      if (!covers(resolved.pattern, text)) continue
      if (version !== '2012-10-17') {
        const edit = replaceValue(place, 'Version', setting.writtenVersion, '2012-10-17')
        const data = { value: wanted.written, version }
        return { kind: 'variable-taken-literally', data, ...common(judged, wanted.written, value, edit) }
      }
      const variable = wanted.unresolved
      if (variable === undefined) continue
      const edit = claimOf(judged) === undefined ? undefined : addValue(place, judged.path, judged.raw, value)
      const data = { variable, value: wanted.written }
      return { kind: 'variable-unresolved', data, ...common(judged, wanted.written, value, edit) }
    }
  }
  return undefined
}

// The claim that the presented values are of.
function claimOf({ key, looked }: JudgedCondition): 'sub' | 'aud' | undefined {
  const claim = looked.origin === 'token' ? keyParts(key.toLowerCase()).claim : undefined
  return claim === 'sub' || claim === 'aud' ? claim : undefined
}

function missOfValue(judged: JudgedCondition, setting: Setting): Miss | undefined {
  const { operator, key, path, raw, wanted } = judged
  const { place, request } = setting
  const [value] = presentedValues(judged.looked)
  const actual = presentedValues(judged.looked).join(', ')
  const test = operator.test
  if (test === undefined || test.family === 'null') return undefined
  if (operator.set === undefined && judged.looked.ways.some((way) => way.state !== 'absent' && way.many)) {
    const data = { key, operator: operator.written }
    return {
      kind: 'list-without-set-operator',
      data,
      ...common(judged, wantedText(judged), actual, withSet(judged, setting)),
    }
  }
  if (value === undefined) return undefined
  if (operator.negated) {
    const excluded = wanted.find((one) =>
      presentedValues(judged.looked).some((each) => matchesOne(operator, one, each) === true),
    )
    const data = { operator: operator.written, key, value: excluded?.shown ?? wantedText(judged), actual }
    return { kind: 'negation-excludes', data, ...common(judged, data.value, actual) }
  }
  const claim = claimOf(judged)
  if (claim === undefined || test.family !== 'string') return undefined
  const texts = wanted.map(({ shown }) => shown)
  const others = claim === 'sub' ? (request.aud ?? []) : request.sub === undefined ? [] : [request.sub]
  const exchanged = texts.find((text) =>
    others.some((other) => text === other || (test.wildcards && text !== '*' && like(text, other))),
  )
  if (exchanged !== undefined) {
    const expected = `${key.slice(0, key.lastIndexOf(':'))}:${claim === 'sub' ? 'aud' : 'sub'}`
    const edit = exchangeKeys(place, operator.written, key, expected)
    return {
      kind: 'claims-exchanged',
      data: { key, value: exchanged, expected },
      ...common(judged, exchanged, actual, edit),
    }
  }
  const adding = addValue(place, path, raw, value)
  if (claim === 'aud') {
    const data = { wanted: wantedText(judged), actual }
    return { kind: 'audience-differs', data, ...common(judged, data.wanted, actual, adding) }
  }
  const options = { wildcards: test.wildcards === true, ignoreCase: test.ignoreCase === true }
  const nearest = missOfSubject(texts, value, options)
  if (nearest === undefined) return undefined
  const { value: trusted, ...kindAndData } = nearest
  const edit = nearest.kind === 'wildcard-under-string-equals' ? (toLike(judged, setting) ?? adding) : adding
  return { ...kindAndData, ...common(judged, trusted, value, edit) }
}

function toLike({ operator, key }: JudgedCondition, { place }: Setting): Edit | undefined {
  const to = operator.written.replace(operator.base, 'StringLike')
  return operator.base === 'StringEquals' ? moveToOperator(place, operator.written, to, key) : undefined
}

function withSet({ operator, key }: JudgedCondition, { place }: Setting): Edit | undefined {
  return moveToOperator(place, operator.written, `ForAnyValue:${operator.written}`, key)
}

function notMet(judged: JudgedCondition): Miss {
  const values = presentedValues(judged.looked)
  const actual = isAbsent(judged.looked) ? 'no such key' : values.length === 0 ? 'no value' : values.join(', ')
  const { key, operator } = judged
  const data = { operator: operator.written, key, wanted: wantedText(judged), actual }
  return { kind: 'condition-not-met', data, ...common(judged, data.wanted, actual) }
}

function wantedText({ wanted }: JudgedCondition): string {
  return wanted.map(({ shown }) => shown).join(', ')
}
