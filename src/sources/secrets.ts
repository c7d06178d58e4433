/** Takes tokens, keys and passwords out of texts and answers: the last guard, behind everything that never lets them in. */
import { isList, type Json, type JsonObject } from '../core/json.ts'
import { isPicked } from '../domain/kubernetes-alike.ts'

export const redactedMark = '‹redacted›'

/** One look that tells most texts clean; what it stops at is then looked at closely. */
const suspicious =
  /eyJ|A[KS]IA[A-Z0-9]{12}|PRIVATE KEY|UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW|[Bb]earer|[Bb]asic |[Ss]ecret|SECRET|[Pp]assw|PASSW|[Kk]ey"?\s?[=:]|KEY"?\s?[=:]|[Tt]oken["'>=: ]|TOKEN["'=: ]|[?&]sig=|ya29\.|:\/\/[^\s/@]{1,200}@/

const rules: readonly (readonly [RegExp, string])[] = [
  // Header and claims too: what matters of them has been read long before.
  [/\beyJ[\w-]{4,}\.[\w-]{2,}(?:\.[\w-]*){0,3}/g, redactedMark],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g, redactedMark],
  [/LS0t[A-Za-z0-9+/]{0,60}(?:UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)[A-Za-z0-9+/=]*/g, redactedMark],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,20}\b/g, redactedMark],
  [/\bya29\.[\w-]+/g, redactedMark],
  [
    /\b(authorization["']?\s{0,4}[:=]\s{0,4}["']?(?:bearer|basic)\s{1,4}|bearer\s{1,4})[\w.~+/=-]{8,}/gi,
    `$1${redactedMark}`,
  ],
  [
    /((?:secret_?access_?key|session_?token|security_?token|client_?secret|client_?assertion|refresh_?token|access_?token|id_?token|web_?identity_?token|account_?key|shared_?access_?key|private_?key|api_?key|password|passwd|passphrase)["']?\s{0,4}(?:[:=]|>)\s{0,4}["']?)(?!‹)[^\s"'<>&;,]{4,}/gi,
    `$1${redactedMark}`,
  ],
  [/([?&]sig=)[^\s&"']{4,}/g, `$1${redactedMark}`],
  [/(:\/\/)[^\s/@:]{0,200}:[^\s/@]{1,200}@/g, `$1${redactedMark}@`],
]

/** Texts that only looked like a secret: thousands of pods mount /var/run/secrets. None of them holds one. */
const harmless = new Set<string>()
const mostHarmless = 1000
const longestHarmless = 200

/** The text without secrets; the same text where there are none. */
export function withoutSecrets(text: string): string {
  if (text.length < 8 || !suspicious.test(text) || harmless.has(text)) return text
  let clean = text
  for (const [rule, mark] of rules) clean = clean.replace(rule, mark)
  if (clean === text && text.length <= longestHarmless && harmless.size < mostHarmless) harmless.add(text)
  return clean
}

/** Members whose value is a secret whatever it looks like. */
const secretMembers: ReadonlySet<string> = new Set([
  'secretaccesskey',
  'sessiontoken',
  'accesskeyid',
  'webidentitytoken',
  'clientsecret',
  'client_secret',
  'clientassertion',
  'client_assertion',
  'password',
  'access_token',
  'accesstoken',
  'id_token',
  'refresh_token',
  'private_key',
  'privatekey',
  'token',
  'client-key-data',
  'aws_secret_access_key',
  'aws_session_token',
])

/** Names of members that are no secret's, in small letters or not: of each kind of object there are thousands. */
const plainNames = new Set<string>()
const mostPlainNames = 2000
function isSecretMember(name: string): boolean {
  if (plainNames.has(name)) return false
  if (secretMembers.has(name.toLowerCase())) return true
  if (plainNames.size < mostPlainNames) plainNames.add(name)
  return false
}

const deepest = 200

/** Values that thousands of pods share, and that hold no secret: looked through once. */
const clean = new WeakSet<object>()

/** The answer without secrets; the same object where there are none. What is nested beyond all sense becomes the mark. */
export function withoutSecretsIn(value: Json, depth = 0): Json {
  if (typeof value === 'string') return withoutSecrets(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest) return redactedMark
  if (!isPicked(value)) return looked(value, depth)
  if (clean.has(value)) return value
  const without = looked(value, depth)
  if (without === value) clean.add(value)
  return without
}

function looked(value: readonly Json[] | JsonObject, depth: number): Json {
  if (isList(value)) {
    let copy: Json[] | undefined
    for (let index = 0; index < value.length; index += 1) {
      const item = value[index] ?? null
      const clean = withoutSecretsIn(item, depth + 1)
      if (clean === item) continue
      copy ??= [...value]
      copy[index] = clean
    }
    return copy ?? value
  }
  let changed: [string, Json][] | undefined
  for (const name in value) {
    const member = value[name] ?? null
    const isSecret = typeof member === 'string' && member !== '' && isSecretMember(name)
    const clean = isSecret ? redactedMark : withoutSecretsIn(member, depth + 1)
    if (clean === member) continue
    changed ??= []
    changed.push([name, clean])
  }
  return changed === undefined ? value : { ...value, ...Object.fromEntries(changed) }
}
