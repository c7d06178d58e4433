/** The way of a remote job to the Kubernetes API: each step by itself, and all of them against the lab. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Outcome } from '../src/core/proof.ts'
import { judgeCertificate } from '../src/domain/remote-certificate.ts'
import {
  judgeAcceptance,
  judgeAddress,
  judgeAuthorities,
  judgePath,
  judgeRules,
  judgeSilence,
  judgeToken,
} from '../src/domain/remote-job.ts'
import { remote } from '../src/examine/remote.ts'
import { closeLabs, demo, issuer, mint, start } from './labs.ts'

const folder = mkdtempSync(join(tmpdir(), 'remote-job-'))
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await closeLabs()
})

const said = ({ status, says }: Outcome): string => `${status}: ${says}`
const now = 1_800_000_000
const account = 'system:serviceaccount:science:train'
const claims = (more: object = {}) => ({ iss: issuer, aud: [issuer], sub: account, exp: now + 3600, ...more })
const token = (more: object = {}) =>
  ({ state: 'read', path: 'token', size: 900, unsigned: false, claims: claims(more) }) as const

describe('what was handed over', () => {
  test.each([
    ['203.0.113.7', '60443', 'pass: the job is told 203.0.113.7:60443'],
    ['203.0.113.7', undefined, 'fail: KUBERNETES_SERVICE_PORT is not set, and the other alone leads nowhere'],
    ['', '443', 'fail: KUBERNETES_SERVICE_HOST is not set, and the other alone leads nowhere'],
    [
      'kubernetes.default.svc',
      '443',
      'fail: kubernetes.default.svc exists only inside the cluster, and this job is outside',
    ],
    ['203.0.113.7', 'https', 'fail: KUBERNETES_SERVICE_PORT is https, which is no port'],
    [
      'https://203.0.113.7',
      '443',
      'fail: KUBERNETES_SERVICE_HOST is https://203.0.113.7; it takes a name or an IP address alone',
    ],
  ])('address %s, port %s', (host, port, expected) => {
    expect(said(judgeAddress(host, port, undefined))).toBe(expected)
  })
  test('a proxy is named, for programs of the job may go through it', () => {
    const { details = [] } = judgeAddress('203.0.113.7', '443', 'http://proxy.example.com:3128')
    expect(details.flat().join(' ')).toContain('http://proxy.example.com:3128')
  })
  test.each([
    ['ended', { exp: now - 60 }, 'fail: the token ended on 2027-01-15T07:59:00.000Z'],
    ['not begun', { nbf: now + 600 }, 'fail: the token begins on 2027-01-15T08:10:00.000Z'],
    ['for a hundred years', { exp: now + 3_153_600_000 }, 'pass: a token is mounted, and current'],
  ])('a token that is %s', (_what, more, expected) => {
    expect(said(judgeToken(token(more), now))).toContain(expected)
  })
  test.each([
    ['ENOENT', 'token is not there'],
    ['EACCES', 'token is there, and this user may not read it'],
  ])('a file that gives %s', (code, expected) => {
    expect(said(judgeToken({ state: 'unread', path: 'token', code }, now))).toContain(expected)
    expect(said(judgeAuthorities({ state: 'unread', path: 'token', code }))).toContain(expected)
  })
  test('a ca.crt without a certificate', () => {
    const read = { state: 'read', path: 'ca.crt', all: [] } as const
    expect(said(judgeAuthorities({ ...read, size: 0 }))).toBe('fail: ca.crt is empty')
    expect(said(judgeAuthorities({ ...read, size: 20 }))).toBe('fail: ca.crt holds no readable certificate')
  })
})

describe('what answers', () => {
  const ca = { subject: 'CN=site-ca', notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2027-01-01T00:00:00.000Z' }
  const leaf = {
    subject: 'CN=web',
    issuer: 'CN=site-ca',
    names: ['kube.example.com'],
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: '2027-06-01T00:00:00.000Z',
  }
  const judge = (problem: string, over: object = {}, at = '2026-07-01T00:00:00Z') =>
    said(judgeCertificate({ chain: [{ ...leaf, ...over }], problem }, 'kube.example.com', [ca], Date.parse(at)))
  test('a certificate', () => {
    expect(said(judgeCertificate({ chain: [leaf] }, 'kube.example.com', [ca], 0))).toBe(
      'pass: ca.crt vouches for kube.example.com',
    )
    expect(judge('CERT_HAS_EXPIRED', {}, '2027-02-01T00:00:00Z')).toContain('CN=site-ca ended on 2027-01-01')
    expect(judge('CERT_NOT_YET_VALID')).toContain('begins on 2026-01-01')
    expect(
      judge('DEPTH_ZERO_SELF_SIGNED_CERT', { subject: 'O=Acme Co, CN=Kubernetes Ingress Controller Fake Certificate' }),
    ).toContain('the ingress controller has no certificate for kube.example.com')
    expect(judge('SELF_SIGNED_CERT_IN_CHAIN', { issuer: 'CN=other', names: ['a.example.com'] })).toContain(
      'issued by CN=other, and ca.crt is CN=site-ca; it names a.example.com, not kube.example.com, either',
    )
  })
  const silence = (trouble: 'network' | 'timeout' | 'tls', code: string) =>
    said(judgeSilence({ trouble, code, detail: 'no answer' }, 'kube.example.com', '60443'))
  test('nobody', () => {
    expect(silence('network', 'ENOTFOUND')).toContain('does not resolve here')
    expect(silence('network', 'EHOSTUNREACH')).toContain('does not answer from here')
    expect(silence('timeout', '')).toContain('does not answer from here')
    expect(silence('network', 'ECONNRESET')).toContain('broke off')
  })
  const status = { kind: 'Status', apiVersion: 'v1' }
  test.each([
    [200, { kind: 'APIVersions' }, 'application/json', 'pass: the Kubernetes API answers /api'],
    [403, status, 'application/json', 'pass: the Kubernetes API answers /api'],
    [404, undefined, 'text/html', 'fail: /api is not published: 404'],
    [200, undefined, 'text/html', 'fail: what answers /api is not the Kubernetes API (200'],
    [200, { hello: 'world' }, 'application/json', 'fail: what answers /api is not the Kubernetes API (200'],
    [302, undefined, 'text/html', 'fail: /api is redirected (302)'],
    [401, undefined, 'text/html', 'fail: /api is refused (401) by something that is not the Kubernetes API'],
    [400, undefined, 'text/html', 'fail: /api is refused with 400'],
    [503, undefined, 'text/plain', 'fail: /api is published, and what it leads to does not answer (503)'],
  ])('status %i with %j', (code, json, type, expected) => {
    expect(said(judgePath('/api', { status: code, json, type }, 'kube.example.com', '60443'))).toContain(expected)
  })
  test.each([
    [['sts.amazonaws.com'], 'it is for sts.amazonaws.com, and not for the API'],
    [['somebody'], 'most likely its audience somebody'],
    [['https://kubernetes.default.svc'], 'although its times and its audience fit'],
  ])('a token for %j that is refused', (aud, expected) => {
    const reply = { status: 401, json: status, type: 'application/json' }
    expect(said(judgeAcceptance(reply, claims({ aud })))).toContain(expected)
  })
  test('what the token may do', () => {
    const own = { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectrulesreviews'] }
    const reply = (resourceRules: readonly object[]) =>
      said(
        judgeRules(
          { status: 201, json: JSON.parse(JSON.stringify({ status: { resourceRules } })), type: '' },
          'science',
          'it',
        ),
      )
    expect(reply([own])).toBe('fail: it may do nothing in namespace science but ask what it may do')
    expect(reply([own, { verbs: ['get'], apiGroups: [''], resources: ['pods'] }])).toContain('pass')
    expect(said(judgeRules({ status: 403, json: status, type: '' }, 'science', 'it'))).toContain('unknown')
  })
})

test('all of it, from two variables and a folder', async () => {
  const lab = await start(demo('healthy'))
  const { hostname, port } = new URL(lab.urls.kubernetes)
  const minted = await mint(lab, { audiences: [issuer] })
  writeFileSync(join(folder, 'token'), minted)
  writeFileSync(join(folder, 'ca.crt'), lab.world.roots)
  const run = async (over: NodeJS.ProcessEnv = {}, output = 'table'): Promise<readonly [number, string]> => {
    const written: string[] = []
    const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, ...over }
    const stdout = { write: (text: string) => written.push(text), isTTY: false, columns: 100 }
    const process = { env, stdout, once: () => process } as unknown as NodeJS.Process
    const flags = { 'mounted-in': folder, timeout: 10_000, output, 'no-color': true }
    return [await remote(flags, { version: '0', process }), written.join('')]
  }
  const [exit, text] = await run()
  expect([exit, text]).toEqual([0, expect.stringContaining('healthy: the job reaches the Kubernetes API')])
  expect(text).not.toContain(minted.split('.')[1] ?? '')
  const [code, json] = await run({ KUBERNETES_SERVICE_PORT: '' }, 'json')
  expect([code, JSON.parse(json).verdict]).toEqual([1, 'unhealthy'])
  await expect(run({}, 'sarif')).rejects.toThrow('-o sarif does not go with --remote')
})
