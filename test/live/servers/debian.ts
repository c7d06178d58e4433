/** Debian's packages without installing them: found, fetched and verified by apt in a folder of its own, then unpacked. */
import { readFileSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { run } from './processes.ts'

/** apt with lists, archives and sources of its own; the machine's configuration and packages stay as they are, and root is not needed. */
export type Apt = {
  /** Unpacks these packages, and what they depend on that this machine has not, into `into`. Gives their file names, versions included. */
  readonly unpack: (packages: readonly string[], into: string) => Promise<readonly string[]>
  /** Fetches the source package and unpacks the upstream tree into `into`. Gives the .dsc's name. */
  readonly source: (name: string, into: string) => Promise<string>
}

const fetching = 600
const archives = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Why Debian's packages cannot be used here; undefined where they can. */
export function notDebian(): string | undefined {
  const release = readRelease()
  if (release.ID !== 'debian' || release.VERSION_CODENAME !== 'bookworm')
    return `this is ${release.PRETTY_NAME ?? process.platform}, and the servers come from Debian 12 (bookworm)`
  for (const tool of ['/usr/bin/apt-get', '/usr/bin/dpkg-deb', '/usr/bin/flock', archives])
    if (!present(tool)) return `${tool} is missing`
  return undefined
}

function present(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}

function readRelease(): { readonly [name: string]: string | undefined } {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').split('\n')
    return Object.fromEntries(lines.map((line) => /^(\w+)="?(.*?)"?$/.exec(line)?.slice(1) ?? ['', '']))
  } catch {
    return {}
  }
}

/** Reads the lists of packages into `folder`; `mirror` is the address that Debian's archives lie under. */
export async function openApt(folder: string, mirror = 'http://deb.debian.org'): Promise<Apt> {
  await mkdir(path.join(folder, 'lists', 'partial'), { recursive: true })
  await mkdir(path.join(folder, 'archives', 'partial'), { recursive: true })
  const list = path.join(folder, 'sources.list')
  const places = [`${mirror}/debian bookworm main`, `${mirror}/debian-security bookworm-security main`]
  const kinds = ['deb', 'deb-src']
  await writeFile(
    list,
    kinds.flatMap((kind) => places.map((place) => `${kind} [signed-by=${archives}] ${place}\n`)).join(''),
  )
  const settings = {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': path.join(folder, 'lists'),
    'Dir::Cache': folder,
    'Dir::Cache::Archives': path.join(folder, 'archives'),
    'Dir::Log': folder,
    // Without it apt would download as the user _apt, who may not write here.
    'APT::Sandbox::User': '',
    // The lock of the machine's package database is for root, and nothing is installed.
    'Debug::NoLocking': '1',
    'Acquire::Retries': '3',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', ...Object.fromEntries(proxies) }
  const apt = (args: readonly string[], cwd = folder): Promise<string> =>
    run({ file: '/usr/bin/apt-get', args: [...options, ...args], env, cwd }, fetching)
  await apt(['update', '--error-on=any'])

  return {
    unpack: async (packages, into) => {
      await apt(['install', '--download-only', '-y', '--no-install-recommends', '--reinstall', ...packages])
      await mkdir(into, { recursive: true })
      const archive = path.join(folder, 'archives')
      const files = (await readdir(archive)).filter((name) => name.endsWith('.deb'))
      for (const file of files) {
        await run({ file: '/usr/bin/dpkg-deb', args: ['-x', path.join(archive, file), into] }, fetching)
        await rm(path.join(archive, file))
      }
      return files.map(decodeURIComponent)
    },
    source: async (name, into) => {
      await apt(['source', '--download-only', name])
      const files = await readdir(folder)
      const [dsc, orig] = [
        files.find((one) => one.endsWith('.dsc')),
        files.find((one) => /\.orig\.tar\.\w+$/.test(one)),
      ]
      if (dsc === undefined || orig === undefined) throw new Error(`apt-get source brought no tree of ${name}`)
      await mkdir(into, { recursive: true })
      const args = ['-xf', path.join(folder, orig), '-C', into, '--strip-components=1']
      await run({ file: '/usr/bin/tar', args }, fetching)
      return dsc
    },
  }
}
