/** Reads kubeconfig files and merges them as kubectl does. */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, sep } from 'node:path'
import type { Cluster, Context, KubeConfig, User } from '@kubernetes/client-node'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { codeOf, LiveTrouble } from './trouble.ts'

export type Shelf = {
  readonly clusters: Map<string, Cluster>
  readonly users: Map<string, User>
  readonly contexts: Map<string, Context>
  readonly rawUsers: Map<string, JsonObject>
  current: string | undefined
  readonly files: string[]
}

const mostBytes = 4 << 20

/** Reads the files that kubectl would read, and merges them as it does. @throws LiveTrouble where one cannot be read */
export function readFiles(
  kubeconfig: string | undefined,
  env: NodeJS.ProcessEnv,
  fresh: () => KubeConfig,
  parse: (text: string) => unknown,
): Shelf {
  const named = kubeconfig !== undefined && kubeconfig !== ''
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '')
  const files = named
    ? [kubeconfig ?? '']
    : listed.length > 0
      ? listed
      : [join(env.HOME ?? homedir(), '.kube', 'config')]
  const shelf: Shelf = {
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
    rawUsers: new Map(),
    current: undefined,
    files: [],
  }
  for (const file of files) {
    const text = readText(file, named)
    if (text === undefined) continue
    shelf.files.push(file)
    const raw = parsed(file, text, parse)
    if (raw === undefined) continue
    const config = fresh()
    config.loadFromString(JSON.stringify(raw), { onInvalidEntry: 'filter' })
    config.makePathsAbsolute(dirname(file))
    // As kubectl merges: the first file that names a thing decides about it.
    const first = <T extends { readonly name: string }>(into: Map<string, T>, all: readonly T[]): void => {
      for (const one of all) if (!into.has(one.name)) into.set(one.name, one)
    }
    first(shelf.clusters, config.clusters)
    first(shelf.users, config.users)
    first(shelf.contexts, config.contexts)
    for (const one of listAt(raw, 'users')) {
      const name = textAt(one, 'name')
      const user = isObject(one) ? one.user : undefined
      if (name !== undefined && isObject(user) && !shelf.rawUsers.has(name))
        shelf.rawUsers.set(name, rooted(user, dirname(file)))
    }
    shelf.current ??= textAt(raw, 'current-context') || undefined
  }
  return shelf
}

/** Paths in a kubeconfig are relative to it; a plugin's command only where it is a path. */
function rooted(user: JsonObject, root: string): JsonObject {
  const at = (path: string): string => (isAbsolute(path) ? path : join(root, path))
  const file = textAt(user, 'tokenFile')
  const command = textAt(user, 'exec', 'command')
  const exec = isObject(user.exec) && command?.includes(sep) ? { ...user.exec, command: at(command) } : user.exec
  return { ...user, ...(file === undefined ? {} : { tokenFile: at(file) }), ...(exec === undefined ? {} : { exec }) }
}

function readText(file: string, mustExist: boolean): string | undefined {
  const refuse = (what: string): LiveTrouble =>
    new LiveTrouble(
      `the kubeconfig ${file} ${what}`,
      'so it is not known which cluster is meant',
      'correct --kubeconfig or KUBECONFIG',
    )
  try {
    if (statSync(file).size > mostBytes) throw refuse(`is larger than ${mostBytes >> 20} MiB`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof LiveTrouble) throw error
    const code = codeOf(error)
    if (code === 'ENOENT' && !mustExist) return undefined
    throw refuse(code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`)
  }
}

/** The parser's own message quotes the file, secrets included; only the place of the error is passed on. */
function parsed(file: string, text: string, parse: (text: string) => unknown): JsonObject | undefined {
  let raw: unknown
  try {
    raw = parse(text)
  } catch (error) {
    const places = error instanceof Error && 'linePos' in error ? error.linePos : undefined
    const place: unknown = Array.isArray(places) ? places[0] : undefined
    const line = typeof place === 'object' && place !== null && 'line' in place ? ` (line ${Number(place.line)})` : ''
    throw new LiveTrouble(
      `the kubeconfig ${file} is not valid YAML${line}`,
      'so it is not known which cluster is meant',
      'correct it; `kubectl config view` must be able to read it',
    )
  }
  // A round trip through JSON: YAML dates and the like become text, and what is not an object is not a kubeconfig.
  const json: Json = JSON.parse(JSON.stringify(raw ?? {}))
  return isObject(json) ? json : undefined
}
