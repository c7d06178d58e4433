/** The IRSA path against real servers: healthy from end to end, then broken in one place at a time. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { type Diagnosis, diagnose } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { makeSigningKey } from './servers/certificates.ts'
import { publicKeyOf, publishIssuer } from './servers/issuer.ts'
import { healthyWorkload, injectedPod, managedWebhook, type Workload } from './workload.ts'

describeWith(['cluster', 'cloud'], 'doctor on the IRSA path', () => {
  let cluster: Cluster
  let cloud: Cloud
  const known = lane.cluster
  const issuer = known?.issuer ?? ''
  const prints = known?.keys.map(({ thumbprint }) => thumbprint) ?? []
  const register = (audiences: readonly string[] = [defaultAudience]) =>
    cloud.registerProvider(issuer, audiences, prints)
  const said: string[][] = []

  /** Breaks a healthy workload, lets the doctor look, and puts everything that others share back. */
  async function broken(
    what: string,
    spoil: (workload: Workload) => Promise<unknown>,
    restore: (workload: Workload) => Promise<unknown> = async () => {},
  ): Promise<Diagnosis> {
    const workload = await healthyWorkload(cluster, cloud, issuer)
    try {
      await spoil(workload)
      const seen = await diagnose(lane, ['sa/cart', '-n', workload.namespace])
      const fails = seen.findings.filter(({ status }) => status === 'fail')
      said.push([what, `exit ${seen.exit}`, ...fails.map(({ check, message }) => `${check}: ${message}`)])
      return seen
    } finally {
      await restore(workload)
    }
  }

  beforeAll(async () => {
    cluster = clusterOf(lane)
    cloud = cloudOf(lane)
    await register()
  })
  afterAll(async () => {
    process.stderr.write(
      `\nWhat was broken, and what the doctor said\n${said.map((one) => one.join('\n    ')).join('\n')}\n\n`,
    )
    await cloud.removeProvider(issuer)
    cloud.close()
    await cluster.clear()
  })

  it('is healthy where nothing is broken', async () => {
    const seen = await broken('nothing', async () => {})
    expect(seen.ids('fail')).toEqual([])
    expect(seen.ids('unknown')).toEqual([])
    expect(seen.ids('blocked')).toEqual([])
    expect(seen.of('aws/sts-exchanges-token').map(({ status }) => status)).toEqual(['pass'])
    expect([seen.exit, seen.verdict]).toEqual([0, 'healthy'])
  })

  it('sees a trust in another namespace', async () => {
    const seen = await broken('the role trusts another namespace', ({ role }) =>
      cloud.setTrust(role, cloud.trustIn({ issuer, subject: 'system:serviceaccount:elsewhere:cart' })),
    )
    expect(seen.ids('fail')).toContain('aws/trust-policy-admits-service-account')
    expect(seen.exit).toBe(1)
  })

  it('sees a trust in another audience', async () => {
    const seen = await broken('the role trusts another audience', ({ role, subject }) =>
      cloud.setTrust(role, cloud.trustIn({ issuer, subject, audience: 'https://example.com' })),
    )
    expect(seen.ids('fail')).toContain('aws/trust-policy-admits-service-account')
  })

  it('sees a wildcard that StringEquals takes literally', async () => {
    const seen = await broken('a wildcard under StringEquals', ({ role, namespace }) =>
      cloud.setTrust(role, cloud.trustIn({ issuer, subject: `system:serviceaccount:${namespace}:*` })),
    )
    expect(seen.ids('fail')).toContain('aws/trust-policy-admits-service-account')
  })

  it('sees that the provider is missing', async () => {
    const seen = await broken(
      'no OIDC provider',
      () => cloud.removeProvider(issuer),
      () => register(),
    )
    expect(seen.ids('fail')).toContain('aws/oidc-provider-registered')
  })

  it("sees that the provider does not list the token's audience", async () => {
    const swap = async (audiences?: readonly string[]) => {
      await cloud.removeProvider(issuer)
      await register(audiences)
    }
    const seen = await broken(
      'the provider lists another audience',
      () => swap(['https://example.com']),
      () => swap(),
    )
    expect(seen.ids('fail')).toContain('aws/oidc-provider-accepts-audience')
  })

  it('sees that the role does not exist', async () => {
    const seen = await broken('no role', ({ role }) => cloud.removeRole(role))
    expect(seen.ids('fail')).toContain('aws/role-exists')
  })

  it('sees that the key that signs is not the one that is published', async () => {
    if (known === undefined) return
    const keys = known.keys.map(({ key }) => key)
    const seen = await broken(
      'the key was rotated and not published',
      () => publishIssuer(known.site, issuer, [publicKeyOf(makeSigningKey())]),
      () => publishIssuer(known.site, issuer, keys),
    )
    expect(seen.ids('fail')).toContain('cluster/published-keys-verify-tokens')
  })

  it('sees that the discovery document speaks of another issuer', async () => {
    if (known === undefined) return
    const keys = known.keys.map(({ key }) => key)
    const seen = await broken(
      'the published issuer has another path',
      () => publishIssuer(known.site, issuer, keys, { issuer: `${issuer}/other` }),
      () => publishIssuer(known.site, issuer, keys),
    )
    expect(seen.ids('fail').filter((id) => id.startsWith('cluster/'))).not.toEqual([])
  })

  it('sees a pod that is older than the annotation', async () => {
    const webhook = managedWebhook(cluster.config.getCurrentCluster()?.caData ?? '')
    await cluster.objects.create(webhook as never)
    onTestFinished(async () => {
      await cluster.objects.delete(webhook as never)
    })
    const seen = await broken('the pod is older than the annotation', async ({ namespace, name, arn }) => {
      await cluster.core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 0 })
      const pod = injectedPod(name, arn)
      const spec = { serviceAccountName: name, containers: [{ name: 'main', image: 'registry.example.com/cart:1' }] }
      await cluster.core.createNamespacedPod({ namespace, body: { ...pod, spec } })
      // A creation time is in whole seconds.
      await new Promise((done) => setTimeout(done, 1100))
      const body = { metadata: { annotations: { 'eks.amazonaws.com/role-arn': arn, 'example.com/touched': 'yes' } } }
      await cluster.core.deleteNamespacedServiceAccount({ namespace, name })
      await cluster.core.createNamespacedServiceAccount({ namespace, body: { metadata: { name, ...body.metadata } } })
    })
    expect([...seen.ids('fail')]).toEqual(expect.arrayContaining(['aws/pod-is-injected']))
  })

  it('never takes what it may not read in AWS for a fault', async () => {
    const users = lane.cloud?.users
    if (users === undefined) return
    const workload = await healthyWorkload(cluster, cloud, issuer)
    for (const user of [users.bystander, users.stranger]) {
      const { accessKeyId, secretAccessKey } = user
      const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
      const seen = await diagnose(lane, ['sa/cart', '-n', workload.namespace], env)
      said.push([`signed in as ${user.name}`, `exit ${seen.exit}`, `unknown: ${seen.ids('unknown').join(', ')}`])
      expect(seen.ids('fail')).toEqual([])
      expect(seen.ids('unknown')).toEqual(expect.arrayContaining(['aws/role-exists', 'aws/oidc-provider-registered']))
      expect(seen.of('aws/sts-exchanges-token').map(({ status }) => status)).toEqual(['pass'])
      expect(seen.exit).toBe(3)
    }
  })
})
