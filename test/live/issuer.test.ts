/** An issuer that is no cluster: the doctor's own OIDC source and `kubectl wi token` against a certified OpenID provider. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { decodeJwt, decodeProtectedHeader, importPKCS8, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { listAt, textAt } from '../../src/core/json.ts'
import { kubernetes, oidc, type TokenName } from '../../src/domain/questions.ts'
import { type OidcSource, oidcSource } from '../../src/sources/live/oidc.ts'
import { tokenVault } from '../../src/sources/live/token-vault.ts'
import { entry } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { makeSigningKey } from './servers/certificates.ts'
import { ask } from './web.ts'

const run = promisify(execFile)
const resource = 'https://sts.example.com'

describeWith(['idp'], 'an OpenID provider', () => {
  const { issuer = '', port = 0, client } = { ...lane.idp }
  const [genuine, forged]: readonly TokenName[] = ['genuine', 'forged'].map((name) => ({
    ...{ namespace: 'nowhere', name, audience: resource },
  }))
  const vault = tokenVault()
  let source: OidcSource
  let token = ''

  beforeAll(async () => {
    token = await tokenOfClient()
    source = oidcSource({
      ...{ env: { ...lane.env }, vault },
      mint: async (name) => ({ state: 'known', value: {}, from: kubernetes.token(name) }),
    })
  })
  afterAll(() => {
    vault.empty()
    source?.close()
  })

  /** What the provider signs for its client (https://www.rfc-editor.org/rfc/rfc9068). */
  async function tokenOfClient(): Promise<string> {
    const { id = '', secret = '' } = { ...client }
    const basic = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
    const headers = { authorization: basic, 'content-type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource }).toString()
    const answer = await ask(`${issuer}/token`, { port, method: 'POST', headers, body })
    expect(answer.status, answer.body).toBe(200)
    return JSON.parse(answer.body).access_token
  }

  /** The same header and claims under the signature of a key that nobody publishes. */
  async function signedByAnother(raw: string, header: { readonly kid?: string } = {}): Promise<string> {
    const key = await importPKCS8(makeSigningKey().privateKey, 'RS256')
    return new SignJWT(decodeJwt(raw))
      .setProtectedHeader({ ...decodeProtectedHeader(raw), alg: 'RS256', ...header })
      .sign(key)
  }

  const verified = async (name: TokenName | undefined, raw: string) => {
    if (name === undefined) return undefined
    vault.keep(name, raw)
    return source.ask(oidc.signature(`${issuer}/jwks`, name))
  }

  it('shows the OIDC source its discovery document and its keys, and no private part of them', async () => {
    const discovery = await source.ask(oidc.discovery(issuer))
    expect(discovery).toMatchObject({
      state: 'known',
      value: {
        ...{ url: `${issuer}/.well-known/openid-configuration`, status: 200 },
        document: { issuer, jwks_uri: `${issuer}/jwks` },
      },
    })
    const keys = await source.ask(oidc.keys(`${issuer}/jwks`))
    const published = keys.state === 'known' ? listAt(keys.value, 'document', 'keys') : []
    expect(published).toMatchObject([{ kty: 'RSA', kid: 'live', alg: 'RS256' }])
    expect(JSON.stringify(keys)).not.toMatch(/"[dpq]"/)
    expect(await source.ask(oidc.keys(`${issuer}/nothing-here`))).toMatchObject({
      state: 'known',
      value: { status: 404 },
    })
  })

  it('shows the OIDC source whose certificate it has', async () => {
    const { hostname } = new URL(issuer)
    const certificates = await source.ask(oidc.certificates(hostname, 443))
    expect(certificates).toMatchObject({ state: 'known', value: { host: hostname, trusted: true } })
    const [leaf] = certificates.state === 'known' ? listAt(certificates.value, 'chain') : []
    expect(listAt(leaf ?? {}, 'names')).toContain(hostname)
    expect(textAt(leaf ?? {}, 'fingerprintSha1')).toMatch(/^[0-9a-f]{40}$/)
    expect(await source.ask(oidc.addresses(hostname))).toMatchObject({ state: 'known' })
  })

  it('has signed its own token, and no other', async () => {
    expect(await verified(genuine, token)).toMatchObject({ state: 'known', value: { verified: true } })
    for (const other of [await signedByAnother(token), await signedByAnother(token, { kid: 'unheard-of' })])
      expect(await verified(forged, other)).toMatchObject({ state: 'known', value: { verified: false } })
  })

  /** `kubectl wi token FILE --verify`, through the real kubectl. */
  async function kubectlSays(name: string, raw: string): Promise<{ readonly exit: number; readonly said: string }> {
    const file = path.join(lane.folder, `${name}.jwt`)
    await writeFile(file, raw, { mode: 0o600 })
    const env = { ...lane.env, PATH: `${path.dirname(entry)}${path.delimiter}${lane.env.PATH ?? ''}` }
    const asked = run('kubectl', ['wi', 'token', file, '--verify'], { env })
    // The page is wrapped to the width of a terminal.
    const unwrapped = (text: string): string => text.replace(/\s+/g, ' ')
    return asked.then(
      ({ stdout }) => ({ exit: 0, said: unwrapped(stdout) }),
      ({ code, stdout, stderr }) => ({ exit: code, said: unwrapped(`${stdout}${stderr}`) }),
    )
  }

  it('is asked by kubectl wi token --verify, which shows no signature', async () => {
    const whole = await kubectlSays('genuine', token)
    expect(whole).toMatchObject({
      exit: 0,
      said: expect.stringMatching(/valid: a key that the issuer publishes verifies it/),
    })
    const other = await kubectlSays('forged', await signedByAnother(token))
    expect(other).toMatchObject({ exit: 1, said: expect.stringMatching(/not valid: .*does not verify/) })
    const unheard = await kubectlSays('unheard-of', await signedByAnother(token, { kid: 'unheard-of' }))
    expect(unheard).toMatchObject({ exit: 1, said: expect.stringMatching(/not valid: no published key/) })
    const [, , signature = 'none'] = token.split('.')
    expect(whole.said).toContain(issuer)
    expect(whole.said).not.toContain(signature)
  })
})
