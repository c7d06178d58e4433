/** The doctor over the wire: kubectl wi lab CASE -- kubectl wi doctor finds what doctor -f finds in the files. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { demo, type Ran, root, run } from './running.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-wire-'))
afterAll(() => rmSync(folder, { recursive: true }))

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0
const doctor = hasKubectl ? ['kubectl', 'wi', 'doctor'] : ['kubectl-wi', 'doctor']
const inLab = (place: string, ...args: readonly string[]): Ran => run(['lab', place, '--', ...doctor, ...args])

type Found = { readonly check: string; readonly status: string; readonly messageId?: string }
const failed = ({ stdout }: Ran): readonly string[] => {
  const { findings }: { readonly findings: readonly Found[] } = JSON.parse(stdout)
  return findings.flatMap(({ check, status, messageId }) => (status === 'fail' ? `${check}: ${messageId}` : [])).sort()
}
const fixture = (name: string): string => path.join(root, 'test/fixtures/aws', name)

describe(`through ${hasKubectl ? 'the real kubectl' : 'kubectl-wi, for there is no kubectl on this machine'}`, () => {
  it('a broken cart is unhealthy for the one reason', () => {
    const over = inLab(demo('broken'), 'sa/cart', '-n', 'shop', '-o', 'json')
    expect(failed(over)).toEqual(['aws/trust-policy-admits-service-account: namespace-differs'])
    expect(over.status).toBe(1)
    expect(failed(over)).toEqual(failed(run(['doctor', '-f', demo('broken'), '-o', 'json'])))
  })

  it.each(['sa/cart -n shop', 'deployment/cart', '-A', ''])('the cart put right is healthy: doctor %s', (args) => {
    const { stdout, stderr, status } = inLab(demo('healthy'), ...args.split(' ').filter(Boolean))
    expect(stdout).toMatch(/^healthy: \d+ passed$/mu)
    expect([status, stderr]).toEqual([0, ''])
  })

  it.each([
    [
      'trust-policy-admits-service-account/crossplane-stringequals-wildcard',
      'sa/provider-aws-0123456789ab',
      'crossplane-system',
    ],
    ['trust-policy-admits-service-account/karpenter-arn-prefix-in-condition-key', 'sa/karpenter', 'karpenter'],
    ['trust-policy-admits-service-account/webhook30-provider-host-order', 'sa/app', 'default'],
    ['service-account-names-role/cw-adapter47-kube2iam-annotation', 'sa/k8s-cloudwatch-adapter', 'custom-metrics'],
  ])('%s is found as in its files', (name, target, namespace) => {
    const args = [target, '-n', namespace, '-o', 'json']
    const over = failed(inLab(fixture(name), ...args))
    expect(over.length).toBeGreaterThan(0)
    expect(over).toEqual(failed(run(['doctor', '-f', fixture(name), ...args])))
  })

  it.each([
    ['', 'role.json', "The role's trust policy admits this ServiceAccount's token"],
    ['azure-', 'credentials.json', "A credential for this issuer names the token's subject"],
  ])(
    'files laid over the cluster rehearse (%s%s): what they put right passes, and no exchange is claimed',
    (cloud, file, passes) => {
      const over = path.join(folder, file)
      cpSync(path.join(demo(`${cloud}healthy`), file), over)
      const { stdout, status } = inLab(demo(`${cloud}broken`), 'sa/cart', '-n', 'shop', '-f', over, '--overlay')
      expect(stdout).toContain(`✓ ${passes}`)
      expect(stdout).toContain('the files are not applied')
      expect([failedMarks(stdout), status]).toEqual([0, 3])
    },
  )

  it('what was withheld on purpose is not seen, with the flag that withheld it', () => {
    const { stdout, status } = inLab(
      demo('healthy'),
      'sa/cart',
      '-n',
      'shop',
      '--no-exchange',
      '--cloud-credentials',
      'none',
    )
    expect(stdout).toContain('leave out --no-exchange')
    expect(stdout).toContain('leave out --cloud-credentials none')
    expect([failedMarks(stdout), status]).toEqual([0, 3])
  })
})

const failedMarks = (text: string): number => text.split('\n').filter((line) => line.startsWith(' ✗')).length

describe('the lab', () => {
  it('ends with its command and its exit code', () => {
    expect(run(['lab', demo('broken'), '--', 'sh', '-c', 'exit 7']).status).toBe(7)
  })
})
