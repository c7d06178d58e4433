/** The question before an action: what stands above it, and what counts as a yes. */
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { annotate } from '../src/domain/kubernetes-changes.ts'
import { consentOf } from '../src/examine/consent.ts'
import { planned } from './acting.ts'
import { cart } from './five-actions.ts'

const action = planned({
  ...annotate(cart, 'example.com/note', undefined, 'a note'),
  summary: 'Annotate cart',
  safety: 'review',
})

async function asked(answer: string, apart: boolean) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const stderr = new PassThrough()
  let shown = ''
  stderr.on('data', (text) => {
    shown += String(text)
    if (shown.includes('[y/N]')) stdin.end(answer)
  })
  const streams = { stdin, stderr } as unknown as Parameters<typeof consentOf>[0]
  const yes = await consentOf(streams, { yes: false, apart }).ask(action)
  return { yes, shown }
}

it('shows again what it would change, where that does not stand above it', async () => {
  const { yes, shown } = await asked('y\n', true)
  expect(yes).toBe(true)
  expect(shown).toMatch(/@@ .*cart.* @@\n.*\+ "a note"\n.*Annotate cart\? \[y\/N\] /su)
  expect((await asked('y\n', false)).shown).not.toContain('@@')
})

it('takes silence and anything else for a no', async () => {
  for (const answer of ['', '\n', 'n\n', 'yesterday\n']) expect((await asked(answer, false)).yes, answer).toBe(false)
})
