/** How the Kubernetes source finds its cluster and signs in: kubeconfig files, flags, plugins, certificates. */
import { readFileSync } from 'node:fs'
import { TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { kubernetes } from '../src/domain/questions.ts'
import { type KubernetesDeps, kubernetesSource } from '../src/sources/live/kubernetes.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import { type Answer, authority, base64, everything, json, type Served, status } from './live-doubles.ts'
import { ask, canary, kubernetesTests, pod, trouble } from './live-kubernetes.ts'

const { place, open, api, config, source, ca } = kubernetesTests()

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
    expect((await trouble(source('', { kubeconfig: `${place.path}/gone` }))).message).toMatch(/does not exist/)
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
    const client = await ca().issue({ names: ['me'], client: true })
    const names: unknown[] = []
    const served = await api(
      (seen, response) => {
        const socket: unknown = seen.request.socket
        if (socket instanceof TLSSocket) names.push(socket.getPeerCertificate().subject?.CN)
        whoAmI(seen, response)
      },
      { requestCert: true, rejectUnauthorized: false, ca: ca().pem },
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
    const old = await ca().issue({ names: ['me'], client: true, days: -1 })
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
      await ask(await source(config(served.url, {}, wrong), { certificateAuthority: place.file('ca.pem', ca().pem) })),
    ).toMatchObject({ state: 'known' })
    expect(await ask(await source(config(served.url, {}), { tlsServerName: 'elsewhere.example' }))).toMatchObject({
      state: 'unknown',
      why: 'unreachable',
    })
  })
})
