/** A whole cluster over the wire: 40 ServiceAccounts of two accounts and both mechanisms, examined by the built program. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { closeLabs, start } from './labs.ts'
import { entry, root, run } from './running.ts'

const fleet = path.join(root, 'test', 'fixtures', 'fleet', 'two-accounts')
afterAll(closeLabs)

type Found = {
  readonly check: string
  readonly status: string
  readonly messageId?: string
  readonly subject: { readonly namespace?: string; readonly name: string }
}

/** The built program in a lab of this process, which counts what it is asked. */
async function examined() {
  const answered = new Map<string, number>()
  const lab = await start(fleet, {
    overhear: (body) => {
      const [, action] = /<(\w+)Response /.exec(body) ?? []
      if (action !== undefined) answered.set(action, (answered.get(action) ?? 0) + 1)
    },
  })
  const out = await new Promise<string>((resolve) => {
    const options = { env: lab.env, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, [entry, 'doctor', '-A', '-o', 'json'], options, (_, stdout) => resolve(stdout))
  })
  const { verdict, findings }: { readonly verdict: string; readonly findings: readonly Found[] } = JSON.parse(out)
  const requests = Object.entries(lab.requests())
  const asked = (pattern: RegExp): readonly number[] =>
    requests.flatMap(([request, times]) => (pattern.test(request) ? [times] : []))
  return { verdict, findings, asked, answered }
}

describe('doctor -A on 40 ServiceAccounts', () => {
  it('tells one cause once, with how many it hits', () => {
    const { stdout, stderr, status } = run(['lab', fleet, '--', 'kubectl', 'wi', 'doctor', '-A'])
    expect([status, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(/^40 ServiceAccounts: /u)
    expect(stdout).toMatch(/^unhealthy: 9 errors, /mu)
    const paragraphs = stdout.split('\n').filter((line) => line.startsWith(' ✗'))
    expect(paragraphs).toEqual([
      expect.stringContaining("The role's trust policy admits this ServiceAccount's token"),
      expect.stringContaining('The associated role trusts EKS Pod Identity'),
    ])
    expect(stdout).toContain('hits    4 ServiceAccounts: shop/report-daily')
    expect(stdout).toContain('hits    5 ServiceAccounts: data/batch-a')
    // Whoever is signed in to one account sees nothing of the other's roles, and says so once, not for each of them.
    expect(stdout.match(/the\s+role\s+lives\s+in\s+444455556666/gu)).toHaveLength(1)
  })

  it.each([
    ['sa/cart -n shop', 'arn:aws:iam::111122223333:role/cart'],
    ['sa/ingest -n data', 'arn:aws:iam::111122223333:role/ingest by EKS Pod Identity'],
    ['sa/mirror -n data', 'arn:aws:iam::111122223333:role/mirror by EKS Pod Identity'],
  ])('finds one of them well by itself: doctor %s', (args, identity) => {
    const { stdout, status } = run(['lab', fleet, '--', 'kubectl', 'wi', 'doctor', ...args.split(' ')])
    expect(stdout).toContain(` → ${identity}`)
    expect(stdout).toMatch(/^healthy: \d+ passed$/mu)
    expect(status).toBe(0)
  })

  it('asks each thing once, and the roles of another account not at all', async () => {
    const { verdict, findings, asked, answered } = await examined()
    const failed = findings.filter(({ status }) => status === 'fail')
    const of = (check: string): readonly string[] =>
      failed.flatMap((one) => (one.check === check ? [`${one.messageId} ${one.subject.name}`] : [])).sort()
    expect(verdict).toBe('unhealthy')
    expect(failed).toHaveLength(9)
    expect(of('aws/trust-policy-admits-service-account')).toEqual(
      ['daily', 'monthly', 'weekly', 'yearly'].map((name) => `audience-differs report-${name}`),
    )
    expect(of('aws/trust-policy-admits-pod-identity')).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => `tag-session-missing batch-${name}`),
    )
    const passed = (check: string): number =>
      findings.filter((one) => one.check === check && one.status === 'pass').length
    expect(passed('aws/trust-policy-admits-pod-identity')).toBe(10)
    // The exchange proves the path of those in the other account too, whose roles cannot be read.
    expect(passed('aws/sts-exchanges-token')).toBe(21)
    expect(passed('aws/role-chain-allowed')).toBe(1)

    const once = (number: number): readonly number[] => Array.from({ length: number }, () => 1)
    expect(asked(/^kubernetes GET \/api\/v1\/(?:serviceaccounts|pods|nodes)$/u)).toEqual(once(3))
    expect(asked(/^kubernetes GET .*\/(?:serviceaccounts|pods)\/[^/]+$/u)).toEqual([])
    expect(asked(/^kubernetes POST .*\/token$/u)).toEqual(once(40))
    expect(asked(/^eks GET \/clusters\/shop\/pod-identity-associations$/u)).toEqual(once(1))
    expect(asked(/^eks GET \/clusters\/shop\/pod-identity-associations\/.+/u)).toEqual(once(15))
    expect(asked(/^eks GET \/clusters\/shop$/u)).toEqual(once(1))
    // 33 named in the account of the caller, one that is gone on to, one of the nodes.
    expect(answered.get('GetRole')).toBe(35)
    expect(answered.get('GetOpenIDConnectProvider')).toBe(1)
    // One exchange for each of the 25 with a role of web identity, and once who is signed in.
    expect(asked(/^sts POST/u)).toEqual([26])
    expect(answered.get('AssumeRoleWithWebIdentity')).toBe(21)
  })
})

describe('doctor node/NAME', () => {
  it('judges the pods of all namespaces that run there', () => {
    const without = path.join(root, 'test/fixtures/aws/pod-identity-agent-running/not-installed.case.yaml')
    const node = 'ip-10-0-3-17.us-west-2.compute.internal'
    const { stdout, status } = run(['lab', without, '--', 'kubectl', 'wi', 'doctor', `node/${node}`, '-v'])
    expect(stdout).toContain('has no DaemonSet eks-pod-identity-agent')
    expect(status).toBe(1)
  })
})
