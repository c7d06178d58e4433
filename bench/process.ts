/** Whole processes: wall and CPU time through bash's own `time`, peaks from /proc, medians over interleaved runs. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export type Program = { readonly name: string; readonly command: readonly string[]; readonly env?: NodeJS.ProcessEnv }
export type Cost = { readonly wall: number; readonly cpu: number }

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

// bash answers in milliseconds for its child alone; Node can only tell that of itself.
export const cost = ({ command, env }: Program): Cost => {
  const { stderr } = spawnSync('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>&1', 'bash', ...command], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number)
  return { wall, cpu: user + system }
}

// One run of each in turn, again and again: a machine that drifts drifts under all of them.
export const interleaved = (programs: readonly Program[], runs: number): ReadonlyMap<string, Cost> => {
  const costs = new Map<string, Cost[]>(programs.map(({ name }) => [name, []]))
  for (const program of programs) cost(program)
  for (let run = 0; run < runs; run++) {
    for (const program of programs) costs.get(program.name)?.push(cost(program))
  }
  return new Map(
    [...costs].map(([name, all]) => [
      name,
      { wall: median(all.map((one) => one.wall)), cpu: median(all.map((one) => one.cpu)) },
    ]),
  )
}

const peakIn = (status: string): number => Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024

// The peak of a Node process in MiB, told by itself at its end: the kernel's figure for a child starts from its parent's.
export const peakOfNode = (command: readonly string[], folder: string, env: NodeJS.ProcessEnv = {}): number => {
  const hook = path.join(folder, 'peak.cjs')
  const told = path.join(folder, 'peak.txt')
  writeFileSync(
    hook,
    `const { readFileSync, writeFileSync } = require('node:fs')
     process.on('exit', () => writeFileSync(${JSON.stringify(told)}, readFileSync('/proc/self/status')))`,
  )
  const [node = '', ...args] = command
  spawnSync(node, ['--require', hook, ...args], { stdio: 'ignore', env: { ...process.env, ...env } })
  const peak = existsSync(told) ? peakIn(readFileSync(told, 'utf8')) : Number.NaN
  rmSync(told, { force: true })
  return peak
}

// The peak of any other process, looked at every few milliseconds; what it allots in its last ones is missed.
export const peakOfProcess = (command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> =>
  new Promise((resolve) => {
    const [file = '', ...args] = command
    const child = spawn(file, args, { stdio: 'ignore', env: { ...process.env, ...env } })
    let peak = 0
    const look = setInterval(() => {
      try {
        peak = Math.max(peak, peakIn(readFileSync(`/proc/${child.pid}/status`, 'utf8')) || 0)
      } catch {
        // It ended between two looks.
      }
    }, 5)
    child.on('close', () => {
      clearInterval(look)
      resolve(peak)
    })
  })
