/** A change in a cloud that takes seconds until the exchange goes by it: fix goes on looking, and says why. */
import { afterAll, expect, test } from 'vitest'
import { forgetStates, stateFolder, wi } from './acting.ts'
import { closeLabs, demo, start } from './labs.ts'

afterAll(async () => {
  forgetStates()
  await closeLabs()
})

test.concurrent.each(['broken', 'azure-broken', 'google-broken'])(
  '%s is looked at until the change is seen',
  async (name) => {
    const lab = await start(demo(name), { changesTake: 1500 })
    const { status, out, err } = await wi(lab, stateFolder(), ['fix', '-A', '--apply', '--yes'])
    expect(err.replaceAll(/\s+/g, ' ')).toMatch(
      /done: .* unhealthy: 1 error.* looking again for 60 more seconds, for a change takes time to be seen everywhere/u,
    )
    expect(err.match(/looking again/gu)).toHaveLength(1)
    expect(out).toMatch(/\nhealthy: \d+ passed\n$/u)
    expect(status).toBe(0)
  },
)
