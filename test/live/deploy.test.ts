/** deploy/ in a real API server: applied with kubectl, and what its job examines with run with the token of its ServiceAccount. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { openReport } from '../policy-report-form.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { runEntry } from './doctor.ts'
import { describeWith, lane } from './running.ts'
import { kubeconfigWith } from './users.ts'

const base = path.join(import.meta.dirname, '..', '..', 'deploy')

describeWith(['own cluster'], 'deploy/', () => {
  let cluster: Cluster
  let namespace = ''
  let overlay = ''
  const kubectl = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const { status, stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8', env: { ...lane.env, ...env } })
    return { status, stdout, stderr }
  }
  const json = (...args: readonly string[]) => JSON.parse(kubectl([...args, '-o', 'json']).stdout)

  beforeAll(async () => {
    cluster = clusterOf(lane)
    namespace = await cluster.namespace()
    await cluster.serviceAccount(namespace, 'cart', { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/cart' })
    overlay = path.join(lane.folder, 'deploy')
    mkdirSync(overlay, { recursive: true })
    const served = kubectl(['get', '--raw', '/apis/batch/v1']).stdout
    const older = [{ op: 'replace', path: '/apiVersion', value: 'batch/v1beta1' }]
    const kustomization = {
      resources: [path.relative(overlay, base)],
      ...(served.includes('"cronjobs"')
        ? {}
        : { patches: [{ target: { kind: 'CronJob' }, patch: JSON.stringify(older) }] }),
    }
    writeFileSync(path.join(overlay, 'kustomization.yaml'), stringify(kustomization))
  })
  afterAll(async () => {
    kubectl(['delete', '-k', overlay, '--ignore-not-found', '--wait=false'])
    await cluster.clear()
  })

  it('is applied, and its job writes what it finds into the cluster with no more than its own rights', async () => {
    const applied = kubectl(['apply', '-k', overlay])
    expect([applied.status, applied.stderr]).toEqual([0, ''])
    const spec = json('get', 'cronjob', 'doctor', '-n', 'kubectl-wi').spec.jobTemplate.spec.template.spec
    const account: string = spec.serviceAccountName
    const token = await cluster.token('kubectl-wi', account, lane.cluster?.issuer ?? '')
    const env = await kubeconfigWith(lane, { token })
    const reports = path.join(lane.folder, 'reports')
    mkdirSync(reports, { recursive: true })
    const here = (args: readonly string[]) => args.map((arg) => arg.replace('/reports/', `${reports}/`))

    const whole = path.join(reports, 'report.json')
    const examined = await runEntry(lane, [...here(spec.initContainers[0].args), `--also=json=${whole}`], env)
    expect([examined.exit, examined.stderr]).toEqual([0, ''])
    process.stderr.write(`\n${examined.stdout.split('\n').slice(-4).join('\n')}\n`)
    const report: { readonly findings: readonly { readonly lacks?: readonly { why: string; lift?: string }[] }[] } =
      JSON.parse(readFileSync(whole, 'utf8'))
    const refused = report.findings.flatMap(({ lacks = [] }) => lacks).filter(({ lift }) => lift?.startsWith('RBAC'))
    expect(refused.filter(({ lift }) => !/ secrets/u.test(lift ?? ''))).toEqual([])
    expect(readFileSync(path.join(reports, 'wi.prom'), 'utf8')).toContain(
      `wi_findings{namespace="${namespace}",check="aws/role-arn-valid",severity="error",status="fail"} 1\n`,
    )

    const documents = parseAllDocuments(readFileSync(path.join(reports, 'reports.yaml'), 'utf8'))
    const written = documents.map((one) => openReport.parse(one.toJS()))
    const { results = [] } = written.find(({ metadata }) => metadata.namespace === namespace) ?? {}
    expect(results.find(({ policy }) => policy === 'aws/role-arn-valid')?.result).toBe('fail')
  })

  it.each([
    ['get', '', 'secrets', false],
    ['create', '', 'serviceaccounts/token', false],
    ['create', '', 'pods', false],
    ['patch', '', 'serviceaccounts', false],
    ['delete', 'openreports.io', 'reports', false],
    ['patch', 'openreports.io', 'reports', true],
    ['create', 'wgpolicyk8s.io', 'clusterpolicyreports', true],
  ])('may it %s %s %s? %s', async (verb, group, words, allowed) => {
    const [resource = '', subresource = ''] = words.split('/')
    const spec = {
      user: 'system:serviceaccount:kubectl-wi:doctor',
      resourceAttributes: { verb, group, resource, subresource },
    }
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
    const { status } = JSON.parse(JSON.stringify(await cluster.objects.create(review as never)))
    expect(status.allowed).toBe(allowed)
  })
})
