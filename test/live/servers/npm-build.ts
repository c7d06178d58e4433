/** Servers that come from npm, each installed into the cache under its version; the project's own packages stay as they are. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type Json, textAt } from '../../../src/core/json.ts'
import { cached, type Entry } from './cache.ts'
import { type Log, run } from './processes.ts'

export type NpmOrder = { readonly root: string; readonly name: string; readonly version: string; readonly log: Log }

/** The package's own folder, or why npm could not bring it. */
export type NpmPackage = (Entry & { readonly home: string; readonly version: string }) | { readonly why: string }

const installing = 300
/** npm runs as the person's own, proxies and registry included, but not as a child of these tests. */
const ours = /^(NODE_OPTIONS$|VITEST|npm_(package|lifecycle|command|config_local_prefix|config_prefix))/i

/** The package from the cache; where it is not there, npm installs it, and runs no script of any package. */
export async function npmPackage({ root, name, version, log }: NpmOrder): Promise<NpmPackage> {
  const homeIn = (folder: string): string => path.join(folder, 'node_modules', name)
  const works = async (folder: string): Promise<boolean> => {
    try {
      const manifest: Json = JSON.parse(await readFile(path.join(homeIn(folder), 'package.json'), 'utf8'))
      return textAt(manifest, 'version') === version
    } catch {
      return false
    }
  }
  const make = async (folder: string): Promise<void> => {
    // Without a package.json of its own npm would look for one in the folders above.
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ private: true }))
    const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
    const patient = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=10000']
    const exactly = ['--ignore-scripts', '--save-exact', '--omit=dev', `${name}@${version}`]
    const args = ['install', '--prefix', folder, ...quiet, ...patient, ...exactly]
    await run({ file: '/usr/bin/env', args: ['npm', ...args], env: npmEnvironment(), cwd: folder }, installing)
  }
  try {
    // The last digit is the recipe's: raise it when this file installs in another way.
    const entry = await cached({ root, log, name: `${name}-${version}-1`, works, make })
    return { ...entry, home: homeIn(entry.folder), version }
  } catch (error) {
    return { why: `${name}@${version} could not be installed from npm: ${sentence(error)}` }
  }
}

function npmEnvironment(): { readonly [name: string]: string } {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !ours.test(entry[0]),
  )
  return Object.fromEntries(kept)
}

/** npm's own words about what went wrong, without its stack and where it keeps its log. */
function sentence(error: unknown): string {
  const [first = '', ...rest] = (error instanceof Error ? error.message : String(error)).split('\n')
  const own = rest.flatMap((line) => /^npm (?:error|ERR!) (\S.*)$/.exec(line)?.[1] ?? [])
  const telling = own.filter((line) => !/^(?:at |errno |syscall |A complete log)/.test(line))
  return (telling.length > 0 ? telling.slice(0, 2).join('; ') : first).slice(0, 400)
}
