/** exchange-test beside a pod of a real API server: the Job controller is real, the kubelet is ours and runs the executable below a root of its own. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { canaries } from '../exchanging.ts'
import { type Asked, playKubelet, type Ran } from '../kubelet.ts'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { runEntry } from './doctor.ts'
import { noPodRoot, type PodRoot, podRoot } from './pod-root.ts'
import { describeWith, lane } from './running.ts'
import { userWith } from './users.ts'
import { healthyWorkload, type Workload } from './workload.ts'

const without = noPodRoot()
const image = 'registry.example.com/kubectl-wi:lane'
const node = 'wi-live-node'
const title = `exchange-test beside a container${without === undefined ? '' : ` (left out: ${without})`}`

describeWith(['own cluster', 'cloud'], title, () => {
  let cluster: Cluster
  let cloud: Cloud
  let root: PodRoot
  let workload: Workload
  let kubelet: Awaited<ReturnType<typeof playKubelet>> | undefined
  const secrets = canaries()
  const shown: string[] = []
  const issuer = lane.cluster?.issuer ?? ''

  /** The lane as the pod meets it: the same addresses on the loopback of its own network. */
  const run = async ({ args, env, files }: Asked): Promise<Ran> => {
    for (const token of Object.values(files)) for (const part of token.split('.').slice(1)) secrets.known.add(part)
    const ports = [...JSON.stringify({ ...lane.env, hosts: await hosts() }).matchAll(/127\.0\.0\.1:(\d+)/g)].map(
      ([, port]) => port,
    )
    const laid = Object.entries(files).map(([path, text]) => [path, { text, mode: 0o644 }] as const)
    const ran = await root.run({
      args,
      env: {
        KUBECTL_WI_LAB: '/var/run/lane/hosts.json',
        AWS_CA_BUNDLE: '/var/run/lane/root.pem',
        AWS_ENDPOINT_URL_STS: lane.env.AWS_ENDPOINT_URL_STS ?? '',
        AWS_REGION: lane.cloud?.region ?? '',
        ...env,
      },
      files: {
        ...Object.fromEntries(laid),
        '/var/run/lane/root.pem': { text: lane.root },
        '/var/run/lane/hosts.json': { text: await hosts() },
      },
      reaches: Object.fromEntries(ports.map((port) => [`127.0.0.1 ${port}`, Number(port)])),
    })
    return { log: ran.err + ran.out, code: ran.code }
  }
  const hosts = async (): Promise<string> => {
    const { readFile } = await import('node:fs/promises')
    return readFile(lane.env.KUBECTL_WI_LAB ?? '', 'utf8')
  }
  const inPod = async (args: readonly string[], env = {}) => {
    const ran = await runEntry(
      lane,
      ['exchange-test', '--in-pod', 'cart', '-n', workload.namespace, '--image', image, ...args],
      env,
    )
    secrets.silentIn(ran.stdout + ran.stderr)
    shown.push(`\n━━ exchange-test --in-pod cart ${args.join(' ')}: exit ${ran.exit}\n${ran.stderr}${ran.stdout}`)
    return ran
  }
  const jobs = async (): Promise<number> => {
    const { BatchV1Api } = await import('@kubernetes/client-node')
    const api = cluster.config.makeApiClient(BatchV1Api)
    return (await api.listNamespacedJob({ namespace: workload.namespace })).items.length
  }

  beforeAll(async () => {
    if (without !== undefined) return
    cluster = clusterOf(lane)
    cloud = cloudOf(lane)
    const prints = lane.cluster?.keys.map(({ thumbprint }) => thumbprint) ?? []
    await cloud.registerProvider(issuer, [defaultAudience], prints)
    root = await podRoot((line) => process.stderr.write(`in-pod: ${line}\n`))
    workload = await healthyWorkload(cluster, cloud, issuer)
    const kubeconfig = lane.cluster?.kubeconfig ?? ''
    kubelet = await playKubelet({ kubeconfig, node, image, run })
    await kubelet.take(workload.namespace, 'cart')
    // The lane's controllers have no accounts of their own, and share a user that may not make pods.
    const ofController = ['create', 'delete', 'patch'].map((verb) => ({ verb, group: '', resource: 'pods' }))
    await userWith(cluster, 'system:kube-controller-manager', ofController, workload.namespace)
  }, 300_000)
  afterAll(async () => {
    await kubelet?.close()
    await cloud?.removeProvider(issuer)
    await cluster?.clear()
    console.log(shown.join('\n'))
  })

  it.skipIf(without !== undefined)(
    'as a Job has the identity proven by a real STS, and leaves nothing behind',
    async () => {
      const { exit, stdout, stderr } = await inPod(['--job'])
      expect(stderr).toMatch(/Created Job .*\n.*Deleted Job/u)
      expect(stdout).toMatch(/^proven/mu)
      expect(await jobs()).toBe(0)
      expect(exit).toBe(0)
    },
  )
  it.skipIf(without !== undefined)('as a Job tells what is broken', async () => {
    const { namespace, role } = workload
    await cloud.setTrust(role, cloud.trustIn({ issuer, subject: `system:serviceaccount:${namespace}:other` }))
    const { exit, stdout } = await inPod(['--job'])
    await cloud.setTrust(role, cloud.trustIn({ issuer, subject: workload.subject }))
    expect(stdout).toMatch(/STS refuses the token/u)
    expect(exit).toBe(1)
  })
  it.skipIf(without !== undefined)('says which right is missing', async () => {
    const { namespace } = workload
    const user = await userWith(
      cluster,
      `reader-${namespace}`,
      [{ verb: 'get', group: '', resource: 'pods' }],
      namespace,
    )
    const job = await inPod(['--job', '--as', user])
    expect(job.stdout.replaceAll(/\s+/gu, ' ')).toContain(`RBAC: create on jobs.batch in namespace ${namespace}`)
    expect(job.exit).toBe(3)
  })
  it.skipIf(without !== undefined)('says that this version has no ephemeral containers', async () => {
    const { exit, stdout } = await inPod([])
    expect(stdout.replaceAll(/\s+/gu, ' ')).toContain('this API server has no ephemeral containers')
    expect(exit).toBe(3)
  })
})
