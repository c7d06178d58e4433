/** Law 9: a canary token and canary credentials, fed through every source, sing nowhere: no fact, report, error or output. */
import { execFile } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { checks } from '../src/checks/index.ts'
import { examine } from '../src/core/engine.ts'
import type { Source } from '../src/core/fact.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { readDocuments } from '../src/sources/documents/index.ts'
import { liveSource } from '../src/sources/live/index.ts'
import { redacted } from '../src/sources/redacted.ts'
import { closeLabs, demo, start } from './labs.ts'

afterAll(closeLabs)
const entry = join(import.meta.dirname, '../bin/kubectl-wi')

const issuer = 'https://oidc.eks.us-west-2.amazonaws.com/id/5D2A9C41E7B84F6AB2F0C1D3E4F50617'
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const token = await new SignJWT({ 'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'cart', uid: 'u' } } })
  .setProtectedHeader({ alg: 'RS256', kid: 'canary' })
  .setIssuer(issuer)
  .setSubject('system:serviceaccount:shop:cart')
  .setAudience('sts.amazonaws.com')
  .setIssuedAt()
  .setExpirationTime('1h')
  .sign(privateKey)
const word = () => `canary${randomBytes(12).toString('hex')}`
const canaries = {
  signature: token.split('.')[2] ?? '',
  payload: token.split('.')[1] ?? '',
  secretKey: randomBytes(30).toString('base64').replace(/[+/]/g, 'x'),
  sessionToken: `FwoGZXIvYXdzE${randomBytes(60).toString('base64url')}`,
  password: word(),
  applied: word(),
  argument: word(),
  bearer: word(),
  kubeconfig: word(),
  data: Buffer.from(word()).toString('base64'),
}

/** Every place in which people paste, mount or print a secret, as the official tools print it. */
const documents: { readonly [file: string]: string } = {
  'cart.jwt': token,
  'create-token.txt': `${token}\n`,
  'pod.yaml': `
apiVersion: v1
kind: Pod
metadata:
  name: cart-0
  namespace: shop
  uid: 22222222-2222-4222-8222-222222222222
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"env":"${canaries.applied}"}}'
    note: 'Authorization: Bearer ${canaries.bearer}'
spec:
  serviceAccountName: cart
  containers:
  - name: cart
    image: cart
    args: ['--token=${canaries.argument}', --password, '${canaries.argument}']
    env:
    - {name: AWS_ROLE_ARN, value: 'arn:aws:iam::111122223333:role/cart'}
    - {name: AWS_SECRET_ACCESS_KEY, value: '${canaries.secretKey}'}
    - {name: DB_PASSWORD, value: '${canaries.password}'}
    - {name: HTTPS_PROXY, value: 'http://me:${canaries.password}@proxy:3128'}
`,
  'serviceaccount.yaml': `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: cart
  namespace: shop
  annotations:
    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/cart
    kubectl.kubernetes.io/last-applied-configuration: '${canaries.applied}'
`,
  'secret.yaml': `
apiVersion: v1
kind: Secret
metadata: {name: cart-token, namespace: shop}
data: {token: ${canaries.data}}
stringData: {password: ${canaries.password}}
`,
  'app.log': `
InvalidIdentityToken: Incorrect token audience for ${token}
aws_secret_access_key=${canaries.secretKey} "SessionToken": "${canaries.sessionToken}" Not authorized to perform sts:AssumeRoleWithWebIdentity
Authorization: Bearer ${canaries.bearer} WebIdentityErr: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity
`,
  'kubeconfig.yaml': `
apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: 'https://a.example'}}]
users: [{name: a, user: {token: ${canaries.kubeconfig}, password: ${canaries.password}, client-key-data: ${canaries.data}}}]
`,
  'half.yaml': `apiVersion: v1\nkind: Secret\ndata: {token: ${canaries.data}\n  broken: [${token}`,
  'credentials.json': JSON.stringify({
    Credentials: {
      AccessKeyId: 'ASIAEXAMPLE',
      SecretAccessKey: canaries.secretKey,
      SessionToken: canaries.sessionToken,
    },
  }),
}

const folder = mkdtempSync(join(tmpdir(), 'canary-'))
for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, name), text)
afterAll(() => rmSync(folder, { recursive: true }))

/** Which canaries sing in a text. The header of a token is no secret, its payload as it was signed is half of one. */
const singing = (text: string, secrets: { readonly [name: string]: string }): readonly string[] =>
  Object.entries(secrets)
    .filter(([, secret]) => secret !== '' && text.includes(secret))
    .map(([name]) => name)

/** Everything that a source has answered, as it left the source. */
function overheard(source: Source): { readonly source: Source; readonly said: () => string } {
  const answers: unknown[] = []
  return {
    source: {
      name: source.name,
      ask: async (question, signal) => {
        const fact = await source.ask(question, signal)
        answers.push(fact)
        return fact
      },
    },
    said: () => JSON.stringify(answers),
  }
}

const run = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  new Promise<string>((resolve) => {
    execFile(process.execPath, [entry, ...args], { env, maxBuffer: 1 << 26 }, (_error, out, err) => resolve(out + err))
  })
const formats = ['table', 'wide', 'json', 'yaml']

describe('canaries in documents', () => {
  test('are in no answer, no finding, no problem', async () => {
    const { source, ...rest } = await readDocuments([folder])
    const heard = overheard(redacted(source))
    const { subjects } = await subjectsFor(heard.source, { targets: [], documents: true })
    const { findings } = await examine({ checks, subjects, source: heard.source })
    expect(heard.said()).toContain('system:serviceaccount:shop:cart')
    expect(singing(heard.said(), canaries)).toEqual([])
    expect(singing(JSON.stringify([findings, rest.problems, rest.notRecognised, source]), canaries)).toEqual([])
  })
  test.each(formats)('are in no output: %s', async (format) => {
    const text = await run(['doctor', '-f', folder, '-v', '-o', format], { ...process.env, DEBUG: '*' })
    expect(text).toContain('shop')
    expect(singing(text, canaries)).toEqual([])
  })
  test.each(['table', 'json', 'shell', 'terraform', 'yaml', 'diff'])('are in no plan: %s', async (format) => {
    const text = await run(['fix', '-f', folder, '--fail-on', 'warning', '-o', format])
    expect(singing(text, canaries)).toEqual([])
  })
  test('are in no word about the token itself', async () => {
    const text = await run(['token', join(folder, 'cart.jwt')])
    expect(text).toContain('system:serviceaccount:shop:cart')
    expect(singing(text, { signature: canaries.signature, payload: canaries.payload })).toEqual([])
  })
})

describe('canaries on a live cluster', async () => {
  const handedOut = new Set<string>()
  const lab = await start(demo('healthy'), {
    overhear: (body) => {
      for (const [token] of body.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g))
        for (const part of [token, ...token.split('.').slice(1)]) handedOut.add(part)
      for (const [, secret = ''] of body.matchAll(/<(?:SecretAccessKey|SessionToken)>([^<]+)</g)) handedOut.add(secret)
    },
  })
  const secrets = (): { readonly [name: string]: string } => ({
    ...Object.fromEntries([...handedOut].map((secret, index) => [`handed out ${index}`, secret])),
    'kubeconfig token': /token: (\S+)/.exec(readFileSync(lab.kubeconfig, 'utf8'))?.[1] ?? '',
    'secret key': lab.env.AWS_SECRET_ACCESS_KEY ?? '',
  })

  test('are in no answer of the sources', async () => {
    const before = { ...process.env }
    Object.assign(process.env, lab.env)
    try {
      const live = await liveSource({
        flags: { kubeconfig: lab.kubeconfig },
        version: '0',
      })
      const heard = overheard(live.source)
      const { subjects } = await subjectsFor(heard.source, { targets: [], namespace: 'shop' })
      const { findings } = await examine({ checks, subjects, source: heard.source })
      live.close()
      expect(heard.said()).toContain('exchanged')
      expect(Object.keys(secrets()).length).toBeGreaterThan(6)
      expect(singing(heard.said() + JSON.stringify(findings), secrets())).toEqual([])
    } finally {
      for (const name of Object.keys(lab.env)) if (before[name] === undefined) delete process.env[name]
      Object.assign(process.env, before)
    }
  })
  test.each(formats)('are in no output: %s', async (format) => {
    const text = await run(['doctor', 'sa/cart', '-n', 'shop', '-v', '-o', format], { ...lab.env, DEBUG: '*' })
    expect(text).toContain('STS exchanges the token for credentials')
    expect(singing(text, secrets())).toEqual([])
  })
})

describe('canaries around a change', () => {
  test('are in no plan, no word about it, and no journal', async () => {
    const handedOut = new Set<string>()
    const lab = await start(demo('broken'), {
      overhear: (body) => {
        for (const [token] of body.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)) handedOut.add(token)
        for (const [, secret = ''] of body.matchAll(/<(?:SecretAccessKey|SessionToken)>([^<]+)</g))
          handedOut.add(secret)
      },
    })
    const state = mkdtempSync(join(tmpdir(), 'canary-state-'))
    const env = { ...lab.env, XDG_STATE_HOME: state, DEBUG: '*' }
    const said = [
      await run(['fix', 'sa/cart', '-n', 'shop', '--apply', '--yes', '-v'], env),
      await run(['undo', '--list'], env),
      await run(['undo'], env),
    ].join('')
    const written = readdirSync(state, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => readFileSync(join(state, name), 'utf8'))
    rmSync(state, { recursive: true })
    expect(said).toContain('healthy')
    expect(written.join('')).toContain('iam:UpdateAssumeRolePolicy')
    expect(handedOut.size).toBeGreaterThan(1)
    const secrets = {
      ...Object.fromEntries([...handedOut].map((secret, index) => [`handed out ${index}`, secret])),
      'kubeconfig token': /token: (\S+)/.exec(readFileSync(lab.kubeconfig, 'utf8'))?.[1] ?? '',
      'secret key': lab.env.AWS_SECRET_ACCESS_KEY ?? '',
    }
    expect(singing(said + written.join(''), secrets)).toEqual([])
  })
})
