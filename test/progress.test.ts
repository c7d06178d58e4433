/** The live view on a terminal: what it shows while facts arrive, and that nothing of it is left behind. */
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../src/core/progress.ts'
import { viewOf } from '../src/examine/view.ts'
import { leftUndone } from '../src/examine/watch.ts'
import { show } from '../src/ui/progress.tsx'

const control = String.fromCodePoint(27)
const pieces = new RegExp(`${control}\\[\\??(\\d*)([A-Za-z])|(\\n)|(\\r)|([^${control}\\n\\r]+)`, 'gu')

/** A terminal of so many columns: what has been written to it, and what is left on its screen. */
function terminal(columns: number) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 40 })
  let written = ''
  stream.on('data', (chunk) => {
    written += String(chunk)
  })
  const screen = (): string => {
    const lines = ['']
    let row = 0
    const parts = written.matchAll(pieces)
    for (const [, number, command, newLine, back, text] of parts) {
      if (newLine !== undefined) {
        row += 1
        lines[row] ??= ''
      } else if (text !== undefined) lines[row] += text
      else if (back !== undefined || command === 'G') continue
      else if (command === 'A') row = Math.max(0, row - Number(number || 1))
      else if (command === 'K') lines[row] = ''
    }
    return lines.join('\n').trim()
  }
  // What ink and we ask of a stream is what a terminal's has; the rest of its type is never touched.
  return { stream: stream as unknown as NodeJS.WriteStream, screen, written: () => written }
}

const snapshot = (judged: number): Snapshot => ({
  phase: 'examining',
  sections: [
    { name: 'Issuer', judged, total: 4, failed: 0, unseen: 0 },
    { name: 'Trust', judged: 1, total: 2, failed: 1, unseen: 0 },
  ],
  waiting: [{ about: "the role's trust policy", since: performance.now() - 3000 }],
})

const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 200 && !holds(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(holds()).toBe(true)
}

describe('the live view', () => {
  it('fills sections, names what is slow, and leaves nothing behind', async () => {
    const { stream, screen, written } = terminal(80)
    let judged = 1
    const view = show(() => snapshot(judged), stream)
    await until(() => written().includes('1 of 4'))
    judged = 3
    await until(() => written().includes('3 of 4'))
    expect(written()).toContain('1 of 2, 1 failed')
    expect(written()).toMatch(/waiting for the role's trust policy, [234] s/u)
    expect(screen()).toContain('Issuer')
    await view.end()
    expect(screen()).toBe('')
  })

  it('draws no more often than a person can read', async () => {
    const { stream, written } = terminal(80)
    let judged = 0
    const view = show(() => {
      judged = (judged + 1) % 4
      return snapshot(judged)
    }, stream)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await view.end()
    expect(written().match(/Issuer/gu)?.length ?? 0).toBeLessThanOrEqual(11)
  })
})

describe('the choice of a view', () => {
  const waited = async (
    setting: { people?: boolean; plain?: boolean; counter?: boolean; environment?: NodeJS.ProcessEnv },
    isTTY = true,
    columns = 80,
  ) => {
    const { stream, screen, written } = terminal(columns)
    stream.isTTY = isTTY
    const view = viewOf(() => snapshot(2), { stream, environment: {}, people: true, counter: false, ...setting })
    await new Promise((resolve) => setTimeout(resolve, 1200))
    await view.end()
    return { left: screen(), written: written() }
  }

  it('is a counter line for many, erased at the end', async () => {
    const { left, written } = await waited({ counter: true })
    expect(written).toMatch(/3 of 6 judgements; waiting for the role's trust policy, [34] s/u)
    expect(left).toBe('')
  })

  it('is nothing where no person looks', async () => {
    const all = await Promise.all([
      waited({ people: false }),
      waited({ environment: { TERM: 'dumb' } }),
      waited({ environment: { CI: 'true' } }),
      waited({ environment: { NO_COLOR: '1' } }),
      waited({ plain: true }),
      waited({}, false),
      waited({}, true, 79),
    ])
    expect(all.map(({ written }) => written).join('')).toBe('')
  })
})

describe('what a stopped run has left undone', () => {
  it('names the sections and what it waited for', () => {
    expect(leftUndone(snapshot(4))).toBe(
      "stopped after 5 of 6 judgements; not examined to the end: Trust; it was waiting for the role's trust policy.",
    )
    expect(leftUndone({ phase: 'looking for pods', sections: [], waiting: [] })).toBe(
      'stopped while looking for pods; nothing was examined.',
    )
  })
})
