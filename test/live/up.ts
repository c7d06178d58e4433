/** `node test/live/up.ts [command …]` runs a command, or a shell, in the environment of the live lane. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { startLane } from './lane.ts'

const say = (line: string): void => void process.stderr.write(`live lane: ${line}\n`)
const { lane, close } = await startLane({ log: say })
const [name = process.env.SHELL ?? '/bin/sh', ...args] = process.argv.slice(2)
const bin = path.join(import.meta.dirname, '..', '..', 'bin')
// In the lane's folder lies what a test knows of it: `WI_LIVE_LANE` is the same as plain data.
const env = { ...lane.env, PATH: `${bin}${path.delimiter}${lane.env.PATH ?? ''}`, WI_LIVE_LANE: JSON.stringify(lane) }
process.exitCode = await new Promise<number>((resolve) => {
  const child = spawn(name, args, { stdio: 'inherit', env })
  child.once('error', (error) => {
    say(error.message)
    resolve(2)
  })
  child.once('exit', (code) => resolve(code ?? 1))
})
await close()
