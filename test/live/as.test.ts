/** `--as`: the doctor looks with somebody else's eyes, and says what that person cannot see. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { askedByDoctor } from './audit.ts'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { diagnose } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { kubeconfigWith, type Rule, userWith } from './users.ts'
import { healthyWorkload, type Workload } from './workload.ts'

const inCore = (verb: string, resource: string): Rule => ({ verb, group: '', resource })

describeWith(['own cluster', 'cloud'], 'doctor --as somebody else', () => {
  let cluster: Cluster
  let cloud: Cloud
  let [mine, theirs]: (Workload | undefined)[] = []
  const issuer = lane.cluster?.issuer ?? ''
  const said: string[] = []

  beforeAll(async () => {
    cluster = clusterOf(lane)
    cloud = cloudOf(lane)
    const prints = lane.cluster?.keys.map(({ thumbprint }) => thumbprint) ?? []
    await cloud.registerProvider(issuer, [defaultAudience], prints)
    mine = await healthyWorkload(cluster, cloud, issuer)
    theirs = await healthyWorkload(cluster, cloud, issuer)
    const rules = [inCore('get', 'serviceaccounts'), inCore('list', 'serviceaccounts'), inCore('list', 'pods')]
    const policies = { verb: 'list', group: 'networking.k8s.io', resource: 'networkpolicies' }
    await userWith(cluster, 'bob', [...rules, policies, inCore('create', 'serviceaccounts/token')], mine.namespace)
  })
  afterAll(async () => {
    process.stderr.write(`\nWho looked, and what the doctor said\n${said.join('\n')}\n\n`)
    await cloud.removeProvider(issuer)
    cloud.close()
    await cluster.clear()
  })

  async function look(what: string, args: readonly string[]) {
    const seen = await diagnose(lane, args)
    const lifts = new Set(seen.findings.flatMap(({ lift }) => lift.split('\n')).filter((one) => one !== ''))
    const words = seen.stderr.trim().replaceAll('\n', ' ')
    said.push(`${what}: ${seen.verdict}, exit ${seen.exit}, lifts: ${[...lifts].join(' | ')}${words}`)
    return { ...seen, lifts: [...lifts].join('\n') }
  }
  const workload = ({ namespace, name }: Workload): readonly string[] => [`sa/${name}`, '-n', namespace]

  it('sees all of a namespace that the other may look into, and asks for everything in the name of the other', async () => {
    if (mine === undefined) return
    const seen = await look('bob in his own namespace', [...workload(mine), '--as', 'bob'])
    expect(seen.ids('fail')).toEqual([])
    expect(seen.of('aws/sts-exchanges-token').map(({ status }) => status)).toEqual(['pass'])
    expect(seen.of('workload/service-account-exists').map(({ status }) => status)).toEqual(['pass'])
    // He may look at nothing beyond his namespace: what is left open is open for that alone.
    expect(seen.lifts).not.toContain(`in namespace ${mine.namespace}`)
    const users = new Set((await askedByDoctor(lane, mine.namespace)).map(({ user }) => user))
    expect([...users]).toEqual(['bob'])
  })

  it('finds no fault where the other may not look', async () => {
    if (theirs === undefined) return
    const seen = await look("bob in somebody else's namespace", [...workload(theirs), '--as', 'bob'])
    expect([seen.ids('fail'), seen.exit, seen.verdict]).toEqual([[], 3, 'inconclusive'])
    expect(seen.lifts).toContain(`RBAC: get serviceaccounts in namespace ${theirs.namespace}`)
    const whole = await look('bob in all namespaces', ['-A', '--as', 'bob'])
    expect([whole.ids('fail'), whole.exit]).toEqual([[], 3])
    expect(whole.lifts).toContain('RBAC: list pods in all namespaces')
  })

  it('sees as much as any group that the other is said to be in', async () => {
    if (theirs === undefined) return
    const as = ['--as', 'bob', '--as-group', 'system:masters']
    const seen = await look("bob in somebody else's namespace, as system:masters", [...workload(theirs), ...as])
    expect([seen.exit, seen.verdict]).toEqual([0, 'healthy'])
  })

  it('says that somebody may not impersonate, and takes it for nothing else', async () => {
    if (mine === undefined) return
    const token = await cluster.token(mine.namespace, mine.name, 'https://kubernetes.default.svc')
    const seen = await diagnose(lane, [...workload(mine), '--as', 'bob'], await kubeconfigWith(lane, { token }))
    said.push(
      `${mine.name}, who may not impersonate: exit ${seen.exit}, ${seen.findings.map(({ lift }) => lift)[0]}${seen.stderr.trim()}`,
    )
    expect(seen.ids('fail')).toEqual([])
    expect([2, 3]).toContain(seen.exit)
    expect(seen.findings.map(({ lift }) => lift).join('\n')).toContain('RBAC: impersonate users')
    expect(seen.findings.map(({ lift }) => lift).join('\n')).not.toContain('RBAC: get')
    expect(seen.stderr + JSON.stringify(seen.findings)).not.toContain(token)
  })
})
