/** Prints the bounds that this project keeps, each with the ratio measured just now: `npm run bench -- --only 1,2 --runs 31`. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type Cost, interleaved, median, type Program, peakOfNode, peakOfProcess } from './process.ts'

const root = path.dirname(import.meta.dirname)
const node = process.execPath
const entry = path.join(root, 'bin', 'kubectl-wi')

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '1,2,4,8' },
    runs: { type: 'string', default: '15' },
    'heavy-runs': { type: 'string', default: '5' },
    'service-accounts': { type: 'string', default: '5000' },
    pods: { type: 'string', default: '10000' },
  },
})
const runs = Number(flags.runs)
const heavyRuns = Number(flags['heavy-runs'])
const asked = new Set(flags.only.split(','))

type Row = {
  readonly bound: string
  readonly what: string
  readonly measured: string
  readonly limit: string
  readonly ok: boolean | undefined
}

const rows: Row[] = []
const atMost = (bound: string, what: string, value: number, limit: number, unit = '×'): void => {
  const digits = unit === '×' ? 2 : 0
  const show = (figure: number): string =>
    unit === '×' ? `${figure.toFixed(digits)} ×` : `${figure.toFixed(digits)} ${unit}`
  rows.push({ bound, what, measured: show(value), limit: `≤ ${show(limit)}`, ok: value <= limit })
}
const note = (bound: string, what: string, measured: string): void => {
  rows.push({ bound, what, measured, limit: '', ok: undefined })
}

const folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-bench-'))
const env: NodeJS.ProcessEnv = {
  XDG_CACHE_HOME: path.join(folder, 'cache'),
  HOME: folder,
  KUBECONFIG: path.join(folder, 'none'),
}
const yardstick: Program = { name: 'node -e 0', command: [node, '-e', '0'] }
const wi = (name: string, ...args: readonly string[]): Program => ({ name, command: [node, entry, ...args], env })
const single = path.join(root, 'dist-executable', 'kubectl-wi')
const alone = ({ name, command: [, , ...args] }: Program): Program => ({ name, command: [single, ...args], env })

const costOf = (costs: ReadonlyMap<string, Cost>, { name }: Program): Cost =>
  costs.get(name) ?? { wall: Number.NaN, cpu: Number.NaN }

const commands: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(path.join(root, 'dist', 'lib', 'commands.json'), 'utf8'),
)

const token = (): string => {
  const file = path.join(folder, 'token')
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    iss: 'https://oidc.example.com',
    sub: 'system:serviceaccount:shop:cart',
    aud: ['sts.amazonaws.com'],
    exp: 4102444800,
  }
  writeFileSync(file, [part({ alg: 'RS256', kid: 'one' }), part(claims), 'c2lnbmF0dXJl'].join('.'))
  return file
}

const candidatesOf = (): readonly Program[] => [
  wi('--help', '--help'),
  wi('explain', 'explain', 'AADSTS700213'),
  wi('checks', 'checks'),
  wi('token', 'token', token()),
]

const executable = (): void => {
  const build = spawnSync(node, [path.join(root, 'scripts', 'build-executable.ts')], { encoding: 'utf8' })
  if (build.status !== 0) throw new Error(build.stderr)
  const programs = candidatesOf().map(alone)
  const costs = interleaved([yardstick, ...programs], runs)
  const base = costOf(costs, yardstick)
  for (const program of programs) {
    const own = costOf(costs, program)
    atMost('3', `${program.name}, single executable, wall`, own.wall / base.wall, 1.8)
    atMost('3', `${program.name}, single executable, CPU`, own.cpu / base.cpu, 1.8)
  }
}

const local = (): void => {
  const version = wi('--version', '--version')
  const candidates = candidatesOf()
  const present = candidates.filter(({ name }) => name.startsWith('-') || name in commands)
  const costs = interleaved([yardstick, version, ...present], runs)
  const base = costOf(costs, yardstick)
  if (asked.has('1')) atMost('1', '--version, wall', costOf(costs, version).wall / base.wall, 1.1)
  if (!asked.has('2')) return
  for (const program of present) {
    const own = costOf(costs, program)
    atMost('2', `${program.name}, wall`, own.wall / base.wall, 2.5)
    atMost('2', `${program.name}, CPU`, own.cpu / base.cpu, 2.5)
    const peaks = Array.from({ length: 5 }, () => peakOfNode(program.command, folder, program.env))
    atMost('2', `${program.name}, peak`, median(peaks), 64, 'MiB')
  }
  for (const { name } of candidates)
    if (!present.some((program) => program.name === name)) note('2', name, 'not written yet')
}

type Told = { readonly server: string; readonly ca: string; readonly bytes: number }

const standIn = async (): Promise<Told & { readonly end: () => void }> => {
  const child = spawn(node, [path.join(root, 'bench', 'stand-in.ts'), flags['service-accounts'], flags.pods], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (part) => {
      text += String(part)
      if (text.includes('\n')) resolve(text)
    })
    child.on('exit', () => reject(new Error('the stand-in ended before it listened')))
  })
  const told: Told = JSON.parse(line)
  return { ...told, end: () => child.kill() }
}

const kubeconfig = ({ server, ca }: Told): string => {
  const file = path.join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench', namespace: 'team-000' } }],
    clusters: [
      { name: 'bench', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: 'bench', user: { token: 'not-a-secret' } }],
  }
  writeFileSync(file, JSON.stringify(config))
  return file
}

const requestsOf = ({ server, ca }: Told): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const ask = request(`${server}/requests`, { ca, agent: false }, (response) => {
      let text = ''
      response.on('data', (part) => {
        text += String(part)
      })
      response.on('end', () => resolve(JSON.parse(text)))
    })
    ask.on('error', reject)
    ask.end()
  })

const wholeCluster = async (): Promise<void> => {
  const what = `doctor -A, ${flags['service-accounts']} ServiceAccounts, ${flags.pods} pods`
  if (!('doctor' in commands)) return note('4', what, 'not written yet')
  if (spawnSync('kubectl', ['version', '--client']).status !== 0) return note('4', what, 'there is no kubectl on PATH')
  const world = await standIn()
  try {
    const config = { ...env, KUBECONFIG: kubeconfig(world) }
    const home = path.join(folder, 'kube-home')
    mkdirSync(home, { recursive: true })
    const doctor: Program = {
      name: 'doctor',
      command: [node, entry, 'doctor', '-A', '--cloud-credentials', 'none'],
      env: config,
    }
    const kubectl: Program = {
      name: 'kubectl',
      command: ['kubectl', 'get', 'sa,pods', '-A', '--chunk-size=0'],
      env: { ...config, HOME: home },
    }
    const refused = spawnSync('kubectl', kubectl.command.slice(1), {
      env: { ...process.env, ...kubectl.env },
      encoding: 'utf8',
      maxBuffer: 1e9,
    })
    if (refused.status !== 0) throw new Error(`kubectl: ${refused.stderr}`)
    await requestsOf(world)
    const judged = spawnSync(node, doctor.command.slice(1), {
      env: { ...process.env, ...config },
      encoding: 'utf8',
      maxBuffer: 1e9,
    })
    if (judged.status === 2 || judged.status === null) throw new Error(`doctor: ${judged.stderr}`)
    const requests = await requestsOf(world)
    const costs = interleaved([kubectl, doctor], heavyRuns)
    const [own, base] = [costOf(costs, doctor), costOf(costs, kubectl)]
    note(
      '4',
      what,
      `${(world.bytes / 1e6).toFixed(0)} MB, ${requests.length} requests, ${own.wall.toFixed(1)} s against ${base.wall.toFixed(1)} s`,
    )
    atMost('4', 'wall', own.wall / base.wall, 0.7)
    atMost('4', 'CPU', own.cpu / base.cpu, 0.7)
    atMost('4', 'peak', peakOfNode(doctor.command, folder, config), 200, 'MiB')
    note('4', "kubectl's peak", `${(await peakOfProcess(kubectl.command, kubectl.env)).toFixed(0)} MiB`)
  } finally {
    world.end()
  }
}

type Judged = { readonly parse: Cost; readonly judge: Cost; readonly findings: number; readonly bytes: number }

const judging = (): void => {
  const all = Array.from({ length: heavyRuns }, (): Judged => {
    const { stdout, stderr, status } = spawnSync(node, [path.join(root, 'bench', 'judging.ts')], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return JSON.parse(stdout)
  })
  const first = all[0]
  if (first === undefined) return
  note(
    '8',
    'judging 200 checks × 5000 ServiceAccounts',
    `${first.findings} findings; JSON.parse of ${(first.bytes / 1e6).toFixed(0)} MB`,
  )
  atMost('8', 'wall', median(all.map(({ judge, parse }) => judge.wall / parse.wall)), 3)
  atMost('8', 'CPU', median(all.map(({ judge, parse }) => judge.cpu / parse.cpu)), 3)
}

const print = (): void => {
  const mark = (ok: boolean | undefined): string => (ok === undefined ? '' : ok ? 'kept' : 'MISSED')
  const table = [
    ['#', 'what', 'measured', 'bound', ''],
    ...rows.map((row) => [row.bound, row.what, row.measured, row.limit, mark(row.ok)]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((cells) => (cells[column] ?? '').length)))
  for (const cells of table)
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

try {
  if (asked.has('1') || asked.has('2')) local()
  if (asked.has('3')) executable()
  if (asked.has('4')) await wholeCluster()
  if (asked.has('8')) judging()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
print()
process.exitCode = rows.some(({ ok }) => ok === false) ? 1 : 0
