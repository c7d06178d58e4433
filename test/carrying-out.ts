/** Changes of a plan carried out by the real writers against a lab, and what the lab holds before and after, to the byte. */
import { expect } from 'vitest'
import type { openWriters } from '../src/apply/open.ts'
import { edited } from '../src/core/edit.ts'
import { canonical, type Json, textAt } from '../src/core/json.ts'
import type { Action, Change } from '../src/core/plan.ts'
import { resources } from '../src/knowledge/permissions.ts'
import type { Lab } from '../src/lab/lab.ts'
import { api } from './labs.ts'

type Writers = Awaited<ReturnType<typeof openWriters>>

const pathOf = ({ call, input }: Change): string => {
  const resource = call.split('/')[0] ?? ''
  const { group = '', version = 'v1' } = resources[resource] ?? {}
  const namespace = textAt(input, 'namespace')
  const where = namespace === undefined ? '' : `/namespaces/${namespace}`
  return `${group === '' ? '/api' : `/apis/${group}`}/${version}${where}/${resource}/${textAt(input, 'name')}`
}

/** Without what the server counts and notes by itself at every write. */
async function objectAt(lab: Lab, path: string): Promise<Json> {
  const { status, body } = await api(lab, 'GET', path)
  if (status === 404) return null
  expect(status).toBe(200)
  return ['resourceVersion', 'generation', 'managedFields'].reduce<Json>(
    (left, key) => edited(left, ['metadata', key], undefined) ?? left,
    body,
  )
}

/** The objects of the cluster that the actions change, as one text; empty where they change none. */
export async function objectsOf(lab: Lab, actions: readonly Pick<Action, 'change'>[]): Promise<string> {
  const changes = actions.map(({ change }) => change)
  const paths = [...new Set(changes.filter(({ system }) => system === 'kubernetes').map(pathOf))].sort()
  return canonical(await Promise.all(paths.map((path) => objectAt(lab, path))))
}

/** Carries one change out; → what takes it back, null where nothing does. */
export async function carryOut(writers: Writers, change: Change): Promise<Change | null> {
  const prepared = await writers.prepare(change, { dryRun: false })
  expect(prepared, JSON.stringify(change)).toMatchObject({ state: 'ready' })
  const written = prepared.state === 'ready' ? await prepared.write() : prepared
  expect(written, JSON.stringify(change)).toMatchObject({ state: 'done' })
  return written.state === 'done' ? written.undo : null
}

/** Carries all of them out in order; → what takes them back, last first. Nothing takes a restart back, nor need it be. */
export async function carryAllOut(writers: Writers, actions: readonly Action[]): Promise<readonly Change[]> {
  const undo: Change[] = []
  for (const action of actions) {
    const back = await carryOut(writers, action.change)
    if (back !== null && action.undo !== null) undo.unshift(back)
  }
  return undo
}
