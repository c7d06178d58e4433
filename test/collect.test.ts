/** `collect` and its replay: the same findings byte for byte, without a network, and no secret in the folder. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { absent, type Fact, known, type Question, unknown } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { aws, kubernetes, seen } from '../src/domain/questions.ts'
import type { Lab } from '../src/lab/lab.ts'
import { bundled } from '../src/sources/documents/bundled.ts'
import { documentsFrom } from '../src/sources/documents/index.ts'
import { told } from './documents.ts'
import { closeLabs, demo, start } from './labs.ts'
import { entry, type Ran, root, run, sentence } from './running.ts'

const canary = `canary${randomBytes(12).toString('hex')}`
let folder = ''
let lab: Lab
let collected: Ran
const bundle = (): string => path.join(folder, 'bundle')

const wi = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [entry, ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })

const filesIn = (place: string): readonly string[] =>
  readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => path.join(one.parentPath, one.name))

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-collect-'))
  // What people put into a pod beside its identity.
  const files = Object.fromEntries(
    filesIn(demo('broken')).map((file) => [path.basename(file), readFileSync(file, 'utf8')]),
  )
  const shop = (files['shop.yaml'] ?? '').replace(
    /^( *)env:\n/mu,
    (env, indent: string) => `${env}${indent}- {name: DB_PASSWORD, value: ${canary}}\n`,
  )
  expect(shop).toContain(canary)
  lab = await start({ ...files, 'shop.yaml': shop })
  collected = await wi(['collect', '-n', 'shop', '-d', bundle()], lab.env)
})
afterAll(async () => {
  await closeLabs()
  rmSync(folder, { recursive: true, force: true })
})

describe('collect', () => {
  it('names what could not be read, and how to see it again', () => {
    expect([collected.status, collected.stderr]).toEqual([0, ''])
    expect(collected.stdout).toMatch(/^\d+ answers written to /u)
    expect(collected.stdout).toMatch(/^ - aws iam:ListRolePolicies .*: forbidden: .*; to see it: /mu)
    expect(collected.stdout).toMatch(/^unhealthy: 1 error/mu)
    expect(collected.stdout).toContain(`kubectl wi doctor -f ${bundle()}`)
  })

  it('is replayed to the same findings, byte for byte, when nothing of the cluster is left', () => {
    const live = JSON.parse(readFileSync(path.join(bundle(), 'report.json'), 'utf8'))
    const replay = JSON.parse(run(['doctor', '-f', bundle(), '-o', 'json']).stdout)
    expect(live.findings.length).toBeGreaterThan(50)
    expect(JSON.stringify(replay.findings)).toBe(JSON.stringify(live.findings))
    expect([replay.verdict, replay.totals, replay.identities, replay.notRecognised]).toEqual([
      live.verdict,
      live.totals,
      live.identities,
      [],
    ])
  })

  it('holds documents as the tools print them', () => {
    const role = JSON.parse(readFileSync(path.join(bundle(), 'aws', 'iam-GetRole', 'cart.json'), 'utf8'))
    expect(role.Role.RoleName).toBe('cart')
    const pods = parse(readFileSync(path.join(bundle(), 'kubernetes', 'pods', 'shop.yaml'), 'utf8'))
    expect(pods.kind).toBe('PodList')
  })

  it('writes a bundle.yaml that keeps to its schema', () => {
    const schema = JSON.parse(readFileSync(path.join(root, 'schemas', 'bundle-v1alpha1.schema.json'), 'utf8'))
    const validate = new Ajv2020({ strict: false }).compile(schema)
    const value = parse(readFileSync(path.join(bundle(), 'bundle.yaml'), 'utf8'))
    expect(validate(value), JSON.stringify(validate.errors)).toBe(true)
    expect(value.run).toEqual({ targets: [], namespace: 'shop' })
  })

  it('has no secret in any file, and nobody else may read it', () => {
    const secrets = [canary, lab.env.AWS_SECRET_ACCESS_KEY, lab.env.AWS_ACCESS_KEY_ID, lab.env.AZURE_CLIENT_SECRET].map(
      String,
    )
    const kubeconfig = parse(readFileSync(lab.env.KUBECONFIG ?? '', 'utf8'))
    secrets.push(kubeconfig.users[0].user.token)
    for (const secret of secrets) expect(secret.length).toBeGreaterThan(8)
    const files = filesIn(bundle())
    expect(files.length).toBeGreaterThan(5)
    for (const file of files) {
      const text = readFileSync(file, 'utf8')
      for (const secret of secrets) expect(text.includes(secret), file).toBe(false)
      expect(text, file).not.toMatch(/eyJ[\w-]{10,}\.|PRIVATE KEY/u)
      expect(statSync(file).mode & 0o077, file).toBe(0)
    }
    expect(collected.stdout).not.toContain(canary)
  })

  it('writes into no folder that has something in it', () => {
    const place = path.join(folder, 'full')
    mkdirSync(place)
    writeFileSync(path.join(place, 'mine.txt'), 'x')
    const { status, stderr } = run(['collect', '-d', place])
    expect(status).toBe(2)
    expect(stderr).toContain('is not empty')
    sentence(stderr)
    expect(readdirSync(place)).toEqual(['mine.txt'])
  })
})

describe('a bundle', () => {
  const pod = (name: string): Json => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: name },
    spec: { serviceAccountName: 'cart' },
  })
  const everywhere = kubernetes.list('pods')
  const here = kubernetes.list('pods', 'shop')
  const facts: readonly Fact<Json>[] = [
    unknown('forbidden', 'pods is forbidden', everywhere, 'list pods in all namespaces'),
    known({ items: [pod('a'), pod('b')], complete: true }, here),
    known(pod('a'), kubernetes.get('pods', 'shop', 'a')),
    absent(kubernetes.get('pods', 'shop', 'c')),
    known({ items: [], complete: true }, kubernetes.list('secrets', 'shop')),
    unknown('forbidden', 'not authorized', aws.role('111122223333', 'cart'), 'iam:GetRole'),
    absent(aws.role('111122223333', 'gone')),
    known('2026-01-01T00:00:00.000Z', seen.now()),
  ]
  const head = { time: '2026-01-01T00:00:00.000Z', version: '1', source: 'here', run: { targets: [] } }

  it('gives every answer back, also where a document seems to say more', () => {
    const { files } = bundled(facts, head)
    const { source } = documentsFrom(files)
    for (const fact of facts) {
      const { from, ...rest } = told(source, fact.from)
      expect({ ...rest, from }).toEqual(fact)
    }
    expect(files.map(({ name }) => name)).toEqual(['bundle.yaml', 'kubernetes/pods/shop.yaml'])
  })

  it('lets a document that somebody adds answer what could not be read', () => {
    const { files } = bundled(facts, head)
    const role = {
      Role: { RoleName: 'cart', Arn: 'arn:aws:iam::111122223333:role/cart', AssumeRolePolicyDocument: {} },
    }
    const { source } = documentsFrom([...files, { name: 'cart.json', text: JSON.stringify(role) }])
    const question: Question = aws.role('111122223333', 'cart')
    expect(told(source, question).state).toBe('known')
    expect(told(source, everywhere).state).toBe('unknown')
  })

  it('has no file outside its folder, whatever things are called', () => {
    const names = ['../../etc/passwd', '..', '/root', 'a/../../b', '\u0000', '.hidden']
    const { files } = bundled(
      names.map((name) => known({ Role: { RoleName: name } }, aws.role(undefined, name))),
      head,
    )
    for (const { name } of files)
      for (const part of name.split('/')) expect(part).toMatch(/^[A-Za-z0-9@_-][A-Za-z0-9@._-]*$/u)
  })
})
