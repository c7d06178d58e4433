/** How a plan is made: in rounds, each over the world as the one before would leave it, and never healthier than it was seen to be. */
import { describe, expect, test } from 'vitest'
import { type Check, defineCheck, type Meta } from '../src/core/check.ts'
import { defineProbe, type Fact, inquire, known, type Question, type Source, unknown } from '../src/core/fact.ts'
import { isObject, type Json, listAt, textAt } from '../src/core/json.ts'
import { byHand, defineFixer, type Fixer } from '../src/core/plan.ts'
import { clusterSubject } from '../src/core/subject.ts'
import { seen } from '../src/domain/questions.ts'
import { makePlan } from '../src/examine/plan.ts'

const lamp = (name: string): Question => ({ system: 'test', call: 'lamp', input: { name } })
const exchange: Question = { system: 'aws', call: 'sts:AssumeRoleWithWebIdentity', input: {} }
const world = (answers: { readonly [key: string]: Json }): Source => ({
  name: 'a room',
  ask: (question): Fact<Json> => {
    const value = answers[question.call === 'lamp' ? (textAt(question.input, 'name') ?? '') : question.call]
    return value === undefined ? unknown('not-collected', 'nobody looked', question) : known(value, question)
  },
})

const meta = (id: Meta['id'], severity: Meta['severity'] = 'error'): Meta => ({
  id,
  severity,
  title: 'The lamp is on',
  scope: 'cluster',
  cloud: 'any',
  section: 'Room',
  why: 'One sees better.',
  links: ['https://example.com'],
})
const state = (name: string) =>
  defineProbe<string>({
    id: `test/${name}`,
    about: `lamp ${name}`,
    scope: 'cluster',
    needs: {},
    wants: {},
    ask: (_have, _want, inquiry) =>
      inquire(inquiry, lamp(name), (json) => (typeof json === 'string' ? json : undefined)),
  })

/** Passes while the lamp is on; what puts it on is `fix`, on paper. */
function lampCheck(name: string, after: readonly Meta['id'][] = []) {
  const fact = state(name)
  const check = defineCheck({
    meta: meta(`room/${name}`),
    needs: { fact },
    wants: {},
    after,
    messages: { off: ({ was }: { was: string }) => `lamp ${name} is ${was}` },
    judge: ({ have: { fact } }) =>
      fact.state === 'known' && fact.value === 'on'
        ? { status: 'pass', evidence: [] }
        : { status: 'fail', message: 'off', data: { was: fact.state === 'known' ? fact.value : 'gone' }, evidence: [] },
  })
  const change = (to: string) => ({ system: 'test', call: 'switch', input: { name, to } })
  const fixer = (to = 'on', also: readonly string[] = []) =>
    defineFixer(check, {
      needs: { fact },
      wants: {},
      proposals: {
        off: ({ data }) => [
          {
            summary: `Put lamp ${name} on`,
            safety: 'safe',
            change: change(to),
            undo: change(data.was),
            effects: [
              { question: lamp(name), path: [], before: data.was, after: to },
              ...also.map((other) => ({ question: lamp(other), path: [], after: 'off' })),
            ],
          },
        ],
      },
    })
  return { check, fixer }
}

const plan = (checks: readonly Check[], fixers: readonly Fixer[], answers: { readonly [key: string]: Json }) =>
  makePlan({ checks, fixers, source: world(answers), subjectsIn: async () => [clusterSubject] })

describe('a plan', () => {
  const a = lampCheck('a')
  const b = lampCheck('b', ['room/a'])

  test('goes on with what a fix leads to, in a round of its own', async () => {
    const { actions, before, rehearsed } = await plan([a.check, b.check], [a.fixer(), b.fixer()], {
      a: 'off',
      b: 'off',
    })
    expect(actions.map(({ summary, round }) => [summary, round])).toEqual([
      ['Put lamp a on', 1],
      ['Put lamp b on', 2],
    ])
    expect([before, rehearsed]).toEqual(['unhealthy', 'healthy'])
  })
  test('sees what a fix breaks, and puts that right too', async () => {
    const free = lampCheck('b')
    const { actions } = await plan([a.check, free.check], [a.fixer('on', ['b']), free.fixer()], { a: 'off', b: 'on' })
    expect(actions.map(({ summary }) => summary)).toEqual(['Put lamp a on', 'Put lamp b on'])
  })
  test('does not do again what did not help', async () => {
    const { actions, rehearsed, remains } = await plan([a.check], [a.fixer('dim')], { a: 'off' })
    expect(actions).toHaveLength(1)
    expect(rehearsed).toBe('unhealthy')
    expect(remains).toMatchObject([{ check: 'room/a' }])
  })
  test('leaves to a person what no fixer proposes, and says what was not seen', async () => {
    const none = defineFixer(a.check, { needs: {}, wants: {}, proposals: { off: () => byHand } })
    expect(await plan([a.check], [none], { a: 'off' })).toMatchObject({ actions: [], manual: [{ check: 'room/a' }] })
    const blind = defineFixer(a.check, { needs: { other: state('other') }, wants: {}, proposals: { off: () => [] } })
    expect(await plan([a.check], [blind], { a: 'off' })).toMatchObject({
      leaves: [{ why: expect.stringContaining('nobody looked') }],
    })
  })
  test('of a fixer that throws says that this is a bug', async () => {
    const broken = defineFixer(a.check, {
      needs: {},
      wants: {},
      proposals: {
        off: () => {
          throw new Error('oops')
        },
      },
    })
    expect(await plan([a.check], [broken], { a: 'off' })).toMatchObject({
      leaves: [{ why: expect.stringContaining('bug') }],
    })
  })
})

describe('a rehearsal', () => {
  const a = lampCheck('a')
  const errors = defineProbe<number>({
    id: 'test/errors',
    about: 'errors',
    scope: 'cluster',
    needs: {},
    wants: {},
    ask: (_have, _want, inquiry) => inquire(inquiry, seen.errors(), (json) => listAt(json, 'errors').length),
  })
  const quiet = (otherwise: 'pass' | 'not-applicable') =>
    defineCheck({
      meta: meta('room/quiet'),
      needs: { errors },
      wants: {},
      after: [],
      messages: { noise: () => 'an error was logged' },
      judge: ({ have: { errors } }) => {
        if (errors.state === 'known' && errors.value > 0)
          return { status: 'fail', message: 'noise', data: undefined, evidence: [] }
        return otherwise === 'pass' ? { status: 'pass', evidence: [] } : { status: 'not-applicable', reason: 'silence' }
      },
    })
  test.each(['pass', 'not-applicable'] as const)(
    'does not take a log for silent that nothing was done about: %s',
    async (otherwise) => {
      const answers = { a: 'off', errors: { errors: [{ text: 'x' }] } }
      const { rehearsed, remains } = await plan([a.check, quiet(otherwise)], [a.fixer()], answers)
      expect(rehearsed).toBe('unhealthy')
      expect(remains).toMatchObject([{ check: 'room/quiet' }])
    },
  )
  test('leaves open what an exchange alone could prove, and counts it for no verdict', async () => {
    const outcome = defineProbe<string>({
      id: 'test/exchange',
      about: 'the exchange',
      scope: 'cluster',
      needs: {},
      wants: {},
      ask: (_have, _want, inquiry) =>
        inquire(inquiry, exchange, (json) => (isObject(json) ? textAt(json, 'outcome') : undefined)),
    })
    const proof = (after: readonly Meta['id'][]) =>
      defineCheck({
        meta: meta('room/proof'),
        needs: { outcome },
        wants: {},
        after,
        messages: { refused: () => 'it was refused' },
        judge: ({ have: { outcome } }) =>
          outcome.state === 'known' && outcome.value === 'exchanged'
            ? { status: 'pass', evidence: [] }
            : { status: 'fail', message: 'refused', data: undefined, evidence: [] },
      })
    const answers = { a: 'off', [exchange.call]: { outcome: 'refused' } }
    expect(await plan([a.check, proof(['room/a'])], [a.fixer()], answers)).toMatchObject({ rehearsed: 'healthy' })
    // It failed by itself: nothing shows that the lamp had anything to do with it.
    expect(await plan([a.check, proof([])], [a.fixer()], answers)).toMatchObject({ rehearsed: 'unhealthy' })
  })
})
