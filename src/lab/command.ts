/** Runs a command, or a shell, in the environment of a lab, and ends with what it ended with. */
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { constants as system } from 'node:os'
import path from 'node:path'
import { getAsset, getAssetKeys, isSea } from 'node:sea'
import { CaseError, type CaseFiles } from './case-documents.ts'
import { type Lab, startLab } from './lab.ts'

const usage = 2
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** What the words after `lab` ask for: the first one before `--` is the case, those after it the command. */
export function labOrder(argv: readonly string[]): {
  readonly place?: string
  readonly command: readonly string[]
  readonly surplus?: string
} {
  const cut = argv.indexOf('--')
  const [place, surplus] = cut < 0 ? argv : argv.slice(0, cut)
  return {
    command: cut < 0 ? [] : argv.slice(cut + 1),
    ...(place === undefined ? {} : { place }),
    ...(surplus === undefined ? {} : { surplus }),
  }
}

/** The program that a name means on this PATH; undefined where there is none. A name with a slash is taken as it is. */
export function programOnPath(name: string, searched: string, exists = isExecutable): string | undefined {
  if (name.includes('/') || name.includes(path.sep)) return exists(name) ? name : undefined
  return searched
    .split(path.delimiter)
    .map((folder) => path.join(folder === '' ? '.' : folder, name))
    .find(exists)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** The case that is served where none is named: in the package, else in a checkout. `root` is the folder of the built chunks. */
export function demoCase(root: string, name: 'broken' | 'healthy' = 'broken'): string | undefined {
  return [
    path.join(root, '..', 'cases', 'demo', name),
    path.join(root, '..', '..', 'test', 'fixtures', 'demo', name),
  ].find(existsSync)
}

/** The same out of a single executable, which carries its cases within. */
function carriedCase(name: 'broken' | 'healthy' = 'broken'): CaseFiles {
  const folder = `cases/demo/${name}/`
  const files = getAssetKeys().filter((key) => key.startsWith(folder))
  return Object.fromEntries(files.map((key) => [key.slice(folder.length), getAsset(key, 'utf8')]))
}

type Surroundings = { readonly root: string; readonly process: NodeJS.Process }

/** The exit code of the command; 2 with one sentence on stderr where there is nothing to run or nothing to serve. */
export async function runLab(argv: readonly string[], { root, process }: Surroundings): Promise<number> {
  const { place, command, surplus } = labOrder(argv)
  const refuse = (sentence: string): number => {
    process.stderr.write(`error: ${sentence}\n`)
    return usage
  }
  if (place?.startsWith('-')) return refuse(`lab takes no flag ${place}; what is run in the lab comes after --.`)
  if (surplus !== undefined) return refuse(`lab serves one case; write \`--\` before the command (… -- ${surplus}).`)
  const served = place ?? (isSea() ? carriedCase() : demoCase(root))
  if (served === undefined) return refuse('Name a case to serve: a folder of documents or a *.case.yaml file.')
  if (command.length === 0 && !process.stdin.isTTY)
    return refuse('There is no terminal for a shell; name a command after --.')

  const bin = isSea() ? path.dirname(process.execPath) : path.join(root, '..', 'bin')
  const PATH = [bin, process.env.PATH ?? ''].join(path.delimiter)
  const [name, ...args] = commandFor(command, PATH, process.env)
  if (name === undefined || programOnPath(name, PATH) === undefined)
    return refuse(`The command ${command[0] ?? name ?? ''} was not found on PATH, so nothing was run.`)

  let lab: Lab
  try {
    lab = await startLab(served)
  } catch (error) {
    if (error instanceof CaseError) return refuse(error.message)
    throw error
  }
  try {
    if (command.length === 0)
      process.stderr.write(
        `The lab serves ${place ?? 'its own case'}. Everything in this shell talks to it; leave with exit.\n`,
      )
    return await ended(name, args, { ...lab.env, PATH }, process)
  } finally {
    await lab.close()
  }
}

/** A shell where no command is named; `kubectl wi …` is handed to the plugin itself where there is no kubectl. */
function commandFor(command: readonly string[], searched: string, env: NodeJS.ProcessEnv): readonly string[] {
  if (command.length === 0) return [env.SHELL ?? (path.sep === '/' ? '/bin/sh' : (env.ComSpec ?? 'cmd.exe'))]
  const [name, plugin, ...rest] = command
  if (name === 'kubectl' && plugin === 'wi' && programOnPath('kubectl', searched) === undefined)
    return ['kubectl-wi', ...rest]
  return command
}

/** Waits for the child, handing on what this process is sent meanwhile. */
function ended(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  process: NodeJS.Process,
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(name, args, { stdio: 'inherit', env })
    const forward = signals.map((signal) => {
      const listener = (): void => {
        // A terminal sends Ctrl-C to the whole group: the child has it already.
        if (!(process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal)
      }
      return { signal, listener }
    })
    // The tool's own listener would end this process on Ctrl-C and leave the folder and a shell behind.
    const earlier = process.listeners('SIGINT')
    process.removeAllListeners('SIGINT')
    for (const { signal, listener } of forward) process.on(signal, listener)
    const finish = (code: number): void => {
      for (const { signal, listener } of forward) process.off(signal, listener)
      for (const listener of earlier) process.on('SIGINT', listener)
      resolve(code)
    }
    child.on('error', (error) => {
      process.stderr.write(`error: ${name} could not be started: ${error.message}.\n`)
      finish(usage)
    })
    child.on('exit', (code, signal) => finish(code ?? 128 + (signal === null ? 0 : system.signals[signal])))
  })
}
