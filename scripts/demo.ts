/** Shows the doctor at work: a cart that cannot assume its role, and the same cart in order, both served by the lab. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import path from 'node:path'

const root = path.dirname(import.meta.dirname)
const bin = path.join(root, 'dist', 'bin', 'kubectl-wi')

const run = (args: readonly string[]): number => {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
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

const built = run([path.join(root, 'scripts', 'build.ts')])
if (built !== 0) process.exit(built)

const withKubectl = onPath('kubectl')
const doctor = withKubectl ? ['kubectl', 'wi', 'doctor'] : ['kubectl-wi', 'doctor']
const target = ['sa/cart', '-n', 'shop']
const examine = (name: string): number =>
  run([bin, 'lab', path.join('test', 'fixtures', 'demo', name), '--', ...doctor, ...target])

say(
  `The cart in namespace shop cannot assume its AWS role. The lab serves its cluster and its AWS account on loopback; ${
    withKubectl ? 'the real kubectl runs the plugin' : 'there is no kubectl here, so the plugin runs by itself'
  }:\n$ ${[...doctor, ...target].join(' ')}`,
)
const broken = examine('broken')
say(`The same cart, after the trust policy was put right:\n$ ${[...doctor, ...target].join(' ')}`)
const healthy = examine('healthy')

if (broken === 1 && healthy === 0) {
  say('As it should be: unhealthy (exit code 1), then healthy (exit code 0).')
} else {
  say(`This is not as it should be: the exit codes were ${broken} and ${healthy}, not 1 and 0.`)
  process.exitCode = 1
}
