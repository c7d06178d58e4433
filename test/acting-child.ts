/** A run of five actions that is killed at one point: `node acting-child.ts PLAN.json POINT`, where the point is `STEP:begun|written|done`. */
import { readFileSync } from 'node:fs'
import { carryOut } from '../src/apply/carry-out.ts'
import { journalFolder, openJournal } from '../src/apply/journal.ts'
import { openWriters } from '../src/apply/open.ts'
import type { PlannedAction } from '../src/core/plan.ts'
import { withoutSecretsIn } from '../src/sources/secrets.ts'

const [, , file = '', point = ''] = process.argv
const actions: readonly PlannedAction[] = JSON.parse(readFileSync(file, 'utf8'))
const die = (): void => {
  process.kill(process.pid, 'SIGKILL')
}

const writers = await openWriters({ flags: {}, version: '0' })
const head = { at: new Date().toISOString(), version: '0', ...writers.place, user: 'test' }
const journal = openJournal(journalFolder(process.env), head, withoutSecretsIn)
let step = 0
await carryOut(
  actions,
  {
    writer: {
      prepare: async (change, manner) => {
        const prepared = await writers.prepare(change, manner)
        if (prepared.state !== 'ready') return prepared
        return {
          ...prepared,
          write: async () => {
            const written = await prepared.write()
            if (point === `${step}:written`) die()
            return written
          },
        }
      },
    },
    journal: {
      ...journal,
      write: (line) => {
        journal.write(line)
        step = line.step
        if (point === `${step}:${line.state}`) die()
      },
    },
    consent: async () => true,
  },
  { dryRun: false },
)
journal.close()
writers.close()
