/** Which rows of the table of mounters speak of a pod: one for each mounter and each way in which it gets credentials. */
import type { Evidence } from '../../core/check.ts'
import { type Option, type Row, rowOf, rowsOf, type Tool } from '../../domain/mounters.ts'
import { ownWays } from '../../domain/own-ways.ts'
import { readVersion, type Version } from '../../domain/versions.ts'
import type { DriverUse, DriverUses } from './driver-uses.ts'
import type { Scene } from './scene.ts'
import { ofUse } from './words.ts'

/** What is judged of one mounter: run by the pod itself, or a driver that mounts for it. */
export type Candidate = {
  readonly tool: Tool
  readonly version: string | undefined
  readonly level: string | undefined
  readonly options: readonly Option[]
  readonly evidence: Evidence
  /** What its volume asks for, whatever the pod shows. */
  readonly mode: string | undefined
}
export type Choice = {
  readonly one: Candidate
  readonly mode: string
  readonly version: Version | undefined
  /** `open`: the version decides, and is not known; `unlisted`: nothing is known of this one. */
  readonly row: Row | 'open' | 'unlisted'
  /** By keys or by the node: the pod's identity plays no part. */
  readonly own: boolean
}

export const candidatesOf = (
  { uses }: Scene,
  drivers: DriverUses,
  { from }: { readonly from: Evidence['question'] },
) => [
  ...uses.map(
    (use): Candidate => ({
      ...{ tool: use.tool, version: use.version, level: undefined, options: use.options, mode: undefined },
      evidence: ofUse(use, from),
    }),
  ),
  ...drivers.uses.map(
    (one: DriverUse): Candidate => ({
      ...{ tool: one.tool, version: one.version, level: one.level, options: one.options, mode: one.mode },
      evidence: { question: one.from, path: one.path, observed: one.version ?? 'of a version that was not seen' },
    }),
  ),
]

const notOfPod: ReadonlySet<string> = new Set([
  'static-keys',
  'node-metadata',
  'ecs-relative-uri',
  'azure-managed-identity',
])

export function choicesOf(candidates: readonly Candidate[], modes: readonly string[]): readonly Choice[] {
  return candidates.flatMap((one) => {
    const { tool, level, options } = one
    const shown = one.mode === undefined ? modes : [one.mode]
    const ways = shown.length > 0 ? shown : ownWays(options, tool.stores)
    const version = one.version === undefined ? undefined : readVersion(one.version)
    return ways.flatMap((mode): readonly Choice[] => {
      const row = rowOf(tool, mode, level, version) ?? (rowsOf(tool, mode, level).length > 0 ? 'unlisted' : undefined)
      return row === undefined ? [] : [{ one, mode, version, row, own: notOfPod.has(mode) }]
    })
  })
}
