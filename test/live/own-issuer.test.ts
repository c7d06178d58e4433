/** The API server as its own issuer, asked by anybody, and an API server that has been given another issuer than the published one. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { restartApiServer } from './control.ts'
import { type Diagnosis, diagnose } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { publishIssuer, withdrawIssuer } from './servers/issuer.ts'
import { healthyWorkload, type Workload } from './workload.ts'

describeWith(['own cluster', 'cloud'], 'doctor on the issuer of the API server', () => {
  let cluster: Cluster
  let cloud: Cloud
  let workload: Workload
  const known = lane.cluster
  const site = known?.site ?? { folder: '', host: '', port: 0, proxy: '' }
  const usual = known?.issuer ?? ''
  const own = `https://${site.host}`
  const ownKeys = `--service-account-jwks-uri=${own}/openid/v1/jwks`
  const prints = known?.keys.map(({ thumbprint }) => thumbprint) ?? []
  const keys = known?.keys.map(({ key }) => key) ?? []
  const said: string[][] = []
  let env: { readonly [name: string]: string } = {}

  beforeAll(async () => {
    cluster = clusterOf(lane)
    cloud = cloudOf(lane)
    // Whoever asks the issuer's host for its documents gets them from the API server; the gateway needs a certificate with each key.
    const hosts = path.join(lane.folder, 'own-issuer.json')
    const sts = lane.cloud === undefined ? {} : { 'sts.amazonaws.com:443': new URL(lane.cloud.endpoint).host }
    const resolve = { ...sts, [`${site.host}:443`]: new URL(known?.server ?? '').host }
    await writeFile(hosts, JSON.stringify({ roots: lane.root, resolve }), { mode: 0o600 })
    env = { KUBECTL_WI_LAB: hosts }
    await publishIssuer(site, own, keys)
    await cloud.registerProvider(own, [defaultAudience], prints)
    workload = await healthyWorkload(cluster, cloud, own)
    await restartApiServer(lane.folder, { issuer: own, flags: [ownKeys] })
  })
  afterAll(async () => {
    const rows = said.map((one) => one.join('\n    ')).join('\n')
    process.stderr.write(`\nWhat was broken about the issuer, and what the doctor said\n${rows}\n\n`)
    await withdrawIssuer(site, own)
    await cloud.removeProvider(own)
    cloud.close()
    await restartApiServer(lane.folder, { issuer: usual, flags: [] })
    await cluster.clear()
  })

  async function look(what: string, over = env): Promise<Diagnosis> {
    const seen = await diagnose(lane, ['sa/cart', '-n', workload.namespace], over)
    const fails = seen.findings.filter(({ status }) => status === 'fail')
    said.push([what, `exit ${seen.exit}`, ...fails.map(({ check, message }) => `${check}: ${message}`)])
    return seen
  }
  const messages = (seen: Diagnosis): string =>
    seen
      .of('cluster/discovery-is-public')
      .map(({ message }) => message)
      .join()

  it('is healthy where anybody may read the two documents', async () => {
    const seen = await look('nothing')
    expect([seen.ids('fail'), seen.exit, seen.verdict]).toEqual([[], 0, 'healthy'])
    expect(seen.of('cluster/discovery-is-public').map(({ status }) => status)).toEqual(['pass'])
    expect(seen.of('cluster/published-keys-verify-tokens').map(({ status }) => status)).toEqual(['pass'])
  })

  it('sees that RBAC shows them to nobody', async () => {
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' }
    const metadata = { name: 'anonymous-issuer-discovery' }
    const binding = await cluster.objects.read({ ...rbac, metadata })
    await cluster.objects.delete({ ...rbac, metadata })
    await withdrawIssuer(site, own)
    try {
      const seen = await look('nothing lets anonymous users read the discovery document')
      expect(seen.ids('fail')).toContain('cluster/discovery-is-public')
      expect(messages(seen)).toContain('get 403: nothing binds system:service-account-issuer-discovery')
      expect(seen.exit).toBe(1)
    } finally {
      await publishIssuer(site, own, keys)
      await cluster.objects.create({ ...binding, metadata })
    }
  })

  it('sees that anonymous requests are off', async () => {
    await restartApiServer(lane.folder, { flags: [ownKeys, '--anonymous-auth=false'] })
    await withdrawIssuer(site, own)
    const seen = await look('kube-apiserver runs with --anonymous-auth=false')
    await publishIssuer(site, own, keys)
    expect(seen.ids('fail')).toContain('cluster/discovery-is-public')
    expect(messages(seen)).toContain('--anonymous-auth=false')
    expect(seen.exit).toBe(1)
  })

  it('sees that the API server was given another path than what is published and registered', async () => {
    await restartApiServer(lane.folder, {
      issuer: `${own}/other`,
      flags: [`--service-account-jwks-uri=${own}/other/keys.json`],
    })
    const seen = await look('kube-apiserver was started with another path in --service-account-issuer', {})
    const fails = seen.ids('fail')
    expect(fails).toEqual(expect.arrayContaining(['cluster/discovery-is-public', 'aws/oidc-provider-registered']))
    expect(fails).not.toContain('aws/role-exists')
    expect(
      seen
        .of('aws/oidc-provider-registered')
        .map(({ message }) => message)
        .join(),
    ).toContain(`${own}/other`)
    expect(seen.exit).toBe(1)
  })
})
