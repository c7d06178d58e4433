/** Child processes of the live lane: each in a group of its own, bounded in time, and gone when this process is gone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'

export type Log = (line: string) => void

export type Program = {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: { readonly [name: string]: string }
  readonly cwd?: string
}

export type Server = {
  readonly name: string
  readonly pid: number
  readonly running: () => boolean
  /** The last lines of its log, for the message of whoever waits in vain. */
  readonly lastWords: () => Promise<string>
  /** Asks it to end, then makes it end; resolves when it is gone. */
  readonly stop: () => Promise<void>
}

const ours = new Map<number, ChildProcess>()
const scratch = new Set<string>()
/** Everything is thrown away at the end: nobody needs to close in order. */
const gentle = 500
/** With it a child gets a signal when this process dies, even of SIGKILL. */
const setpriv = existsSync('/usr/bin/setpriv') ? '/usr/bin/setpriv' : undefined

const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds))

/** Where a server waits for nothing else, its own environment is enough: nothing of the person's AWS or Kubernetes leaks in. */
const plainEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' }

function start(program: Program, stdio: 'pipe' | readonly ['ignore', number, number]): ChildProcess {
  const { file, args, env = {}, cwd } = program
  const [name, rest] = setpriv === undefined ? [file, args] : [setpriv, ['--pdeathsig', 'KILL', '--', file, ...args]]
  watchOver()
  const child = spawn(name, rest, {
    // Its own group: a Ctrl-C in the terminal reaches it through us alone, and what it starts ends with it.
    detached: true,
    env: { ...plainEnvironment, ...env },
    stdio: stdio === 'pipe' ? ['ignore', 'pipe', 'pipe'] : [...stdio],
    ...(cwd === undefined ? {} : { cwd }),
  })
  const { pid } = child
  if (pid !== undefined) {
    ours.set(pid, child)
    child.once('exit', () => ours.delete(pid))
  }
  return child
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch {
    // It is gone already.
  }
}

/** Removes this folder when the process ends, however it ends. Returns how to remove it sooner. */
export function removedAtEnd(folder: string): () => void {
  watchOver()
  scratch.add(folder)
  return () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    scratch.delete(folder)
  }
}

let watching = false
function watchOver(): void {
  if (watching) return
  watching = true
  const clear = (): void => {
    for (const pid of ours.keys()) signal(pid, 'SIGKILL')
    for (const folder of scratch) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', clear)
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const ended = (): void => {
      clear()
      process.off(name, ended)
      process.kill(process.pid, name)
    }
    process.prependListener(name, ended)
  }
}

/**
 * Runs a program to its end and gives its standard output.
 * @throws Error with the last lines that it wrote, where it fails or takes longer than `seconds`
 */
export function run(program: Program, seconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = start(program, 'pipe')
    const output: string[] = []
    const all: string[] = []
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output.push(text)
      all.push(text)
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => all.push(text))
    let late = false
    const timer = setTimeout(() => {
      late = true
      if (child.pid !== undefined) signal(child.pid, 'SIGKILL')
    }, seconds * 1000)
    const fail = (why: string): void =>
      reject(new Error(`${program.file} ${program.args[0] ?? ''} ${why}\n${tail(all.join(''))}`))
    child.once('error', (error) => {
      clearTimeout(timer)
      fail(`could not be started: ${error.message}`)
    })
    child.once('close', (code, by) => {
      clearTimeout(timer)
      if (code === 0) resolve(output.join(''))
      else fail(late ? `took longer than ${seconds} s` : `ended with ${code ?? by}`)
    })
  })
}

/** Starts a server whose output goes to the file `log`. */
export function serve(name: string, program: Program, log: string): Server {
  const file = openSync(log, 'a', 0o600)
  const child = start(program, ['ignore', file, file])
  closeSync(file)
  const { pid } = child
  let running = pid !== undefined
  const gone = new Promise<void>((resolve) => {
    const end = (): void => {
      running = false
      resolve()
    }
    child.once('error', end)
    child.once('exit', end)
  })
  if (pid === undefined) throw new Error(`${name} could not be started: ${program.file}`)
  return {
    name,
    pid,
    running: () => running,
    lastWords: async () => tail(await readFile(log, 'utf8').catch(() => '')),
    stop: async () => {
      if (!running) return
      signal(pid, 'SIGTERM')
      await Promise.race([gone, sleep(gentle)])
      if (running) signal(pid, 'SIGKILL')
      await gone
    },
  }
}

const tail = (text: string): string => text.trimEnd().split('\n').slice(-40).join('\n').slice(-4000)

/**
 * Asks `probe` until it gives something.
 * @throws Error when `seconds` are over or the server has ended, with the server's last words and what the probe stumbled over
 */
export async function until<T>(server: Server, seconds: number, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + seconds * 1000
  let trouble = ''
  while (performance.now() < deadline && server.running()) {
    try {
      const found = await probe()
      if (found !== undefined) return found
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error)
    }
    await sleep(50)
  }
  const what = server.running() ? `did not answer within ${seconds} s` : 'ended before it answered'
  throw new Error(`${server.name} ${what}. ${trouble}\n${await server.lastWords()}`)
}
