/** Which run undo takes back where it is not told, with journals of several clusters in one folder. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { carryOut } from '../src/apply/carry-out.ts'
import { openJournal } from '../src/apply/journal.ts'
import { openWriters } from '../src/apply/open.ts'
import { annotate } from '../src/domain/kubernetes-changes.ts'
import type { Lab } from '../src/lab/lab.ts'
import { withoutSecretsIn } from '../src/sources/secrets.ts'
import { documents, forgetStates, holdings, planned, stateFolder } from './acting.ts'
import { commandsIn } from './commands.ts'
import { closeLabs, start } from './labs.ts'

const outside = { ...process.env }
afterAll(async () => {
  process.env = outside
  forgetStates()
  await closeLabs()
})

async function annotated(lab: Lab, folder: string): Promise<void> {
  const writer = await openWriters({ flags: {}, version: '0', env: lab.env })
  const head = { at: new Date().toISOString(), version: '0', ...writer.place, user: 'test' }
  const journal = openJournal(folder, head, withoutSecretsIn)
  const cart = { resource: 'serviceaccounts', namespace: 'shop', name: 'cart' }
  const action = planned({ ...annotate(cart, 'a', undefined, 'b'), summary: 'Annotate', safety: 'safe' })
  const ports = { writer, journal, consent: async () => true }
  expect(await carryOut([action], ports, { dryRun: false })).toEqual([{ state: 'done' }])
  journal.close()
  writer.close()
}

test('the latest of the cluster at hand, whatever was done elsewhere since', async () => {
  const [here, elsewhere, state] = [await start(documents('broken')), await start(documents('broken')), stateFolder()]
  const folder = join(state, 'kubectl-wi')
  const [before, theirs] = [await holdings(here), await holdings(elsewhere)]
  for (const lab of [here, elsewhere]) await annotated(lab, folder)
  writeFileSync(join(folder, '20990101T000000Z-ffff.jsonl'), 'no journal\n')
  const { undo } = commandsIn(here, state)
  expect(await undo()).toMatchObject({ code: 0, out: expect.stringContaining('✓ taken back') })
  expect(await holdings(here)).toBe(before)
  expect(await holdings(elsewhere), 'the other cluster is left alone').not.toBe(theirs)
  await expect(undo(), 'and is named where nothing else is left').rejects.toThrow('--context')
})

// In a process of its own: one that never returns could not be told from here.
test('a journal that cannot be made says so where Node itself would never return', () => {
  const making = `import { makeFolder } from ${JSON.stringify(join(import.meta.dirname, '../src/apply/folder.ts'))}
try { makeFolder('/proc/nobody/kubectl-wi') } catch (error) { process.stdout.write(error.code) }`
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', making], {
    timeout: 5000,
    encoding: 'utf8',
  })
  expect({ stdout, signal }).toEqual({ stdout: 'ENOENT', signal: null })
})
