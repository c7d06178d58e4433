/** fix that is killed between any two steps of a plan: undo restores all, and does nothing twice. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readRun, runs, stepsOf } from '../../src/apply/journal.ts'
import { undo } from '../../src/apply/undo.ts'
import { documents, forgetStates, holdings, stateFolder, wi } from '../acting.ts'
import { five, journalOf, writersOf } from '../five-actions.ts'
import { closeLabs, start } from '../labs.ts'

const outside = { ...process.env }
afterAll(async () => {
  process.env = outside
  forgetStates()
  await closeLabs()
})

// That a step is done and the next not begun looks the same as that the next is begun and not written.
const points = ['1:written', '2:begun', '2:written', '3:written', '4:begun', '4:written', '5:written', '5:done']
test('undo restores all, once, wherever the run was killed', async () => {
  const lab = await start(documents('broken'))
  const before = await holdings(lab)
  const writers = await writersOf(lab)
  for (const point of points) {
    const state = stateFolder()
    const plan = join(state, 'plan.json')
    writeFileSync(plan, JSON.stringify(await five(lab)))
    const child = await wi(lab, state, [plan, point], join(import.meta.dirname, '../acting-child.ts'))
    expect(child.status, `${point}: ${child.err}`).toBe(null)
    const [run = ''] = runs(journalOf(state))
    const steps = stepsOf(
      readRun(journalOf(state), run) ?? {
        head: { run, at: '', version: '', server: '', context: '', user: '' },
        file: '',
        entries: [],
      },
    )
    expect(steps.at(-1)?.state, point).toBe(point.endsWith('done') ? 'done' : 'open')
    expect(steps.length).toBe(Number(point[0]))
    // The last ones as a person would; what that takes longer is the start of a process each.
    if (point.startsWith('5')) {
      const undone = await wi(lab, state, ['undo'])
      expect(undone.status, `${point}: ${undone.out}${undone.err}`).toBe(0)
    } else {
      const outcomes = await undo(steps, { writer: writers, journal: undefined }, { dryRun: false })
      expect(
        outcomes.map(({ state }) => state),
        point,
      ).not.toContain('moved')
    }
    expect(await holdings(lab), point).toBe(before)
    if (!point.startsWith('5')) continue
    const twice = await wi(lab, state, ['undo', run])
    expect(twice.status, twice.out + twice.err).toBe(0)
    expect(twice.out).not.toContain('✓ taken back')
  }
  writers.close()
}, 120_000)
