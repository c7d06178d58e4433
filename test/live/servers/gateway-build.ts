/** Ceph's monitor, object store daemon and RADOS Gateway, unpacked from Debian's packages into the cache. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Entry } from './cache.ts'
import { type Fetching, triplets, unpacked } from './debian-programs.ts'
import { type Program, run } from './processes.ts'

const version = '16.2'
const packages = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common']

export type CephPrograms = Entry & {
  readonly version: string
  /** A program of Ceph as it is run from where it was unpacked. */
  readonly program: (name: string, args: readonly string[]) => Program
  /** Settings that lead Ceph to its own plugins. */
  readonly places: { readonly [setting: string]: string }
}

/** The programs from the cache; where they are not there, about 70 MB are fetched first. */
export async function cephPrograms(order: Fetching): Promise<CephPrograms> {
  const entry = await unpacked(order, {
    ...{ name: 'ceph', version, recipe: 1, packages },
    tried: async (folder) => {
      for (const name of ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph'])
        await run(programIn(folder, name, ['--version']), 60)
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
