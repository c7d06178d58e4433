/** Shows the doctor and the fix at work: a cart that cannot assume its role, put right and taken back, in one lab. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.dirname(import.meta.dirname)
const bin = path.join(root, 'dist', 'bin', 'kubectl-wi')

type Circumstances = { readonly [name: string]: string }

/** The exit code; what the command says goes to whoever watches. */
function run(file: string, args: readonly string[], more: Circumstances = {}): number {
  const env = { ...process.env, ...more }
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: 'inherit', env })
  if (error !== undefined) throw error
  return status ?? 1
}

const onPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, name), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })

// `| head` closes the pipe early, and there is nobody left to tell.
process.stdout.on('error', () => process.exit(1))

const say = (text: string): void => {
  process.stdout.write(`\n${text}\n\n`)
}

const withKubectl = onPath('kubectl')
const cart = ['sa/cart', '-n', 'shop']

type Step = { readonly words: readonly string[]; readonly about: string; readonly ends: number }
const steps: readonly Step[] = [
  { words: ['doctor', ...cart], about: 'The cart in namespace shop cannot assume its AWS role.', ends: 1 },
  {
    words: ['fix', ...cart, '--apply', '--yes'],
    about: 'The plan, rehearsed, carried out and examined again with a real exchange; --yes consents for you.',
    ends: 0,
  },
  { words: ['doctor', ...cart], about: 'The same question once more.', ends: 0 },
  { words: ['undo'], about: 'And back, to the byte: every step stands in a journal.', ends: 0 },
]

/** In the lab: each step as a person would type it. The first that ends in another way than it should ends the demo. */
function walk(): number {
  const [file, ...first] = withKubectl ? ['kubectl', 'wi'] : [process.execPath, bin]
  for (const { words, about, ends } of steps) {
    say(`${about}\n$ ${['kubectl', 'wi', ...words].join(' ')}`)
    const code = run(file, [...first, ...words])
    if (code === ends) continue
    say(`This is not as it should be: the exit code was ${code}, not ${ends}.`)
    return 1
  }
  const codes = steps.map(({ words: [command], ends }) => `${command} ${ends}`)
  say(`As it should be; the exit codes were: ${codes.join(', ')}.`)
  return 0
}

function show(): number {
  const built = run(process.execPath, [path.join(root, 'scripts', 'build.ts')])
  if (built !== 0) return built
  say(
    `The lab serves the cluster of a cart and its AWS account on loopback; ${
      withKubectl ? 'the real kubectl runs the plugin' : 'there is no kubectl here, so the plugin runs by itself'
    }.`,
  )
  const journal = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-demo-'))
  try {
    const served = path.join('test', 'fixtures', 'demo', 'broken')
    const inside = [process.execPath, import.meta.filename, 'steps']
    return run(process.execPath, [bin, 'lab', served, '--', ...inside], { XDG_STATE_HOME: journal })
  } finally {
    rmSync(journal, { recursive: true, force: true })
  }
}

process.exitCode = process.argv[2] === 'steps' ? walk() : show()
