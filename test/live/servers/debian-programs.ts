/** Programs of Debian's packages, unpacked into the cache and run from where they lie. */
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { cached, type Entry } from './cache.ts'
import { openApt } from './debian.ts'
import type { Log } from './processes.ts'

export type Fetching = { readonly root: string; readonly mirror?: string | undefined; readonly log: Log }

/** The folder of libraries is named by it. */
export const triplets: { readonly [arch: string]: string } = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/**
 * The packages below `root/` of an entry in the cache; where they are not there, or do not work any more, they are fetched first.
 * `recipe` is raised when something else is fetched under the same version.
 */
export const unpacked = (
  { root, mirror, log }: Fetching,
  order: {
    readonly name: string
    readonly version: string
    readonly recipe: number
    readonly packages: readonly string[]
    /** @throws where what lies in the folder does not run */
    readonly tried: (folder: string) => Promise<unknown>
  },
): Promise<Entry> =>
  cached({
    root,
    log,
    name: `${order.name}-${order.version}-bookworm-${process.arch}-${order.recipe}`,
    works: async (folder) => {
      try {
        await order.tried(folder)
        return true
      } catch {
        return false
      }
    },
    make: async (folder) => {
      const started = performance.now()
      const scratch = path.join(folder, 'apt')
      const apt = await openApt(scratch, mirror)
      const from = await apt.unpack(order.packages, path.join(folder, 'root'))
      await writeFile(path.join(folder, 'made-from.json'), JSON.stringify({ packages: from }, null, 2))
      await rm(scratch, { recursive: true, force: true })
      log(
        `${order.name} ${order.version}: fetched and unpacked, ${((performance.now() - started) / 1000).toFixed(1)} s`,
      )
    },
  })
