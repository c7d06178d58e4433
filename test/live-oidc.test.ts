/** The OIDC source against servers with all sorts of certificates: what anybody on the internet would get, and what cannot be told. */
import { createServer as createPlain } from 'node:http'
import { connect as connectTcp, createServer as createTcp, type Socket } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Fact } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { kubernetes, oidc } from '../src/domain/questions.ts'
import { type OidcDeps, oidcSource } from '../src/sources/live/oidc.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import { LiveTrouble } from '../src/sources/live/trouble.ts'
import { type Answer, type Authority, authority, folder, json, serve } from './live-doubles.ts'

let publicRoot: Authority
let privateRoot: Authority
const place = folder()
const open: (() => void | Promise<void>)[] = []
const cart = { namespace: 'shop', name: 'cart', audience: 'sts.amazonaws.com' }
const known: Fact<Json> = { state: 'known', value: {}, from: kubernetes.token(cart) }

beforeAll(async () => {
  publicRoot = await authority('CN=public')
  privateRoot = await authority('CN=private')
})
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})
afterAll(() => place.remove())

const documents: Answer = ({ url }, response) => {
  if (url.pathname.endsWith('/.well-known/openid-configuration'))
    json(response, 200, { issuer: 'https://issuer.example/a', jwks_uri: 'https://issuer.example/a/keys' })
  else json(response, 404, { error: 'nothing here' })
}

/** A server for issuer.example, and a source that takes it for the internet's. */
async function internet(
  answer: Answer,
  how: { by?: Authority; names?: readonly string[]; days?: number; deps?: Partial<OidcDeps> } = {},
) {
  const { by = publicRoot, names = ['issuer.example'], days = 10 } = how
  const served = await serve(await by.issue({ names, days }), answer)
  open.push(served.close)
  return { served, source: lab({ 'issuer.example:443': `127.0.0.1:${served.port}` }, how.deps) }
}

function lab(resolve: { readonly [place: string]: string }, deps: Partial<OidcDeps> = {}) {
  const file = place.file('lab.json', JSON.stringify({ roots: publicRoot.pem, resolve }))
  const source = oidcSource({
    vault: tokenVault(),
    mint: async () => known,
    env: { KUBECTL_WI_LAB: file },
    timeoutMs: 2000,
    ...deps,
  })
  open.push(source.close)
  return source
}

const issuer = 'https://issuer.example/a'

test('any answer is reported as it is, and nothing is followed', async () => {
  const { source, served } = await internet(documents)
  expect(await source.ask(oidc.discovery(`${issuer}/`))).toMatchObject({
    state: 'known',
    value: {
      url: `${issuer}/.well-known/openid-configuration`,
      status: 200,
      contentType: 'application/json',
      document: { issuer },
    },
  })
  expect(served.seen[0]?.request.headers).toMatchObject({ host: 'issuer.example' })
  expect(served.seen[0]?.request.headers.authorization).toBeUndefined()
  expect(await source.ask(oidc.keys(`${issuer}/keys`))).toMatchObject({ state: 'known', value: { status: 404 } })
  const moved = await internet((_s, r) =>
    r.writeHead(302, { location: 'https://login.example/in?state=secret' }).end('<html>'),
  )
  const fact = await moved.source.ask(oidc.discovery(issuer))
  expect(fact).toMatchObject({ state: 'known', value: { status: 302, location: 'https://login.example/in' } })
  expect(fact).not.toHaveProperty('value.document')
  expect(moved.served.seen).toHaveLength(1)
  const deep = await internet((_s, r) => r.end('['.repeat(5000) + ']'.repeat(5000)))
  expect(await deep.source.ask(oidc.discovery(issuer))).not.toHaveProperty('value.document')
})

test('keys of a media type of their own are accepted, which an API server refuses to whoever takes JSON alone', async () => {
  const keys: Answer = ({ request }, response) =>
    /\*\/\*|jwk-set/.test(request.headers.accept ?? '')
      ? json(response, 200, { keys: [] }, { 'content-type': 'application/jwk-set+json' })
      : json(response, 406, { error: 'not acceptable' })
  const { source } = await internet(keys)
  expect(await source.ask(oidc.keys(`${issuer}/openid/v1/jwks`))).toMatchObject({
    state: 'known',
    value: { status: 200, contentType: 'application/jwk-set+json', document: { keys: [] } },
  })
})

test('a document is asked for once however many want it', async () => {
  const { source, served } = await internet(documents)
  await Promise.all([source.ask(oidc.discovery(issuer)), source.ask(oidc.discovery(issuer))])
  expect(served.seen).toHaveLength(1)
})

test('the document is read whoever signed for the host; the certificate has its own verdict', async () => {
  const certificates = oidc.certificates('issuer.example', 443)
  const good = await internet(documents)
  const fine = await good.source.ask(certificates)
  expect(fine).toMatchObject({ state: 'known', value: { host: 'issuer.example', trusted: true } })
  expect(fine).not.toHaveProperty('value.problem')
  expect(fine).toMatchObject({
    value: {
      chain: [
        {
          subject: 'CN=issuer.example',
          issuer: 'CN=public',
          names: ['issuer.example'],
          selfSigned: false,
          fingerprintSha1: expect.stringMatching(/^[0-9a-f]{40}$/),
        },
      ],
    },
  })
  const cases = [
    [{ by: privateRoot }, /UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT_LOCALLY)/],
    [{ days: -1 }, /CERT_HAS_EXPIRED/],
    [{ names: ['other.example'] }, /ERR_TLS_CERT_ALTNAME_INVALID/],
  ] as const
  for (const [how, problem] of cases) {
    const { source } = await internet(documents, how)
    expect(await source.ask(certificates)).toMatchObject({
      state: 'known',
      value: { trusted: false, problem: expect.stringMatching(problem) },
    })
    expect(await source.ask(oidc.discovery(issuer))).toMatchObject({ state: 'known', value: { status: 200 } })
  }
})

test('what the network itself answers is told apart from what this host cannot tell', async () => {
  const closed = createTcp()
  const port = await new Promise<number>((resolve) =>
    closed.listen(0, '127.0.0.1', () => {
      const address = closed.address()
      closed.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 1))
    }),
  )
  const refused = lab({ 'issuer.example:443': `127.0.0.1:${port}` })
  expect(await refused.ask(oidc.discovery(issuer))).toMatchObject({
    state: 'known',
    value: { failure: { kind: 'refused' } },
  })
  expect(await refused.ask(oidc.certificates('issuer.example', 443))).toMatchObject({
    state: 'unknown',
    why: 'unreachable',
  })
  expect(await refused.ask(oidc.discovery('https://gone.example'))).toMatchObject({
    state: 'known',
    value: { failure: { kind: 'name-not-found' } },
  })
  expect(await refused.ask(oidc.addresses('gone.example'))).toMatchObject({ state: 'absent' })
  expect(await refused.ask(oidc.addresses('issuer.example'))).toMatchObject({ value: { addresses: ['203.0.113.10'] } })
  expect(await refused.ask(oidc.discovery('http://issuer.example'))).toMatchObject({
    value: { failure: { kind: 'not-https' } },
  })
  expect(await refused.ask(oidc.discovery('no url'))).toMatchObject({ value: { failure: { kind: 'not-https' } } })

  const plain = await serve(undefined, documents)
  open.push(plain.close)
  const noTls = lab({ 'issuer.example:443': `127.0.0.1:${plain.port}` })
  expect(await noTls.ask(oidc.discovery(issuer))).toMatchObject({ value: { failure: { kind: 'tls' } } })
  expect(await noTls.ask(oidc.certificates('issuer.example', 443))).toMatchObject({
    state: 'known',
    value: { chain: [], trusted: false },
  })

  const silent = await internet(() => undefined, { deps: { timeoutMs: 200 } })
  expect(await silent.source.ask(oidc.discovery(issuer))).toMatchObject({
    state: 'unknown',
    why: 'timeout',
    lift: expect.stringMatching(/-f/),
  })
  const huge = await internet((_s, r) => r.end(Buffer.alloc(2 << 20, ' ')))
  expect(await huge.source.ask(oidc.discovery(issuer))).toMatchObject({ value: { failure: { kind: 'too-large' } } })
})

test('a name that is not found is believed only of a machine that finds public names', async () => {
  const lookup = (online: boolean) => async (host: string) => {
    if (online && host === 'sts.amazonaws.com') return ['192.0.2.1']
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' })
  }
  const at = (online: boolean, env = {}) => {
    const source = oidcSource({ vault: tokenVault(), mint: async () => known, env, lookup: lookup(online) })
    open.push(source.close)
    return source.ask(oidc.addresses('issuer.invalid'))
  }
  expect(await at(true)).toMatchObject({ state: 'absent' })
  expect(await at(false)).toMatchObject({ state: 'unknown', why: 'unreachable' })
  expect(await at(true, { HTTPS_PROXY: 'http://127.0.0.1:1' })).toMatchObject({ state: 'unknown' })
})

test('what a proxy says is not what the issuer says', async () => {
  const told = async (answer: Answer) => {
    const { served } = await internet(answer, { by: privateRoot })
    const proxy = createPlain()
    proxy.on('connect', (_request, socket: Socket) => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      const on = connectTcp(served.port, '127.0.0.1')
      for (const end of [on, socket]) end.on('error', () => undefined)
      on.pipe(socket).pipe(on)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    open.push(() => void proxy.close())
    const address = proxy.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` }
    const source = oidcSource({ vault: tokenVault(), mint: async () => known, env, timeoutMs: 2000 })
    open.push(source.close)
    expect(await source.ask(oidc.certificates('issuer.example', 443))).toMatchObject({
      state: 'unknown',
      why: 'unreachable',
    })
    return source.ask(oidc.discovery(issuer))
  }
  expect(await told(documents)).toMatchObject({ state: 'known', value: { status: 200, document: { issuer } } })
  expect(
    await told((_s, r) => r.writeHead(403, { 'content-type': 'text/html' }).end('<html>blocked</html>')),
  ).toMatchObject({ state: 'unknown', why: 'unreachable', lift: expect.any(String) })
  expect(await told((_s, r) => r.end('<html>sign in</html>'))).toMatchObject({ state: 'unknown', why: 'unreachable' })
})

test('a lab may lead to loopback only', () => {
  expect(() => lab({ 'issuer.example:443': '192.0.2.1:443' })).toThrow(LiveTrouble)
  expect(() =>
    oidcSource({ vault: tokenVault(), mint: async () => known, env: { KUBECTL_WI_LAB: `${place.path}/gone` } }),
  ).toThrow(/does not exist/)
  expect(lab({}).name).toMatch(/lab/)
})

test('a signature is verified with the published keys, and the token stays in its vault', async () => {
  const [one, two] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')])
  const sign = (kid: string) =>
    new SignJWT({ sub: 'system:serviceaccount:shop:cart' })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setExpirationTime('10m')
      .sign(one.privateKey)
  const jwk = async ({ publicKey }: typeof one, kid: string) => ({
    ...(await exportJWK(publicKey)),
    kid,
    use: 'sig',
    alg: 'RS256',
  })
  const verdict = async (keys: unknown, raw: string) => {
    const vault = tokenVault()
    vault.keep(cart, raw)
    const { source } = await internet((_s, r) => json(r, 200, keys), { deps: { vault } })
    const fact = await source.ask(oidc.signature('https://issuer.example/keys', cart))
    expect(JSON.stringify(fact)).not.toContain(raw.split('.')[2])
    return fact
  }
  const token = await sign('one')
  expect(await verdict({ keys: [await jwk(one, 'one')] }, token)).toMatchObject({
    state: 'known',
    value: { verified: true },
  })
  expect(await verdict({ keys: [await jwk(two, 'one')] }, token)).toMatchObject({
    value: { verified: false, reason: expect.stringMatching(/does not verify/) },
  })
  expect(await verdict({ keys: [await jwk(one, 'two')] }, token)).toMatchObject({
    value: { verified: false, reason: expect.stringMatching(/no published key/) },
  })
  expect(await verdict({ keys: [await jwk(two, 'one'), await jwk(one, 'one')] }, token)).toMatchObject({
    value: { verified: true },
  })
  expect(await verdict({ error: 'none' }, token)).toMatchObject({ state: 'unknown' })
  expect(await verdict({ keys: [await jwk(one, 'one')] }, 'a.b.not-a-signature')).toMatchObject({
    state: 'unknown',
    why: 'malformed',
  })
})
