/** Which module goes into which chunk of the product, and what the chunks are called. */
import path from 'node:path'
import type { ChunkingContext, CodeSplittingGroup } from 'rolldown'

const root = path.dirname(import.meta.dirname)

// Leaves first: a group takes along what its modules need, unless an earlier group has it already. Few groups, because every
// file that a command loads costs it half a millisecond.
const packages: ReadonlyArray<readonly [chunk: string, packages: RegExp]> = [
  ['oclif', /^@oclif\/core$/],
  ['yaml', /^yaml$/],
  ['zod', /^zod$/],
  ['jose', /^jose$/],
  ['openid-client', /^(openid-client|oauth4webapi)$/],
]
// What the commands that ask nobody run, with all that it needs: a few hundredths of the code, so of the layers below it loads none.
const local: ReadonlyArray<readonly [chunk: string, files: readonly string[]]> = [
  [
    'local',
    ['flags/kubeconfig', 'flags/output', 'examine/complete', 'examine/near', 'examine/page', 'examine/token-source'],
  ],
  ['texts', ['knowledge/error-texts', 'domain/error-texts']],
  ['papers', ['examine/catalogue', 'examine/explain']],
]
const layers: ReadonlyArray<readonly [chunk: string, folders: readonly string[]]> = [
  ['core', ['core', 'domain', 'flags']],
  ['sources', ['sources']],
  ['report', ['report', 'examine']],
  ['knowledge', ['knowledge', 'examine']],
  ['catalogue', ['probes', 'checks', 'examine']],
  ['fixers', ['fixers']],
  ['apply', ['apply']],
  ['documents', ['sources/documents']],
  ['run', ['examine']],
  ['lab', ['lab']],
]
// What a module brings along, itself included: 0 for what every examination may load, 1 with what is known of clouds, 2 with the
// catalogue, 3 for anything else.
const weights: Readonly<Record<string, number>> = {
  core: 0,
  domain: 0,
  flags: 0,
  report: 0,
  examine: 0,
  sources: 0,
  knowledge: 1,
  probes: 2,
  checks: 2,
  '@oclif/core': 0,
  chalk: 0,
  '@noble/hashes': 0,
}
const heaviest: Readonly<Record<string, number>> = { core: 0, sources: 0, report: 0, knowledge: 1, catalogue: 2 }

export const packageOf = (id: string): string | undefined =>
  /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(id)?.[1]?.replaceAll('\\', '/')

// The folder below src; sources' own folders are places of their own, since each brings what it reads.
const folderOf = (id: string): string | undefined => {
  const [top, folder = '', below = ''] = path.relative(root, id).split(path.sep)
  if (top !== 'src' || /\.tsx?$/.test(folder)) return undefined
  return folder === 'sources' && !below.endsWith('.ts') ? `${folder}/${below}` : folder
}

const weighed = new Map<string, number>()
const weightOf = (id: string, graph: ChunkingContext): number => {
  const known = weighed.get(id)
  if (known !== undefined) return known
  // A circle weighs what it reaches elsewhere.
  weighed.set(id, 0)
  const from = packageOf(id)
  let weight = weights[from ?? folderOf(id) ?? ''] ?? 3
  if (from === undefined) {
    for (const needed of graph.getModuleInfo(id)?.importedIds ?? []) {
      if (path.isAbsolute(needed)) weight = Math.max(weight, weightOf(needed, graph))
    }
  }
  weighed.set(id, weight)
  return weight
}

// Heavy and imported with await import(): a file of its own. Light, it joins its neighbours, for a file costs more than it does.
const layerOf = (chunk: string, id: string, graph: ChunkingContext): string | null => {
  const weight = weightOf(id, graph)
  if (weight > 2 && (graph.getModuleInfo(id)?.dynamicImporters.length ?? 0) > 0) return null
  return weight > (heaviest[chunk] ?? 3) ? null : chunk
}

export const groups: CodeSplittingGroup[] = [
  ...packages.map(([chunk, pattern], index) => ({
    name: chunk,
    priority: 199 - index,
    test: (id: string) => pattern.test(packageOf(id) ?? '') || (chunk === 'oclif' && id.startsWith('\0')),
  })),
  ...local.map(([name, files], index) => ({
    name,
    priority: 150 - index,
    test: (id: string) => files.some((file) => id === path.join(root, 'src', `${file}.ts`)),
  })),
  ...layers.map(([chunk, folders], index) => ({
    name: (id: string, graph: ChunkingContext) => layerOf(chunk, id, graph),
    debugName: chunk,
    priority: 100 - index,
    test: (id: string) => folders.includes(folderOf(id) ?? ''),
  })),
]

// A chunk is named after what it holds: `checks` is both a command and a folder, and half of all packages begin at dist/index.
export const chunkName = (file: string): string => {
  const from = packageOf(file)
  if (from !== undefined) return path.basename(from)
  const folder = folderOf(file)
  if (folder === undefined) return '[name]'
  const words = path.relative(path.join(root, 'src'), file).replace(/\.ts$/, '').split(path.sep)
  if (folder === 'commands') return ['command', ...words.slice(1)].join('-')
  return (folder === 'sources/live' ? words.slice(1) : words).join('-')
}
