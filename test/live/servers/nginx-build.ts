/** nginx, unpacked from Debian's package into the cache. */
import path from 'node:path'
import type { Entry } from './cache.ts'
import { type Fetching, triplets, unpacked } from './debian-programs.ts'
import { type Program, run } from './processes.ts'

const version = '1.22'

export type NginxPrograms = Entry & { readonly program: (args: readonly string[]) => Program }

/** The program from the cache; where it is not there, some MB are fetched first. */
export async function nginxPrograms(order: Fetching): Promise<NginxPrograms> {
  const entry = await unpacked(order, {
    ...{ name: 'nginx', version, recipe: 1, packages: ['nginx'] },
    tried: (folder) => run(programIn(folder, ['-V']), 60),
  })
  return { ...entry, program: (args) => programIn(entry.folder, args) }
}

function programIn(folder: string, args: readonly string[]): Program {
  const root = path.join(folder, 'root')
  const libraries = path.join(root, 'usr', 'lib', triplets[process.arch] ?? process.arch)
  const file = path.join(root, 'usr', 'sbin', 'nginx')
  return { file, args, env: { LD_LIBRARY_PATH: libraries } }
}
