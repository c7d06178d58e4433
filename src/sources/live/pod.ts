/** The pod that this runs in, as its processes see it: variables by name, credential files by kind, token files into the vault. */
import { constants, promises as fs } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { type Json, type JsonObject, textAt } from '../../core/json.ts'
import type { Glance } from '../../domain/credential-order.ts'
import type { TokenName } from '../../domain/questions.ts'
import { audiencesOf, readToken, serviceAccountOf } from '../../domain/token-claims.ts'
import type { TokenVault } from './token-vault.ts'
import { codeOf, plain } from './trouble.ts'

type Environment = { readonly [name: string]: string | undefined }

const mostBytes = 256 * 1024

export type FileTrouble = { readonly state: 'missing' | 'denied' | 'unreadable'; readonly detail: string }
type FileRead = FileTrouble | { readonly state: 'read'; readonly text: string; readonly about: FileAbout }
export type FileAbout = { readonly mode: string; readonly owner: number; readonly modified: string }

/** A file's text, bounded; anything but a file (a pipe would keep us waiting) is unreadable. */
async function readSmall(file: string): Promise<FileRead> {
  try {
    const handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stat = await handle.stat()
      const { mode, uid, mtime, size } = stat
      if (!stat.isFile()) return { state: 'unreadable', detail: 'it is not a file' }
      if (size > mostBytes) return { state: 'unreadable', detail: `it is larger than ${mostBytes} bytes` }
      const bytes = Buffer.alloc(mostBytes)
      const { bytesRead } = await handle.read(bytes, 0, mostBytes, 0)
      const about = {
        mode: (mode & 0o7777).toString(8).padStart(4, '0'),
        owner: uid,
        modified: mtime.toISOString().replace(/\.\d+Z$/, 'Z'),
      }
      return { state: 'read', text: bytes.subarray(0, bytesRead).toString('utf8'), about }
    } finally {
      await handle.close()
    }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'missing', detail: 'there is no such file' }
    if (code !== 'EACCES' && code !== 'EPERM')
      return { state: 'unreadable', detail: `it cannot be read (${code || 'unknown'})` }
    return { state: 'denied', detail: `this process may not read it${await whose(file)}` }
  }
}

async function whose(file: string): Promise<string> {
  const own = process.getuid?.()
  try {
    const { mode, uid, gid } = await fs.stat(file)
    return `: it has mode ${(mode & 0o7777).toString(8).padStart(4, '0')}, owner ${uid} and group ${gid}${own === undefined ? '' : `, and this process is user ${own}`}`
  } catch {
    return own === undefined ? '' : `, as user ${own}`
  }
}

export type TokenSeen =
  | FileTrouble
  | { readonly state: 'broken'; readonly problem: string; readonly about: FileAbout }
  | {
      readonly state: 'token'
      /** Under which the vault holds it. */
      readonly name: TokenName
      readonly header: JsonObject
      readonly claims: JsonObject
      readonly unsigned: boolean
      readonly about: FileAbout
    }

/** Reads a token file; the token itself goes into the vault, and only what it claims comes back. */
export async function readTokenFile(file: string, vault: TokenVault): Promise<TokenSeen> {
  const read = await readSmall(file)
  if (read.state !== 'read') return read
  const raw = read.text.trim()
  if (raw === '') return { state: 'broken', problem: 'the file is empty', about: read.about }
  const token = readToken(raw)
  if (token.state === 'broken') return { state: 'broken', problem: token.problem, about: read.about }
  const { header, claims, unsigned } = token
  const owner = serviceAccountOf(textAt(claims, 'sub'))
  const name = {
    namespace: owner?.namespace ?? '',
    name: owner?.name ?? 'given',
    audience: audiencesOf(claims).join(' '),
  }
  vault.keep(name, raw)
  return { state: 'token', name, header, claims, unsigned, about: read.about }
}

/** The file's JSON without the values that are secret: Google's credential configuration. */
export async function readConfiguration(
  file: string,
): Promise<FileTrouble | { readonly state: 'json'; readonly value: Json }> {
  const read = await readSmall(file)
  if (read.state !== 'read') return read
  try {
    const value: Json = JSON.parse(read.text)
    return { state: 'json', value }
  } catch {
    return { state: 'unreadable', detail: 'it is not JSON' }
  }
}

const homeOf = (env: Environment): string => env.HOME || homedir()

/** Names of the settings of one profile in an ini file, as AWS writes them. */
function settingsIn(text: string, profile: string): readonly string[] {
  const names: string[] = []
  let inside = false
  for (const line of text.split(/\r?\n/u)) {
    const section = /^\s*\[\s*(?:profile\s+)?([^\]]{1,200}?)\s*\]/u.exec(line)?.[1]
    if (section !== undefined) inside = section.replace(/^(["'])(.*)\1$/u, '$2') === profile
    else if (inside) names.push(...(/^([A-Za-z_]\w{0,60})\s*=\s*\S/u.exec(line)?.slice(1, 2) ?? []))
  }
  return names.map((name) => name.toLowerCase())
}

async function profileOf(env: Environment): Promise<Glance['profile']> {
  const name = env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE || 'default'
  const places = [
    env.AWS_SHARED_CREDENTIALS_FILE || path.join(homeOf(env), '.aws', 'credentials'),
    env.AWS_CONFIG_FILE || path.join(homeOf(env), '.aws', 'config'),
  ]
  const files: string[] = []
  const settings = new Set<string>()
  for (const place of places) {
    const read = await readSmall(place)
    const found = read.state === 'read' ? settingsIn(read.text, name) : []
    if (found.length > 0) files.push(plain(place))
    for (const one of found) settings.add(one)
  }
  return files.length === 0 ? undefined : { name: plain(name), files, settings: [...settings] }
}

async function googleOf(env: Environment): Promise<Glance['google']> {
  const named = env.GOOGLE_APPLICATION_CREDENTIALS
  const folder = env.CLOUDSDK_CONFIG || path.join(homeOf(env), '.config', 'gcloud')
  const file = named || path.join(folder, 'application_default_credentials.json')
  const read = await readConfiguration(file)
  const type = read.state === 'json' ? textAt(read.value, 'type') : undefined
  if (!named && read.state === 'missing') return undefined
  return type === undefined ? { path: file } : { path: file, type: plain(type) }
}

/** What the environment and the files that it leads to show; of the variables' values only which credentials are chosen. */
export async function lookAtPod(env: Environment): Promise<Glance> {
  const set = new Set(Object.entries(env).flatMap(([name, value]) => (value ? [name] : [])))
  const [profile, google] = await Promise.all([profileOf(env), googleOf(env)])
  const choice = env.AZURE_TOKEN_CREDENTIALS
  return {
    set,
    ...(profile === undefined ? {} : { profile }),
    ...(google === undefined ? {} : { google }),
    ...(choice ? { azureChoice: plain(choice) } : {}),
  }
}
