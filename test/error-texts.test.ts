/** The table of known error texts and the finder that applies it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { troubleIn } from '../src/domain/aws-endpoint.ts'
import { type ErrorText, errorTextFinder } from '../src/domain/error-texts.ts'
import { explain } from '../src/examine/explain.ts'
import { pageOf } from '../src/examine/page.ts'
import { errorTexts } from '../src/knowledge/error-texts.ts'

const find = errorTextFinder(errorTexts)
const fragments = (text: string, oneText = false): readonly string[] =>
  find(text, oneText).map(({ known }) => known.fragment)
const checks = (text: string): readonly string[] =>
  find(text).flatMap(({ known }) => known.leads.map(({ check }) => check))

const one = (fragment: string): ErrorText => ({ fragment, leads: [{ check: 'a/b' }], means: '' })
const finds = (fragment: string, text: string, oneText = false): boolean =>
  errorTextFinder([one(fragment)])(text, oneText).length > 0

describe('how SDKs wrap what STS says', () => {
  test.each([
    [
      'Go v1',
      'WebIdentityErr: failed to retrieve credentials\ncaused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n\tstatus code: 403',
    ],
    [
      'Go v1 in JSON',
      '"error"="WebIdentityErr: failed\\ncaused by: AccessDenied: Not authorized\\n\\tto perform sts:AssumeRoleWithWebIdentity\\n\\tstatus"',
    ],
    [
      'Go v2',
      'operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 403, api error AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity',
    ],
    [
      'boto',
      'An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity',
    ],
    ['Ruby', 'Not authorized to perform sts:AssumeRoleWithWebIdentity (Aws::STS::Errors::AccessDenied)'],
  ])('%s', (_name, text) => {
    expect(checks(text)).toEqual([
      'aws/trust-policy-admits-service-account',
      'aws/role-exists',
      'aws/sts-exchanges-token',
    ])
  })
})

describe('the longest decides', () => {
  test('within one text', () => {
    expect(
      fragments('No OpenIDConnect provider found in your account for https://kubernetes.default.svc.cluster.local'),
    ).toEqual(['No OpenIDConnect provider found in your account for https://kubernetes.default.svc'])
    expect(fragments('No OpenIDConnect provider found in account')).toEqual(['No OpenIDConnect provider found'])
    expect(
      checks(
        'ExpiredTokenException: Token expired: current date/time 1704727025 must be before the expiration date/time 1704574064',
      ),
    ).toEqual(['workload/token-is-fresh'])
  })
  test('what sums up a chain of providers gives way to the one that says more', () => {
    const chain = (said: string): string =>
      `Unable to load credentials from any of the providers in the chain AwsCredentialsProviderChain() : [SystemPropertyCredentialsProvider(): Unable to load credentials from system settings., WebIdentityTokenCredentialsProvider(): ${said}, InstanceProfileCredentialsProvider(): Failed to load credentials from IMDS.]`
    expect(
      fragments(chain('Not authorized to perform sts:AssumeRoleWithWebIdentity (Service: Sts, Status Code: 403)')),
    ).toEqual(['Not authorized to perform sts:AssumeRoleWithWebIdentity'])
    expect(fragments(chain('Incorrect token audience (Service: Sts, Status Code: 400)'))).toEqual([
      'Incorrect token audience',
    ])
    expect(checks(chain('neither variable is set'))).toEqual(['aws/pod-is-injected', 'aws/service-account-names-role'])
  })
  test.each([
    'Connect timeout on endpoint URL: "https://sts.eu-west-1.amazonaws.com/"',
    'Could not connect to the endpoint URL: "https://sts.amazonaws.com/"',
    'Unable to execute HTTP request: Connect to sts.eu-west-1.amazonaws.com:443 [sts.eu-west-1.amazonaws.com/192.0.2.1] failed: Connect timed out',
    'Unable to execute HTTP request: sts.eu-west-1.amazonaws.com: Name or service not known',
    'getaddrinfo EAI_AGAIN sts.eu-west-1.amazonaws.com',
    'cURL error 28: Failed to connect to sts.amazonaws.com port 443',
    'Resource temporarily unavailable (sts.eu-west-1.amazonaws.com:443)',
    'Failed to open TCP connection to sts.eu-west-1.amazonaws.com:443 (execution expired)',
    'Post "https://sts.eu-west-1.amazonaws.com/": net/http: TLS handshake timeout',
    'Post "https://sts.eu-west-1.amazonaws.com/": proxyconnect tcp: dial tcp 10.0.0.1:3128: i/o timeout',
    'Post "https://sts.eu-west-1.amazonaws.com/": dial tcp: lookup sts.eu-west-1.amazonaws.com on 172.20.0.10:53: read udp 10.0.1.5:3456->172.20.0.10:53: i/o timeout',
  ])('that STS does not answer: %s', (text) => {
    expect(checks(text)[0]).toBe('aws/sts-endpoint-reachable')
    expect(troubleIn(text)?.kind).toMatch(/^(?:silent|no-name)$/)
  })
  test.each([
    '"Unable to register node with API server" err="Unauthorized" node="ip-10-0-0-1.ec2.internal"',
    '"Failed to ensure lease exists, will retry" err="Unauthorized" interval="7s"',
    'Failed to contact API server when waiting for CSINode publishing: Unauthorized',
    'Unable to register node "ip-10-0-0-1" with API server: Unauthorized',
    'Failed to list *v1.Node: Unauthorized',
  ])('that nobody knows the kubelet: %s', (text) => {
    expect(checks(text)).toContain('eks/nodes-are-mapped')
  })
  test('each of two lines has its own', () => {
    expect(fragments('Incorrect token audience\nRequest ARN is invalid')).toEqual([
      'Incorrect token audience',
      'Request ARN is invalid',
    ])
    expect(fragments('Incorrect token audience\nRequest ARN is invalid', true)).toEqual(['Incorrect token audience'])
  })
})

describe('fragments', () => {
  test('white space and escapes do not count', () => {
    expect(finds('a b', 'x a \t\n  b')).toBe(true)
    expect(finds('a b', 'a\\n\\tb')).toBe(true)
    expect(finds('a b', 'ab')).toBe(false)
  })
  test('a quote is a quote, however often a logger has escaped it', () => {
    for (const quote of ['"', '\\"', '\\\\\\"'])
      expect(
        finds('token issuer "…" is invalid', `err="token issuer ${quote}https://a.example${quote} is invalid"`),
      ).toBe(true)
    expect(finds('token issuer "…" is invalid', 'token issuer https://a.example is invalid')).toBe(false)
  })
  test('… is any run of the same line, in one text of all', () => {
    expect(finds('a "…" is b', 'a "x y" is b')).toBe(true)
    expect(finds('a…b', 'a\nb')).toBe(false)
    expect(finds('a…b', 'a\nb', true)).toBe(true)
    expect(finds('a…b', 'a x\na b')).toBe(true)
  })
  test('codes are whole numbers', () => {
    expect(finds('AADSTS70021', 'AADSTS700211: x')).toBe(false)
    expect(finds('AADSTS70021', 'AADSTS70021: x')).toBe(true)
    expect(finds('AADSTS70021', 'AADSTS700211, AADSTS70021')).toBe(true)
  })
  test('a node role is seen across a line end', () => {
    const text =
      'User: arn:aws:sts::123456789012:assumed-role/eks_node_groups/i-0xxx\nis not authorized to perform: s3:ListBucket'
    const [sighting] = find(text)
    expect(sighting).toMatchObject({
      firstLine: 0,
      lastLine: 1,
      known: {
        leads: [{ check: 'aws/workload-uses-own-role' }, { check: 'workload/caller-is-the-declared-identity' }],
      },
    })
    expect(checks(text.replace('/i-0xxx', '/botocore-session-1'))[0]).toBe('aws/role-permits-action')
  })
})

describe('what belongs to another check is not blamed on web identity', () => {
  test.each([
    [
      'User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: sts:AssumeRole on resource: arn:x',
      'aws/role-chain-allowed',
    ],
    [
      'User: arn:aws:sts::1:assumed-role/r/botocore-session-1 is not authorized to perform: s3:GetObject because no identity-based policy allows the s3:GetObject action',
      'aws/role-permits-action',
    ],
    ['[x]: (AccessDeniedException): Unauthorized Exception', 'aws/trust-policy-admits-pod-identity'],
    ['lookup sts.us-east-5.amazonaws.com on 10.0.0.2:53: no such host', 'aws/sts-endpoint-reachable'],
  ])('%s', (text, check) => {
    expect(checks(text)).toEqual([check])
  })
})

describe('each text that people meet leads to its check first', () => {
  const known: { readonly [check: string]: readonly string[] } = parse(
    readFileSync(path.join(import.meta.dirname, 'known-texts.yaml'), 'utf8'),
  )
  test.each(Object.entries(known))('%s', (check, texts) => {
    const first = (text: string): string | undefined => find(text.replaceAll('…', 'x'), true)[0]?.known.leads[0].check
    expect(texts.filter((text) => first(text) !== check).map((text) => `${text} leads to ${first(text)}`)).toEqual([])
  })
})

describe('the table', () => {
  test('says each text once, each with a meaning', () => {
    expect(new Set(errorTexts.map(({ fragment }) => fragment)).size).toBe(errorTexts.length)
    for (const { means } of errorTexts) expect(means).toMatch(/^[^\n]+\.$/)
  })
  test('finds every plain fragment in itself', () => {
    for (const { fragment } of errorTexts)
      if (!fragment.startsWith('/')) expect(fragments(fragment.replaceAll('…', 'x'))).toContain(fragment)
  })
  test('has no expression that repeats without bound', () => {
    for (const { fragment } of errorTexts) if (fragment.startsWith('/')) expect(fragment).not.toMatch(/[\])}.\w][*+]/)
  })
  test('takes time in proportion to the text, whatever is in it', () => {
    const hostile = (length: number): string =>
      'User: arn:aws:sts::'.repeat(length) + 'failed calling webhook "'.repeat(length) + 'lookup sts.a'.repeat(length)
    const time = (length: number): number => {
      const text = hostile(length)
      const start = performance.now()
      find(text)
      return performance.now() - start
    }
    time(1000)
    // Eight times the text would take 64 times as long if anything were quadratic.
    expect(time(16_000)).toBeLessThan(32 * Math.max(time(2000), 2))
  })
})

describe('the codes of Entra', () => {
  /** https://learn.microsoft.com/entra/identity-platform/reference-error-codes, and the threads that the checks link to. */
  const table: { readonly [code: string]: string } = {
    70021: 'token-exchange-succeeds: entra-found-no-match',
    700211: 'federated-credential-matches-issuer: entra-found-no-issuer',
    700213: 'federated-credential-matches-subject: entra-found-no-subject',
    7002138: 'federated-credential-matches-subject: differs-in-case',
    700212: 'federated-credential-matches-audience: entra-found-no-audience',
    7002137: 'token-exchange-succeeds: refused',
    700016: 'identity-exists-in-tenant: not-found',
    7000112: 'identity-exists-in-tenant: disabled',
    90002: 'authority-is-tenant-cloud: tenant-not-found',
    900021: 'authority-is-tenant-cloud: tenant-not-found',
    900023: 'authority-is-tenant-cloud: tenant-not-found',
    900382: 'authority-is-tenant-cloud: cross-cloud',
    90038: 'authority-is-tenant-cloud: cross-cloud',
    50027: 'token-well-formed-and-current: malformed',
    70023: 'token-well-formed-and-current: lifetime-too-long',
    700024: 'token-well-formed-and-current: outside-validity',
    700222: 'token-issuer-public: issuer-is-entra',
    700229: 'token-issuer-public: issuer-is-entra',
    90061: 'issuer-documents-public: entra-could-not-fetch',
    50166: 'issuer-documents-public: entra-could-not-fetch',
    501661: 'issuer-documents-public: entra-could-not-fetch',
    7000272: 'issuer-publishes-signing-key: entra-found-no-key',
    1002012: 'token-exchange-succeeds: scope-invalid',
    70011: 'token-exchange-succeeds: scope-invalid',
    500011: 'token-exchange-succeeds: scope-invalid',
    53003: 'token-exchange-succeeds: conditional-access',
    50005: 'federated-credential-accepted: blocked-by-conditional-access',
    700021: 'token-exchange-succeeds: refused',
    700023: 'token-exchange-succeeds: refused',
    700027: 'token-exchange-succeeds: refused',
    7000215: 'pod-environment-agrees: client-secret-shadows',
    7000222: 'pod-environment-agrees: client-secret-shadows',
  }
  const page = pageOf(100, false)
  test.each(Object.entries(table))(
    'AADSTS%s is explained: the cause, what to compare, the check',
    async (code, first) => {
      const [check = '', message = ''] = first.split(': ')
      const [lead] = find(`AADSTS${code}`)[0]?.known.leads ?? []
      expect(lead).toMatchObject({ check: `azure/${check}`, message })
      const text = await explain(`AADSTS${code}`, page)
      expect(text, 'no name of a datum in the place of one').not.toMatch(/\{\w+\}/)
      expect(text, 'whole sentences, with the code that is explained').not.toMatch(/AADSTS…|……|… …|: …$/m)
      expect(text.split('\n')[0]).toBe(`AADSTS${code}`)
      expect(text).toMatch(/[.:]\s+Compare\s\S/)
      expect(text).toContain(`decided by azure/${check}`)
    },
  )
  test('none is in the table of texts that is not in this one', () => {
    const codes = errorTexts.flatMap(({ fragment }) => /^AADSTS(\d+)$/.exec(fragment)?.[1] ?? [])
    expect([...new Set(codes)].sort()).toEqual(Object.keys(table).sort())
  })
})
