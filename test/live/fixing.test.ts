/** fix and undo against a real API server and a real IAM: healthy afterwards, as before when taken back, and nobody's change lost. */
import { expect, it } from 'vitest'
import { openWriters } from '../../src/apply/open.ts'
import type { Change } from '../../src/core/plan.ts'
import { annotate, createObject, patchObject } from '../../src/domain/kubernetes-changes.ts'
import { changing } from './changing.ts'
import { describeWith, lane } from './running.ts'
import { healthyWorkload } from './workload.ts'

describeWith(['cluster', 'cloud'], 'fix and undo', () => {
  const changed = changing()

  it('makes a workload healthy whose role trusts another namespace, and takes it back to the byte', async () => {
    const { cluster, cloud, issuer, run, trustOf } = changed()
    const { namespace, role } = await healthyWorkload(cluster, cloud, issuer)
    await cloud.setTrust(role, cloud.trustIn({ issuer, subject: 'system:serviceaccount:elsewhere:cart' }))
    const before = await trustOf(role)
    const place = ['sa/cart', '-n', namespace]
    expect((await run(['doctor', ...place])).exit).toBe(1)
    const fixed = await run(['fix', ...place, '--apply', '--yes'])
    expect(fixed.exit, fixed.stdout + fixed.stderr).toBe(0)
    expect(await trustOf(role)).not.toBe(before)
    const undone = await run(['undo'])
    expect(undone.exit, undone.stdout + undone.stderr).toBe(0)
    expect(await trustOf(role)).toBe(before)
    expect((await run(['doctor', ...place])).exit).toBe(1)
  })

  it('writes to Kubernetes on condition that nothing has moved, and leaves everything else as it is', async () => {
    const { cluster } = changed()
    const namespace = await cluster.namespace()
    await cluster.serviceAccount(namespace, 'bare')
    const bare = { resource: 'serviceaccounts', namespace, name: 'bare' }
    const read = async () => {
      // The controller manager of that time gives every account a token of its own.
      const {
        metadata,
        secrets: _,
        ...rest
      } = await cluster.core.readNamespacedServiceAccount({ namespace, name: 'bare' })
      return JSON.stringify([metadata?.annotations, metadata?.labels, rest])
    }
    const before = await read()
    const writers = await openWriters({ flags: {}, version: '0', env: { ...process.env, ...lane.env } })
    const carryOut = async (change: Change, meanwhile = async () => {}) => {
      const prepared = await writers.prepare(change, { dryRun: false })
      if (prepared.state !== 'ready') return prepared
      await meanwhile()
      return prepared.write()
    }
    const dry = await writers.prepare(annotate(bare, 'example.com/a', undefined, '1').change, { dryRun: true })
    expect(dry.state === 'ready' ? await dry.write() : dry).toMatchObject({ state: 'done' })
    expect(await read(), 'a dry run').toBe(before)

    const first = await carryOut(annotate(bare, 'example.com/a', undefined, '1').change, async () => {
      // Another's write between the look and the write: both have to last.
      const other = await writers.prepare(
        patchObject(bare, [{ path: ['metadata', 'labels', 'b'], after: '2' }]).change,
        { dryRun: false },
      )
      expect(other.state === 'ready' ? await other.write() : other).toMatchObject({ state: 'done' })
    })
    expect(first).toMatchObject({ state: 'done' })
    expect(JSON.parse(await read())).toMatchObject([{ 'example.com/a': '1' }, { b: '2' }, {}])
    const race = await Promise.all(
      ['x', 'y', 'z'].map((value) => carryOut(annotate(bare, 'example.com/race', undefined, value).change)),
    )
    expect(race.map(({ state }) => state).sort()).toEqual(['done', 'moved', 'moved'])

    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace }, data: { a: 'b' } }
    const made = await carryOut(createObject({ resource: 'configmaps', namespace, name: 'made' }, object).change)
    expect(made).toMatchObject({ state: 'done' })
    const gone = made.state === 'done' && made.undo !== null ? await carryOut(made.undo) : made
    expect(gone).toMatchObject({ state: 'done' })
    for (const [key, value] of [
      ['example.com/race', undefined],
      ['example.com/a', '1'],
    ] as const) {
      const now = await cluster.core.readNamespacedServiceAccount({ namespace, name: 'bare' })
      expect(
        await carryOut(annotate(bare, key, value ?? now.metadata?.annotations?.[key], undefined).change),
      ).toMatchObject({ state: 'done' })
    }
    writers.close()
  })
})
