/** The lab's cluster and issuer through the real kubectl, with real certificates and signatures. */
import { request } from 'node:https'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programOnPath } from '../src/lab/command.ts'
import type { Lab } from '../src/lab/lab.ts'
import { api, ask, closeLabs, demo, issuer, kubectl, mint, type Ran, role, start } from './labs.ts'

let broken: Lab
beforeAll(async () => {
  broken = await start(demo('broken'))
})
afterAll(closeLabs)

const hasKubectl = programOnPath('kubectl', process.env.PATH ?? '') !== undefined
if (!hasKubectl) console.warn('kubectl is not on PATH: the lab was not tried through it')

describe.skipIf(!hasKubectl)(`kubectl${hasKubectl ? '' : ' (not on PATH)'}`, () => {
  it('reads objects', async () => {
    const got = await kubectl(broken, ['get', 'pods,sa,deploy', '-A'])
    expect(got).toMatchObject({ code: 0 })
    expect(got.out).toMatch(/pod\/cart-7d9f6c5b8-x2m4q[\s\S]*serviceaccount\/cart[\s\S]*deployment.apps\/cart/)
    const missing = await kubectl(broken, ['get', 'sa', 'nobody'])
    expect(missing).toMatchObject({
      code: 1,
      err: 'Error from server (NotFound): serviceaccounts "nobody" not found\n',
    })
  })

  it('reads both documents of the issuer', async () => {
    const [discovery, keys] = await Promise.all([
      kubectl(broken, ['get', '--raw', '/.well-known/openid-configuration']),
      kubectl(broken, ['get', '--raw', '/openid/v1/jwks']),
    ])
    expect(JSON.parse(discovery.out)).toMatchObject({ issuer })
    expect(JSON.parse(keys.out).keys).toHaveLength(1)
  })

  it('mints tokens that the published keys verify', async () => {
    const minted = await kubectl(broken, ['create', 'token', 'cart', '-n', 'shop', '--audience', 'sts.amazonaws.com'])
    const keys = await kubectl(broken, ['get', '--raw', '/openid/v1/jwks'])
    const { payload, protectedHeader } = await jwtVerify(minted.out.trim(), createLocalJWKSet(JSON.parse(keys.out)), {
      issuer,
      audience: 'sts.amazonaws.com',
    })
    expect(protectedHeader).toEqual({ alg: 'RS256', kid: JSON.parse(keys.out).keys[0].kid })
    expect(payload).toMatchObject({
      sub: 'system:serviceaccount:shop:cart',
      'kubernetes.io': {
        namespace: 'shop',
        serviceaccount: { name: 'cart', uid: '6a0f3c1e-2a4b-4f3d-9c55-0b8a7d1e0003' },
      },
    })
    const short = await kubectl(broken, ['create', 'token', 'cart', '-n', 'shop', '--duration', '5m'])
    expect(short.err).toContain(
      'spec.expirationSeconds: Invalid value: 300: may not specify a duration less than 10 minutes',
    )
  })

  it('applies, annotates, patches and deletes', async () => {
    const lab = await start({
      'sa.yaml':
        'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: cart, namespace: shop, annotations: {kept: "1"}}\n',
    })
    const manifest = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'web', namespace: 'shop', annotations: { a: '1' } },
    }
    const apply = (object: object, ...flags: readonly string[]): Promise<Ran> =>
      kubectl(lab, ['apply', ...flags, '-f', '-'], JSON.stringify(object))
    expect(await apply(manifest)).toEqual({ code: 0, out: 'serviceaccount/web created\n', err: '' })
    expect((await apply({ ...manifest, metadata: { ...manifest.metadata, annotations: { a: '2' } } })).out).toContain(
      'configured',
    )
    expect(
      (
        await apply(
          { ...manifest, metadata: { ...manifest.metadata, labels: { l: 'x' } } },
          '--server-side',
          '--force-conflicts',
        )
      ).out,
    ).toContain('serverside-applied')
    await kubectl(lab, ['annotate', 'sa', 'cart', '-n', 'shop', `eks.amazonaws.com/role-arn=${role}`])
    const dry = await kubectl(lab, ['annotate', 'sa', 'cart', '-n', 'shop', 'kept-', '--dry-run=server'])
    expect(dry.code).toBe(0)
    const { metadata } = JSON.parse(
      (await kubectl(lab, ['get', 'sa', 'cart', '-n', 'shop', '-o', 'json', '--show-managed-fields'])).out,
    )
    expect(metadata.annotations).toEqual({ kept: '1', 'eks.amazonaws.com/role-arn': role })
    expect(metadata.managedFields).toMatchObject([
      {
        manager: 'kubectl-annotate',
        fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:eks.amazonaws.com/role-arn': {} } } },
      },
    ])
    const test = [
      { op: 'test', path: '/metadata/annotations/kept', value: 'other' },
      { op: 'remove', path: '/metadata/annotations/kept' },
    ]
    const change = JSON.stringify(test)
    const refused = await kubectl(lab, ['patch', 'sa', 'cart', '-n', 'shop', '--type', 'json', '-p', change])
    expect(refused.code).toBe(1)
    expect((await kubectl(lab, ['delete', 'sa', 'web', '-n', 'shop'])).code).toBe(0)
    expect((await kubectl(lab, ['get', 'sa', '-n', 'shop', '-o', 'name'])).out).toBe('serviceaccount/cart\n')
  })

  it('is refused with a wrong token, and where RBAC refuses', async () => {
    const lab = await start(demo('broken'), { refuse: ['list pods', 'create serviceaccounts/token'] })
    const [wrong, pods, token] = await Promise.all([
      kubectl(lab, ['get', 'sa', '--token', 'wrong']),
      kubectl(lab, ['get', 'pods', '-n', 'shop']),
      kubectl(lab, ['create', 'token', 'cart', '-n', 'shop']),
    ])
    expect(wrong.err).toContain('You must be logged in to the server')
    expect(pods.err).toBe(
      'Error from server (Forbidden): pods is forbidden: User "lab-admin" cannot list resource "pods" in API group "" in the namespace "shop"\n',
    )
    expect(token.err).toContain('cannot create resource "serviceaccounts/token"')
  })
})

describe('the API server', () => {
  it('pages, selects and counts', async () => {
    const accounts = Array.from({ length: 5 }, (_, i) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: `a${i}`, namespace: i < 4 ? 'shop' : 'other', labels: { odd: String(i % 2 === 1) } },
    }))
    const lab = await start({ 'list.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: accounts }) })
    const first = await api(lab, 'GET', '/api/v1/serviceaccounts?limit=2')
    expect(first.body.metadata).toMatchObject({ remainingItemCount: 3 })
    const second = await api(lab, 'GET', `/api/v1/serviceaccounts?limit=9&continue=${first.body.metadata.continue}`)
    expect(second.body.metadata.continue).toBeUndefined()
    const names = [...first.body.items, ...second.body.items].map((one) => one.metadata.name)
    expect(names.sort()).toEqual(['a0', 'a1', 'a2', 'a3', 'a4'])
    const odd = await api(lab, 'GET', '/api/v1/namespaces/shop/serviceaccounts?labelSelector=odd%3Dtrue')
    expect(odd.body.items).toHaveLength(2)
    const named = await api(lab, 'GET', '/api/v1/serviceaccounts?fieldSelector=metadata.name%3Da4')
    expect(named.body.items).toHaveLength(1)
    expect(lab.requests()['kubernetes GET /api/v1/serviceaccounts']).toBe(3)
  })

  it('refuses a stale update and a token for a pod of another account', async () => {
    const where = '/api/v1/namespaces/shop/serviceaccounts/cart'
    const { body } = await api(broken, 'GET', where)
    const stale = { ...body, metadata: { ...body.metadata, resourceVersion: '1' } }
    expect(await api(broken, 'PUT', where, stale)).toMatchObject({
      status: 409,
      body: { kind: 'Status', reason: 'Conflict' },
    })
    const merged = await api(
      broken,
      'PATCH',
      where,
      { metadata: { labels: { a: 'b' } } },
      'application/merge-patch+json',
    )
    expect(merged.body.metadata.resourceVersion).not.toBe(body.metadata.resourceVersion)
    await api(broken, 'POST', '/api/v1/namespaces/shop/serviceaccounts', { metadata: { name: 'other' } })
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'cart-7d9f6c5b8-x2m4q' }
    const other = await api(broken, 'POST', '/api/v1/namespaces/shop/serviceaccounts/other/token', {
      spec: { boundObjectRef },
    })
    expect(other).toMatchObject({
      status: 400,
      body: {
        message: 'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.',
      },
    })
    const bound = decodeJwt(await mint(broken, { boundObjectRef }))
    expect(bound).toMatchObject({ 'kubernetes.io': { pod: { name: 'cart-7d9f6c5b8-x2m4q' } } })
  })

  it('shortens a lifetime, and tells by TokenReview which tokens it takes', async () => {
    const { body } = await api(broken, 'POST', '/api/v1/namespaces/shop/serviceaccounts/cart/token', {
      spec: { expirationSeconds: 999_999 },
    })
    expect(body.spec.expirationSeconds).toBe(86_400)
    const reviewOf = async (token: string, audiences: readonly string[]) =>
      (await api(broken, 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token, audiences } })).body
        .status
    const good = await mint(broken)
    expect(await reviewOf(good, ['sts.amazonaws.com'])).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:shop:cart' },
    })
    expect(await reviewOf(good, ['other'])).toMatchObject({
      error: 'token audiences ["sts.amazonaws.com"] is invalid for the target audiences ["other"]',
    })
    expect(await reviewOf(`${good.slice(0, -8)}AAAAAAAA`, [])).toMatchObject({
      error: 'invalid signature, no keys found',
    })
  })

  it('answers anonymous requests with 401 and a Status', async () => {
    const answer = await ask(broken, `${broken.urls.kubernetes}/api/v1/pods`)
    expect(answer.status).toBe(401)
    expect(JSON.parse(answer.body)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    })
  })
})

describe('the issuer', () => {
  it('serves both documents under its own name, with a certificate of the lab alone', async () => {
    const [[authority = '', place = '']] = Object.entries(broken.world.resolve) as [[string, string]]
    expect(authority).toBe('oidc.eks.us-west-2.amazonaws.com:443')
    const get = (pathname: string, ca: string | undefined) =>
      new Promise<string>((resolve) => {
        const [host = '', port = ''] = place.split(':')
        const options = {
          host,
          port,
          path: pathname,
          servername: authority.split(':')[0],
          agent: false,
          ...(ca === undefined ? {} : { ca }),
        }
        request(options, (reply) => {
          reply.resume()
          resolve(`${reply.statusCode} ${reply.headers['content-type']}`)
        })
          .on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
          .end()
      })
    const at = new URL(issuer).pathname
    expect(await get(`${at}/.well-known/openid-configuration`, broken.world.roots)).toBe('200 application/json')
    expect(await get(`${at}/keys`, broken.world.roots)).toBe('200 application/jwk-set+json')
    expect(await get('/', broken.world.roots)).toBe('404 text/plain')
    expect(await get(`${at}/keys`, undefined)).toMatch(/UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)/)
  })
})
