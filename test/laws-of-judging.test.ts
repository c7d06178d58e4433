/** The laws about judging itself, over all cases: it reads what it declares, and leaves no trace. */
import { describe, expect, test } from 'vitest'
import { checks } from '../src/checks/index.ts'
import type { Check } from '../src/core/check.ts'
import { onward, type Source } from '../src/core/fact.ts'
import { cases } from './case-files.ts'
import { examineCase, sourceOf } from './examining.ts'

/** The check with facts that write down which of them are looked at. */
function watched(check: Check, read: Set<string>, undeclared: Set<string>): Check {
  const watch = (facts: object, kind: string): object =>
    new Proxy(facts, {
      get: (target, name) => {
        if (typeof name === 'string') (name in target ? read : undeclared).add(`${kind}.${name}`)
        return Reflect.get(target, name)
      },
    })
  return {
    ...check,
    judge: ({ have, want, subject }) =>
      check.judge({ have: watch(have, 'needs'), want: watch(want, 'wants'), subject }),
  }
}

const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) frozen(member)
  }
  return value
}

const read = new Map(checks.map(({ meta }) => [meta.id, new Set<string>()]))
const undeclared = new Map(checks.map(({ meta }) => [meta.id, new Set<string>()]))
const nosy = checks.map((check) =>
  watched(check, read.get(check.meta.id) ?? new Set(), undeclared.get(check.meta.id) ?? new Set()),
)

/** Checks that passed with nothing to show for it, each with a case. */
const bare = new Map<string, string>()

describe('8. Judging leaves no trace: facts are not written to, and a second judging says the same', () => {
  test('over all cases, with every answer frozen to its depths', { timeout: 120_000 }, async () => {
    for (const one of cases) {
      const source = await sourceOf(one)
      const rigid: Source = {
        name: source.name,
        ask: (question, signal) => onward(source.ask(question, signal), frozen),
      }
      const first = await examineCase(one, rigid, false, {}, () => nosy)
      const second = await examineCase(one, rigid, false)
      expect(JSON.stringify(second.findings), one.name).toBe(JSON.stringify(first.findings))
      expect(first.findings.filter(({ status }) => status === 'crashed')).toEqual([])
      for (const { check, status, evidence } of first.findings)
        if (status === 'pass' && evidence.length === 0) bare.set(check, one.name)
    }
  })
})

describe('11. A pass shows what it rests on', () => {
  test('over all cases', () => {
    expect([...bare]).toEqual([])
  })
})

describe('4. A check reads the facts that it declares, all of them and no others', () => {
  test.for(checks.map((check) => [check.meta.id, check] as const))('%s', ([id, { needs, wants }]) => {
    const declared = [
      ...Object.keys(needs).map((name) => `needs.${name}`),
      ...Object.keys(wants).map((name) => `wants.${name}`),
    ]
    expect([...(read.get(id) ?? [])].sort(), id).toEqual(declared.sort())
    expect([...(undeclared.get(id) ?? [])], id).toEqual([])
  })
})
