/** What the doctor says when the cluster shows it less, by RBAC, verb by verb: never a fault, always what would let it see. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Asked, askedByDoctor } from './audit.ts'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { cutAfter } from './cut.ts'
import { type Diagnosis, diagnose } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { kubeconfigWith, type Rule, userWith } from './users.ts'
import { healthyWorkload, type Workload } from './workload.ts'

describeWith(['own cluster', 'cloud'], 'doctor with less than everything to see', () => {
  let cluster: Cluster
  let cloud: Cloud
  let workload: Workload
  const known = lane.cluster
  const issuer = known?.issuer ?? ''
  const said: string[] = []
  const look = (args: readonly string[] = [], env = {}) =>
    diagnose(lane, ['sa/cart', '-n', workload.namespace, ...args], env)

  beforeAll(async () => {
    cluster = clusterOf(lane)
    cloud = cloudOf(lane)
    await cloud.registerProvider(issuer, [defaultAudience], known?.keys.map(({ thumbprint }) => thumbprint) ?? [])
    workload = await healthyWorkload(cluster, cloud, issuer)
  })
  afterAll(async () => {
    process.stderr.write(`\nWhat was taken away, and what the doctor said\n${said.join('\n')}\n\n`)
    await cloud.removeProvider(issuer)
    cloud.close()
    await cluster.clear()
  })

  const ruleOf = ({ verb, group, resource = '' }: Asked): Rule => ({ verb, group, resource })
  const worded = ({ verb, resource }: Rule): string => `${verb} ${resource}`

  it('says of every rule that is missing that it is, and nothing else', async () => {
    expect((await look()).verdict).toBe('healthy')
    const needed = new Map<string, Rule>()
    // Refused, the doctor asks otherwise: what it then asks for belongs to its rules, too.
    const blind = await look(['--as', await userWith(cluster, 'nothing-at-all', [])])
    tell('without anything', blind)
    expect([blind.ids('fail'), blind.exit, blind.verdict]).toEqual([[], 3, 'inconclusive'])
    for (const rule of ['get serviceaccounts', 'list pods'])
      expect(blind.findings.map(({ lift }) => lift).join('\n')).toContain(`RBAC: ${rule}`)
    for (const asked of await askedByDoctor(lane))
      if (asked.resource !== undefined) needed.set(`${worded(ruleOf(asked))}.${asked.group}`, ruleOf(asked))
    const rules = [...needed.values()]
    const whole = await look(['--as', await userWith(cluster, 'everything-needed', rules)])
    expect([whole.verdict, whole.ids('unknown')]).toEqual(['healthy', []])
    for (const [i, taken] of rules.entries()) {
      const user = await userWith(
        cluster,
        `without-${i}`,
        rules.filter((rule) => rule !== taken),
      )
      const seen = await look(['--as', user])
      tell(`without ${worded(taken)}`, seen)
      expect(seen.ids('fail'), worded(taken)).toEqual([])
      if (seen.verdict === 'healthy') continue
      expect([seen.exit, seen.verdict], worded(taken)).toEqual([3, 'inconclusive'])
      const lifts = seen.findings.map(({ lift }) => lift).join('\n')
      expect(lifts).toContain(`RBAC: ${worded(taken)}`)
    }
  })

  it('sees as much through a credential plugin, and ends with a sentence where the plugin fails', async () => {
    const token = await cluster.token(workload.namespace, 'cart', 'https://kubernetes.default.svc')
    await cluster.objects.create({
      ...{
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'cart-sees-all' },
      },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'cart', namespace: workload.namespace }],
    } as never)
    const apiVersion = 'client.authentication.k8s.io/v1beta1'
    const answer = JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token } })
    const through = (script: string) =>
      kubeconfigWith(lane, { exec: { apiVersion, command: 'sh', args: ['-c', script] } })
    await expect
      .poll(
        () =>
          through(`echo '${answer}'`)
            .then((env) => look([], env))
            .then(({ verdict }) => verdict),
        { timeout: 20_000 },
      )
      .toBe('healthy')
    const failed = await look([], await through('echo not signed in >&2; exit 1'))
    said.push(`credential plugin fails: exit ${failed.exit}, ${failed.stderr.trim().replaceAll('\n', ' ')}`)
    expect(failed.exit).toBe(2)
    expect(failed.stderr).not.toMatch(/\n\s+at /)
    expect(failed.stderr + JSON.stringify(failed.findings)).not.toContain(token)
  })

  it('ends without a verdict wherever the API server falls silent in mid-run', async () => {
    const { host, protocol } = new URL(known?.server ?? '')
    const whole = await cutAfter(host, Number.POSITIVE_INFINITY)
    const all = await look(['--server', `${protocol}//127.0.0.1:${whole.port}`])
    await whole.close()
    expect(all.verdict).toBe('healthy')
    for (let part = 0; part < 10; part += 1) {
      const bytes = Math.floor((whole.carried() * part) / 10)
      const cut = await cutAfter(host, bytes)
      const seen = await look(['--server', `${protocol}//127.0.0.1:${cut.port}`, '--timeout', '20s'])
      await cut.close()
      tell(`API server gone after ${bytes} of ${whole.carried()} bytes`, seen)
      expect(seen.ids('fail')).toEqual([])
      expect([2, 3]).toContain(seen.exit)
      expect(seen.stderr).not.toMatch(/\n\s+at /)
    }
  })

  it('does not need what anonymous users may read of the API server, as AWS reads the static issuer', async () => {
    const name = 'anonymous-issuer-discovery'
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' }
    const binding = await cluster.objects.read({ ...rbac, metadata: { name } })
    await cluster.objects.delete({ ...rbac, metadata: { name } })
    try {
      expect((await look()).verdict).toBe('healthy')
    } finally {
      await cluster.objects.create({ ...binding, metadata: { name } })
    }
  })

  function tell(what: string, seen: Diagnosis): void {
    const lifts = new Set(seen.findings.flatMap(({ lift }) => lift.split('\n')).filter((one) => one !== ''))
    said.push(
      `${what}: ${seen.verdict}, exit ${seen.exit}, unknown ${seen.findings.filter((f) => f.status === 'unknown').length}, lifts: ${[...lifts].join(' | ')}`,
    )
  }
})
