/** Runs the built product as a person or a script would, away from this machine's own kubeconfig and colours. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect } from 'vitest'

export const root = path.dirname(import.meta.dirname)
export const entry = path.join(root, 'bin', 'kubectl-wi')
export const demo = (name: string): string => path.join(root, 'test', 'fixtures', 'demo', name)

export type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string }
type Circumstances = { readonly input?: string; readonly env?: NodeJS.ProcessEnv }

export const run = (args: readonly string[], { input = '', env = {} }: Circumstances = {}): Ran => {
  const inherited = { ...process.env }
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'COLUMNS', 'CI']) delete inherited[name]
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    encoding: 'utf8',
    input,
    env: { ...inherited, KUBECONFIG: '/nonexistent/kubeconfig', ...env },
  })
  return { status, stdout, stderr }
}

/** What is promised of every run: a sentence instead of a stack. */
export const sentence = (text: string): void => {
  expect(text).not.toMatch(/\n\s+at /u)
  expect(text).not.toMatch(/undefined|\[object/u)
}
