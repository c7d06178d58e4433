/** Each server of the lane really answers, and says no to what it must say no to. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { restartApiServer, stopApiServer } from './control.ts'
import { awsEnvironment } from './environment.ts'
import { describeWith, lane } from './running.ts'
import { makeSigningKey } from './servers/certificates.ts'
import { ask } from './web.ts'

const run = promisify(execFile)

/** What a program sees that has nothing but this environment. */
async function askIam(
  role: string,
  env: { readonly [name: string]: string },
): Promise<{ providers: string; role: string }> {
  const { stdout } = await run(process.execPath, [path.join(import.meta.dirname, 'asks-iam.ts'), role], { env })
  return JSON.parse(stdout)
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not there')
  return value
}

describe('the lane', () => {
  it('says why something is left out, and leaves nothing out in silence', () => {
    const parts = [lane.cluster, lane.cloud, lane.storage, lane.idp].filter((part) => part !== undefined).length
    expect(parts + lane.leftOut.length).toBe(4)
    for (const { why } of lane.leftOut) expect(why).not.toBe('')
  })
})

describeWith(['cluster'], 'the API server', () => {
  let cluster: Cluster
  beforeAll(() => {
    cluster = clusterOf(lane)
  })
  afterAll(() => cluster.clear())

  it('signs tokens that the published keys verify', async () => {
    const { issuer, site } = present(lane.cluster)
    const namespace = await cluster.namespace()
    await cluster.serviceAccount(namespace, 'cart')
    const token = await cluster.token(namespace, 'cart', defaultAudience)
    const discovery = JSON.parse((await ask(`${issuer}/.well-known/openid-configuration`, { port: site.port })).body)
    expect(discovery.issuer).toBe(issuer)
    const keys: JSONWebKeySet = JSON.parse((await ask(discovery.jwks_uri, { port: site.port })).body)
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { issuer, audience: defaultAudience })
    expect(payload.sub).toBe(`system:serviceaccount:${namespace}:cart`)
    expect(keys.keys.find(({ kid }) => kid === decodeProtectedHeader(token).kid)?.x5c).toHaveLength(1)
  })

  it('is the one that kubectl finds in the environment', async () => {
    const { stdout } = await run('kubectl', ['get', '--raw', '/readyz'], { env: lane.env })
    expect(stdout).toBe('ok')
  })

  it('refuses by RBAC', async () => {
    const asked = run('kubectl', ['get', 'pods', '--as', 'nobody'], { env: lane.env })
    await expect(asked).rejects.toThrow(/Forbidden/)
  })
})

describeWith(['own cluster'], "the lane's own API server", () => {
  it('tells anybody which issuer it is, and nothing else', async () => {
    const { server, issuer } = present(lane.cluster)
    const discovery = await ask(`${server}/.well-known/openid-configuration`)
    expect(discovery.status).toBe(200)
    expect(JSON.parse(discovery.body).issuer).toBe(issuer)
    expect((await ask(`${server}/api/v1/namespaces`)).status).toBe(403)
  })

  it('stops and comes back with another key when a test says so', async () => {
    const { signingKey, server } = present(lane.cluster)
    const cluster = clusterOf(lane)
    const namespace = await cluster.namespace()
    await cluster.serviceAccount(namespace, 'cart')
    const keyOf = async (): Promise<string | undefined> =>
      decodeProtectedHeader(await cluster.token(namespace, 'cart', defaultAudience)).kid
    const before = await keyOf()
    await stopApiServer(lane.folder)
    await expect(ask(`${server}/readyz`)).rejects.toThrow(/ECONNREFUSED/)
    await restartApiServer(lane.folder, { signingKey: makeSigningKey() })
    expect(await keyOf()).not.toBe(before)
    await restartApiServer(lane.folder, { signingKey: present(signingKey) })
    expect(await keyOf()).toBe(before)
    await cluster.clear()
  })
})

describeWith(['cluster', 'cloud'], 'the gateway', () => {
  let cluster: Cluster
  let cloud: Cloud
  let namespace = ''
  let token = ''
  const issuer = lane.cluster?.issuer ?? ''
  beforeAll(async () => {
    cluster = clusterOf(lane)
    cloud = cloudOf(lane)
    namespace = await cluster.namespace()
    await cluster.serviceAccount(namespace, 'cart')
    token = await cluster.token(namespace, 'cart', defaultAudience)
    const prints = present(lane.cluster).keys.map(({ thumbprint }) => thumbprint)
    await cloud.registerProvider(issuer, [defaultAudience], prints)
  })
  afterAll(async () => {
    await cloud.removeProvider(issuer)
    cloud.close()
    await cluster.clear()
  })

  it('exchanges the token of a ServiceAccount that the role trusts, for credentials that list a bucket', async () => {
    const subject = `system:serviceaccount:${namespace}:cart`
    const arn = await cloud.createRole('trusts-cart', cloud.trustIn({ issuer, subject }))
    expect(arn).toBe(`arn:aws:iam::${cloud.account}:role/trusts-cart`)
    const bucket = `${namespace}-carts`
    await cloud.putObject(bucket, 'full', 'of things')
    const before = await cloud.exchange(arn, token)
    await expect(cloud.listObjects(bucket, before)).rejects.toThrow(/AccessDenied|Unknown/)
    await cloud.allowReading('trusts-cart', bucket)
    expect(await cloud.listObjects(bucket, await cloud.exchange(arn, token))).toEqual(['full'])
  })

  it('refuses the same token where the role trusts the ServiceAccount of another namespace', async () => {
    const subject = 'system:serviceaccount:elsewhere:cart'
    const arn = await cloud.createRole('trusts-elsewhere', cloud.trustIn({ issuer, subject }))
    await expect(cloud.exchange(arn, token)).rejects.toMatchObject({ name: 'AccessDenied' })
    await cloud.setTrust(
      'trusts-elsewhere',
      cloud.trustIn({ issuer, subject: `system:serviceaccount:${namespace}:cart` }),
    )
    await expect(cloud.exchange(arn, token)).resolves.toHaveProperty('sessionToken')
  })

  it('refuses a token for another audience, and one with a broken signature', async () => {
    const subject = `system:serviceaccount:${namespace}:cart`
    const arn = await cloud.createRole('trusts-signatures', cloud.trustIn({ issuer, subject }))
    await expect(cloud.exchange(arn, token)).resolves.toHaveProperty('sessionToken')
    const other = await cluster.token(namespace, 'cart', 'https://example.com')
    await expect(cloud.exchange(arn, other)).rejects.toMatchObject({ name: 'AccessDenied' })
    const [head, , signature] = token.split('.')
    const forged = [head, other.split('.')[1], signature].join('.')
    await expect(cloud.exchange(arn, forged)).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  it('lists what is registered, and says which role does not exist', async () => {
    const { providers, role } = await askIam('no-such-role', lane.env)
    expect(providers).toContain(cloud.providerArn(issuer))
    expect(role).toMatch(/^NoSuchEntity/)
  })

  it('knows who is signed in, and refuses a wrong secret and somebody who may nothing', async () => {
    const { users } = present(lane.cloud)
    const { accessKeyId, secretAccessKey } = users.stranger
    expect(await cloud.whoAmI({ accessKeyId, secretAccessKey })).toBe(
      `arn:aws:iam::${users.stranger.account}:user/stranger`,
    )
    const wrong = cloud.whoAmI({ accessKeyId, secretAccessKey: `${secretAccessKey}x` })
    await expect(wrong).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
    const env = { ...lane.env, ...awsEnvironment(lane, users.bystander) }
    await cloud.createRole('there', cloud.trustIn({ issuer, subject: 'system:serviceaccount:elsewhere:cart' }))
    expect((await askIam('there', lane.env)).role).toBe('found')
    const { providers, role } = await askIam('there', env)
    expect([providers, role]).toEqual(['AccessDenied', 'AccessDenied'])
  })
})
