/** A large cluster in a real API server of its own: how many requests the doctor makes of it, and what it costs. */
import { randomUUID } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pod, serviceAccount } from '../../bench/cluster.ts'
import { namespaceOf, namespaces } from '../../bench/marks.ts'
import { interleaved, median, type Program, peakOfNode, peakOfProcess } from '../../bench/process.ts'
import { type Asked, askedByDoctor } from './audit.ts'
import { diagnose, entry } from './doctor.ts'
import type { Lane } from './lane.ts'
import { createAll } from './populate.ts'
import { describeWith, lane } from './running.ts'
import { cacheRoot } from './servers/cache.ts'
import { makeAuthority } from './servers/certificates.ts'
import { type Kubernetes, startKubernetes } from './servers/kubernetes.ts'
import { kubernetesPrograms } from './servers/kubernetes-build.ts'
import { removedAtEnd } from './servers/processes.ts'

const size = {
  serviceAccounts: Number(process.env.WI_LIVE_SERVICE_ACCOUNTS ?? 5000),
  pods: Number(process.env.WI_LIVE_PODS ?? 10_000),
}
const page = 1000
const runs = Number(process.env.WI_LIVE_RUNS ?? 3)
/** What the doctor may cost: as a ratio to kubectl, and in MiB. */
const bound = size.pods > 10_000 ? { ratio: 0.6, peak: 350 } : { ratio: 0.7, peak: 200 }

describeWith(['own cluster'], `doctor -A on ${size.serviceAccounts} ServiceAccounts and ${size.pods} pods`, () => {
  let kubernetes: Kubernetes
  let large: Lane
  let remove = (): void => {}
  const args = ['-A', '--cloud-credentials', 'none']

  beforeAll(async () => {
    const { cluster } = lane
    if (cluster?.signingKey === undefined) return
    const folder = await mkdtemp(path.join(tmpdir(), `wi-live-${process.pid}-`))
    remove = removedAtEnd(folder)
    const programs = await kubernetesPrograms({ root: cacheRoot(process.env), log: () => {} })
    const authority = await makeAuthority(`large ${randomUUID()}`)
    const { issuer, signingKey } = cluster
    kubernetes = await startKubernetes({ programs, folder, authority, issuer, signingKey })
    const { kubeconfig, auditLog, url: server, admin } = kubernetes
    const env = { ...lane.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: path.join(folder, 'kube-cache') }
    large = { ...lane, folder, env, cluster: { ...cluster, kubeconfig, auditLog, server } }
    const entrance = { url: server, root: authority.root, admin }
    const started = performance.now()
    const named = Array.from({ length: namespaces }, (_, i) => ({ metadata: { name: namespaceOf(i) } }))
    await createAll(
      entrance,
      named.map((body) => ({ path: '/api/v1/namespaces', body })),
    )
    const each = (count: number, kind: string, make: (index: number) => object) =>
      Array.from({ length: count }, (_, i) => {
        const body = withoutStatus(make(i))
        return { path: `/api/v1/namespaces/${body.metadata.namespace}/${kind}`, body }
      })
    await createAll(entrance, each(size.serviceAccounts, 'serviceaccounts', serviceAccount))
    await createAll(
      entrance,
      each(size.pods, 'pods', (i) => pod(i, size)),
    )
    say(`made in ${((performance.now() - started) / 1000).toFixed(0)} s`)
  }, 900_000)
  afterAll(async () => {
    await kubernetes?.stop()
    remove()
  })

  it('asks each kind once, in pages, and nothing for each of them', async () => {
    const seen = await diagnose(large, args)
    expect([1, 3]).toContain(seen.exit)
    const asked = await askedByDoctor(large)
    const counts = new Map<string, number>()
    for (const one of asked) counts.set(worded(one), (counts.get(worded(one)) ?? 0) + 1)
    say(`${asked.length} requests: ${[...counts].map(([what, count]) => `${count} ${what}`).join(', ')}`)
    // Every namespace has its own ServiceAccount, and Kubernetes has namespaces of its own.
    expect(counts.get('list serviceaccounts')).toBe(Math.ceil((size.serviceAccounts + namespaces + 40) / page))
    expect(counts.get('list pods')).toBe(Math.ceil(size.pods / page))
    // A few objects that are known by name may be asked for, whatever the size.
    const gets = asked.filter(({ verb, resource }) => verb === 'get' && resource !== undefined)
    expect(gets.filter(({ resource }) => /^(serviceaccounts|pods)/.test(resource ?? ''))).toEqual([])
    expect(gets.length).toBeLessThan(10)
    const again = [...counts].filter(([what, count]) => count > 1 && !/^list (serviceaccounts|pods)$|^get /.test(what))
    expect(again, 'asked more than once').toEqual([])
  })

  it('costs no multiple of kubectl, which only lists them', async () => {
    const doctor = (name: string, ...more: readonly string[]): Program => ({
      ...{ name, command: [process.execPath, entry, 'doctor', ...args, ...more], env: large.env },
    })
    const list = ['get', 'sa,pods', '-A', '--chunk-size=0']
    const kubectl: Program = { name: 'kubectl get sa,pods -A', command: ['kubectl', ...list], env: large.env }
    const [table, json] = [doctor('doctor -A'), doctor('doctor -A -o json', '-o', 'json')]
    const costs = interleaved([kubectl, table, json], runs)
    const nothing = { wall: Number.NaN, cpu: Number.NaN }
    const base = costs.get(kubectl.name) ?? nothing
    const peakOf = ({ command }: Program): number =>
      median(Array.from({ length: 3 }, () => peakOfNode(command, large.folder, large.env)))
    const measured = [table, json].map((program) => {
      const { wall, cpu } = costs.get(program.name) ?? nothing
      return { name: program.name, wall, cpu, walls: wall / base.wall, cpus: cpu / base.cpu, peak: peakOf(program) }
    })
    const peak = await peakOfProcess(kubectl.command, large.env)
    say(`medians of ${runs} interleaved runs: wall, CPU, peak (× ${kubectl.name})`)
    say(`${kubectl.name}: ${base.wall.toFixed(2)} s, ${base.cpu.toFixed(2)} s, ${peak.toFixed(0)} MiB`)
    for (const one of measured)
      say(
        `${one.name}: ${one.wall.toFixed(2)} s (${one.walls.toFixed(2)} ×), ${one.cpu.toFixed(2)} s (${one.cpus.toFixed(2)} ×), ${one.peak.toFixed(0)} MiB`,
      )
    say(`the bounds of the first: ${bound.ratio} × wall and CPU, ${bound.peak} MiB`)
    // A ratio that was taken beside other work is no verdict; here is only seen that nothing has got out of hand.
    const [own] = measured
    expect(own?.walls).toBeLessThan(bound.ratio * 3)
    expect(own?.cpus).toBeLessThan(bound.ratio * 3)
    expect(own?.peak).toBeLessThan(bound.peak * 1.5)
  }, 1_800_000)
})

const worded = ({ verb, resource, path: place }: Asked): string => `${verb} ${resource ?? place}`
const say = (line: string): void => void process.stderr.write(`large cluster: ${line}\n`)

type Made = { readonly metadata: { readonly namespace: string; readonly [member: string]: unknown } }

/** What a client may send of an object as the API server would give it. */
function withoutStatus(object: object): Made {
  const { metadata, spec } = JSON.parse(JSON.stringify(object))
  const { name, namespace, labels, annotations } = metadata
  return { metadata: { name, namespace, labels, annotations }, ...(spec === undefined ? {} : { spec }) }
}
