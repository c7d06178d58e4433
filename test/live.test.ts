/** The Kubernetes source against real sockets: refusals, silence, paging. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Fact } from '../src/core/fact.ts'
import { type Json, listAt, textAt } from '../src/core/json.ts'
import { kubernetes } from '../src/domain/questions.ts'
import { permissionOf } from '../src/knowledge/permissions.ts'
import type { KubernetesDeps } from '../src/sources/live/kubernetes.ts'
import { type Answer, json, status } from './live-doubles.ts'
import { ask, canary, kubernetesTests, pod, trouble } from './live-kubernetes.ts'

const { api, config, source } = kubernetesTests()

describe('answers', () => {
  const facts = async (
    answer: Answer,
    question = kubernetes.get('pods', 'shop', 'a'),
    deps: Partial<KubernetesDeps> = {},
  ) => {
    const served = await api(answer)
    return { fact: await ask(await source(config(served.url, {}), {}, deps), question), served }
  }

  test('403, 404, 429, 500, HTML and nonsense', async () => {
    const forbidden = status(403, 'Forbidden', 'pods "a" is forbidden: User "jane" cannot get resource "pods"')
    expect((await facts((_s, r) => json(r, 403, forbidden))).fact).toMatchObject({
      state: 'unknown',
      why: 'forbidden',
      lift: 'RBAC: get pods in namespace shop',
    })
    const as =
      'users "bob" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope'
    expect((await facts((_s, r) => json(r, 403, status(403, 'Forbidden', as)))).fact).toMatchObject({
      state: 'unknown',
      why: 'forbidden',
      lift: 'RBAC: impersonate users for the user of the kubeconfig, or leave --as out',
    })
    const going =
      'serviceaccounts "a" is forbidden: unable to create new content in namespace shop because it is being terminated'
    expect((await facts((_s, r) => json(r, 403, status(403, 'Forbidden', going)))).fact).toMatchObject({
      state: 'unknown',
      why: 'forbidden',
      lift: 'examine another namespace: this one is being deleted',
    })
    expect((await facts((_s, r) => json(r, 404, status(404, 'NotFound', 'pods "a" not found')))).fact).toMatchObject({
      state: 'absent',
    })
    expect((await facts((_s, r) => json(r, 404, { error: 'no route' }))).fact).toMatchObject({
      state: 'unknown',
      why: 'malformed',
    })
    expect(
      (await facts((_s, r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>'))).fact,
    ).toMatchObject({ state: 'unknown', why: 'malformed' })
    expect((await facts((_s, r) => r.writeHead(404).end('<html>'))).fact).toMatchObject({
      state: 'unknown',
      why: 'malformed',
    })
    const odd = status(404, 'Gone', 'nobody knows')
    expect((await facts((_s, r) => json(r, 404, odd))).fact).toMatchObject({ state: 'unknown', why: 'malformed' })
    const broken = await facts((_s, r) =>
      json(r, 500, status(500, 'InternalError', 'etcd is away'), { 'retry-after': '0' }),
    )
    expect(broken.fact).toMatchObject({ state: 'unknown', why: 'unreachable' })
    const late = await facts((_s, r) =>
      json(r, 429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '999' }),
    )
    expect(late.fact).toMatchObject({ state: 'unknown', why: 'throttled' })
    expect(late.served.seen).toHaveLength(1)
  })

  test('a kind of a group that is not served is absent, a built-in one is not', async () => {
    const plain: Answer = (_s, r) => r.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n')
    expect((await facts(plain, kubernetes.list('serviceentries'))).fact).toMatchObject({ state: 'absent' })
    expect((await facts(plain, kubernetes.list('endpointslices'))).fact).toMatchObject({ state: 'unknown' })
    expect((await facts(plain, kubernetes.list('pods'))).fact).toMatchObject({ state: 'unknown' })
    expect((await facts(plain, kubernetes.nonResource('/openid/v1/jwks'))).fact).toMatchObject({ state: 'absent' })
  })

  test('throttled once, then answered after the time that was asked for', async () => {
    let first = true
    const started = Date.now()
    const { fact, served } = await facts((_s, r) => {
      if (first) json(r, 429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '1' })
      else json(r, 200, { kind: 'Pod', ...pod('a') })
      first = false
    })
    expect(fact).toMatchObject({ state: 'known' })
    expect(served.seen).toHaveLength(2)
    expect(Date.now() - started).toBeGreaterThan(900)
  })

  test('silence ends with the time limit, and at once when the run is stopped', async () => {
    const { fact } = await facts(() => undefined, undefined, { timeoutMs: 200 })
    expect(fact).toMatchObject({ state: 'unknown', why: 'timeout' })
    const halting = await facts((_s, r) => r.writeHead(200).write('{'), undefined, { timeoutMs: 200 })
    expect(halting.fact).toMatchObject({ state: 'unknown', why: 'timeout' })
    const served = await api(() => undefined)
    const stop = new AbortController()
    const from = await source(config(served.url, {}))
    const coming = from.ask(kubernetes.get('pods', 'shop', 'a'), stop.signal)
    setTimeout(() => stop.abort(), 100)
    const started = Date.now()
    expect(await coming).toMatchObject({ state: 'unknown', why: 'cancelled' })
    expect(Date.now() - started).toBeLessThan(1000)
    const nobody = await source(config('https://127.0.0.1:1', {}))
    expect(await ask(nobody)).toMatchObject({ state: 'unknown', why: 'unreachable' })
    expect((await trouble(nobody.preflight())).message).toMatch(/refused the connection/)
  })

  test('an answer without end is cut off', async () => {
    const { fact } = await facts((_s, r) => {
      r.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      r.end(gzipSync(Buffer.alloc(8 << 20, ' ')))
    }, kubernetes.nonResource('/version'))
    expect(fact).toMatchObject({ state: 'unknown', why: 'malformed' })
  })

  test('private halves of published keys and data of Secrets go nowhere', async () => {
    const { fact } = await facts(
      (_s, r) => json(r, 200, { keys: [{ kty: 'RSA', kid: 'k', n: 'AQ', e: 'AQAB', d: canary }] }),
      kubernetes.nonResource('/openid/v1/jwks'),
    )
    expect(fact).toMatchObject({ state: 'known', value: { keys: [{ kid: 'k' }] } })
    expect(JSON.stringify(fact)).not.toContain(canary)
    const secret = await facts(
      (_s, r) => json(r, 200, { kind: 'Secret', metadata: { name: 's' }, data: { k: canary } }),
      kubernetes.get('secrets', 'shop', 's'),
    )
    expect(JSON.stringify(secret.fact)).not.toContain(canary)
  })
})

describe('lists', () => {
  /** Pages of one pod each. */
  const pages = (names: readonly string[], expire: { at: number; times: number } = { at: -1, times: 0 }): Answer => {
    let left = expire.times
    return ({ url, request }, response) => {
      if (!url.pathname.endsWith('/pods')) return json(response, 404, status(404, 'NotFound', 'not found'))
      const at = Number(url.searchParams.get('continue') ?? '0')
      if (at === expire.at && left-- > 0) return json(response, 410, status(410, 'Expired', 'too old'))
      const name = names[at]
      const metadata =
        at + 1 < names.length ? { resourceVersion: '1', continue: String(at + 1), remainingItemCount: 1 } : {}
      const body = JSON.stringify({
        kind: 'PodList',
        apiVersion: 'v1',
        metadata,
        items: name === undefined ? [] : [pod(name, `ns-${name}`)],
      })
      expect(request.headers['accept-encoding']).toBe('gzip')
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(body))
    }
  }
  const names = (fact: Fact<Json>) =>
    fact.state === 'known' ? listAt(fact.value, 'items').map((item) => textAt(item, 'metadata', 'name')) : fact

  test('of a kind whose plural is taken are asked for in its own group', async () => {
    const served = await api((_s, r) => json(r, 200, { kind: 'NetworkPolicyList', items: [] }))
    const from = await source(config(served.url, {}))
    await ask(from, kubernetes.list('networkpolicies.crd.projectcalico.org', 'shop'))
    expect(served.seen[0]?.url.pathname).toBe('/apis/crd.projectcalico.org/v1/namespaces/shop/networkpolicies')
    expect(permissionOf(kubernetes.list('networkpolicies.crd.projectcalico.org'))).toMatchObject({
      group: 'crd.projectcalico.org',
      resource: 'networkpolicies',
    })
  })

  test('pages are followed, and their items say what they are', async () => {
    const served = await api(pages(['a', 'b', 'c']))
    const from = await source(config(served.url, {}))
    const fact = await ask(from, kubernetes.list('pods'))
    expect(names(fact)).toEqual(['a', 'b', 'c'])
    expect(fact).toMatchObject({ value: { complete: true, items: [{ kind: 'Pod', apiVersion: 'v1' }, {}, {}] } })
    expect(served.seen.map(({ url }) => url.searchParams.get('limit'))).toEqual(['1000', '1000', '1000'])
  })

  test('a listing that expires is begun again once', async () => {
    const once = await api(pages(['a', 'b'], { at: 1, times: 1 }))
    expect(names(await ask(await source(config(once.url, {})), kubernetes.list('pods')))).toEqual(['a', 'b'])
    const always = await api(pages(['a', 'b'], { at: 1, times: 9 }))
    expect(await ask(await source(config(always.url, {})), kubernetes.list('pods'))).toMatchObject({
      state: 'unknown',
      why: 'unreachable',
    })
    expect(always.seen).toHaveLength(4)
  })

  test('a large page is read in pieces, whatever stands in it', async () => {
    const claims = { metadata: { name: 'data' }, spec: {} }
    const odd = [
      pod('quoted', '"},{"metadata":{"'),
      { metadata: { name: 'nested' }, spec: { serviceAccountName: 'ü'.repeat(40_000) }, list: [claims, claims] },
    ]
    const items = [
      ...Array.from({ length: 2000 }, (_, at) => pod(`pod-${at}`)),
      ...odd,
      ...Array.from({ length: 600 }, (_, at) => pod(`late-${at}`)),
    ]
    const late = [
      ...items,
      { metadata: { name: 'claims' }, spec: { more: Array.from({ length: 5000 }, () => claims) } },
    ]
    const even = Array.from({ length: 4000 }, (_, at) => pod(`even-${at}`))
    for (const list of [even, items, late])
      for (const head of [true, false]) {
        const body = head
          ? { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: list }
          : { items: list, kind: 'PodList', apiVersion: 'v1', metadata: {} }
        const served = await api((_s, r) => json(r, 200, body))
        const fact = await ask(await source(config(served.url, {})), kubernetes.list('pods'))
        expect(names(fact)).toEqual(list.map(({ metadata }) => metadata.name))
        expect(fact).toMatchObject({
          value: { items: expect.arrayContaining([expect.objectContaining({ kind: 'Pod', spec: list[0]?.spec })]) },
        })
      }
  })

  test('a continuation that stands behind the items is followed too', async () => {
    const many = Array.from({ length: 3000 }, (_, at) => pod(`pod-${at}`))
    const served = await api(({ url }, r) => {
      const last = url.searchParams.has('continue')
      json(r, 200, {
        kind: 'PodList',
        apiVersion: 'v1',
        items: last ? [pod('last')] : many,
        metadata: last ? {} : { continue: '1' },
      })
    })
    expect(names(await ask(await source(config(served.url, {})), kubernetes.list('pods')))).toHaveLength(3001)
  })

  test('a page that breaks off is no complete list', async () => {
    const served = await api(({ url }, response) =>
      url.searchParams.has('continue')
        ? json(response, 200, { kind: 'Whatever' })
        : json(response, 200, { kind: 'PodList', metadata: { continue: '1' }, items: [pod('a')] }),
    )
    expect(await ask(await source(config(served.url, {})), kubernetes.list('pods'))).toMatchObject({
      state: 'unknown',
      why: 'malformed',
    })
  })

  test('with many subjects a kind is listed once and everything is answered from that', async () => {
    const served = await api(pages(['a', 'b', 'c']))
    const from = await source(config(served.url, {}), {}, { wide: true })
    const answers = await Promise.all([
      ask(from, kubernetes.list('pods', 'ns-b')),
      ask(from, kubernetes.get('pods', 'ns-a', 'a')),
      ask(from, kubernetes.get('pods', 'ns-a', 'gone')),
      ask(from, kubernetes.list('pods')),
    ])
    expect(names(answers[0])).toEqual(['b'])
    expect(answers[1]).toMatchObject({ state: 'known', value: { metadata: { name: 'a' } } })
    expect(answers[2]).toMatchObject({ state: 'absent', from: kubernetes.get('pods', 'ns-a', 'gone') })
    expect(served.seen).toHaveLength(3)
    expect(from.ask(kubernetes.get('pods', 'ns-a', 'a'))).not.toBeInstanceOf(Promise)
  })

  test('who may not list everywhere is asked namespace by namespace', async () => {
    const served = await api(({ url }, response) => {
      if (url.pathname === '/api/v1/namespaces')
        return json(response, 200, {
          kind: 'NamespaceList',
          apiVersion: 'v1',
          metadata: {},
          items: [{ metadata: { name: 'one' } }, { metadata: { name: 'two' } }],
        })
      if (url.pathname === '/api/v1/namespaces/one/pods')
        return json(response, 200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [pod('a', 'one')] })
      json(response, 403, status(403, 'Forbidden', 'no'))
    })
    const from = await source(config(served.url, {}), {}, { wide: true })
    expect(await ask(from, kubernetes.list('pods', 'one'))).toMatchObject({ state: 'known', value: { complete: true } })
    expect(await ask(from, kubernetes.get('pods', 'one', 'gone'))).toMatchObject({ state: 'absent' })
    expect(await ask(from, kubernetes.list('pods'))).toMatchObject({ state: 'known', value: { complete: false } })
    expect(await ask(from, kubernetes.list('pods', 'two'))).toMatchObject({
      state: 'unknown',
      lift: 'RBAC: list pods in namespace two',
    })
  })
})
