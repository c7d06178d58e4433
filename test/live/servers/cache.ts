/** The folder outside the repository where installed and built servers are kept, each under its version, made once. */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Log, removedAtEnd } from './processes.ts'

export type Entry = {
  readonly folder: string
  /** Seconds that making it took; 0 where it was there. */
  readonly seconds: number
}

const patience = 30 * 60

export const cacheRoot = (env: NodeJS.ProcessEnv): string =>
  env.WI_LIVE_CACHE || path.join(env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'kubectl-wi-live')

/**
 * The entry `name`, made by `make` in a folder beside it that is renamed when everything is there: whoever interrupts it leaves
 * nothing half done, and two at a time make it once. `works` tells whether what is there can be used.
 */
export async function cached(order: {
  readonly root: string
  readonly name: string
  readonly works: (folder: string) => Promise<boolean>
  readonly make: (folder: string) => Promise<void>
  readonly log: Log
}): Promise<Entry> {
  const { root, name, works, make, log } = order
  const folder = path.join(root, name)
  const usable = async (): Promise<boolean> => existsSync(folder) && (await works(folder))
  if (await usable()) return { folder, seconds: 0 }
  await mkdir(root, { recursive: true, mode: 0o700 })
  const release = await lock(path.join(root, `${name}.lock`), () => log(`${name}: waiting for another run to make it`))
  try {
    if (await usable()) return { folder, seconds: 0 }
    const started = performance.now()
    const making = `${name}.making-`
    // Nobody else is at it while the lock is held: these are leftovers of a run that was killed.
    for (const left of await readdir(root))
      if (left.startsWith(making)) await rm(path.join(root, left), { recursive: true, force: true })
    await rm(folder, { recursive: true, force: true })
    const temporary = await mkdtemp(path.join(root, making))
    const remove = removedAtEnd(temporary)
    try {
      await make(temporary)
      if (!(await works(temporary))) throw new Error(`${name} was made, but does not run`)
      await rename(temporary, folder)
    } finally {
      remove()
    }
    return { folder, seconds: (performance.now() - started) / 1000 }
  } finally {
    release()
  }
}

/** Held by a child that ends when its standard input closes: the kernel lets go of it even if this process is killed. */
function lock(file: string, waiting: () => void): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const told = setTimeout(waiting, 2000)
    const child = spawn('flock', ['-w', String(patience), file, 'sh', '-c', 'echo held; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    })
    const fail = (why: string): void => {
      clearTimeout(told)
      reject(new Error(`${file} could not be locked: ${why}`))
    }
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`flock ended with ${code}`))
    child.stdout.once('data', () => {
      clearTimeout(told)
      resolve(() => child.stdin.end())
    })
  })
}
