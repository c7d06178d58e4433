/** fix and undo against the lab: healthy afterwards, and to the byte as before when taken back. */
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { carryOut, type Outcome } from '../src/apply/carry-out.ts'
import { openJournal, runs } from '../src/apply/journal.ts'
import type { PlannedAction } from '../src/core/plan.ts'
import { addClientId, changeTrustPolicy } from '../src/domain/aws-changes.ts'
import { annotate, patchObject, restartWorkload } from '../src/domain/kubernetes-changes.ts'
import type { Lab } from '../src/lab/lab.ts'
import { withoutSecretsIn } from '../src/sources/secrets.ts'
import { account, documents, forgetStates, holdings, onTerminal, planned, provider, stateFolder, wi } from './acting.ts'
import { accountPath, cart, five, journalOf, writersOf } from './five-actions.ts'
import { api, closeLabs, start } from './labs.ts'

const outside = { ...process.env }
afterAll(async () => {
  process.env = outside
  forgetStates()
  await closeLabs()
})

const linesOf = (state: string): readonly string[] =>
  existsSync(journalOf(state))
    ? readdirSync(journalOf(state)).flatMap((name) =>
        readFileSync(join(journalOf(state), name), 'utf8')
          .trimEnd()
          .split('\n'),
      )
    : []

describe('unhealthy, fixed, healthy, taken back', () => {
  const cases = {
    'a trust policy for another namespace': documents('broken'),
    'and no provider for the issuer': {
      ...documents('broken'),
      '111122223333.json': JSON.stringify({ OpenIDConnectProviderList: [] }),
    },
  }
  test.each(Object.entries(cases))('%s', async (_name, files) => {
    const [lab, state] = [await start(files), stateFolder()]
    const before = await holdings(lab)
    expect((await wi(lab, state, ['doctor', 'sa/cart', '-n', 'shop'])).status).toBe(1)

    const dry = await wi(lab, state, ['fix', 'sa/cart', '-n', 'shop', '--dry-run', 'server'])
    expect(dry.out).toContain('after this plan: healthy (rehearsed')
    expect(await holdings(lab), 'a dry run changes nothing').toBe(before)
    expect(linesOf(state)).toEqual([])

    const fixed = await wi(lab, state, ['fix', 'sa/cart', '-n', 'shop', '--apply', '--yes'])
    expect(fixed.status, fixed.out + fixed.err).toBe(0)
    expect(await holdings(lab)).not.toBe(before)
    expect((await wi(lab, state, ['doctor', 'sa/cart', '-n', 'shop'])).status).toBe(0)
    expect(statSync(journalOf(state)).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(journalOf(state)))
      expect(statSync(join(journalOf(state), name)).mode & 0o777).toBe(0o600)

    const again = await wi(lab, state, ['fix', 'sa/cart', '-n', 'shop', '--apply', '--yes'])
    expect(again, 'there is nothing left to do').toMatchObject({ status: 0 })
    expect(runs(journalOf(state))).toHaveLength(1)

    const undone = await wi(lab, state, ['undo'])
    expect(undone.status, undone.out + undone.err).toBe(0)
    expect(await holdings(lab)).toBe(before)
    expect((await wi(lab, state, ['undo'])).status, 'nothing is taken back twice').toBe(2)
    expect((await wi(lab, state, ['doctor', 'sa/cart', '-n', 'shop'])).status).toBe(1)
  })

  test('where nobody can be asked, nothing that needs a review is done', async () => {
    const [lab, state] = [await start(documents('broken')), stateFolder()]
    const before = await holdings(lab)
    const { status, err } = await wi(lab, state, ['fix', 'sa/cart', '-n', 'shop', '--apply'])
    expect(status).toBe(1)
    expect(err).toContain('no consent')
    expect(err).toContain('--yes')
    expect(err).toContain('nothing was changed: unhealthy as before')
    expect(await holdings(lab)).toBe(before)
    expect(linesOf(state)).toEqual([])
  })

  test('on a dumb terminal a line is asked for, and Ctrl-C changes nothing', async () => {
    const [lab, state] = [await start(documents('broken')), stateFolder()]
    const before = await holdings(lab)
    const command = ['fix', 'sa/cart', '-n', 'shop', '--apply']
    const stopped = await onTerminal(lab, state, command, { typed: [['leave it out: ', '\u0003']] })
    expect(stopped).toMatch(/exit 130$/)
    expect(await holdings(lab)).toBe(before)
    const typed = [
      ['trust policy of role cart? it changes a trust', 'y\n'],
      ['type cart to do it', 'cart\n'],
    ] as const
    const yes = await onTerminal(lab, state, command, { typed })
    expect(yes.match(/type cart to do it/g)).toHaveLength(2)
    expect(yes).toContain('✓ done')
    expect(await holdings(lab)).not.toBe(before)
  })

  test('on any other a key answers, and the name of what touches production', async () => {
    const [lab, state] = [await start(cases['and no provider for the issuer']), stateFolder()]
    const before = await holdings(lab)
    const command = ['fix', 'sa/cart', '-n', 'shop', '--apply']
    const stopped = await onTerminal(lab, state, command, { kind: 'xterm', typed: [['q stop ›', 'q']] })
    expect(stopped).toMatch(/◦ not come to[\s\S]*exit 130$/)
    expect(await holdings(lab)).toBe(before)
    const typed = [
      ['y yes · n no · a all', 'a'],
      ['Type cart and Enter', 'till\r'],
      ['till is not cart', 'cart\r'],
    ] as const
    const yes = await onTerminal(lab, state, command, { kind: 'xterm', typed })
    expect(yes).toMatch(
      /\+ .*sts\.amazonaws\.com[\s\S]*✓ done: Register[\s\S]*till is not cart[\s\S]*✓ done: Add[\s\S]*exit 0$/,
    )
    expect(await holdings(lab)).not.toBe(before)
  })

  test('--only puts one check right, and a check that is not there is said to be none', async () => {
    const [lab, state] = [await start(documents('broken')), stateFolder()]
    const other = await wi(lab, state, [
      'fix',
      'sa/cart',
      '-n',
      'shop',
      '--only',
      'aws/oidc-provider-registered',
      '-o',
      'json',
    ])
    expect(JSON.parse(other.out)).toMatchObject({ actions: [], before: 'unhealthy' })
    const none = await wi(lab, state, ['fix', 'sa/cart', '-n', 'shop', '--only', 'aws/role-exist'])
    expect(none).toMatchObject({ status: 2 })
    expect(none.err).toContain('aws/role-exists')
  })
})

/** Carries actions out with writers of this process; `meanwhile` happens when consent is asked, after the plan was made. */
async function act(
  lab: Lab,
  actions: readonly PlannedAction[],
  {
    state,
    meanwhile = async () => {},
  }: { readonly state?: string; readonly meanwhile?: (action: PlannedAction) => Promise<unknown> } = {},
): Promise<readonly Outcome[]> {
  const writers = await writersOf(lab)
  const head = { at: new Date().toISOString(), version: '0', ...writers.place, user: 'test' }
  const journal = state === undefined ? undefined : openJournal(journalOf(state), head, withoutSecretsIn)
  const consent = async (action: PlannedAction): Promise<boolean> => {
    await meanwhile(action)
    return true
  }
  const outcomes = await carryOut(actions, { writer: writers, journal, consent }, { dryRun: false })
  journal?.close()
  writers.close()
  return outcomes
}
const note = (value: string, before?: string): PlannedAction =>
  planned({ ...annotate(cart, 'example.com/note', before, value), summary: 'Annotate', safety: 'review' })
const merge = (lab: Lab, annotations: object) =>
  api(lab, 'PATCH', accountPath, { metadata: { annotations } }, 'application/merge-patch+json')

describe("nobody else's change is lost", () => {
  test('what moved after the plan was made is refused, and the run ends there', async () => {
    const lab = await start(documents('broken'))
    const outcomes = await act(
      lab,
      [note('mine'), planned({ ...addClientId(account, provider, 'x'), summary: 'Add', safety: 'review' })],
      {
        meanwhile: ({ summary }) =>
          summary === 'Annotate' ? merge(lab, { 'example.com/note': 'theirs' }) : Promise.resolve(),
      },
    )
    expect(outcomes).toMatchObject([{ state: 'moved', why: expect.stringContaining('"theirs"') }, { state: 'left' }])
    expect((await api(lab, 'GET', accountPath)).body.metadata.annotations['example.com/note']).toBe('theirs')
  })
  test('another annotation that comes meanwhile stays', async () => {
    const lab = await start(documents('broken'))
    expect(await act(lab, [note('mine')], { meanwhile: () => merge(lab, { theirs: 'too' }) })).toEqual([
      { state: 'done' },
    ])
    expect((await api(lab, 'GET', accountPath)).body.metadata.annotations).toMatchObject({
      'example.com/note': 'mine',
      theirs: 'too',
    })
  })
  test('of many at once one wins, and the others say so', async () => {
    const lab = await start(documents('broken'))
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((value) => act(lab, [note(value)])))
    expect(
      all
        .flat()
        .map(({ state }) => state)
        .sort(),
    ).toEqual(['done', 'moved', 'moved', 'moved'])
  })
  test('a trust policy that moved is refused', async () => {
    const lab = await start(documents('broken'))
    const [, trust] = await five(lab)
    const other =
      trust === undefined
        ? []
        : [
            planned({
              ...trust,
              ...changeTrustPolicy(account, 'cart', { Version: '2012-10-17', Statement: [] }, {}),
              safety: 'review',
            }),
          ]
    expect(await act(lab, other)).toMatchObject([{ state: 'moved' }])
  })
  test('undo ends at what has moved since, and says what has', async () => {
    const [lab, state] = [await start(documents('broken')), stateFolder()]
    await act(
      lab,
      [note('mine'), planned({ ...addClientId(account, provider, 'x'), summary: 'Add an audience', safety: 'review' })],
      { state },
    )
    await merge(lab, { 'example.com/note': 'theirs' })
    const { status, out } = await wi(lab, state, ['undo'])
    expect(status).toBe(1)
    expect(out).toMatch(
      /✓ taken back: Add an audience[\s\S]*it has moved since: Annotate\n.*"mine", and now is "theirs"/,
    )
    await merge(lab, { 'example.com/note': 'mine' })
    expect((await wi(lab, state, ['undo'])).status, 'and goes on where it ended').toBe(0)
  })
  test('what is there already is not written again', async () => {
    const [lab, state] = [await start(documents('broken')), stateFolder()]
    await merge(lab, { 'example.com/note': 'mine' })
    expect(await act(lab, [note('mine')], { state })).toEqual([{ state: 'already' }])
    expect(linesOf(state)).toEqual([])
  })
  test('a list is changed in its place, and only there', async () => {
    const lab = await start(documents('broken'))
    const path = ['spec', 'template', 'spec', 'containers', 0, 'image']
    const edit = { path, before: 'registry.example/shop/cart:1.4.2', after: 'registry.example/shop/cart:1.4.3' }
    const place = { resource: 'deployments', namespace: 'shop', name: 'cart' }
    const change = planned({ ...patchObject(place, [edit]), summary: 'Take another image', safety: 'safe' })
    expect(await act(lab, [change])).toEqual([{ state: 'done' }])
    expect(await act(lab, [change])).toEqual([{ state: 'already' }])
  })
})

test('a restart has the pods made anew, with what the webhook injects now', async () => {
  const lab = await start(documents('broken'))
  await merge(lab, { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/till' })
  const place = { resource: 'deployments', namespace: 'shop', name: 'cart' }
  const restart = planned({ ...restartWorkload(place, []), summary: 'Restart', safety: 'safe' })
  expect(await act(lab, [restart])).toEqual([{ state: 'done' }])
  const { body } = await api(lab, 'GET', '/api/v1/namespaces/shop/pods')
  expect(body.items).toHaveLength(1)
  expect(body.items[0].metadata.name).not.toBe('cart-7d9f6c5b8-x2m4q')
  expect(JSON.stringify(body.items[0].spec)).toContain('role/till')
  expect(JSON.stringify(body.items[0].spec)).not.toContain('role/cart')
})

describe('the journal', () => {
  const token = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.${'canary'.repeat(8)}`
  test('holds no secret: what looks like one is not changed at all', async () => {
    const [lab, state] = [await start(documents('broken')), stateFolder()]
    const before = await holdings(lab)
    expect(await act(lab, [note(token)], { state })).toMatchObject([
      { state: 'refused', why: expect.stringContaining('secret') },
    ])
    await merge(lab, { 'example.com/note': token })
    expect(await act(lab, [note('other', token)], { state })).toMatchObject([{ state: 'refused' }])
    expect(linesOf(state).join('\n')).not.toContain('canary')
    await merge(lab, { 'example.com/note': null })
    expect(await holdings(lab)).toBe(before)
  })
  test('of a line that was cut off in the middle, what stands before it counts', async () => {
    const [lab, state] = [await start(documents('broken')), stateFolder()]
    await act(lab, [note('mine')], { state })
    const [run = ''] = runs(journalOf(state))
    appendFileSync(join(journalOf(state), `${run}.jsonl`), '{"step":2,"state":"begun","at":"2026')
    expect((await wi(lab, state, ['undo'])).status).toBe(0)
    expect((await wi(lab, state, ['undo'])).status, 'which is written down on a line of its own').toBe(2)
  })
  test('that cannot be written lets nothing be done', async () => {
    const [lab, state] = [await start(documents('broken')), stateFolder()]
    const before = await holdings(lab)
    writeFileSync(journalOf(state), 'a file where the folder should be')
    expect(await act(lab, [note('mine')], { state })).toMatchObject([
      { state: 'refused', why: expect.stringContaining('journal') },
    ])
    expect(await holdings(lab)).toBe(before)
  })
  test('of another cluster is not taken back here', async () => {
    const [lab, other, state] = [await start(documents('broken')), await start(documents('broken')), stateFolder()]
    await act(lab, [note('mine')], { state })
    const { status, err } = await wi(other, state, ['undo'])
    expect(status).toBe(2)
    expect(err).toContain('--context')
  })
})
