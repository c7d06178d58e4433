/** What the build leaves out of the chunks: packages' modules that a built product never asks for, and large data. */
import path from 'node:path'
import type { Plugin as RolldownPlugin } from 'rolldown'
import { packageOf } from './chunks.ts'

const root = path.dirname(import.meta.dirname)

// What oclif and ink load for discovering plugins, for developer tools and for an operating system's shell: a built product
// never asks for it, and it is a third of the time that oclif takes to load.
const discovery: Readonly<Record<string, string>> = {
  lilconfig: 'export const lilconfig = undefined',
  minimatch: 'export const minimatch = undefined',
  semver: 'export const satisfies = () => true',
  tinyglobby: 'export const glob = undefined',
  typescript: 'export default undefined',
  'wsl-utils': 'export const isWsl = false',
}
// The dispatchers of the typed client's fetch: requests leave over node:https with what applyToHTTPSOptions sets.
const dispatchers = 'export { Agent, Agent as ProxyAgent } from "node:http"; export const fetch = undefined'
const absentFrom: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '@kubernetes/client-node': { undici: dispatchers },
  '@oclif/core': { ...discovery, 'node:child_process': 'export const execSync = undefined' },
  ink: { './devtools.js': '' },
}
export const withoutAbsent: RolldownPlugin = {
  name: 'without-absent',
  resolveId: (id, importer) => {
    const from = packageOf(importer ?? '') ?? ''
    return absentFrom[from]?.[id] === undefined ? null : `\0absent:${from}:${id}`
  },
  load: (id) => {
    const [mark, from = '', ...name] = id.split(':')
    return mark === '\0absent' ? (absentFrom[from]?.[name.join(':')] ?? null) : null
  },
}

// Beside the chunks as it stands: JSON is read faster than an object literal is compiled, and no code cache holds it again.
const knowledge = path.join(root, 'src', 'knowledge') + path.sep
/** What it leaves beside the chunks, by path, is added to `files`. */
export const besideChunks = (files: Set<string>): RolldownPlugin => ({
  name: 'beside-chunks',
  resolveId(id, importer) {
    if (importer === undefined || !id.endsWith('.json')) return null
    const file = path.resolve(path.dirname(importer), id)
    if (!file.startsWith(knowledge)) return null
    files.add(file)
    return { id: `./${path.basename(file)}`, external: true }
  },
})
