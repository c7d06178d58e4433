/** Brings the lane up once for all test files, says how long each part took and what is left out, and takes it down. */
import type { TestProject } from 'vitest/node'
import { startLane } from './lane.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say = (line: string): void => void process.stderr.write(`live lane: ${line}\n`)
  const { lane, close } = await startLane({ log: say })
  for (const { server, why } of lane.leftOut) say(`NOT RUN for want of ${server}: ${why}`)
  project.provide('lane', lane)
  return close
}
