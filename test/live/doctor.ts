/** The built doctor, run as a person would, and its report read as a script would. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { isObject, type Json, listAt, textAt } from '../../src/core/json.ts'
import type { Lane } from './lane.ts'

export type Diagnosis = {
  readonly exit: number | null
  readonly verdict: string
  /** `check id` → its findings. */
  readonly of: (check: string) => readonly Finding[]
  /** The ids that have such a finding, sorted. */
  readonly ids: (status: string) => readonly string[]
  readonly findings: readonly Finding[]
  readonly stderr: string
}
export type Finding = {
  readonly check: string
  readonly status: string
  readonly message: string
  readonly lift: string
  readonly raw: Json
}

export const entry = path.join(import.meta.dirname, '..', '..', 'bin', 'kubectl-wi')
const patience = 110_000

/** Starts `kubectl-wi doctor … -o json`; `env` is laid over the lane's. */
export async function diagnose(
  lane: Lane,
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<Diagnosis> {
  const { exit, stdout, stderr } = await runEntry(lane, ['doctor', '-o', 'json', ...args], env)
  const report: Json = stdout === '' ? {} : JSON.parse(stdout)
  const findings = listAt(report, 'findings')
    .filter(isObject)
    .map((raw): Finding => {
      const message = textAt(raw, 'message') ?? textAt(raw, 'detail') ?? ''
      return { check: textAt(raw, 'check') ?? '', status: textAt(raw, 'status') ?? '', message, lift: liftOf(raw), raw }
    })
  return {
    exit,
    verdict: textAt(report, 'verdict') ?? '',
    of: (check) => findings.filter((one) => one.check === check),
    ids: (status) => [...new Set(findings.filter((one) => one.status === status).map((one) => one.check))].sort(),
    findings,
    stderr,
  }
}

export type Ended = { readonly exit: number | null; readonly stdout: string; readonly stderr: string }

export function runEntry(
  lane: Lane,
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], {
      env: { ...lane.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patience,
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.once('error', reject)
    child.once('close', (exit) => resolve({ exit, stdout, stderr }))
  })
}

/** Whatever the finding says would let it see: the report's `lift`, wherever it stands in it. */
function liftOf(value: Json): string {
  const found: string[] = []
  const walk = (one: Json): void => {
    if (Array.isArray(one)) for (const inner of one) walk(inner)
    else if (isObject(one))
      for (const [name, inner] of Object.entries(one))
        if (name === 'lift' && typeof inner === 'string') found.push(inner)
        else walk(inner)
  }
  walk(value)
  return found.join('\n')
}
