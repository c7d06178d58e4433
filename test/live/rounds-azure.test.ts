/** Every finding of Azure that a plan puts right: found in the lab, put right by the real writers, exchanged by @azure/identity, taken back to the byte. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWriters } from '../../src/apply/open.ts'
import { checks } from '../../src/checks/index.ts'
import { type Examination, examine } from '../../src/core/engine.ts'
import type { Finding } from '../../src/core/finding.ts'
import type { PlannedAction } from '../../src/core/plan.ts'
import { makePlan } from '../../src/examine/plan.ts'
import { openLive } from '../../src/examine/world.ts'
import { fixers } from '../../src/fixers/index.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { subjectsFor } from '../../src/probes/subjects.ts'
import { azureRest } from '../../src/sources/live/azure-rest.ts'
import { readLab } from '../../src/sources/live/lab-hook.ts'
import { redacted } from '../../src/sources/redacted.ts'
import { remembered } from '../../src/sources/remembered.ts'
import { exceptions, faults } from '../azure-faults.ts'
import { clusterOf, type Team } from '../azure-teams.ts'
import { carryAllOut, carryOut, objectsOf } from '../carrying-out.ts'
import { closeLabs, start } from '../labs.ts'

test('every finding that a fixer puts right is in a round, or has a reason', () => {
  const fixable = fixers
    .filter(({ check }) => check.startsWith('azure/'))
    .flatMap(({ check, proposals }) => Object.keys(proposals).map((message) => `${check}: ${message}`))
  expect([...Object.keys(faults), ...Object.keys(exceptions)].sort()).toEqual(fixable.sort())
})

describe('found, put right, exchanged, taken back', () => {
  const names = Object.keys(faults)
  const { teams, files } = clusterOf(Object.fromEntries(names.map((name, at) => [`r${at}`, faults[name] ?? {}])))
  const outside = { ...process.env }
  let found: Examination
  let after: Examination
  let actions: readonly PlannedAction[] = []
  const held: string[] = []

  const looking = async <T>(work: (source: ReturnType<typeof remembered>) => Promise<T>): Promise<T> => {
    const live = await openLive({}, { version: '0', 'all-namespaces': true, exchange: true })
    try {
      return await work(remembered(redacted(live.source)))
    } finally {
      live.close()
    }
  }
  const subjectsIn = async (source: Parameters<typeof subjectsFor>[0]) =>
    (await subjectsFor(source, { targets: [], allNamespaces: true })).subjects
  const examined = () => looking(async (source) => examine({ checks, subjects: await subjectsIn(source), source }))
  const state = async (lab: Lab): Promise<string> => {
    const rest = azureRest({ env: lab.env, lab: readLab(lab.env) })
    const ask = async (path: string): Promise<string> => {
      const reply = await rest.send('arm', path)
      return 'body' in reply ? reply.body.toString('utf8') : JSON.stringify(reply)
    }
    const lists = teams.map(({ identity }) => ask(`${identity}/federatedIdentityCredentials?api-version=2023-01-31`))
    const roles = teams.map(({ principalId }) =>
      ask(
        `/subscriptions/5f2d0f0e-1111-4222-8333-444455556666/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=assignedTo('${principalId}')`,
      ),
    )
    try {
      // A restart leaves its time behind, which nothing takes back.
      const objects = (await objectsOf(lab, actions)).replaceAll(
        /"annotations":\{"kubectl\.kubernetes\.io\/restartedAt":"[^"]+"\},?/g,
        '',
      )
      return [objects, ...(await Promise.all([...lists, ...roles]))].join('\n')
    } finally {
      rest.close()
    }
  }

  beforeAll(async () => {
    const lab = await start(files)
    Object.assign(process.env, lab.env)
    found = await examined()
    actions = (await looking((source) => makePlan({ checks, fixers, source, subjectsIn }))).actions
    const writers = await openWriters({ flags: {}, version: '0', env: lab.env })
    try {
      held.push(await state(lab))
      const undo = await carryAllOut(writers, actions)
      after = await examined()
      held.push(await state(lab))
      for (const change of undo) await carryOut(writers, change)
      held.push(await state(lab))
    } finally {
      writers.close()
    }
  }, 120_000)
  afterAll(async () => {
    process.env = outside
    await closeLabs()
  })

  const of = ({ findings }: Examination, team: Team): readonly Finding[] =>
    findings.filter(({ subject, others = [] }) => [subject, ...others].some((one) => one.namespace === team.namespace))
  const failing = (examination: Examination, team: Team): readonly string[] =>
    of(examination, team).flatMap(({ check, status, severity, messageId, message }) =>
      status === 'fail' && severity === 'error' ? `${check}: ${messageId} ${message}` : [],
    )
  test.each(names.map((name, at) => [name, at] as const))('%s', (name, at) => {
    const team = teams[at]
    if (team === undefined) throw new Error('no team')
    const before = failing(found, team)
    expect(
      before.map((one) => one.split(' ').slice(0, 2).join(' ')),
      before.join('\n'),
    ).toContain(name)
    const { stays, elsewhere = false } = faults[name] ?? {}
    expect(failing(after, team).filter((one) => stays === undefined || !one.startsWith(stays))).toEqual([])
    const exchange = of(after, team).find(({ check }) => check === 'azure/token-exchange-succeeds')
    expect(exchange?.status === 'pass').toBe(!elsewhere)
  })
  test('what was taken back is as it was', () => {
    expect(held[1]).not.toBe(held[0])
    expect(held[2]).toBe(held[0])
  })
})
