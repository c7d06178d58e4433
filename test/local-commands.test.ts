/** explain, checks and token on the command line, and what is derived from the code. */
import path from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { quotable } from '../src/examine/words.ts'
import { errorTexts } from '../src/knowledge/error-texts.ts'
import { ownFolder } from './own-folder.ts'
import { demo, entry, type Ran, root, run } from './running.ts'

const { write } = ownFolder('local')

it('says of an error that names nobody whom it cannot be judged for', () => {
  const account = (name: string): string =>
    `apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ${name}, namespace: shop, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/${name}"}}\n`
  write('two/accounts.yaml', `${account('cart')}---\n${account('web')}`)
  const log = write('two/app.log', 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n')
  const notes = (...more: readonly string[]): unknown =>
    JSON.parse(run(['doctor', '-f', path.dirname(log), '-o', 'json', ...more]).stdout).notes
  expect(notes()).toEqual([expect.stringMatching(/app\.log:1: whose "Not authorized.* name the ServiceAccount/u)])
  expect(notes('sa/cart', '-n', 'shop')).toEqual([])
})

it('asks for no new address where the API server accepts a public issuer already', () => {
  const shelf = path.join(root, 'test/fixtures/cluster/tokens-carry-the-published-issuer')
  const file = path.join(shelf, 'federated-second-is-no-fault-of-the-role.case.yaml')
  const { stdout } = run(['doctor', '-f', file, '--check', 'cluster/issuer-is-public', '-o', 'json'])
  const {
    findings,
  }: { readonly findings: readonly { readonly check: string; readonly remedy?: { readonly words: string } }[] } =
    JSON.parse(stdout)
  expect(findings.find(({ check }) => check === 'cluster/issuer-is-public')?.remedy?.words).toMatch(
    /^Have whoever runs the control plane give kube-apiserver --service-account-issuer=https:\/\/oidc\.talos\.example\.com first/u,
  )
})

it('never lets the name of a file write on the terminal', () => {
  const file = write('evil\u001b[31m/half\u001b[2J.yaml', '{{{')
  for (const named of [path.dirname(file), `${file}.none`]) {
    const { status, stdout, stderr } = run(['doctor', '-f', named])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain('evil\\u001b[31m')
    expect(stderr).not.toContain('\u001b')
  }
})

describe('in the lab', () => {
  const inLab = (...args: readonly string[]): Ran =>
    run(['lab', demo('healthy'), '--', process.execPath, entry, ...args])

  it('has a token minted and verified against the published keys, and never shows it', () => {
    const { status, stdout, stderr } = inLab('token', 'sa/cart', '-n', 'shop')
    expect(stdout).toContain('ServiceAccount shop/cart')
    expect(stdout).toContain('valid: a key that the issuer publishes verifies it')
    expect(stdout + stderr).not.toMatch(/eyJ[\w-]{10}/u)
    expect(status).toBe(0)
  })
  it('says in a sentence that there is no such ServiceAccount', () => {
    const { status, stdout, stderr } = inLab('token', 'sa/nobody', '-n', 'shop')
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/shop\/nobody does not exist/u)
  })
})

describe('explain', () => {
  it('quotes what it knows as a text, and not as the expression that finds it', () => {
    expect(run(['explain', 'AADSTS999999']).stdout).toMatch(/^AADSTS…\n/u)
    const expressions = errorTexts.filter(({ fragment }) => fragment !== quotable(fragment))
    expect(expressions.length).toBeGreaterThan(40)
    for (const { fragment } of expressions) expect(quotable(fragment)).toMatch(/^[^\\?|[\]{}$^]{5,}$/u)
    expect(quotable("/(?:EACCES|EPERM): '?\\/(?:var\\/)?run\\/[a-z]{1,9}(?!x) [Tt]imed out/")).toBe(
      "EACCES: '/run/… Timed out",
    )
  })
  it('says what an error text can mean, most likely cause first, and which check decides', () => {
    const { status, stdout } = run([
      'explain',
      'An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity',
    ])
    expect(status).toBe(0)
    expect(stdout.indexOf('decided by aws/trust-policy-admits-service-account')).toBeGreaterThan(0)
    expect(stdout.indexOf('decided by aws/role-exists')).toBeGreaterThan(
      stdout.indexOf('aws/trust-policy-admits-service-account'),
    )
  })
  it('takes an unquoted text, and a log on stdin', () => {
    const words = 'Not authorized to perform sts:AssumeRoleWithWebIdentity'
    const quoted = run(['explain', words]).stdout
    expect(run(['explain', ...words.split(' ')]).stdout).toBe(quoted)
    expect(run(['explain', '-'], { input: `2026-01-01 INFO start\n2026-01-01 ERROR ${words}\n` }).stdout).toBe(quoted)
  })
  it('says what a check defends, can find and needs first', () => {
    const { status, stdout } = run(['explain', 'aws/trust-policy-admits-service-account'])
    expect(status).toBe(0)
    for (const part of ['What it can find', 'Error texts that lead here', 'Read more', 'https://'])
      expect(stdout).toContain(part)
  })
  it('never repeats what was piped in', () => {
    const { stdout, stderr } = run(['explain', '-'], { input: 'canary-eyJhbGciOiJSUzI1NiJ9' })
    expect(stdout + stderr).not.toContain('canary')
  })
})

describe('checks', () => {
  it('lists each check in every format', () => {
    const all: readonly { readonly id: string; readonly title: string }[] = JSON.parse(
      run(['checks', '-o', 'json']).stdout,
    )
    expect(all.length).toBeGreaterThan(0)
    const table = run(['checks']).stdout
    const markdown = run(['checks', '-o', 'markdown']).stdout
    for (const { id } of all) {
      expect(table).toContain(`  ${id}`)
      expect(markdown).toContain(`\`${id}\``)
    }
  })
})

describe('token', () => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'https://oidc.example.com', sub: 'system:serviceaccount:shop:cart', aud: ['sts.amazonaws.com'] }
  const signed = async (more: object): Promise<string> => {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    const { kty } = await exportJWK(publicKey)
    expect(kty).toBe('RSA')
    return new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(privateKey)
  }

  it('shows header, claims and lifetime, never the token or its signature', async () => {
    const now = Math.floor(Date.now() / 1000)
    const jwt = await signed({ iat: now - 60, exp: now + 3600 })
    const file = write('cart.jwt', `${jwt}\n`)
    for (const { status, stdout, stderr } of [
      run(['token', file]),
      run(['token', '-'], { input: jwt }),
      run(['token'], { input: jwt }),
    ]) {
      expect([status, stderr]).toEqual([0, ''])
      for (const part of [
        'RS256',
        'ServiceAccount shop/cart',
        'sts.amazonaws.com',
        ' left of 1 h 1 min',
        'not checked: --verify',
      ])
        expect(stdout).toContain(part)
      for (const part of jwt.split('.')) expect(stdout).not.toContain(part)
    }
  })

  it('says plainly that it is unsigned, expired or not valid yet, and exits 1', async () => {
    const now = Math.floor(Date.now() / 1000)
    const unsigned = `${encode({ alg: 'none' })}.${encode({ ...claims, exp: now + 60 })}.`
    const cases = [
      [unsigned, /nobody has signed this token/u],
      [await signed({ iat: now - 7200, exp: now - 3600 }), /expired 1 h/u],
      [await signed({ nbf: now + 7200, exp: now + 9000 }), /not valid yet/u],
      [await signed({}), /never expires: it has no exp claim/u],
      [
        `${encode({ alg: 'none' })}.${encode({ ...claims, aud: 7, exp: 'x' })}.`,
        /aud claim is no text[\s\S]*exp claim is no number/u,
      ],
    ] as const
    for (const [input, says] of cases) {
      const { status, stdout } = run(['token', '-'], { input })
      expect(stdout).toMatch(says)
      expect(status).toBe(1)
    }
  })

  it('says which part is broken and why', async () => {
    const [header = '', body = ''] = (await signed({})).split('.')
    const cases = [
      ['one.two', /three parts/u],
      [`!${header}.${body}.c2ln`, /header.*not base64url/u],
      [`${header}.${Buffer.from('nonsense').toString('base64url')}.c2ln`, /claims.*not of JSON/u],
      [`${header}.${body}.`, /signature is missing/u],
    ] as const
    for (const [input, says] of cases) {
      const { status, stdout, stderr } = run(['token', '-'], { input })
      expect(stdout).toMatch(says)
      expect([status, stderr]).toEqual([1, ''])
    }
  })

  it('takes an audience only for a token that is yet to be minted', async () => {
    const file = write('minted.jwt', await signed({}))
    const { status, stdout, stderr } = run(['token', file, '--audience', 'sts.amazonaws.com'])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^error: --audience goes with sa\/NAME/u)
  })

  it('repeats no token that was given in the wrong place', async () => {
    const jwt = await signed({})
    const { status, stdout, stderr } = run(['token', jwt])
    expect(status).toBe(2)
    for (const part of jwt.split('.')) expect(stdout + stderr).not.toContain(part)
  })

  it('lets no claim rewrite the terminal', () => {
    const input = `${encode({ alg: 'none' })}.${encode({ iss: '\u001b[2Jhttps://x', '\u202ekey': 'v' })}.`
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(run(['token', '-'], { input }).stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u)
  })
})
