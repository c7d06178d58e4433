/** Runs every static check at once and says what each one is; a failed one shows its own words. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

const root = path.dirname(import.meta.dirname)

type Step = { readonly what: string; readonly command: readonly [string, ...string[]] }
type Outcome = { readonly step: Step; readonly ok: boolean; readonly seconds: number; readonly output: string }

const bin = (name: string): string => path.join(root, 'node_modules', '.bin', name)

const steps: readonly Step[] = [
  { what: 'format and lint (biome)', command: [bin('biome'), 'check', '--error-on-warnings'] },
  { what: 'types (tsc)', command: [bin('tsc'), '--noEmit'] },
  {
    what: 'the one-way rule (dependency-cruiser)',
    command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', 'src'],
  },
  { what: 'nothing unused (knip)', command: [bin('knip'), '--no-progress'] },
  ...(existsSync(path.join(root, 'scripts', 'generate.ts'))
    ? [
        {
          what: 'generated files are up to date (npm run generate)',
          command: [process.execPath, 'scripts/generate.ts', '--check'] as const,
        },
      ]
    : []),
]

const run = (step: Step): Promise<Outcome> =>
  new Promise((resolve) => {
    const started = performance.now()
    const [file, ...args] = step.command
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: string[] = []
    child.stdout.on('data', (text) => output.push(String(text)))
    child.stderr.on('data', (text) => output.push(String(text)))
    const end = (ok: boolean): void =>
      resolve({ step, ok, seconds: (performance.now() - started) / 1000, output: output.join('') })
    child.on('error', (error) => {
      output.push(error.message)
      end(false)
    })
    child.on('close', (code) => end(code === 0))
  })

let failed = 0
for (const outcome of await Promise.all(steps.map(run))) {
  console.log(`${outcome.ok ? 'ok    ' : 'FAILED'} ${outcome.step.what}, ${outcome.seconds.toFixed(1)} s`)
  if (!outcome.ok) {
    failed += 1
    console.log(outcome.output.trimEnd())
  }
}
console.log(failed === 0 ? `${steps.length} checks passed` : `${failed} of ${steps.length} checks failed`)
process.exitCode = failed === 0 ? 0 : 1
