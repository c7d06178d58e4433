/** What only the engine says: blocked, unknown, crashed, folded; the order of findings; facts asked once. */
import { describe, expect, test } from 'vitest'
import { type CheckId, defineCheck, type Severity } from '../src/core/check.ts'
import { examine } from '../src/core/engine.ts'
import {
  absent,
  defineProbe,
  type Fact,
  known,
  type Probe,
  type Question,
  type Source,
  unknown,
} from '../src/core/fact.ts'
import { verdictOf } from '../src/core/finding.ts'
import type { Json } from '../src/core/json.ts'
import { withBlockers } from '../src/core/order.ts'
import { exitCodeOf, totalsOf } from '../src/core/report.ts'
import { clusterSubject, type Scope, type Subject } from '../src/core/subject.ts'

const question = (call: string): Question => ({ system: 'test', call, input: {} })

/** A probe of one question, and a source that answers from a table. */
const probeOf = (call: string, scope: Scope = 'cluster'): Probe<Json> =>
  defineProbe<Json>({
    id: `test/${call}`,
    about: call,
    scope,
    needs: {},
    wants: {},
    ask: (_have, _want, { ask, subject }) =>
      ask(scope === 'cluster' ? question(call) : { ...question(call), input: { name: subject.name } }),
  })
const answering = (
  answers: { readonly [call: string]: Fact<Json>['state'] | 'late' },
  asked: string[] = [],
): Source => ({
  name: 'table',
  ask: (one) => {
    asked.push(`${one.call}${typeof one.input.name === 'string' ? ` ${one.input.name}` : ''}`)
    const state = answers[one.call] ?? 'known'
    if (state === 'late') return new Promise((resolve) => setTimeout(() => resolve(known('late', one)), 5))
    if (state === 'known') return known('yes', one)
    return state === 'absent' ? absent(one) : unknown('forbidden', `${one.call} was refused`, one, `grant ${one.call}`)
  },
})

type Shape = {
  readonly needs?: readonly string[]
  readonly wants?: readonly string[]
  readonly only?: string
  readonly after?: readonly CheckId[]
  readonly covers?: readonly CheckId[]
  readonly says?: 'pass' | 'fail' | 'not-applicable' | 'undecided' | 'throw'
  readonly severity?: Severity
  readonly scope?: Scope
}
const checkOf = (
  id: CheckId,
  {
    needs = [],
    wants = [],
    only,
    after = [],
    covers = [],
    says = 'pass',
    severity = 'error',
    scope = 'cluster',
  }: Shape = {},
) =>
  defineCheck({
    meta: {
      id,
      title: `Good ${id}`,
      severity,
      scope,
      cloud: 'any',
      section: 'Test',
      why: 'because',
      links: ['https://example.org/'],
    },
    ...(only === undefined ? {} : { only: { probe: probeOf(only), otherwise: `there is no ${only}` } }),
    needs: Object.fromEntries(needs.map((call) => [call, probes[call] ?? probeOf(call)])),
    wants: Object.fromEntries(wants.map((call) => [call, probes[call] ?? probeOf(call)])),
    after,
    covers,
    messages: { broken: ({ what }: { readonly what: string }) => `${what} is broken` },
    judge: () => {
      if (says === 'throw') throw new TypeError('a slip of ours')
      if (says === 'fail') return { status: 'fail', message: 'broken', data: { what: id }, evidence: [] }
      if (says === 'undecided') return { status: 'undecided', lacks: 'who knows' }
      return says === 'pass' ? { status: 'pass', evidence: [] } : { status: 'not-applicable', reason: 'not here' }
    },
  })
const probes: { readonly [call: string]: Probe<Json> } = {
  policy: probeOf('policy'),
  key: probeOf('key'),
  slow: probeOf('slow'),
}

const run = async (
  checks: Parameters<typeof examine>[0]['checks'],
  source = answering({}),
  subjects: readonly Subject[] = [clusterSubject],
) => (await examine({ checks, subjects, source })).findings
const statuses = (findings: Awaited<ReturnType<typeof run>>) =>
  Object.fromEntries(findings.map(({ check, status }) => [check, status]))

describe('what only the engine says', () => {
  test('a needed fact that is unknown makes the finding unknown, with what would lift it; judge is not called', async () => {
    const [finding] = await run(
      [checkOf('a/a', { needs: ['policy'], says: 'throw' })],
      answering({ policy: 'unknown' }),
    )
    expect(finding).toMatchObject({ status: 'unknown', lacks: [{ why: 'forbidden', lift: 'grant policy' }] })
  })
  test('a fail stands without its wants, a pass does not', async () => {
    const source = answering({ key: 'unknown' })
    expect(statuses(await run([checkOf('a/a', { wants: ['key'], says: 'fail' })], source))).toEqual({ 'a/a': 'fail' })
    expect(statuses(await run([checkOf('a/a', { wants: ['key'] })], source))).toEqual({ 'a/a': 'unknown' })
    expect(statuses(await run([checkOf('a/a', { wants: ['key'] })], answering({ key: 'absent' })))).toEqual({
      'a/a': 'pass',
    })
  })
  test('a check behind a failed one is blocked and names it; one behind an unknown one is judged', async () => {
    const chain = (first: Shape) => [
      checkOf('a/first', first),
      checkOf('a/second', { after: ['a/first'] }),
      checkOf('a/third', { after: ['a/second'] }),
    ]
    const failed = await run(chain({ says: 'fail' }))
    expect(statuses(failed)).toEqual({ 'a/first': 'fail', 'a/second': 'blocked', 'a/third': 'blocked' })
    expect(failed[2]?.blockedBy).toEqual(['a/second'])
    expect(statuses(await run(chain({ needs: ['policy'] }), answering({ policy: 'unknown' })))).toMatchObject({
      'a/second': 'pass',
    })
    expect(statuses(await run(chain({ says: 'not-applicable' })))).toMatchObject({ 'a/second': 'pass' })
    expect(statuses(await run(chain({ says: 'throw' })))).toMatchObject({ 'a/first': 'crashed', 'a/second': 'blocked' })
  })
  test('a check that throws is our bug and says so', async () => {
    const [finding] = await run([checkOf('a/a', { says: 'throw' })])
    expect(finding?.message).toBe('this is a bug in kubectl wi: a slip of ours')
  })
  test('the neutral finding is folded under the one that covers it, only when both fail', async () => {
    const pair = (special: Shape['says'], neutral: Shape['says']) => [
      checkOf('a/neutral', { says: neutral ?? 'pass' }),
      checkOf('z/special', { covers: ['a/neutral'], says: special ?? 'pass' }),
    ]
    expect(statuses(await run(pair('fail', 'fail')))).toEqual({ 'a/neutral': 'blocked', 'z/special': 'fail' })
    expect(statuses(await run(pair('pass', 'fail')))).toEqual({ 'a/neutral': 'fail', 'z/special': 'pass' })
    expect(statuses(await run(pair('fail', 'pass')))).toEqual({ 'a/neutral': 'pass', 'z/special': 'fail' })
  })
  test('a pod waits for its own ServiceAccount and not for another', async () => {
    const account = (name: string): Subject => ({ kind: 'ServiceAccount', namespace: 'shop', name })
    const pod = (name: string): Subject => ({
      kind: 'Pod',
      namespace: 'shop',
      name,
      of: [`ServiceAccount shop/${name}`],
    })
    const perName = defineProbe<Json>({
      id: 'test/name',
      about: 'name',
      scope: 'service-account',
      needs: {},
      wants: {},
      ask: (_h, _w, { subject }) => known(subject.name, question('name')),
    })
    const first = defineCheck({
      meta: { ...checkOf('a/first').meta, scope: 'service-account' },
      needs: { perName },
      wants: {},
      after: [],
      messages: { broken: ({ who }: { readonly who: string }) => `${who} is broken` },
      judge: ({ have }) =>
        have.perName.state === 'known' && have.perName.value === 'cart'
          ? { status: 'fail', message: 'broken', data: { who: 'cart' }, evidence: [] }
          : { status: 'pass', evidence: [] },
    })
    const findings = await run([first, checkOf('a/second', { scope: 'pod', after: ['a/first'] })], answering({}), [
      account('cart'),
      pod('cart'),
      account('web'),
      pod('web'),
    ])
    expect(findings.map(({ check, subject, status }) => `${check} ${subject.name} ${status}`)).toEqual([
      'a/first cart fail',
      'a/first web pass',
      'a/second cart blocked',
      'a/second web pass',
    ])
  })
})

describe('a check that concerns few', () => {
  const few = checkOf('cluster/few', { only: 'mark', needs: ['costly'], says: 'fail' })
  const run = async (mark: Fact<Json>['state'], spare = false) => {
    const asked: string[] = []
    const heard: string[] = []
    const { findings, omitted } = await examine({
      checks: [few],
      subjects: [clusterSubject],
      source: answering({ mark }, asked),
      spare,
      observer: { found: ({ status }) => heard.push(status) },
    })
    return { asked, heard, omitted, said: findings.map(({ status, message }) => `${status}: ${message}`) }
  }

  test('is not applicable where the mark is absent, and nothing else is asked', async () => {
    expect(await run('absent')).toEqual({
      asked: ['mark'],
      heard: ['not-applicable'],
      omitted: 0,
      said: ['not-applicable: there is no mark'],
    })
  })
  test('is counted where nobody prints it', async () => {
    expect(await run('absent', true)).toEqual({ asked: ['mark'], heard: ['not-applicable'], omitted: 1, said: [] })
  })
  test('is judged where the mark is there, and where it could not be seen', async () => {
    expect((await run('known')).said).toEqual(['fail: cluster/few is broken'])
    expect((await run('unknown')).said).toEqual(['fail: cluster/few is broken'])
  })
})

describe('a fact that is for few', () => {
  const accounts = ['a', 'b', 'c'].map((name): Subject => ({ kind: 'ServiceAccount', namespace: 'n', name }))
  const looked: string[] = []
  const world = probeOf('world')
  const inner = defineProbe({
    id: 'test/inner',
    about: 'inner',
    scope: 'service-account',
    needs: { world },
    wants: { beside: probeOf('beside', 'service-account') },
    only: 'world',
    ask: ({ world }, _want, { subject }): Fact<Json> => {
      looked.push(subject.name)
      return subject.name === 'b' ? absent(question('inner')) : world
    },
  })
  const innermost = defineProbe({
    id: 'test/innermost',
    about: 'innermost',
    scope: 'service-account',
    needs: { inner, secret: probeOf('secret', 'service-account') },
    wants: {},
    only: 'inner',
    ask: ({ inner }): Fact<Json> => inner,
  })
  const few = (id: CheckId) => ({
    ...checkOf(id, { scope: 'service-account', says: 'fail' }),
    only: { probe: innermost, otherwise: 'there is no world' },
  })
  const see = async (state: Fact<Json>['state'] | 'late', spare: boolean) => {
    looked.length = 0
    const asked: string[] = []
    const heard: string[] = []
    const { findings, omitted } = await examine({
      checks: [few('a/a'), few('a/b')],
      subjects: accounts,
      source: answering({ world: state }, asked),
      spare,
      observer: { found: ({ check, status }, times = 1) => heard.push(...Array(times).fill(`${check} ${status}`)) },
    })
    return { asked, heard, omitted, said: findings.map(({ subject, status }) => `${subject.name} ${status}`) }
  }
  const nobody = (id: string) => accounts.map(() => `${id} not-applicable`)

  test.each([true, false])(
    'is absent for everybody where the whole cluster shows nothing (spare: %s)',
    async (spare) => {
      const { asked, heard, omitted, said } = await see('absent', spare)
      expect(asked).toEqual(['world'])
      expect(looked).toEqual([])
      expect(heard).toEqual([...nobody('a/a'), ...nobody('a/b')])
      expect([omitted, said.length]).toEqual(spare ? [6, 0] : [0, 6])
    },
  )
  test.each(['known', 'late'] as const)('is asked further only for those that it is for (%s)', async (state) => {
    const { asked, said } = await see(state, false)
    expect(looked).toEqual(['a', 'b', 'c'])
    expect(asked.filter((one) => one.startsWith('secret'))).toEqual(['secret a', 'secret c'])
    expect(said.filter((one) => one.endsWith('fail'))).toEqual(['a fail', 'c fail', 'a fail', 'c fail'])
  })
  test('is unknown where it could not be seen whether it is for anybody', async () => {
    const { asked, said } = await see('unknown', false)
    expect(asked.filter((one) => one.startsWith('beside'))).toEqual([])
    expect(said.filter((one) => one.endsWith('fail'))).toHaveLength(6)
  })
})

describe('a run over thousands', () => {
  const accounts = ['a', 'b', 'c'].map((name): Subject => ({ kind: 'ServiceAccount', namespace: 'n', name }))
  const run = (spare: boolean) =>
    examine({
      checks: [
        checkOf('aws/well', { scope: 'service-account' }),
        checkOf('aws/unseen', { scope: 'service-account', needs: ['gone'] }),
        checkOf('aws/broken', { scope: 'service-account', says: 'fail' }),
        checkOf('aws/elsewhere', { scope: 'service-account', says: 'not-applicable' }),
      ],
      subjects: accounts,
      source: answering({ gone: 'unknown' }),
      spare,
    })

  test('keeps one finding for all that say the same, and every failure', async () => {
    const { findings, omitted } = await run(true)
    expect(
      findings.map(({ check, subject, others }) => [check, subject.name, others?.map(({ name }) => name)]),
    ).toEqual([
      ['aws/broken', 'a', undefined],
      ['aws/broken', 'b', undefined],
      ['aws/broken', 'c', undefined],
      ['aws/unseen', 'a', ['b', 'c']],
      ['aws/well', 'a', ['b', 'c']],
    ])
    const all = await run(false)
    expect(totalsOf(findings, omitted)).toEqual(totalsOf(all.findings, all.omitted))
  })
})

describe('order and economy', () => {
  test('blockers come first, then ids, whatever the order in which they were given and facts arrive', async () => {
    const checks = [
      checkOf('c/c', { needs: ['slow'] }),
      checkOf('b/b', { after: ['c/c'] }),
      checkOf('a/a', { after: ['b/b'] }),
      checkOf('a/b'),
    ]
    const order = async (given: typeof checks) =>
      (await run(given, answering({ slow: 'late' }))).map(({ check }) => check)
    expect(await order(checks)).toEqual(['c/c', 'b/b', 'a/a', 'a/b'])
    expect(await order([...checks].reverse())).toEqual(['c/c', 'b/b', 'a/a', 'a/b'])
  })
  test('of many subjects, the facts of a few hundred are on their way at a time, and each is asked for once', async () => {
    const subjects = Array.from(
      { length: 1000 },
      (_, index): Subject => ({ kind: 'ServiceAccount', namespace: 'n', name: `a${index}` }),
    )
    const own = defineCheck({
      ...checkOf('a/a', { scope: 'service-account' }),
      needs: { own: probeOf('own', 'service-account') },
    })
    const asked: string[] = []
    let underWay = 0
    let most = 0
    const findings = await run(
      [own],
      {
        name: 'slow',
        ask: async (one) => {
          asked.push(String(one.input.name))
          underWay += 1
          most = Math.max(most, underWay)
          await new Promise((resolve) => setTimeout(resolve, 1))
          underWay -= 1
          return known('yes', one)
        },
      },
      subjects,
    )
    expect(findings.filter(({ status }) => status === 'pass')).toHaveLength(1000)
    expect(new Set(asked).size).toBe(1000)
    expect(asked).toHaveLength(1000)
    expect(most).toBeGreaterThan(100)
    expect(most).toBeLessThan(500)
  })

  test('a fact of the cluster is asked once for all subjects, one of a ServiceAccount once for each', async () => {
    const asked: string[] = []
    const own = probeOf('own', 'service-account')
    const judge = () => ({ status: 'pass', evidence: [] }) as const
    const both = (id: CheckId) =>
      defineCheck({
        meta: { ...checkOf(id).meta, scope: 'service-account' },
        needs: { policy: probeOf('policy'), own },
        wants: {},
        after: [],
        messages: {},
        judge,
      })
    const shared = both('a/a')
    const subjects: Subject[] = ['x', 'y', 'z'].map((name) => ({ kind: 'ServiceAccount', namespace: 'n', name }))
    await run([shared, { ...shared, meta: { ...shared.meta, id: 'a/b' } }], answering({}, asked), subjects)
    expect(asked).toEqual(['policy', 'own x', 'own y', 'own z'])
  })
  test('choosing one check pulls in what has to come before it', () => {
    const all = [checkOf('a/a'), checkOf('b/b', { after: ['a/a'] }), checkOf('c/c', { after: ['b/b'] }), checkOf('d/d')]
    expect(withBlockers(all.slice(2, 3), all).map(({ meta }) => meta.id)).toEqual(['a/a', 'b/b', 'c/c'])
  })
  test('a run that was stopped asks nothing more and claims nothing', async () => {
    const asked: string[] = []
    const { findings } = await examine({
      checks: [checkOf('a/a', { needs: ['policy'] })],
      subjects: [clusterSubject],
      source: answering({}, asked),
      signal: AbortSignal.abort(),
    })
    expect(asked).toEqual([])
    expect(findings[0]).toMatchObject({ status: 'unknown', lacks: [{ why: 'cancelled' }] })
  })
})

describe('verdict', () => {
  const finding = (
    status: 'pass' | 'fail' | 'unknown' | 'blocked' | 'crashed' | 'not-applicable',
    severity: Severity = 'error',
  ) => ({ check: 'a/a', subject: clusterSubject, status, severity, message: '', evidence: [] }) as const
  test.each([
    [[], 'inconclusive'],
    [[finding('pass')], 'healthy'],
    [[finding('not-applicable')], 'inconclusive'],
    [[finding('unknown', 'warning')], 'inconclusive'],
    [[finding('pass'), finding('unknown')], 'inconclusive'],
    [[finding('pass'), finding('unknown', 'warning')], 'healthy'],
    [[finding('fail', 'warning')], 'healthy'],
    [[finding('fail', 'warning'), finding('blocked')], 'inconclusive'],
    [[finding('crashed', 'info')], 'inconclusive'],
    [[finding('unknown'), finding('crashed'), finding('fail')], 'unhealthy'],
  ] as const)('%# %j', (findings, verdict) => {
    expect(verdictOf(findings)).toBe(verdict)
  })
  test('the exit code follows it, and --fail-on widens or silences it', () => {
    const report = {
      verdict: 'healthy',
      findings: [{ ...finding('fail', 'warning'), title: '', section: '', why: '', links: ['https://example.org/'] }],
    } as const
    expect([exitCodeOf(report, 'error'), exitCodeOf(report, 'warning'), exitCodeOf(report, 'never')]).toEqual([0, 1, 0])
    expect(exitCodeOf({ ...report, verdict: 'inconclusive' }, 'error')).toBe(3)
    expect(exitCodeOf({ ...report, verdict: 'unhealthy' }, 'never')).toBe(0)
  })
})
