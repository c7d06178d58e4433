/** The Kubernetes source against real sockets: kubeconfig, credentials, paging, refusals, silence. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Fact } from '../src/core/fact.ts'
import { type Json, listAt, textAt } from '../src/core/json.ts'
import { kubernetes } from '../src/domain/questions.ts'
import type { KubeFlags } from '../src/sources/live/kubeconfig.ts'
import { type KubernetesDeps, type KubernetesSource, kubernetesSource } from '../src/sources/live/kubernetes.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import { LiveTrouble } from '../src/sources/live/trouble.ts'
import {
  type Answer,
  type Authority,
  authority,
  base64,
  everything,
  folder,
  type Identity,
  json,
  type Served,
  serve,
  status,
} from './live-doubles.ts'

let ca: Authority
let server: Identity
let token: string
const place = folder()
const open: (() => void | Promise<void>)[] = []
const canary = 'canary-credential-1234567890'

beforeAll(async () => {
  ca = await authority()
  server = await ca.issue({ names: ['127.0.0.1'] })
  const { privateKey } = await generateKeyPair('RS256')
  token = await new SignJWT({ aud: ['sts.amazonaws.com'], 'kubernetes.io': { namespace: 'shop' } })
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setIssuer('https://issuer.example')
    .setSubject('system:serviceaccount:shop:cart')
    .setExpirationTime('10m')
    .sign(privateKey)
})
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})
afterAll(() => place.remove())

async function api(answer: Answer, tls: object = {}): Promise<Served> {
  const served = await serve({ ...server, ...tls }, answer)
  open.push(served.close)
  return served
}

type Entry = { readonly [key: string]: unknown }
const config = (url: string, user: Entry, cluster: Entry = {}, context: Entry = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': base64(ca.pem), ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop', ...context } }],
    'current-context': 'x',
  })

async function source(
  text: string,
  flags: KubeFlags = {},
  deps: Partial<KubernetesDeps> = {},
): Promise<KubernetesSource> {
  const kubeconfig = place.file('config', text)
  const made = await kubernetesSource(
    { kubeconfig, ...flags },
    { vault: tokenVault(), timeoutMs: 3000, env: { PATH: process.env.PATH }, ...deps },
  )
  open.push(made.close)
  return made
}

const ask = async (from: KubernetesSource, question = kubernetes.get('pods', 'shop', 'a')): Promise<Fact<Json>> =>
  from.ask(question)
const pod = (name: string, namespace = 'shop') => ({
  metadata: { name, namespace },
  spec: { serviceAccountName: 'cart' },
})
const trouble = async (go: Promise<unknown>): Promise<LiveTrouble> => {
  const error = await go.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(LiveTrouble)
  if (!(error instanceof LiveTrouble)) throw new Error('not the trouble that was expected')
  return error
}

describe('kubeconfig', () => {
  test('nothing to go by is told with the next step', async () => {
    const none = await trouble(kubernetesSource({}, { vault: tokenVault(), env: { HOME: place.path } }))
    expect(none.message).toMatch(/no kubeconfig.*KUBECONFIG/)
    const text = config('https://127.0.0.1:1', { token: canary })
    expect((await trouble(source(text, { context: 'y' }))).message).toMatch(/context y does not exist.*--context: x/)
    expect((await trouble(source(text.replace('"current-context":"x"', '"current-context":""')))).message).toMatch(
      /no current context/,
    )
    expect((await trouble(source('a: [1'))).message).toMatch(/not valid YAML/)
    expect((await trouble(source('', { kubeconfig: join('gone') }))).message).toMatch(/does not exist/)
    expect((await trouble(source(text, { requestTimeout: 'soon' }))).message).toMatch(/--request-timeout/)
  })

  test('a broken file is not quoted', async () => {
    const error = await trouble(source(`users:\n- name: u\n  user:\n    token: ${canary}\n   bad: [`))
    expect(everything(error)).not.toContain(canary)
    expect(error.message).toMatch(/line \d/)
  })

  test('of several files the first that names a thing decides, missing ones are passed over', async () => {
    const one = place.file('one', config('https://127.0.0.1:1', {}, {}, { namespace: 'first' }))
    const two = place.file('two', config('https://127.0.0.1:2', {}, {}, { namespace: 'second' }))
    const made = await kubernetesSource(
      {},
      { vault: tokenVault(), env: { KUBECONFIG: `${place.path}/gone:${one}:${two}` } },
    )
    open.push(made.close)
    expect(await made.ask(kubernetes.currentContext())).toMatchObject({
      state: 'known',
      value: { context: 'x', cluster: 'c', server: 'https://127.0.0.1:1', namespace: 'first' },
    })
  })
})

describe('credentials', () => {
  const whoAmI: Answer = (seen, response) =>
    json(response, 200, {
      kind: 'Pod',
      ...pod('a'),
      spec: { nodeName: seen.request.headers.authorization ?? 'nobody' },
    })
  const bearers = (served: Served) => served.seen.map(({ request }) => request.headers.authorization)

  test('token, tokenFile with a line end, --token', async () => {
    const served = await api(whoAmI)
    place.file('rotating', 'from-file\n')
    await ask(await source(config(served.url, { token: 'inline' })))
    await ask(await source(config(served.url, { tokenFile: 'rotating' })))
    await ask(await source(config(served.url, { tokenFile: 'rotating' }), { token: 'flag' }))
    expect(bearers(served)).toEqual(['Bearer inline', 'Bearer from-file', 'Bearer flag'])
  })

  test('an exec plugin is told what it is asked for, and asked again when its credential is refused', async () => {
    let refusals = 1
    const served = await api((seen, response) =>
      refusals-- > 0 ? json(response, 401, status(401, 'Unauthorized', 'Unauthorized')) : whoAmI(seen, response),
    )
    const script = place.file(
      'plugin',
      '#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> "$LOG"\necho "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"made-$1\\"}}"\n',
      0o700,
    )
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './plugin',
      args: ['here'],
      env: [{ name: 'LOG', value: `${place.path}/log` }],
      interactiveMode: 'Never',
      provideClusterInfo: true,
    }
    expect(script).toBe(`${place.path}/plugin`)
    expect(await ask(await source(config(served.url, { exec })))).toMatchObject({ state: 'known' })
    expect(bearers(served)).toEqual(['Bearer made-here', 'Bearer made-here'])
    const infos = readFileSync(`${place.path}/log`, 'utf8').trim().split('\n')
    expect(infos).toHaveLength(2)
    expect(JSON.parse(infos[0] ?? '')).toMatchObject({
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: served.url } },
    })
  })

  test('a plugin that is missing, fails, hangs or talks nonsense is named, without its secrets', async () => {
    const made = async (script: string | undefined, deps: Partial<KubernetesDeps> = {}) => {
      if (script !== undefined) place.file('broken', `#!/bin/sh\n${script}\n`, 0o700)
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: script === undefined ? 'no-such-plugin' : './broken',
        installHint: 'get it from the shop',
        interactiveMode: 'Never',
      }
      return trouble((await source(config('https://127.0.0.1:1', { exec }), {}, deps)).preflight())
    }
    expect((await made(undefined)).message).toMatch(/no-such-plugin was not found.*get it from the shop/)
    const failed = await made(`echo "expired: Bearer ${canary}" >&2; exit 3`)
    expect(failed.message).toMatch(/exit code 3: expired/)
    expect(everything(failed)).not.toContain(canary)
    expect((await made('echo hello')).message).toMatch(/something else than an ExecCredential/)
    expect((await made('exec sleep 20', { timeoutMs: 300 })).message).toMatch(/no credential in time/)
  })

  test('client certificates and impersonation reach the server', async () => {
    const client = await ca.issue({ names: ['me'], client: true })
    const names: unknown[] = []
    const served = await api(
      (seen, response) => {
        const socket: unknown = seen.request.socket
        if (socket instanceof TLSSocket) names.push(socket.getPeerCertificate().subject?.CN)
        whoAmI(seen, response)
      },
      { requestCert: true, rejectUnauthorized: false, ca: ca.pem },
    )
    const user = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) }
    await ask(await source(config(served.url, user), { as: 'jane', asGroup: ['dev', 'ops'], asUid: '7' }))
    expect(names).toEqual(['me'])
    expect(served.seen[0]?.request.headers).toMatchObject({
      'impersonate-user': 'jane',
      'impersonate-group': 'dev, ops',
      'impersonate-uid': '7',
    })
    await ask(await source(config(served.url, { ...user, as: 'joe', 'as-groups': ['qa'] })))
    expect(served.seen[1]?.request.headers).toMatchObject({ 'impersonate-user': 'joe', 'impersonate-group': 'qa' })
  })

  test('an expired client certificate or token is named when the server refuses it', async () => {
    const served = await api((_seen, response) => json(response, 401, status(401, 'Unauthorized', 'Unauthorized')))
    const old = await ca.issue({ names: ['me'], client: true, days: -1 })
    const user = { 'client-certificate-data': base64(old.cert), 'client-key-data': base64(old.key) }
    expect((await trouble((await source(config(served.url, user))).preflight())).message).toMatch(
      /client certificate of user u expired at 20/,
    )
    expect(await ask(await source(config(served.url, user)))).toMatchObject({
      state: 'unknown',
      why: 'unauthenticated',
    })
    const stale = `${base64('{"alg":"none"}')}.${base64('{"exp":1}')}.x`
    const error = await trouble((await source(config(served.url, { token: stale }))).preflight())
    expect(error.message).toMatch(/token of user u expired at 1970/)
    expect(everything(error)).not.toContain(stale)
  })

  test('the certificate of the API server is verified, unless told otherwise', async () => {
    const served = await api(whoAmI)
    const other = await authority('CN=other')
    const wrong = { 'certificate-authority-data': base64(other.pem) }
    expect((await trouble((await source(config(served.url, {}, wrong))).preflight())).message).toMatch(
      /TLS connection.*certificate-authority-data/,
    )
    expect(await ask(await source(config(served.url, {}, wrong), { insecureSkipTlsVerify: true }))).toMatchObject({
      state: 'known',
    })
    expect(
      await ask(await source(config(served.url, {}, wrong), { certificateAuthority: place.file('ca.pem', ca.pem) })),
    ).toMatchObject({ state: 'known' })
    expect(await ask(await source(config(served.url, {}), { tlsServerName: 'elsewhere.example' }))).toMatchObject({
      state: 'unknown',
      why: 'unreachable',
    })
  })
})

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
    for (const list of [items, late])
      for (const head of [true, false]) {
        const body = head
          ? { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: list }
          : { items: list, kind: 'PodList', apiVersion: 'v1', metadata: {} }
        const served = await api((_s, r) => json(r, 200, body))
        const fact = await ask(await source(config(served.url, {})), kubernetes.list('pods'))
        expect(names(fact)).toEqual(list.map(({ metadata }) => metadata.name))
      }
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

describe('tokens', () => {
  const cart = { namespace: 'shop', name: 'cart', audience: 'sts.amazonaws.com' }

  test('a token is minted once, decoded, and lent only out of the vault', async () => {
    const served = await api((_s, r) =>
      json(r, 201, { kind: 'TokenRequest', status: { token, expirationTimestamp: '2030-01-01T00:00:00Z' } }),
    )
    const vault = tokenVault()
    const from = await source(config(served.url, {}), {}, { vault })
    const [fact] = await Promise.all([ask(from, kubernetes.token(cart)), ask(from, kubernetes.token(cart))])
    expect(fact).toMatchObject({
      state: 'known',
      value: {
        header: { kid: 'one' },
        claims: { sub: 'system:serviceaccount:shop:cart' },
        expirationTimestamp: '2030-01-01T00:00:00Z',
      },
    })
    expect(served.seen).toHaveLength(1)
    expect(JSON.parse(served.seen[0]?.body ?? '')).toMatchObject({
      spec: { audiences: ['sts.amazonaws.com'], expirationSeconds: 600 },
    })
    expect(served.seen[0]).toMatchObject({
      method: 'POST',
      url: expect.objectContaining({ pathname: '/api/v1/namespaces/shop/serviceaccounts/cart/token' }),
    })
    for (const part of [token, token.split('.')[2] ?? ''])
      expect(JSON.stringify([fact, vault, from])).not.toContain(part)
    expect(vault.lend(cart, (raw) => raw)).toBe(token)
    vault.empty()
    expect(vault.lend(cart, (raw) => raw)).toBeUndefined()
  })

  test('refused, not offered, nobody of that name', async () => {
    const asked = async (code: number, reason: string, message: string) => {
      const served = await api((_s, r) => json(r, code, status(code, reason, message)))
      return ask(await source(config(served.url, {})), kubernetes.token(cart))
    }
    expect(await asked(403, 'Forbidden', 'no')).toMatchObject({
      why: 'forbidden',
      lift: 'RBAC: create serviceaccounts/token in namespace shop',
    })
    expect(await asked(404, 'NotFound', 'the server could not find the requested resource')).toMatchObject({
      state: 'unknown',
      why: 'not-collected',
    })
    expect(await asked(404, 'NotFound', 'serviceaccounts "cart" not found')).toMatchObject({ state: 'absent' })
  })
})
