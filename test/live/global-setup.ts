/** Brings the lane up once for all test files, says how long each part took and what is left out, and takes it down. */
import type { TestProject } from 'vitest/node'
import { type Lane, startLane } from './lane.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say = (line: string): void => void process.stderr.write(`live lane: ${line}\n`)
  const { lane, close } = await startLane({ log: say })
  if (lane.leftOut.length > 0 && process.env.WI_LIVE_REQUIRED) {
    await close()
    throw new Error(`WI_LIVE_REQUIRED is set, and ${leftOut(lane)}`)
  }
  project.provide('lane', lane)
  return async () => {
    await close()
    // At the end once more, where it is read.
    if (lane.leftOut.length > 0) say(`NOT EVERYTHING WAS TESTED: ${leftOut(lane)}`)
  }
}

const leftOut = (lane: Lane): string =>
  lane.leftOut.map(({ server, why }) => `${server} is left out: ${why}`).join('; ')
