/** The table of known error texts and the finder that applies it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type ErrorText, errorTextFinder } from '../src/domain/error-texts.ts'
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
