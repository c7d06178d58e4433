/** bind sa against a real API server and a real IAM: one annotation and one statement beside what is there, once, and taken back. */
import { expect, it } from 'vitest'
import { changing } from './changing.ts'
import { describeWith } from './running.ts'

/** Inconclusive: for which audience the pods of a cluster outside EKS ask is seen in pods alone. */
const noPods = 3
const exchanged = '✓ STS exchanges the token for credentials of the role'

describeWith(['cluster', 'cloud'], 'bind sa', () => {
  const changed = changing()

  it('gives a ServiceAccount a role that served others, beside all that is there, and takes it back', async () => {
    const { cluster, cloud, issuer, run } = changed()
    const trustOf = async (name: string) => decodeURIComponent(await changed().trustOf(name))
    const namespace = await cluster.namespace()
    await cluster.serviceAccount(namespace, 'cart', { 'example.com/note': 'ours' })
    const others = cloud.trustIn({ issuer, subject: 'system:serviceaccount:elsewhere:cart' })
    const arn = await cloud.createRole(namespace, others)
    const before = await trustOf(namespace)
    const order = ['bind', 'sa', 'cart', '-n', namespace, '--aws-role', arn, '--check', 'aws/sts-exchanges-token']
    const acting = [...order, '--apply', '--yes']
    const bound = await run(acting)
    expect(bound.exit, bound.stdout + bound.stderr).toBe(noPods)
    expect(bound.stdout).toContain(exchanged)
    const { metadata } = await cluster.core.readNamespacedServiceAccount({ namespace, name: 'cart' })
    expect(metadata?.annotations).toEqual({ 'example.com/note': 'ours', 'eks.amazonaws.com/role-arn': arn })
    const [first, second, ...more] = JSON.parse(await trustOf(namespace)).Statement
    expect(first).toEqual([JSON.parse(before).Statement].flat()[0])
    expect([JSON.stringify(second).includes(`system:serviceaccount:${namespace}:cart`), more]).toEqual([true, []])

    const again = await run(acting)
    expect(again.exit, again.stdout + again.stderr).toBe(noPods)
    expect(again.stderr.match(/already so: /g)).toHaveLength(3)

    const undone = await run(['undo'])
    expect(undone.exit, undone.stdout + undone.stderr).toBe(0)
    expect(await trustOf(namespace)).toBe(before)
    const after = await cluster.core.readNamespacedServiceAccount({ namespace, name: 'cart' })
    expect(after.metadata?.annotations).toEqual({ 'example.com/note': 'ours' })
  })

  it('makes the role and the ServiceAccount where there are none', async () => {
    const { cluster, cloud, run, trustOf } = changed()
    const namespace = await cluster.namespace()
    const arn = cloud.roleArn(namespace)
    const order = ['bind', 'sa', 'till', '-n', namespace, '--aws-role', arn, '--check', 'aws/sts-exchanges-token']
    expect((await run(order)).exit, 'nobody makes a role unasked').toBe(2)
    const made = await run([...order, '--create-role', '--apply', '--yes'])
    expect(made.exit, made.stdout + made.stderr).toBe(noPods)
    expect(made.stdout).toContain(exchanged)
    const undone = await run(['undo'])
    expect(undone.exit, undone.stdout + undone.stderr).toBe(0)
    await expect(cluster.core.readNamespacedServiceAccount({ namespace, name: 'till' })).rejects.toThrow('404')
    await expect(trustOf(namespace)).rejects.toThrow()
  })
})
