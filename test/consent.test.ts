/** The question before an action: what stands above it, what is typed, and what counts as a yes. */
import { PassThrough } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { annotate, restartWorkload } from '../src/domain/kubernetes-changes.ts'
import { consentOf } from '../src/examine/consent.ts'
import { planned } from './acting.ts'
import { cart } from './five-actions.ts'

const action = planned({
  ...annotate(cart, 'example.com/note', undefined, 'a note'),
  summary: 'Annotate cart',
  safety: 'review',
  owner: { tool: 'Helm', mark: 'its label', where: 'the chart' },
})
const restart = planned({ ...restartWorkload(cart, []), summary: 'Restart cart', safety: 'review' })

/** Streams of a terminal on which each is typed as soon as what stands before it is shown; `at`: what they are besides. */
function terminal(typed: readonly (readonly [shown: string, typed: string])[], at: object = {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {}, ref: () => {}, unref: () => {} })
  const stderr = Object.assign(new PassThrough(), at)
  const left = [...typed]
  let [shown, seen] = ['', 0]
  stderr.on('data', (text) => {
    shown += String(text)
    const [next] = left
    if (next === undefined || !shown.includes(next[0], seen)) return
    seen = shown.length
    left.shift()
    stdin.write(next[1])
    if (left.length === 0 && !('isTTY' in at)) stdin.end()
  })
  // What is asked of a stream here is what a terminal's has; the rest of its type is never touched.
  const streams = { stdin, stderr, env: { TERM: 'xterm' } } as unknown as Parameters<typeof consentOf>[0]
  return { streams, shown: () => shown }
}
const manner = { yes: false, apart: false, color: false, context: 'kind' }

describe('on a line', () => {
  const asked = async (answer: string, apart: boolean) => {
    const { streams, shown } = terminal([['[y/N]', answer]])
    return { yes: await consentOf(streams, { ...manner, apart }).ask(action), shown: shown() }
  }

  it('shows again what it would change, where that does not stand above it', async () => {
    const { yes, shown } = await asked('y\n', true)
    expect(yes).toBe(true)
    expect(shown).toMatch(/@@ .*cart.* @@\n.*\+ "a note"\n.*Annotate cart \(Helm would .*\)\? \[y\/N\] /su)
    expect((await asked('y\n', false)).shown).not.toContain('@@')
  })

  it('takes silence and anything else for a no', async () => {
    for (const answer of ['', '\n', 'n\n', 'yesterday\n']) expect((await asked(answer, false)).yes, answer).toBe(false)
  })

  it('takes the name alone for a yes where production is touched, and asks again after anything else', async () => {
    const answers = {
      'cart\n': true,
      'y\nyes\ncart\n': true,
      'till\nn\n': false,
      '\n': false,
      'carts\n': false,
      '': false,
    }
    for (const [answer, yes] of Object.entries(answers)) {
      const { streams } = terminal([['type cart to do it', answer]])
      expect(await consentOf(streams, manner).ask(restart), answer).toBe(yes)
    }
  })
})

describe('by a key', () => {
  const wide = { isTTY: true, columns: 100, rows: 40 }
  const keys = 'y yes · n no · a all of the remaining · q stop'

  it('shows the change and its owner, and stays until there is an answer', async () => {
    const { streams, shown } = terminal(
      [
        [keys, 'x'],
        ['y, n, a or q', 'y'],
      ],
      wide,
    )
    expect(await consentOf(streams, manner).ask(action)).toBe(true)
    expect(shown()).toMatch(/Annotate cart\n.*Helm \(its label\) would put the old value back[\s\S]*\+ "a note"/u)
    for (const key of ['n', '\u0004', '\u001b']) {
      const other = terminal([[keys, key]], wide)
      expect(await consentOf(other.streams, manner).ask(action)).toBe(false)
    }
  })

  it('takes a yes to all, but not for what touches production', async () => {
    const { streams, shown } = terminal(
      [
        [keys, 'a'],
        ['Type cart and Enter', 'a\r'],
        ['a is not cart', 'cxy\u007f\u007fart\r'],
      ],
      wide,
    )
    const consent = consentOf(streams, manner)
    expect(await consent.ask(action)).toBe(true)
    expect(await consent.ask(action)).toBe(true)
    expect(shown().match(/Annotate cart/gu)).toHaveLength(1)
    expect(await consent.ask(restart)).toBe(true)
    expect(shown()).toContain('a is not cart')
  })

  it('asks nothing after it was closed, and is a no when closed', async () => {
    const { streams, shown } = terminal([], wide)
    const consent = consentOf(streams, manner)
    const asked = consent.ask(action)
    await vi.waitFor(() => expect(shown()).toContain(keys))
    consent.close()
    expect(await asked).toBe(false)
    expect(await consent.ask(restart)).toBe(false)
    expect(shown()).not.toContain('Restart')
  })

  it('asks by a line where a page cannot be redrawn', async () => {
    for (const at of [
      { ...wide, columns: 79 },
      { ...wide, isTTY: false },
    ]) {
      const { streams } = terminal([['[y/N]', 'y\n']], at)
      expect(await consentOf(streams, manner).ask(action)).toBe(true)
    }
  })
})
