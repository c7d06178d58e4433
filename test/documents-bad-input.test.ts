/** Bad documents of every sort, and secrets in any of them: a sentence, never a crash or a leak. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, listAt } from '../src/core/json.ts'
import { aws, kubernetes, oidc, seen } from '../src/domain/questions.ts'
import { readDocuments } from '../src/sources/documents/index.ts'
import { redacted } from '../src/sources/redacted.ts'
import { account, answerOf, cart, from, minted, told } from './documents.ts'

describe('bad input', () => {
  let home = ''
  const put = (name: string, text: string | Uint8Array): string => {
    const place = join(home, name)
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, text)
    return place
  }
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'kubectl-wi-documents-'))
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  test('a broken document is named with line and column, the others are read', async () => {
    put(
      'half/a.yaml',
      `apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: cart, namespace: shop}\n---\nkind: Pod\nmetadata:\n  name: "x\n`,
    )
    put('half/b.json', '{"a": 1,\n "b": }{')
    const { source, problems } = await readDocuments([join(home, 'half')])
    expect(told(source, kubernetes.get('serviceaccounts', 'shop', 'cart')).state).toBe('known')
    expect(problems).toHaveLength(2)
    for (const problem of problems) expect(problem.message).toMatch(/half\/[ab]\.\w+:\d+:\d+: /)
    expect(problems[0]?.line).toBeGreaterThan(4)
    expect(problems[1]?.line).toBe(2)
  })

  test('what is empty, missing, too large, binary or strange is a sentence or a name', async () => {
    put('odd/empty.yaml', '')
    put('odd/blank.json', '[]')
    put('odd/comment.yaml', '# nothing\n')
    put('odd/junk.json', '[1, "two", {"three": 3}]')
    put('odd/picture.yaml', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0))
    put('odd/readme.md', '# hello: [')
    put('odd/.hidden.yaml', '{{{')
    put('odd/expect.yaml', '{{{')
    truncateSync(put('odd/large.json', '{'), 65 * 1024 * 1024)
    const { problems, notRecognised } = await readDocuments([join(home, 'odd'), join(home, 'nowhere')])
    const at = (name: string) => join(home, 'odd', name)
    expect(notRecognised).toEqual(['blank.json', 'comment.yaml', 'junk.json', 'picture.yaml', 'readme.md'].map(at))
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('large.json: it is larger than 64 MiB'),
      expect.stringContaining('nowhere: there is no such file or folder'),
      expect.stringContaining('empty.yaml: it is empty'),
    ])
  })

  test('what is nested without end is a sentence with a place', async () => {
    put('deep/a.json', `${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    put('deep/b.yaml', `a: ${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    const { problems } = await readDocuments([join(home, 'deep')])
    for (const { message } of problems) expect(message).toMatch(/[ab]\.\w+(?::1:\d+)?: it is nested too deeply/)
    expect(problems).toHaveLength(2)
  })

  test('a command to see more holds every name as one word of the shell', async () => {
    const { source } = await readDocuments([home])
    for (const [question, command] of [
      [aws.role('111122223333', 'a$(reboot)'), "aws iam get-role --role-name 'a$(reboot)' > a__reboot_.json"],
      [kubernetes.get('pods', 'shop; id', 'a b'), "kubectl get pods 'a b' -n 'shop; id' -o yaml > pods.yaml"],
      [
        oidc.discovery('https://x.example/`id`'),
        "curl 'https://x.example/`id`/.well-known/openid-configuration' > discovery.json",
      ],
    ] as const) {
      const fact = told(source, question)
      expect(fact.state === 'unknown' ? fact.lift : fact).toBe(command)
    }
  })

  test('links inside the folder are followed once, out of it never, and loops end', async () => {
    put('links/real/sa.json', JSON.stringify(account('cart', 'shop')))
    put('outside.json', JSON.stringify(account('secret', 'shop')))
    symlinkSync(join(home, 'links'), join(home, 'links', 'loop'))
    symlinkSync('self', join(home, 'links', 'self'))
    symlinkSync(join(home, 'outside.json'), join(home, 'links', 'out.json'))
    symlinkSync(join(home, 'links', 'real', 'sa.json'), join(home, 'links', 'sa.json'))
    const { source, problems } = await readDocuments([join(home, 'links')])
    expect(listAt(answerOf(source, kubernetes.list('serviceaccounts')), 'items')).toHaveLength(1)
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/out\.json: it is a link that leads out of the folder/),
      expect.stringMatching(/self: it is a link that leads back to itself/),
    ])
  })

  test('what PowerShell writes is read', async () => {
    const text = `\ufeff${JSON.stringify(account('cart', 'shop'))}`
    const place = put('utf16.json', Buffer.from(text, 'utf16le'))
    expect(told((await readDocuments([place])).source, kubernetes.get('serviceaccounts', 'shop', 'cart')).state).toBe(
      'known',
    )
  })

  test('nesting, aliases and prototypes without end do no harm', () => {
    const aliases = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[i]}`).join(',')}]`).join('\n')}`
    const { problems, source } = from({
      'deep.json': '['.repeat(100_000),
      'bomb.yaml': aliases,
      'proto.json':
        '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a","namespace":"b","annotations":{"__proto__":"x","constructor":"y"}}}',
    })
    expect(problems.map(({ file }) => file)).toEqual(['deep.json', 'bomb.yaml'])
    expect(({} as { x?: string }).x).toBeUndefined()
    expect(told(source, kubernetes.get('serviceaccounts', 'b', 'a')).state).toBe('known')
  })

  test('reading stops when told to', async () => {
    put('stop/a.json', '{}')
    const { problems } = await readDocuments([join(home, 'stop')], { signal: AbortSignal.abort() })
    expect(problems[0]?.message).toContain('stopped')
  })
})

test('no canary comes through, whichever document carries it', () => {
  const token = minted()
  const canary = 'CANARYwJalrXUtnFEMIK7MDENGbPxRfiCY'
  const { source, problems } = from({
    'secret.json': {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        namespace: 'a',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': canary },
      },
      data: { k: canary },
      stringData: { k: canary },
      type: 'Opaque',
    },
    'pod.json': {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'a' },
      spec: {
        containers: [
          {
            name: 'c',
            args: [`--password=${canary}`, canary],
            env: [
              { name: 'AWS_SECRET_ACCESS_KEY', value: canary },
              { name: 'HTTPS_PROXY', value: `http://u:${canary}@proxy:1` },
              { name: 'GOOGLE_APPLICATION_CREDENTIALS', value: `{"private_key":"${canary}"}` },
            ],
          },
        ],
        volumes: [{ name: 'v', csi: { driver: 'd', volumeAttributes: { key: canary } } }],
      },
    },
    'map.json': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace: 'a' }, data: { k: canary } },
    'config.json': {
      apiVersion: 'v1',
      kind: 'Config',
      users: [{ name: 'u', user: { token: canary } }],
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
      'current-context': 'c',
    },
    'cart.jwt': token,
    'broken.jwt': `${canary}.${canary}`,
    'a.log': `Incorrect token audience token=${token} aws_secret_access_key=${canary} AKIAIOSFODNN7EXAMPLE https://u:${canary}@h/ Authorization: Bearer ${canary}`,
    'broken.yaml': `a: "${canary}\nb: [`,
  })
  const asked = redacted(source)
  const questions = [
    ...['secrets', 'pods', 'configmaps'].map((resource) => kubernetes.list(resource)),
    kubernetes.currentContext(),
    kubernetes.token(cart),
    seen.tokens(),
    seen.errors(),
  ]
  const all = JSON.stringify([questions.map((question) => answerOf(asked, question)), problems])
  expect(all).not.toContain(canary)
  expect(all).not.toContain('AKIAIOSFODNN7EXAMPLE')
  expect(all).not.toContain(token.split('.')[2])
  expect(all).toContain('Incorrect token audience')
  expect(JSON.stringify(answerOf(source, seen.errors()))).not.toContain(canary)
  expect(at(answerOf(asked, kubernetes.get('pods', 'a', 'p')), 'spec', 'containers', 0, 'env')).toEqual([
    { name: 'AWS_SECRET_ACCESS_KEY', hidden: true },
    { name: 'HTTPS_PROXY', value: 'http://proxy:1' },
    { name: 'GOOGLE_APPLICATION_CREDENTIALS', hidden: true },
  ])
})
