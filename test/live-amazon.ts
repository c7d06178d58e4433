/** What the tests of the AWS source share: a server that speaks AWS's protocols over TLS, and a source whose SDK is led to it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import type { Fact } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { aws, kubernetes } from '../src/domain/questions.ts'
import { type AwsDeps, awsSource } from '../src/sources/live/aws.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import { type Answer, type Authority, authority, folder, type Identity, type Served, serve } from './live-doubles.ts'

export const account = '111122223333'
export const secret = 'canary/SecretAccessKey+0123456789abcdefghij'
export const keyId = 'AKIACANARY0123456789'
export const token = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30.canary-signature`
export const cart = { namespace: 'shop', name: 'cart', audience: 'sts.amazonaws.com' }
export const roleArn = `arn:aws:iam::${account}:role/cart`

type Query = { readonly [action: string]: string | readonly [number, string, string] }
const wrap = (action: string, inside: string): string =>
  `<${action}Response xmlns="https://x.amazonaws.com/doc/"><${action}Result>${inside}</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`

/** The query protocol: a form in, XML out. Only what is signed is answered, but the exchange, which never is. */
const query =
  (answers: Query): Answer =>
  ({ body, request }, response) => {
    const action = new URLSearchParams(body).get('Action') ?? ''
    const signed = request.headers.authorization?.startsWith(`AWS4-HMAC-SHA256 Credential=${keyId}/`) === true
    const asked = answers[action]
    const anonymous = action === 'AssumeRoleWithWebIdentity'
    const answer =
      signed === anonymous ? ([403, 'MissingAuthenticationToken', 'not signed as expected'] as const) : asked
    if (typeof answer === 'string') {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(wrap(action, answer))
      return
    }
    const [status, code, message] = answer ?? ([400, 'InvalidAction', action] as const)
    response
      .writeHead(status, { 'content-type': 'text/xml' })
      .end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
      )
  }

const me = `<Arn>arn:aws:iam::${account}:user/me</Arn><UserId>AIDA</UserId><Account>${account}</Account>`
const none = { state: 'absent', from: kubernetes.nonResource('/version') } as const

/** Registers its own hooks: call it once at the top of a test file. */
export function awsTests() {
  let ca: Authority
  let server: Identity
  const place = folder()
  const open: (() => void | Promise<void>)[] = []
  beforeAll(async () => {
    ca = await authority()
    server = await ca.issue({ names: ['127.0.0.1'] })
  })
  beforeEach(() => {
    const empty = place.file('empty', '')
    const env = {
      AWS_CA_BUNDLE: place.file('ca.pem', ca.pem),
      AWS_ACCESS_KEY_ID: keyId,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_REGION: 'eu-central-1',
      AWS_CONFIG_FILE: empty,
      AWS_SHARED_CREDENTIALS_FILE: empty,
      AWS_EC2_METADATA_DISABLED: 'true',
      HTTPS_PROXY: '',
      https_proxy: '',
    }
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    for (const close of open.splice(0)) await close()
  })
  afterAll(() => place.remove())

  const cloud = async (answers: Query | Answer, deps: Partial<AwsDeps> = {}) => {
    const served: Served = await serve(
      server,
      typeof answers === 'function' ? answers : query({ GetCallerIdentity: me, ...answers }),
    )
    open.push(served.close)
    for (const name of ['STS', 'IAM', 'EKS']) vi.stubEnv(`AWS_ENDPOINT_URL_${name}`, served.url)
    const vault = tokenVault()
    vault.keep(cart, token)
    const source = awsSource({
      vault,
      mint: async () => ({ state: 'known', value: {}, from: kubernetes.token(cart) }),
      hint: { endpoint: false },
      server: 'https://127.0.0.1:6443',
      version: async () => none,
      lab: false,
      timeoutMs: 2000,
      ...deps,
    })
    open.push(source.close)
    const ask = async (question = aws.role(account, 'cart')): Promise<Fact<Json>> => {
      const fact = await source.ask(question)
      for (const hidden of [secret, keyId, token, 'canary-signature', 'canary-session'])
        expect(JSON.stringify(fact)).not.toContain(hidden)
      return fact
    }
    return { ask, served, source }
  }

  return { cloud, place, ca: () => ca }
}
