/** nginx, unpacked from Debian's package into the cache. */
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { cached, type Entry } from './cache.ts'
import { openApt } from './debian.ts'
import { type Log, type Program, run } from './processes.ts'

const version = '1.22'
const triplets: { readonly [arch: string]: string } = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

export type NginxPrograms = Entry & { readonly program: (args: readonly string[]) => Program }

/** The program from the cache; where it is not there, some MB are fetched first. */
export async function nginxPrograms(order: {
  readonly root: string
  readonly mirror?: string | undefined
  readonly log: Log
}): Promise<NginxPrograms> {
  const { root, mirror, log } = order
  const entry = await cached({
    root,
    log,
    // The last digit is the recipe's: raise it when this file fetches something else.
    name: `nginx-${version}-bookworm-${process.arch}-1`,
    works: async (folder) => {
      try {
        await run(programIn(folder, ['-V']), 60)
        return true
      } catch {
        return false
      }
    },
    make: async (folder) => {
      const started = performance.now()
      const scratch = path.join(folder, 'apt')
      const apt = await openApt(scratch, mirror)
      const from = await apt.unpack(['nginx'], path.join(folder, 'root'))
      await writeFile(path.join(folder, 'made-from.json'), JSON.stringify({ packages: from }, null, 2))
      await rm(scratch, { recursive: true, force: true })
      log(`nginx ${version}: fetched and unpacked, ${((performance.now() - started) / 1000).toFixed(1)} s`)
    },
  })
  return { ...entry, program: (args) => programIn(entry.folder, args) }
}

function programIn(folder: string, args: readonly string[]): Program {
  const root = path.join(folder, 'root')
  const libraries = path.join(root, 'usr', 'lib', triplets[process.arch] ?? process.arch)
  const file = path.join(root, 'usr', 'sbin', 'nginx')
  return { file, args, env: { LD_LIBRARY_PATH: libraries } }
}
