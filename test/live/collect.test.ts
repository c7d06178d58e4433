/** A bundle of the lane: collected from real servers, replayed where there is no network, and searched for everything secret in the lane. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { entry, runEntry } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { healthyWorkload } from './workload.ts'

describeWith(['cluster', 'cloud'], 'collect', () => {
  let cluster: Cluster
  let cloud: Cloud
  const known = lane.cluster
  const issuer = known?.issuer ?? ''
  const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-live-collect-'))

  beforeAll(async () => {
    cluster = clusterOf(lane)
    cloud = cloudOf(lane)
    await cloud.registerProvider(issuer, [defaultAudience], known?.keys.map(({ thumbprint }) => thumbprint) ?? [])
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await cloud.removeProvider(issuer)
    cloud.close()
    await cluster.clear()
  })

  it('finds the same again, byte for byte, with no interface but loopback', async () => {
    const workload = await healthyWorkload(cluster, cloud, issuer)
    await cloud.setTrust(workload.role, cloud.trustIn({ issuer, subject: 'system:serviceaccount:elsewhere:cart' }))
    const dir = path.join(folder, 'bundle')
    const { exit, stdout, stderr } = await runEntry(lane, ['collect', 'sa/cart', '-n', workload.namespace, '-d', dir])
    expect([exit, stderr]).toEqual([0, ''])
    process.stderr.write(`\n${stdout}\n`)

    // A network namespace of its own has loopback and nothing else.
    const alone = spawnSync('unshare', ['-rn', process.execPath, entry, 'doctor', '-f', dir, '-o', 'json'], {
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      env: { PATH: process.env.PATH, HOME: folder },
    })
    const replay = JSON.parse(alone.stdout)
    const live = JSON.parse(readFileSync(path.join(dir, 'report.json'), 'utf8'))
    expect(live.verdict).toBe('unhealthy')
    expect(alone.status).toBe(1)
    expect(JSON.stringify(replay.findings)).toBe(JSON.stringify(live.findings))
    const interfaces = execFileSync('unshare', ['-rn', 'cat', '/proc/net/dev'], { encoding: 'utf8' })
    expect(interfaces.match(/^\s*\S+:/gmu)?.map((one) => one.trim())).toEqual(['lo:'])
  })

  it('has nothing in it that lets anybody in', () => {
    const dir = path.join(folder, 'bundle')
    const kubeconfig = parse(readFileSync(lane.env.KUBECONFIG ?? '', 'utf8'))
    const secrets = [
      ...Object.entries(lane.env).flatMap(([name, value]) =>
        /SECRET|TOKEN$|PASSWORD|ACCESS_KEY/u.test(name) ? [value ?? ''] : [],
      ),
      ...kubeconfig.users.flatMap(({ user }: { readonly user: { readonly [key: string]: string } }) =>
        Object.entries(user).flatMap(([key, value]) => (/token|password|key-data/u.test(key) ? [value] : [])),
      ),
    ].filter((one) => one.length >= 8)
    expect(secrets.length).toBeGreaterThan(0)
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    expect(files.length).toBeGreaterThan(3)
    for (const file of files) {
      const text = readFileSync(path.join(file.parentPath, file.name), 'utf8')
      for (const secret of secrets) expect(text.includes(secret), file.name).toBe(false)
      expect(text, file.name).not.toMatch(/eyJ[\w-]{10,}\.[\w-]{10,}|PRIVATE KEY/u)
    }
  })
})
