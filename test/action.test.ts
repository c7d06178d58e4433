/** The GitHub Action: its metadata against the published schema, and its script with inputs that mean harm. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { folder } from './live-doubles.ts'
import { demo, root } from './running.ts'

const place = folder()
afterAll(() => place.remove())

type Step = {
  readonly run?: string
  readonly uses?: string
  readonly env?: Readonly<Record<string, string>>
}
type Action = {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>
  readonly runs: { readonly steps: readonly Step[] }
}
const text = readFileSync(path.join(root, 'action.yml'), 'utf8')
const action: Action = parse(text)
const script = readFileSync(path.join(root, 'scripts', 'action.sh'), 'utf8')
const variable = (input: string): string => `WI_${input.replaceAll('-', '_').toUpperCase()}`

describe('action.yml', () => {
  it('is what GitHub takes for an action', () => {
    const schema = JSON.parse(readFileSync(path.join(root, 'test', 'schemas', 'github-action.json'), 'utf8'))
    const takes = new Ajv({ strict: false }).compile(schema)
    expect(takes(action), JSON.stringify(takes.errors)).toBe(true)
  })

  it('makes no script out of an input', () => {
    for (const { run } of action.runs.steps) expect(run ?? '').not.toContain('${{')
    for (const name of Object.keys(action.inputs)) expect(text, name).toContain(`inputs.${name}`)
    const given = action.runs.steps.flatMap(({ env }) => Object.keys(env ?? {})).filter((name) => /^WI_/u.test(name))
    for (const name of given)
      expect(name === 'WI_FAILS' || name === 'WI_VERDICT' || script.includes(`$${name}`), name).toBe(true)
  })

  it('takes other actions at a version', () => {
    const used = action.runs.steps.flatMap(({ uses }) => uses ?? [])
    expect(used).toEqual(['github/codeql-action/upload-sarif@v4'])
  })
})

let runs = 0
const ran = (inputs: Readonly<Record<string, string>>) => {
  runs += 1
  const output = place.file(`output-${runs}`, '')
  const temp = path.dirname(output)
  const defaults = Object.entries(action.inputs).map(([name, input]) => [variable(name), input.default])
  const given = Object.entries(inputs).map(([name, value]) => [variable(name), value])
  const { status, stdout, stderr } = spawnSync(path.join(root, 'scripts', 'action.sh'), {
    encoding: 'utf8',
    cwd: temp,
    env: {
      ...process.env,
      KUBECONFIG: '/nonexistent',
      PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter),
      GITHUB_ACTION_PATH: root,
      GITHUB_OUTPUT: output,
      RUNNER_TEMP: temp,
      ...Object.fromEntries([...defaults, ...given]),
    },
  })
  const outputs: Record<string, string> = Object.fromEntries(
    readFileSync(output, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/=(.*)/su, 2)),
  )
  return { status, stdout, stderr, outputs, temp }
}

describe('its script', () => {
  it('gives verdict and report, and leaves the failing to the job', () => {
    const { status, outputs, stderr } = ran({ files: `${demo('broken')}\n`, targets: 'sa/cart\n', namespace: 'shop' })
    expect([status, stderr]).toEqual([0, ''])
    expect(outputs).toMatchObject({ verdict: 'unhealthy', 'exit-code': '1', fails: 'true' })
    const sarif = JSON.parse(readFileSync(outputs['sarif-file'] ?? '', 'utf8'))
    const results: readonly { locations: readonly { physicalLocation: { artifactLocation: { uri: string } } }[] }[] =
      sarif.runs[0].results
    expect(results.length).toBeGreaterThan(0)
    for (const { locations } of results) expect(locations[0]?.physicalLocation.artifactLocation.uri).toMatch(/./u)
  })

  it('takes an input for what it is, whatever it would rather be', () => {
    const harm = '"; touch harm; $(touch harm) `touch harm` --check=x'
    const { status, temp } = ran({
      files: demo('broken'),
      namespace: harm,
      targets: `--kubeconfig\n${harm}`,
      context: harm,
    })
    expect(status).toBe(2)
    expect(existsSync(path.join(temp, 'harm'))).toBe(false)
    expect(readdirSync(temp).filter((name) => !/^(output-\d|kubectl-wi\.sarif)$/u.test(name))).toEqual([])
  })

  it('refuses what is none of the words, and repeats nothing of it to the runner', () => {
    const { status, stdout, outputs } = ran({ 'fail-on': 'error\n::set-env name=PATH::/tmp' })
    expect(status).toBe(2)
    expect(stdout).toBe('::error title=kubectl wi::the input fail-on must be one of: error warning never\n')
    expect(outputs).toEqual({})
  })
})
