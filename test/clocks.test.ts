/** The clock of the control plane against that of the clouds, read over real connections. */
import { afterAll, expect, test } from 'vitest'
import { check } from '../src/checks/cluster/clocks-agree.ts'
import { examine } from '../src/core/engine.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { liveSource } from '../src/sources/live/index.ts'
import { closeLabs, demo, start } from './labs.ts'

afterAll(closeLabs)

test.each([
  [0, { status: 'pass' }],
  [301, { status: 'fail', messageId: 'control-plane-ahead', data: { reference: 'sts.amazonaws.com' } }],
  [-301, { status: 'fail', messageId: 'control-plane-behind', data: { reference: 'sts.amazonaws.com' } }],
] as const)('a control plane that is %i s ahead', async (ahead, expected) => {
  const lab = await start(demo('healthy'), { ahead })
  const { source, close } = await liveSource({ flags: { kubeconfig: lab.kubeconfig }, env: lab.env })
  try {
    const { subjects } = await subjectsFor(source, { targets: ['sa/cart'], namespace: 'shop', documents: false })
    const { findings } = await examine({ checks: [check], subjects, source })
    expect(findings).toMatchObject([{ check: 'cluster/clocks-agree', ...expected }])
    const seconds = Number(findings[0]?.data?.seconds ?? 0)
    expect(Math.abs(Math.abs(ahead) - seconds)).toBeLessThan(3)
  } finally {
    close()
  }
})
