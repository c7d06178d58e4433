/** Ceph's monitor, object store daemon and RADOS Gateway, unpacked from Debian's packages into the cache. */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { cached, type Entry } from './cache.ts'
import { openApt } from './debian.ts'
import { type Log, type Program, run } from './processes.ts'

const version = '16.2'
const packages = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common']
const triplets: { readonly [arch: string]: string } = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

export type CephPrograms = Entry & {
  readonly version: string
  /** A program of Ceph as it is run from where it was unpacked. */
  readonly program: (name: string, args: readonly string[]) => Program
  /** Settings that lead Ceph to its own plugins. */
  readonly places: { readonly [setting: string]: string }
}

/** The programs from the cache; where they are not there, about 70 MB are fetched first. */
export async function cephPrograms(order: {
  readonly root: string
  readonly mirror?: string | undefined
  readonly log: Log
}): Promise<CephPrograms> {
  const { root, mirror, log } = order
  const entry = await cached({
    root,
    log,
    // The last digit is the recipe's: raise it when this file fetches something else.
    name: `ceph-${version}-bookworm-${process.arch}-1`,
    works: async (folder) => {
      try {
        for (const name of ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph'])
          await run(programIn(folder, name, ['--version']), 60)
        return true
      } catch {
        return false
      }
    },
    make: async (folder) => {
      const started = performance.now()
      const scratch = path.join(folder, 'apt')
      const apt = await openApt(scratch, mirror)
      const from = await apt.unpack(packages, path.join(folder, 'root'))
      await writeFile(path.join(folder, 'made-from.json'), JSON.stringify({ packages: from }, null, 2))
      await rm(scratch, { recursive: true, force: true })
      log(`ceph ${version}: fetched and unpacked, ${((performance.now() - started) / 1000).toFixed(1)} s`)
    },
  })
  const libraries = librariesIn(entry.folder)
  return {
    ...entry,
    version,
    program: (name, args) => programIn(entry.folder, name, args),
    places: {
      'osd class dir': path.join(libraries, 'rados-classes'),
      'erasure code dir': path.join(libraries, 'ceph', 'erasure-code'),
      'plugin dir': path.join(libraries, 'ceph'),
    },
  }
}

const librariesIn = (folder: string): string =>
  path.join(folder, 'root', 'usr', 'lib', triplets[process.arch] ?? process.arch)

function programIn(folder: string, name: string, args: readonly string[]): Program {
  const root = path.join(folder, 'root')
  const libraries = librariesIn(folder)
  const early = path.join(root, 'lib', triplets[process.arch] ?? process.arch)
  const env = {
    LD_LIBRARY_PATH: [libraries, path.join(libraries, 'ceph'), early].join(':'),
    PYTHONPATH: path.join(root, 'usr', 'lib', 'python3', 'dist-packages'),
    PYTHONDONTWRITEBYTECODE: '1',
  }
  const file = path.join(root, 'usr', 'bin', name)
  if (name !== 'ceph') return { file, args, env }
  // Its first line names Debian's Python, which may be unpacked here instead of installed.
  const own = path.join(root, 'usr', 'bin', 'python3')
  return { file: existsSync(own) ? own : '/usr/bin/python3', args: [file, ...args], env }
}
