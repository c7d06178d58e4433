/** What deploy/ puts into a cluster: as kubectl builds it, no more rights than the checks ask for, and nothing that may do what it need not. */
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Parser } from '@oclif/core'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { deployFiles } from '../scripts/deploy.ts'
import { alsoIn } from '../src/examine/also.ts'
import { doctorFlags } from '../src/flags/doctor.ts'
import { folder } from './live-doubles.ts'
import { demo, entry, root, run } from './running.ts'

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')
const { version } = JSON.parse(read('package.json'))

type Container = {
  readonly name: string
  readonly args: readonly string[]
  readonly securityContext: object
  readonly resources: object
  readonly volumeMounts: readonly { readonly mountPath: string; readonly name: string; readonly readOnly?: boolean }[]
}
const podOf = (file: string): { readonly [member: string]: unknown } =>
  parse(read(file), { merge: true }).spec.jobTemplate.spec.template.spec
const containersIn = (file: string): readonly Container[] =>
  ['initContainers', 'containers'].flatMap((list) => (podOf(file)[list] as readonly Container[] | undefined) ?? [])
/** A container's arguments, with its volumes here. */
const here = (container: Container | undefined, place: string): readonly string[] =>
  (container?.args ?? []).map((arg) => arg.replace(/=\/(?:reports|tmp)\b/u, `=${place}`))
const containers = [...containersIn('deploy/cronjob.yaml'), ...containersIn('deploy/pushgateway/push.yaml')]

describe('what it may', () => {
  it('is what the checks ask for, written by npm run generate', async () => {
    for (const [file, text] of await deployFiles()) expect(read(file), `${file}: npm run generate`).toBe(text)
  })

  it('is reading, and writing reports: no token, no Secret, no word with a star', () => {
    const rules = ['deploy/doctor.yaml', 'deploy/reports.yaml']
      .flatMap((file) => parseAllDocuments(read(file)).map((one) => one.toJS()))
      .flatMap(
        ({ rules = [] }: { rules?: readonly { apiGroups?: string[]; resources?: string[]; verbs: string[] }[] }) =>
          rules,
      )
    expect(rules.length).toBeGreaterThan(10)
    for (const { apiGroups = [], resources = [], verbs } of rules) {
      const writes = verbs.filter((verb) => verb !== 'get' && verb !== 'list')
      const ofReports = apiGroups.every((group) => group === 'openreports.io' || group === 'wgpolicyk8s.io')
      expect(writes.length === 0 || ofReports, JSON.stringify({ resources, verbs })).toBe(true)
      expect([...apiGroups, ...resources, ...verbs].join(' ')).not.toMatch(/\*|(?<![\w-])secrets(?![\w.-])|\/token/u)
    }
  })
})

describe('its job', () => {
  it('keeps to the restricted standard, and writes into its volumes alone', () => {
    expect(podOf('deploy/cronjob.yaml').securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    for (const { securityContext, resources, name } of containers) {
      expect(securityContext, name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(resources, name).toMatchObject({
        requests: { cpu: expect.any(String) },
        limits: { memory: expect.any(String) },
      })
    }
  })

  it('runs what there is: the command parses, and each file is read where it is written', async () => {
    const [examine] = containers
    const [command, ...argv] = examine?.args ?? []
    expect(command).toBe('doctor')
    const { flags } = await Parser.parse(argv, { flags: doctorFlags, args: {}, strict: true })
    expect([flags['all-namespaces'], flags.exchange, flags['fail-on']]).toEqual([true, false, 'never'])
    const written = alsoIn(flags.also).map(({ file }) => file)
    const used = containers.slice(1).flatMap(({ args }) => args.flatMap((arg) => /\/reports\/[\w.]+/u.exec(arg) ?? []))
    expect(used).toEqual(written)
    for (const file of written)
      expect(
        containers.every(({ volumeMounts }) => volumeMounts.some(({ mountPath }) => file.startsWith(`${mountPath}/`))),
      ).toBe(true)
  })

  it('is of this version', () => {
    const { images } = parse(read('deploy/kustomization.yaml'))
    expect(images[0]).toMatchObject({ name: 'kubectl-wi', newTag: version })
  })
})

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

it.skipIf(!hasKubectl)('puts what it finds into the cluster, as its two containers run', () => {
  const place = folder()
  const file = (name: string): string => path.join(path.dirname(place.file('other.yaml', '')), name)
  cpSync(demo('broken'), file('case'), { recursive: true })
  // The lab serves the kinds that it has seen.
  const kinds = [
    'kind: Report\nmetadata: {name: other, namespace: shop}',
    'kind: ClusterReport\nmetadata: {name: other}',
  ]
  writeFileSync(
    file('case/kinds.yaml'),
    kinds.map((one) => `apiVersion: openreports.io/v1alpha1\n${one}\n`).join('---\n'),
  )
  const commands = [
    [process.execPath, entry, ...here(containers[0], file('.'))],
    ['kubectl', ...here(containers[1], file('.'))],
    ['kubectl', 'get', 'reports.openreports.io', 'kubectl-wi', '-n', 'shop', '-o', 'json'],
  ]
  writeFileSync(file('job.sh'), commands.map((words) => words.map((word) => `'${word}'`).join(' ')).join(' >&2 &&\n'))
  const { status, stdout, stderr } = run(['lab', file('case'), '--', 'sh', file('job.sh')])
  expect(status, stderr).toBe(0)
  expect(stderr).toContain('clusterreport.openreports.io/kubectl-wi serverside-applied')
  const { results }: { results: readonly { policy: string; result: string }[] } = JSON.parse(stdout)
  expect(results.find(({ policy }) => policy === 'aws/trust-policy-admits-service-account')?.result).toBe('fail')
  expect(readFileSync(file('wi.prom'), 'utf8')).toContain('wi_verdict{verdict="unhealthy"} 1\n')
  place.remove()
})

it.skipIf(!hasKubectl)('is what kubectl can build', () => {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', 'deploy'], { cwd: root, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  const kinds = parseAllDocuments(stdout).map((one) => one.get('kind'))
  expect([...new Set(kinds)].sort()).toEqual([
    'ClusterRole',
    'ClusterRoleBinding',
    'CronJob',
    'Namespace',
    'ServiceAccount',
  ])
  expect(stdout).toContain(`image: registry.example.com/kubectl-wi:${version}`)
})
