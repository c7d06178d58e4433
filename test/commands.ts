/** The commands' own functions run in this process, with the flags that the command line would parse. */
import { Parser } from '@oclif/core'
import { doctor } from '../src/examine/doctor.ts'
import { fix } from '../src/examine/fix.ts'
import { undoRun } from '../src/examine/undo.ts'
import { doctorFlags } from '../src/flags/doctor.ts'
import { fixFlags, undoFlags } from '../src/flags/fix.ts'
import type { Lab } from '../src/lab/lab.ts'

export type Said = { readonly code: number; readonly out: string; readonly err: string }

/** What the commands see of their process: nobody at a terminal, and no signal. */
function processOf(env: NodeJS.ProcessEnv) {
  const said = { out: '', err: '' }
  const stream = (name: 'out' | 'err') => ({
    isTTY: false,
    columns: 120,
    write: (text: string) => {
      said[name] += text
      return true
    },
  })
  const silent = { env, stdout: stream('out'), stderr: stream('err'), stdin: { isTTY: false }, once: () => {} }
  return { said, process: silent as unknown as NodeJS.Process }
}

const version = '0'
const words = { args: {}, strict: false } as const

/** Runs against a lab, with a state folder of its own; the sources look into the environment of this process. */
export function commandsIn(lab: Lab, state: string) {
  const env = { ...lab.env, XDG_STATE_HOME: state, NO_COLOR: '1' }
  Object.assign(process.env, env)
  const run = async (act: (process: NodeJS.Process) => Promise<number>): Promise<Said> => {
    const { said, process } = processOf(env)
    const code = await act(process)
    return { code, ...said }
  }
  return {
    doctor: (targets: readonly string[], argv: readonly string[]) =>
      run(async (process) => {
        const { flags } = await Parser.parse([...argv], { flags: doctorFlags, ...words })
        return doctor(targets, flags, { version, process })
      }),
    fix: (targets: readonly string[], argv: readonly string[]) =>
      run(async (process) => {
        const { flags } = await Parser.parse([...argv], { flags: fixFlags, ...words })
        return fix(targets, flags, { version, process })
      }),
    undo: () =>
      run(async (process) => {
        const { flags } = await Parser.parse([], { flags: undoFlags, ...words })
        return undoRun(undefined, flags, { version, process })
      }),
  }
}
