/** What a POSIX shell inside a container tells of its identity, in lines; a token's signature is cut off before anything leaves. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the shell that fills them in
import type { JsonObject } from '../core/json.ts'
import type { Glance } from './credential-order.ts'
import type { FuseSeen } from './fuse-limits.ts'
import { mountingProbe, readMounting } from './pod-probe-mounting.ts'
import { readToken } from './token-claims.ts'

/** Variables whose values name an identity, a place or a file; of all others only the names leave the container. */
const told = [
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_PROFILE',
  'AZURE_CLIENT_ID',
  'AZURE_TENANT_ID',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_AUTHORITY_HOST',
  'AZURE_TOKEN_CREDENTIALS',
  'GOOGLE_APPLICATION_CREDENTIALS',
] as const

const tokenFiles = [
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AZURE_FEDERATED_TOKEN_FILE',
]

/**
 * Shell builtins do the work; `env`, `sed`, `ls` and `head` are tried and may be missing. `${t%.*}` takes the signature off, and a file without
 * two dots is not shown at all.
 */
export const podProbe = [
  'p() { printf "%s\\n" "$1"; }',
  // Values may hold line ends; a name that is made up by one leads nowhere.
  '(env || set) 2>/dev/null | sed -n "s/^\\([A-Za-z_][A-Za-z0-9_]*\\)=..*/set \\1/p"',
  ...told.map((name) => `[ -z "\${${name}:-}" ] || p "value ${name} \${${name}}"`),
  'f() { [ -n "$2" ] || return 0; if [ ! -e "$2" ]; then p "file $1 missing"; elif [ ! -r "$2" ]; then p "file $1 denied"; else p "file $1 read";' +
    ' t=""; IFS= read -r t < "$2" || :; case "$t" in eyJ*.*.*) t=${t%.*}; case "$t" in *.*.*) p "broken $1" ;; *) p "token $1 $t" ;; esac ;; *) p "broken $1" ;; esac; fi;' +
    ' m=$(ls -lLn "$2" 2>/dev/null | sed "s/^\\([^ ]*\\)  *[^ ]*  *\\([^ ]*\\)  *\\([^ ]*\\) .*/\\1 \\2 \\3/"); [ -z "$m" ] || p "mode $1 $m"; }',
  ...tokenFiles.map((name) => `f ${name} "\${${name}:-}"`),
  'for c in "${AWS_SHARED_CREDENTIALS_FILE:-${HOME:-/}/.aws/credentials}" "${AWS_CONFIG_FILE:-${HOME:-/}/.aws/config}"; do [ -r "$c" ] && p "profiles $c" &&' +
    ' sed -n -e "s/^[[:space:]]*\\[\\([^]]*\\)\\].*/section \\1/p" -e "s/^[[:space:]]*\\([A-Za-z_]*\\)[[:space:]]*=.*/setting \\1/p" "$c" 2>/dev/null; done',
  // The file may be one line, without an end, and with the type of something else in it.
  'g="${GOOGLE_APPLICATION_CREDENTIALS:-}"; [ -n "$g" ] && { g=$(sed -n -e "s/.*\\"type\\"[[:space:]]*:[[:space:]]*\\"\\([a-z_]*account[a-z_]*\\)\\".*/google \\1/p"' +
    ' -e "s/.*\\"type\\"[[:space:]]*:[[:space:]]*\\"\\([a-z_]*_user\\)\\".*/google \\1/p" "$g" 2>/dev/null | head -n 1); [ -z "$g" ] || p "$g"; }',
  'p "user $(id -u 2>/dev/null) $(id -g 2>/dev/null)"',
  ...mountingProbe,
  'p end',
].join('\n')

export type ProbedFile =
  | { readonly state: 'missing' | 'denied' | 'broken'; readonly mode?: string }
  | { readonly state: 'token'; readonly header: JsonObject; readonly claims: JsonObject; readonly mode?: string }

export type Probed = {
  readonly glance: Glance
  readonly values: { readonly [name: string]: string }
  readonly files: { readonly [variable: string]: ProbedFile }
  readonly user?: string
  readonly mounting: FuseSeen
  /** The shell came to the end of what it was asked. */
  readonly complete: boolean
}

const firstWord = (text: string): readonly [string, string] => {
  const cut = text.indexOf(' ')
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + 1)]
}

/** The profile in force out of the names of sections and settings. */
function profileIn(lines: readonly string[], wanted: string): Glance['profile'] {
  const files: string[] = []
  const settings = new Set<string>()
  let file = ''
  let inside = false
  for (const line of lines) {
    const [word, rest] = firstWord(line)
    if (word === 'profiles') file = rest
    if (word === 'profiles') inside = false
    else if (word === 'section') inside = rest.trim().replace(/^profile\s+/u, '') === wanted
    else if (word === 'setting' && inside) {
      settings.add(rest.toLowerCase())
      if (!files.includes(file)) files.push(file)
    }
  }
  return files.length === 0 ? undefined : { name: wanted, files, settings: [...settings] }
}

/** Reads what `podProbe` has printed. */
export function readProbe(output: string): Probed {
  const lines = output.split(/\r?\n/u).slice(0, 20_000)
  const set = new Set<string>()
  const values: { [name: string]: string } = {}
  const states: { [variable: string]: 'missing' | 'denied' | 'broken' } = {}
  const tokens: { [variable: string]: { readonly header: JsonObject; readonly claims: JsonObject } } = {}
  const modes: { [variable: string]: string } = {}
  let google: string | undefined
  let user: string | undefined
  for (const line of lines) {
    const [word, rest] = firstWord(line)
    const [name, more] = firstWord(rest)
    if (word === 'set') set.add(name)
    else if (word === 'value') values[name] = more.slice(0, 2048)
    else if (word === 'file' && (more === 'missing' || more === 'denied')) states[name] = more
    else if (word === 'broken') states[name] = 'broken'
    else if (word === 'mode') modes[name] = more
    else if (word === 'google') google = name
    else if (word === 'user') user = rest.trim()
    else if (word === 'token') {
      // Two parts: what takes its place here is no signature.
      const read = readToken(`${more}.AA`)
      if (read.state === 'read') tokens[name] = { header: read.header, claims: read.claims }
      else states[name] = 'broken'
    }
  }
  const files: { [variable: string]: ProbedFile } = {}
  for (const variable of tokenFiles) {
    const state = states[variable]
    const token = tokens[variable]
    const mode = modes[variable] === undefined ? {} : { mode: modes[variable] }
    if (token !== undefined) files[variable] = { state: 'token', ...token, ...mode }
    else if (state !== undefined) files[variable] = { state, ...mode }
  }
  const profile = profileIn(lines, values.AWS_PROFILE ?? 'default')
  const path = values.GOOGLE_APPLICATION_CREDENTIALS
  const choice = values.AZURE_TOKEN_CREDENTIALS
  return {
    glance: {
      set,
      ...(choice ? { azureChoice: choice } : {}),
      ...(profile === undefined ? {} : { profile }),
      ...(path === undefined ? {} : { google: { path, ...(google === undefined ? {} : { type: google }) } }),
    },
    values,
    files,
    mounting: readMounting(lines),
    complete: lines.includes('end'),
    ...(user === undefined ? {} : { user }),
  }
}
